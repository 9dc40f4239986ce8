import {setMaxListeners} from 'node:events';
import {mkdirSync, watch, type FSWatcher} from 'node:fs';
import {sha256} from '../core/digest.ts';
import type {Lock, Locks} from '../core/ports.ts';
import {asFailureError, isMissing} from './io-failure.ts';
import {holderText, isPlainKey, tryLock, unlock, type Holder} from './lock-file.ts';
import type {Session} from './session.ts';

/** A holder that dies sends no event; waiters look again this often. */
const lookAgainMs = 1000;

/**
 * Locks as files in `dir`, one holder at a time over all processes, first come first served inside this one. Nobody ever
 * has to remove a lock by hand: the next who wants it finds out that its holder is dead.
 */
export function createLocks(dir: string, session: Session): Locks {
  const held = new Set<string>();
  const queues = new Map<string, (() => void)[]>();
  const bells = createBells(dir);

  const take = (path: string): Holder | undefined => {
    try {
      session.announce();
      try {
        return tryLock(path, session);
      } catch (error) {
        if (!isMissing(error)) throw error;
        // The locks folder is not there yet, or the whole store was removed under us.
        mkdirSync(dir, {recursive: true});
        session.announceAgain();
        return tryLock(path, session);
      }
    } catch (error) {
      throw asFailureError(error, `a lock in ${dir}`);
    }
  };
  const passOn = (name: string): void => {
    const next = queues.get(name)?.shift();
    if (next) next();
    else queues.delete(name);
  };
  session.onClose(() => {
    for (const name of held) tryQuietly(() => unlock(`${dir}/${name}`, session));
    held.clear();
    bells.close();
  });

  const nameOf = (key: string): string => `${isPlainKey(key) ? key : sha256(key)}.lock`;
  const own = (name: string): Lock => {
    held.add(name);
    return lockOf(() => {
      held.delete(name);
      tryQuietly(() => unlock(`${dir}/${name}`, session));
      passOn(name);
    });
  };

  return {
    tryAcquire(key) {
      const name = nameOf(key);
      if (queues.has(name)) return undefined;
      queues.set(name, []);
      let taken = false;
      try {
        taken = take(`${dir}/${name}`) === undefined;
      } finally {
        if (!taken) passOn(name);
      }
      return taken ? own(name) : undefined;
    },
    async acquire(key, signal, onWait) {
      signal.throwIfAborted();
      // Every waiter listens to the one signal of its run; ten is not a leak.
      setMaxListeners(0, signal);
      const name = nameOf(key);
      const path = `${dir}/${name}`;
      let told = false;
      const tell = (holder: Holder): void => {
        if (!told) onWait(holderText(holder, session.record));
        told = true;
      };
      const queue = queues.get(name);
      if (queue === undefined) {
        queues.set(name, []);
      } else {
        tell({record: session.record});
        await turnIn(queue, signal);
      }
      try {
        let holder = take(path);
        if (holder !== undefined) {
          const bell = bells.listen(name);
          try {
            while ((holder = take(path)) !== undefined) {
              tell(holder);
              await bell.rings(signal);
              signal.throwIfAborted();
            }
          } finally {
            bell.close();
          }
        }
      } catch (error) {
        passOn(name);
        throw error;
      }
      return own(name);
    },
  };
}

function lockOf(release: () => void): Lock {
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      release();
    },
  };
}

/** Waits for this process's turn; leaves the queue when aborted. */
function turnIn(queue: (() => void)[], signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const turn = (): void => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = (): void => {
      const at = queue.indexOf(turn);
      if (at >= 0) queue.splice(at, 1);
      reject(signal.reason as Error);
    };
    queue.push(turn);
    signal.addEventListener('abort', leave, {once: true});
  });
}

/** Rings when a lock file comes or goes. */
interface Bell {
  /** Resolves at the next change since the last call, after a second, or when aborted. */
  rings(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** One folder watch for all waiters, only while there are any. */
function createBells(dir: string): {listen(name: string): Bell; close(): void} {
  const listeners = new Map<string, Set<() => void>>();
  let watcher: FSWatcher | undefined;
  const stop = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const start = (): void => {
    try {
      watcher ??= watch(dir, {persistent: false}, (_event, name) => {
        const rung = name === null ? [...listeners.values()] : [listeners.get(name) ?? new Set<() => void>()];
        for (const set of rung) for (const ring of set) ring();
      }).on('error', stop);
    } catch {
      // No watch to be had (limits, network file systems): the timer still looks every second.
    }
  };
  return {
    listen(name) {
      start();
      let rung = false;
      let wake: (() => void) | undefined;
      const ring = (): void => {
        rung = true;
        wake?.();
      };
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(ring));
      return {
        async rings(signal) {
          if (!rung && !signal.aborted) {
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, lookAgainMs);
              signal.addEventListener('abort', ring, {once: true});
              wake = () => {
                clearTimeout(timer);
                resolve();
              };
            });
            signal.removeEventListener('abort', ring);
            wake = undefined;
          }
          rung = false;
        },
        close() {
          set.delete(ring);
          if (set.size === 0) listeners.delete(name);
          if (listeners.size === 0) stop();
        },
      };
    },
    close: stop,
  };
}

function tryQuietly(action: () => void): void {
  try {
    action();
  } catch {
    // A lock that cannot be removed dies with this process.
  }
}
