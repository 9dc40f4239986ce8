import {existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import {newRunId, openRunStore, type RunFolder, type RunStore} from '../../../src/store/run-store.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';
import {aFile} from '../../support/store-records.ts';

const first = '20250301-101500-00001';
const second = '20250301-101500-00002';

function created(runs: RunStore, id: string): RunFolder {
  const run = runs.create(id);
  if (!run.ok) throw new Error(run.error[0]?.message);
  return run.value;
}

test('run ids sort by time and differ within a second', () => {
  const at = Date.UTC(2025, 2, 1, 10, 15, 0);
  expect(newRunId(at)).toMatch(/^20250301-101500-000[0-9a-f]{2}$/);
  expect(newRunId(at + 1) > newRunId(at)).toBe(true);
  expect(newRunId(at + 1000) > newRunId(at + 999)).toBe(true);
  expect(new Set(Array.from({length: 10}, () => newRunId(at))).size).toBeGreaterThan(5);
});

test('creates, lists and removes runs; latest follows', () => {
  const runs = openRunStore(join(tempFolder(), 'runs'));
  expect(runs.list()).toEqual([]);
  expect(runs.latest()).toBeUndefined();
  created(runs, first);
  created(runs, second);
  writeFileSync(join(runs.dir, 'state.ndjson'), '');
  expect(runs.list()).toEqual([second, first]);
  expect(runs.latest()).toBe(second);
  expect(readlinkSync(join(runs.dir, 'latest'))).toBe(second);
  expect(runs.remove(second)).toBe(true);
  expect(runs.remove(second)).toBe(false);
  expect(runs.latest()).toBe(first);
  expect(runs.remove(first)).toBe(true);
  expect(existsSync(join(runs.dir, 'latest'))).toBe(false);
});

test('an id that exists is a failure; an id that is a path is a bug', () => {
  const runs = openRunStore(join(tempFolder(), 'runs'));
  created(runs, first);
  expect(runs.create(first)).toMatchObject({ok: false});
  expect(() => runs.create('../x')).toThrow('run id');
  expect(runs.open('..')).toBeUndefined();
  expect(runs.remove('..')).toBe(false);
});

test('latest without its folder is the newest run that is there', () => {
  const runs = openRunStore(join(tempFolder(), 'runs'));
  created(runs, first);
  created(runs, second);
  rmSync(join(runs.dir, second), {recursive: true});
  expect(runs.latest()).toBe(first);
});

test('writes, appends and reads files of a run', () => {
  const runs = openRunStore(join(tempFolder(), 'runs'));
  const run = created(runs, first);
  run.write('run.json', '{"a":1}');
  run.append('events.ndjson', '{"type":"a"}\n');
  run.append('events.ndjson', '{"type":"b"}\n{"type":"c');
  run.append('logs/train[fold=1].log', 'hello\n');
  const again = runs.open(first);
  expect(again?.read('run.json')).toBe('{"a":1}');
  expect(again?.readLines('events.ndjson')).toEqual([{type: 'a'}, {type: 'b'}]);
  expect(again?.read('logs/train[fold=1].log')).toBe('hello\n');
  expect(again?.read('plan.json')).toBeUndefined();
  expect(again?.readLines('absent')).toEqual([]);
  expect(() => run.write('../outside', '')).toThrow('leads out');
});

test('links results under readable names, and replaces them', async () => {
  const folder = tempFolder();
  const store = openedStore(join(folder, 'cache'));
  const run = created(openRunStore(join(folder, 'runs')), first);
  const one = aFile(await store.cas.putBytes('one'));
  const two = aFile(await store.cas.putBytes('two'));
  expect(await run.linkOut('tables/map.csv', one, store.files)).toEqual({
    ok: true,
    value: join(run.dir, 'out/tables/map.csv'),
  });
  expect(await run.linkOut('tables/map.csv', two, store.files)).toMatchObject({ok: true});
  expect(readFileSync(join(folder, 'runs', first, 'out/tables/map.csv'), 'utf8')).toBe('two');
  expect(await run.linkOut('../../escaped', one, store.files)).toMatchObject({ok: false});
  expect(await run.linkOut('gone', aFile(digestOf('gone')), store.files)).toMatchObject({
    ok: false,
    error: [{code: 'blob-missing'}],
  });
  expect(store.cas.holds(one.digest)).toBe(true);
  rmSync(join(folder, 'runs'), {recursive: true});
  expect(store.cas.holds(two.digest)).toBe(true);
});

test('a runs folder that cannot be made is a failure', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'runs'), 'a file where a folder should be');
  expect(openRunStore(join(folder, 'runs')).create(first)).toMatchObject({
    ok: false,
    error: [{hint: expect.any(String)}],
  });
});

test('a folder called latest does not stop a run', () => {
  const runs = openRunStore(join(tempFolder(), 'runs'));
  mkdirSync(join(runs.dir, 'latest', 'x'), {recursive: true});
  created(runs, first);
  expect(runs.latest()).toBe(first);
  expect(statSync(join(runs.dir, 'latest')).isDirectory()).toBe(true);
  rmSync(join(runs.dir, 'latest'), {recursive: true});
  symlinkSync('nowhere', join(runs.dir, 'latest'));
  expect(runs.latest()).toBe(first);
});
