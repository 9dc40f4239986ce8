import {statSync} from 'node:fs';

/** Gives what was made of a file; calls for the same file, unchanged, and the same variant give the same value. */
export type KeepLast<T> = (path: string, variant: string, make: () => T | Promise<T>) => Promise<T>;

/**
 * Holds what was last made of a file, for stages that run once per clip in a worker that stays alive: reading the weights
 * of a network takes longer than most clips. An exception to "no state in modules", which changes no result. One job at a
 * time may use the value; `release` is called before another takes its place.
 */
export function keepLast<T>(release: (value: T) => Promise<void> = async () => {}): KeepLast<T> {
  let last: {readonly key: string; readonly value: T} | undefined;
  return async (path, variant, make) => {
    const {dev, ino, size, mtimeNs, ctimeNs} = statSync(path, {bigint: true});
    const key = [path, dev, ino, size, mtimeNs, ctimeNs, variant].join('\n');
    if (last?.key === key) return last.value;
    const before = last;
    last = undefined;
    if (before) await release(before.value);
    const value = await make();
    last = {key, value};
    return value;
  };
}
