import {existsSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, type Stats} from 'node:fs';
import {fingerprintOf, type ActionResult} from '../core/action.ts';
import {isSha256, type Sha256} from '../core/digest.ts';
import {failure} from '../core/failure.ts';
import type {ActionCache} from '../core/ports.ts';
import {namesIn, writeFileAtomic, type TempNames} from './atomic-file.ts';
import {isMissing, writing, type Warn} from './io-failure.ts';
import {recordPath} from './layout.ts';
import type {Quarantine} from './quarantine.ts';
import {touchEveryMs} from './seal.ts';
import type {Session} from './session.ts';
import {isActionResult, isFields, parseJson} from './validate.ts';

/** One record, without its content. */
export interface RecordInfo {
  readonly fingerprint: Sha256;
  readonly bytes: number;
  /** Last put or hit, to a quarter of an hour. Milliseconds since the epoch. */
  readonly usedAtMs: number;
}

/** What gc and verify need besides. */
export interface ActionAdmin {
  list(): IterableIterator<RecordInfo>;
  /** `get` that is no use: the record's time stays. */
  peek(fingerprint: Sha256): ActionResult | undefined;
  /** Removes the record unless it was used at or after `sinceMs`. True when removed. */
  discard(fingerprint: Sha256, sinceMs: number): boolean;
}

export interface ActionCacheParts {
  readonly dir: string;
  readonly temps: TempNames;
  readonly session: Session;
  readonly quarantine: Quarantine;
  readonly warn: Warn;
}

/** Action results as one JSON file each. A record that is not exactly what was put is quarantined, and a miss. */
export function createActionCache({
  dir,
  temps,
  session,
  quarantine,
  warn,
}: ActionCacheParts): ActionCache & ActionAdmin {
  const peek = (fingerprint: Sha256): ActionResult | undefined => {
    const path = recordPath(dir, fingerprint);
    // A hundred thousand new slices have no record: being told so is several times cheaper than catching an error.
    if (!existsSync(path)) return undefined;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (!isMissing(error)) {
        warn(failure('record-corrupt', `Action record ${fingerprint} cannot be read: ${(error as Error).message}`));
      }
      return undefined;
    }
    const value = parseJson(text);
    const problem = problemOf(value, fingerprint);
    if (problem === undefined) return value as ActionResult;
    quarantine.put(path, `${fingerprint}.json`, problem);
    return undefined;
  };
  return {
    peek,
    get(fingerprint) {
      const result = peek(fingerprint);
      if (result !== undefined) {
        session.tryAnnounce();
        touch(recordPath(dir, fingerprint));
      }
      return result;
    },
    async put(result) {
      if (fingerprintOf(result.action) !== result.fingerprint) {
        throw new Error(`ActionCache.put: ${result.fingerprint} is not the fingerprint of its action`);
      }
      session.tryAnnounce();
      const path = recordPath(dir, result.fingerprint);
      await writing(`the action record ${path}`, () => {
        // Renaming over a file makes some file systems (ext4) write it to the disk there and then: a hundred times slower.
        if (statSync(path, {throwIfNoEntry: false})) rmSync(path, {force: true});
        writeFileAtomic(path, `${JSON.stringify(result)}\n`, temps);
      });
    },
    *list() {
      for (const shard of namesIn(dir)) {
        for (const name of namesIn(`${dir}/${shard}`)) {
          const fingerprint = name.slice(0, -'.json'.length);
          if (!name.endsWith('.json') || !isSha256(fingerprint)) continue;
          const stat = statSync(`${dir}/${shard}/${name}`, {throwIfNoEntry: false});
          if (stat?.isFile()) yield {fingerprint, bytes: stat.size, usedAtMs: stat.mtimeMs};
        }
      }
    },
    discard(fingerprint, sinceMs) {
      const path = recordPath(dir, fingerprint);
      const stat = statSync(path, {throwIfNoEntry: false});
      if (stat === undefined || stat.mtimeMs >= sinceMs) return false;
      unlinkSync(path);
      return true;
    },
  };
}

/** Reads a record that comes from elsewhere; undefined unless it is a whole result of this action. */
export function readResult(text: string, fingerprint: Sha256): ActionResult | undefined {
  const value = parseJson(text);
  return problemOf(value, fingerprint) === undefined ? (value as ActionResult) : undefined;
}

function problemOf(
  value: unknown,
  fingerprint: Sha256,
): {readonly code: 'record-corrupt' | 'record-version'; readonly what: string} | undefined {
  const name = `Action record ${fingerprint}`;
  if (!isFields(value)) return {code: 'record-corrupt', what: `${name} is cut short or no JSON`};
  const {type} = value;
  if (typeof type === 'string' && type.startsWith('action-result/') && type !== 'action-result/1') {
    return {code: 'record-version', what: `${name} is of the unknown version ${type}`};
  }
  if (!isActionResult(value)) return {code: 'record-corrupt', what: `${name} lacks a field or has one of a wrong type`};
  if (value.fingerprint !== fingerprint) {
    return {code: 'record-corrupt', what: `${name} holds the result of ${value.fingerprint}`};
  }
  if (actualFingerprint(value) !== fingerprint) {
    return {code: 'record-corrupt', what: `${name} was changed: its action has another fingerprint`};
  }
  return undefined;
}

function actualFingerprint(result: ActionResult): string | undefined {
  try {
    return fingerprintOf(result.action);
  } catch {
    return undefined;
  }
}

function touch(path: string): void {
  const now = Date.now();
  const stat: Stats | undefined = statSync(path, {throwIfNoEntry: false});
  if (stat === undefined || now - stat.mtimeMs < touchEveryMs) return;
  try {
    utimesSync(path, now / 1000, now / 1000);
  } catch {
    // Somebody else's record or a read-only store: it merely looks less used than it is.
  }
}
