import {renameSync, statSync} from 'node:fs';
import {failure, type FailureCode} from '../core/failure.ts';
import {namesIn, withFolder} from './atomic-file.ts';
import {isMissing, type Warn} from './io-failure.ts';

/** Where damaged blobs and records go: out of the way, and kept for whoever wants to know what happened. */
export interface Quarantine {
  /** Moves the file away and warns. `name` is its hash; `why` completes "Blob 1234 ...". */
  put(path: string, name: string, problem: {readonly code: FailureCode; readonly what: string}): void;
  list(): readonly {
    readonly path: string;
    readonly bytes: number;
    readonly mtimeMs: number;
    readonly ctimeMs: number;
  }[];
}

export function createQuarantine(dir: string, nonce: string, warn: Warn): Quarantine {
  let count = 0;
  return {
    put(path, name, {code, what}) {
      const target = `${dir}/${name}-${nonce}-${count++}`;
      try {
        withFolder(target, () => renameSync(path, target));
        warn(failure(code, `${what}; it was moved to ${target}`, {hint}));
      } catch (error) {
        // Gone already: another process was faster, or gc took it.
        if (isMissing(error)) return;
        const why = error instanceof Error ? error.message : String(error);
        warn(failure(code, `${what}, and it could not be moved to ${dir}: ${why}`, {hint}));
      }
    },
    list() {
      return namesIn(dir).flatMap((name) => {
        const stat = statSync(`${dir}/${name}`, {throwIfNoEntry: false});
        if (stat === undefined) return [];
        return [{path: `${dir}/${name}`, bytes: stat.size, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs}];
      });
    },
  };
}

const hint =
  'What is needed of it is made again. Run `mixdown verify` to check the rest; a failing disk or a program that writes into the cache may be the cause.';
