import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {Locks} from '../../src/core/ports.ts';
import {memoryLocks} from '../support/memory-store.ts';
import {openedStore, tempFolder} from '../support/store-fixture.ts';

/** Each call of the result is another user of the same locks. */
const implementations: Record<string, () => () => Locks> = {
  'on disk, one process': () => {
    const {locks} = openedStore(join(tempFolder(), 'cache'));
    return () => locks;
  },
  'on disk, several stores': () => {
    const folder = tempFolder();
    return () => openedStore(join(folder, 'cache')).locks;
  },
  'in memory': () => {
    const locks = memoryLocks();
    return () => locks;
  },
};

const never = new AbortController().signal;
const unexpected = (holder: string): void => {
  throw new Error(`waited for ${holder}`);
};

describe.each(Object.entries(implementations))('Locks %s', (_name, make) => {
  test('a free lock is taken at once, and again after its release', async () => {
    const open = make();
    for (const locks of [open(), open()]) {
      const lock = await locks.acquire('key', never, unexpected);
      lock.release();
      expect(() => lock.release()).not.toThrow();
    }
  });

  test('can be tried: taken when nobody has or awaits it, else not', async () => {
    const open = make();
    const lock = open().tryAcquire('key');
    expect(lock).toBeDefined();
    expect(open().tryAcquire('key')).toBeUndefined();
    expect(open().tryAcquire('other')).toBeDefined();
    const waiting = open().acquire('key', never, () => {});
    lock?.release();
    const next = await waiting;
    expect(open().tryAcquire('key')).toBeUndefined();
    next.release();
    next.release();
    const again = open().tryAcquire('key');
    expect(again).toBeDefined();
    again?.release();
    (await open().acquire('key', never, unexpected)).release();
  });

  test('different keys do not wait for each other', async () => {
    const open = make();
    const keys = ['a', 'b', '', '.', '../up', 'a/b', 'with space', 'x'.repeat(1000), 'A'];
    const held = await Promise.all(keys.map((key) => open().acquire(key, never, unexpected)));
    expect(held).toHaveLength(keys.length);
    for (const lock of held) lock.release();
  });

  test('one holder at a time; the waiter is told once who it waits for', async () => {
    const open = make();
    let inside = 0;
    let most = 0;
    const told: string[] = [];
    const work = async (): Promise<void> => {
      let times = 0;
      const lock = await open().acquire('key', never, (holder) => {
        times++;
        told.push(holder);
      });
      expect(times).toBeLessThanOrEqual(1);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      lock.release();
    };
    await Promise.all(Array.from({length: 8}, work));
    expect(most).toBe(1);
    expect(told).toHaveLength(7);
    for (const holder of told) expect(holder).not.toBe('');
  });

  test('a waiter that is aborted leaves, and the lock goes to the next', async () => {
    const open = make();
    const first = await open().acquire('key', never, unexpected);
    const leaving = new AbortController();
    const waits = (signal: AbortSignal): [Promise<void>, ReturnType<Locks['acquire']>] => {
      let lock!: ReturnType<Locks['acquire']>;
      const waiting = new Promise<void>((resolve) => {
        lock = open().acquire('key', signal, () => resolve());
      });
      return [waiting, lock];
    };
    const [secondWaits, second] = waits(leaving.signal);
    await secondWaits;
    const [thirdWaits, third] = waits(never);
    await thirdWaits;
    leaving.abort();
    await expect(second).rejects.toThrow('aborted');
    first.release();
    (await third).release();
    (await open().acquire('key', never, unexpected)).release();
  });

  test('an aborted signal takes no lock', async () => {
    const open = make();
    await expect(open().acquire('key', AbortSignal.abort(), unexpected)).rejects.toThrow('aborted');
    (await open().acquire('key', never, unexpected)).release();
  });
});
