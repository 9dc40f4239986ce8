import {chmodSync, lstatSync, mkdirSync, readFileSync, statSync, truncateSync, utimesSync} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {createPlace} from '../../../src/exec/place-input.ts';
import {createBench, type Bench} from '../../support/exec/bench.ts';

const place = createPlace();
let bench: Bench;
beforeAll(() => {
  bench = createBench();
});
afterAll(() => bench.remove());

function blob(content: string): string {
  const {hash} = digestOf(content);
  mkdirSync(bench.path(hash.slice(0, 2)), {recursive: true});
  const path = bench.write(`${hash.slice(0, 2)}/${hash}`, content);
  utimesSync(path, 978_307_200, 978_307_200);
  chmodSync(path, 0o444);
  return path;
}

test('a small blob is copied, so that a command cannot damage the store', async () => {
  const from = blob('small');
  await place(from, bench.path('small'), false);
  expect(readFileSync(bench.path('small'), 'utf8')).toBe('small');
  expect(statSync(bench.path('small')).ino).not.toBe(statSync(from).ino);
  expect(statSync(bench.path('small')).mtimeMs).toBe(978_307_200_000);
});

test('a large blob costs no space, and what must be executable is never a link', async () => {
  const from = blob('x'.repeat(2 * 1024 ** 2));
  await place(from, bench.path('large'), false);
  await place(from, bench.path('tool'), true);
  expect(statSync(bench.path('large')).size).toBe(2 * 1024 ** 2);
  expect(statSync(bench.path('tool')).mode & 0o777).toBe(0o755);
  expect(statSync(from).mode & 0o777).toBe(0o444);
});

test('a source is copied, a huge one at most linked symbolically', async () => {
  await place(bench.write('source', 'text'), bench.path('placed'), false);
  expect(statSync(bench.path('placed')).ino).not.toBe(statSync(bench.path('source')).ino);
  const huge = bench.write('huge', '');
  truncateSync(huge, 65 * 1024 ** 2);
  await place(huge, bench.path('huge-placed'), false);
  expect(lstatSync(bench.path('huge-placed')).ino).not.toBe(statSync(huge).ino);
  expect(statSync(bench.path('huge-placed')).size).toBe(65 * 1024 ** 2);
});

test('a file that is gone is an error', async () => {
  await expect(place(bench.path('nothing'), bench.path('to'), false)).rejects.toThrow(/ENOENT/);
});
