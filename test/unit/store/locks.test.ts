import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {thisProcess} from '../../../src/store/process-identity.ts';
import {tryLock, unlock, type LockOwner} from '../../../src/store/lock-file.ts';
import {heartbeatStaleMs, introduce} from '../../../src/store/session.ts';
import {compile, type Program} from '../../support/child.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

const never = new AbortController().signal;
let fighter: Program;

beforeAll(async () => {
  fighter = await compile(join(import.meta.dirname, 'children/lock-fighter.ts'));
});
afterAll(() => fighter.remove());

/** A lock file as a process of another kind would have left it. */
function plant(dir: string, key: string, change: object): string {
  const {record} = introduce('run 1', 'abcd');
  mkdirSync(join(dir, 'locks'), {recursive: true});
  const file = join(dir, 'locks', `${key}.lock`);
  writeFileSync(file, `${JSON.stringify({...record, ...change})}\n`);
  return file;
}

async function waitsFor(dir: string, key: string): Promise<string | undefined> {
  const {locks} = openedStore(dir);
  const stop = new AbortController();
  let holder: string | undefined;
  try {
    const lock = await locks.acquire(key, stop.signal, (text) => {
      holder = text;
      stop.abort();
    });
    lock.release();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return holder;
}

interface Fight {
  readonly times: number;
  readonly keys: number;
  /** One process each; the turn in which it is killed, -1 for never. */
  readonly dieAt: readonly number[];
}

/** Lets processes fight over locks and returns what each printed, with its end as the last line. */
function fight(dir: string, {times, keys, dieAt}: Fight): Promise<readonly (readonly string[])[]> {
  const fighters = dieAt.map((turn) => fighter.start([dir, join(dir, 'marker'), times, keys, turn].map(String)));
  return Promise.all(
    fighters.map(async (child) => {
      const lines: string[] = [];
      for await (const line of child.lines) lines.push(line);
      return [...lines, String(await child.ended)];
    }),
  );
}

test('many processes, some killed inside the lock: never two holders, never stuck', async () => {
  const dir = tempFolder();
  const outcomes = await fight(dir, {times: 40, keys: 1, dieAt: [3, 5, 8, 13, -1, -1]});
  expect(outcomes.map((lines) => lines.join(' '))).toEqual([...Array<string>(4).fill('SIGKILL'), 'done 0', 'done 0']);
  expect(await waitsFor(dir, 'prize-0')).toBeUndefined();
  expect(readdirSync(join(dir, 'locks'))).toEqual([]);
});

test('many processes that find the same dead holders: each lock goes to one of them', async () => {
  const dir = tempFolder();
  for (let key = 0; key < 400; key++) plant(dir, `prize-${key}`, {pid: 4_194_301});
  const outcomes = await fight(dir, {times: 400, keys: 400, dieAt: [-1, -1, -1, -1]});
  expect(outcomes.map((lines) => lines.join(' '))).toEqual(Array<string>(4).fill('done 0'));
  expect(readdirSync(join(dir, 'locks'))).toEqual([]);
});

test('the lock of a dead process is taken at once', async () => {
  const dir = tempFolder();
  plant(dir, 'key', {pid: 4_194_301});
  expect(await waitsFor(dir, 'key')).toBeUndefined();
});

test('the lock of an earlier process with the same pid is taken at once', async () => {
  const dir = tempFolder();
  plant(dir, 'key', {processStart: '1'});
  expect(await waitsFor(dir, 'key')).toBeUndefined();
});

test('the lock of a process from before the machine restarted is taken at once', async () => {
  const dir = tempFolder();
  plant(dir, 'key', {boot: 'another boot'});
  expect(await waitsFor(dir, 'key')).toBeUndefined();
});

test('the lock of another host or container is kept until its heartbeat is old', async () => {
  for (const change of [
    {host: 'farm-7/1234', pid: 4_194_301},
    {pidNamespace: 'pid:[1]', pid: 4_194_301},
  ]) {
    const dir = tempFolder();
    const file = plant(dir, 'key', change);
    expect(await waitsFor(dir, 'key')).toMatch(/^run 1 \(pid 4194301( on farm-7)?\)$/);
    const old = (Date.now() - heartbeatStaleMs - 1000) / 1000;
    utimesSync(file, old, old);
    expect(await waitsFor(dir, 'key')).toBeUndefined();
  }
});

test('a lock file that was cut short is kept while it is young', async () => {
  const dir = tempFolder();
  const file = plant(dir, 'key', {});
  writeFileSync(file, '{"type":"sess');
  expect(await waitsFor(dir, 'key')).toBe('another process');
  const old = (Date.now() - heartbeatStaleMs - 1000) / 1000;
  utimesSync(file, old, old);
  expect(await waitsFor(dir, 'key')).toBeUndefined();
});

test('a lock names its holder, and is a link to its session', async () => {
  const dir = tempFolder();
  const {locks, layout, session} = openedStore(dir, 'run 20250301-101500-3e7ab');
  const lock = await locks.acquire('key', never, () => undefined);
  expect(await waitsFor(dir, 'key')).toBe(`run 20250301-101500-3e7ab (pid ${process.pid})`);
  expect(JSON.parse(readFileSync(join(layout.locks, 'key.lock'), 'utf8'))).toEqual(session);
  lock.release();
  expect(readdirSync(layout.locks)).toEqual([]);
});

test('closing the store gives its locks back and ends its session', async () => {
  const dir = tempFolder();
  const store = openedStore(dir);
  await store.locks.acquire('key', never, () => undefined);
  expect(readdirSync(store.layout.sessions)).toHaveLength(1);
  store.close();
  expect(readdirSync(store.layout.sessions)).toEqual([]);
  expect(await waitsFor(dir, 'key')).toBeUndefined();
});

test('locks survive the removal of the whole store', async () => {
  const dir = tempFolder();
  const store = openedStore(join(dir, 'cache'));
  (await store.locks.acquire('key', never, () => undefined)).release();
  rmSync(store.dir, {recursive: true});
  (await store.locks.acquire('key', never, () => undefined)).release();
  expect(existsSync(store.layout.sessions)).toBe(true);
});

test('without hard links a lock file is written, with the same effect', () => {
  const path = join(tempFolder(), 'locks', 'key.lock');
  const one: LockOwner = introduce('one', 'a1');
  const two: LockOwner = introduce('two', 'b2');
  expect(tryLock(path, one)).toBeUndefined();
  expect(tryLock(path, two)?.record?.what).toBe('one');
  unlock(path, two);
  expect(tryLock(path, two)?.record?.what).toBe('one');
  unlock(path, one);
  expect(tryLock(path, two)).toBeUndefined();
});

test('a competitor that acts between any two steps of an eviction: one of the two gets the lock', () => {
  let interrupted = 0;
  for (let step = 1; step < 30; step++) {
    const dir = tempFolder();
    const file = plant(dir, 'key', {pid: 4_194_301, nonce: 'dead1'});
    const competitor = introduce('competitor', 'c0');
    let competitorTook: boolean | undefined;
    let steps = 0;
    const act = <T>(value: T): T => {
      if (++steps === step) competitorTook = tryLock(file, competitor) === undefined;
      return value;
    };
    const me = introduce('me', 'd0');
    // Each look at the owner is a moment between two system calls.
    const watched: LockOwner = {
      get record() {
        return act(me.record);
      },
      get text() {
        return act(me.text);
      },
    };
    const iTook = tryLock(file, watched) === undefined;
    if (competitorTook === undefined) continue;
    interrupted++;
    expect([step, iTook, competitorTook]).toEqual([step, !competitorTook, competitorTook]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({nonce: iTook ? 'd0' : 'c0'});
    expect(readdirSync(join(dir, 'locks'))).toEqual(['key.lock']);
  }
  expect(interrupted).toBeGreaterThan(5);
});

test('who died while evicting a dead holder is evicted too', () => {
  const dir = tempFolder();
  const file = plant(dir, 'key', {pid: 4_194_301, nonce: 'dead1'});
  writeFileSync(`${file}.dead1.evict`, JSON.stringify({...introduce('x', 'dead2').record, pid: 4_194_302}));
  expect(tryLock(file, introduce('me', 'c3'))).toBeUndefined();
  expect(readdirSync(join(dir, 'locks'))).toEqual(['key.lock']);
});

test('a process that is evicting holds the others off', () => {
  const dir = tempFolder();
  const file = plant(dir, 'key', {pid: 4_194_301, nonce: 'dead1'});
  writeFileSync(`${file}.dead1.evict`, JSON.stringify({...introduce('x', 'alive').record, ...thisProcess()}));
  expect(tryLock(file, introduce('me', 'c3'))).toMatchObject({record: {nonce: 'dead1'}});
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({nonce: 'dead1'});
});
