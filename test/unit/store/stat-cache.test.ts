import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import type {Failure} from '../../../src/core/failure.ts';
import {grainMs, openStatCache, type Signature, type StatCache} from '../../../src/store/stat-cache.ts';
import {tempFolder} from '../../support/store-fixture.ts';

const hashedAtMs = 1_740_824_100_000;
const settled: Signature = {
  dev: 64,
  ino: 12_345_678_901,
  size: 7,
  mtimeMs: hashedAtMs - 5000.2502,
  ctimeMs: hashedAtMs - 4000.125,
};
const hash = sha256('content');

function opener(): {file: string; open: () => StatCache; warnings: Failure[]} {
  const file = join(tempFolder(), 'stat.bin');
  const warnings: Failure[] = [];
  return {file, warnings, open: () => openStatCache({file, warn: (problem) => warnings.push(problem)})};
}

test('remembers a digest in this process and the next', () => {
  const {open} = opener();
  const cache = open();
  expect(cache.lookup('/a', settled)).toBeUndefined();
  cache.record('/a', settled, hash, hashedAtMs);
  expect(cache.lookup('/a', settled)).toEqual({hash, size: 7});
  cache.flush();
  expect(cache.lookup('/a', settled)).toEqual({hash, size: 7});
  expect(open().lookup('/a', settled)).toEqual({hash, size: 7});
});

test('any difference in the stat is a miss', () => {
  const {open} = opener();
  const cache = open();
  cache.record('/a', settled, hash, hashedAtMs);
  cache.flush();
  for (const key of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) {
    for (const reader of [cache, open()])
      expect(reader.lookup('/a', {...settled, [key]: settled[key] + 1})).toBeUndefined();
  }
});

test.each(['mtimeMs', 'ctimeMs'] as const)('a %s younger than its own check is not trusted', (time) => {
  const {open} = opener();
  const cache = open();
  for (const agoMs of [-1000, 0, grainMs - 1]) {
    const racy = {...settled, [time]: hashedAtMs - agoMs};
    cache.record('/a', racy, hash, hashedAtMs);
    expect(cache.lookup('/a', racy)).toBeUndefined();
  }
  const old = {...settled, [time]: hashedAtMs - grainMs};
  cache.record('/a', old, hash, hashedAtMs);
  expect(cache.lookup('/a', old)).toBeDefined();
});

test('a file that was just written loses the entry it had', () => {
  const {open} = opener();
  const first = open();
  first.record('/a', settled, hash, hashedAtMs);
  first.flush();
  const second = open();
  second.record('/a', {...settled, mtimeMs: hashedAtMs}, sha256('other'), hashedAtMs);
  second.flush();
  expect(open().lookup('/a', settled)).toBeUndefined();
});

test('keeps any path and any stat', () => {
  const {open} = opener();
  const stat = fc.record({
    dev: fc.nat(),
    ino: fc.maxSafeNat(),
    size: fc.maxSafeNat(),
    mtimeMs: fc.double({min: 0, max: hashedAtMs - grainMs, noNaN: true}),
    ctimeMs: fc.double({min: 0, max: hashedAtMs - grainMs, noNaN: true}),
  });
  const path = fc.string({unit: 'binary', minLength: 1}).map((name) => `/${name.replaceAll('\n', ' ')}`);
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(path, stat, fc.string()), {selector: ([path]) => path}), (entries) => {
      const cache = open();
      for (const [path, stat, content] of entries) cache.record(path, stat, sha256(content), hashedAtMs);
      cache.flush();
      const next = open();
      for (const [path, stat, content] of entries) {
        expect(next.lookup(path, stat)).toEqual({hash: sha256(content), size: stat.size});
      }
    }),
    {numRuns: 20},
  );
});

test('two processes that write at once both keep their entries', () => {
  const {open} = opener();
  const one = open();
  const two = open();
  expect(one.lookup('/a', settled)).toBeUndefined();
  expect(two.lookup('/a', settled)).toBeUndefined();
  one.record('/one', settled, hash, hashedAtMs);
  two.record('/two', settled, hash, hashedAtMs);
  one.flush();
  two.flush();
  for (const path of ['/one', '/two']) expect(open().lookup(path, settled)).toEqual({hash, size: 7});
});

test('a damaged file is a warning and starts anew', () => {
  const {file, open, warnings} = opener();
  const cache = open();
  for (let index = 0; index < 20; index++) cache.record(`/${index}`, settled, hash, hashedAtMs);
  cache.flush();
  const whole = readFileSync(file);
  const flipped = Buffer.from(whole);
  flipped[200] = (flipped[200] ?? 0) ^ 1;
  for (const bytes of [
    flipped,
    whole.subarray(0, 300),
    Buffer.alloc(0),
    Buffer.alloc(whole.length),
    Buffer.from('{}'),
  ]) {
    writeFileSync(file, bytes);
    warnings.length = 0;
    const reader = open();
    for (let index = 0; index < 20; index++) expect(reader.lookup(`/${index}`, settled)).toBeUndefined();
    expect(warnings).toMatchObject([{code: 'state-corrupt'}]);
    reader.record('/new', settled, hash, hashedAtMs);
    reader.flush();
    expect(open().lookup('/new', settled)).toBeDefined();
  }
});

test('an unwritable place is a warning', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'tmp'), 'a file where a folder should be');
  const warnings: Failure[] = [];
  const cache = openStatCache({file: join(folder, 'stat.bin'), warn: (problem) => warnings.push(problem)});
  cache.record('/a', settled, hash, hashedAtMs);
  cache.flush();
  expect(warnings).toMatchObject([{code: 'cache-unwritable'}]);
  rmSync(join(folder, 'tmp'));
  cache.flush();
  expect(warnings).toHaveLength(1);
});
