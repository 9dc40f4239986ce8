import {readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {failure, FailureError} from '../../../src/core/failure.ts';
import {writeFailure, asFailureError} from '../../../src/store/io-failure.ts';
import {compile} from '../../support/child.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: something`), {code});
}

test.each([
  ['ENOSPC', 'disk-full', 'the disk is full'],
  ['EDQUOT', 'disk-full', 'quota'],
  ['EFBIG', 'disk-full', 'ulimit -f'],
  ['EACCES', 'cache-unwritable', 'permission denied'],
  ['EROFS', 'cache-unwritable', 'read-only'],
  ['EIO', 'cache-unwritable', 'EIO: something'],
])('%s while writing is the failure %s', (code, failureCode, why) => {
  const problem = writeFailure(errno(code), 'a blob');
  expect(problem).toMatchObject({code: failureCode, message: expect.stringContaining(why), hint: expect.any(String)});
  expect(problem.message).toMatch(/^Could not write a blob: /);
});

test('a bug stays a bug', () => {
  const bug = new TypeError('undefined is not a function');
  expect(() => writeFailure(bug, 'a blob')).toThrow(bug);
  expect(asFailureError(bug, 'a blob')).toBe(bug);
  const known = new FailureError(failure('disk-full', 'full'));
  expect(asFailureError(known, 'a blob')).toBe(known);
});

test.runIf(process.platform === 'linux')('a write that stops half-way leaves nothing', async () => {
  const folder = tempFolder();
  const dir = join(folder, 'cache');
  writeFileSync(join(folder, 'large'), Buffer.alloc(1 << 20, 'x'));
  const program = await compile(join(import.meta.dirname, 'children/filler.ts'));
  const child = program.start([dir, join(folder, 'large')], ['bash', '-c', 'ulimit -f 256; exec "$0" "$@"']);
  const lines: string[] = [];
  for await (const line of child.lines) lines.push(line);
  expect(await child.ended).toBe(0);
  program.remove();
  expect(lines.map((line) => line.split(':')[0])).toEqual(['disk-full', 'disk-full', 'stored']);
  const {layout, blobs} = openedStore(dir);
  expect(readdirSync(layout.tmp)).toEqual([]);
  expect([...blobs.list()].map(({bytes}) => bytes)).toEqual([5]);
});
