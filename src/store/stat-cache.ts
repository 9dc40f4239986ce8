import {createHash} from 'node:crypto';
import {readFileSync, statSync, type Stats} from 'node:fs';
import {dirname, join} from 'node:path';
import type {Digest, Sha256} from '../core/digest.ts';
import {failure} from '../core/failure.ts';
import {tempNames, writeFileAtomic} from './atomic-file.ts';
import {isMissing, writeFailure, type Warn} from './io-failure.ts';
import {newNonce} from './session.ts';

/** The part of a stat that moves whenever a file is written to. Milliseconds are exact to a quarter of a microsecond. */
export type Signature = Pick<Stats, 'dev' | 'ino' | 'size' | 'mtimeMs' | 'ctimeMs'>;

/** Remembers digests of files by absolute path, so that an unchanged file costs one stat instead of being read. */
export interface StatCache {
  /** The digest of the file, when it was hashed with this very stat and was old enough then to be trusted. */
  lookup(path: string, stat: Signature): Digest | undefined;
  /**
   * Remembers a digest. `stat` was taken before and after the hashing; `hashedAtMs` is when the hashing began. Forgets the
   * file instead when it had just been written: another write within the clock's grain could keep the same stat.
   */
  record(path: string, stat: Signature, hash: Sha256, hashedAtMs: number): void;
  /** Writes what is new, together with what other processes have written meanwhile. Trouble is a warning. */
  flush(): void;
}

/** Coarser than the time stamps of any file system in use (FAT: 2 s), and than the drift of a file server's clock. */
export const grainMs = 2_000;

/** True when a write after `atMs` must have moved one of the times in `stat`. */
export function isSettled(stat: Signature, atMs: number): boolean {
  return Math.max(stat.mtimeMs, stat.ctimeMs) + grainMs <= atMs;
}

export function sameSignature(a: Signature, b: Signature): boolean {
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Entries that nobody asked for in this long are dropped at the next write. */
const keepMs = 90 * 24 * 3_600_000;

/** @param file - read at the first `lookup`, not before */
export function openStatCache({file, warn}: {readonly file: string; readonly warn: Warn}): StatCache {
  let loaded: {readonly table: Table; readonly stamp: string} | undefined;
  /** Digests found since; `undefined` forgets the loaded entry. */
  const fresh = new Map<string, Row | undefined>();
  const temps = tempNames(join(dirname(file), 'tmp'), newNonce());

  const load = (): Table => (loaded ??= {stamp: stampOf(file), table: readTable(file, warn)}).table;

  return {
    lookup(path, stat) {
      if (fresh.has(path)) {
        const row = fresh.get(path);
        return row && sameSignature(row, stat) ? {hash: row.hash, size: row.size} : undefined;
      }
      const table = load();
      const at = table.index.get(path);
      if (at === undefined || !table.matches(at, stat)) return undefined;
      table.used[at] = 1;
      return {hash: table.hash(at), size: stat.size};
    },
    record(path, {dev, ino, size, mtimeMs, ctimeMs}, hash, hashedAtMs) {
      if (path.includes('\n')) return;
      const row = {dev, ino, size, mtimeMs, ctimeMs, hash};
      if (isSettled(row, hashedAtMs)) fresh.set(path, row);
      else if (fresh.has(path) || load().index.has(path)) fresh.set(path, undefined);
    },
    flush() {
      if (fresh.size === 0) return;
      const mine = load();
      const theirs = loaded?.stamp === stampOf(file) ? mine : readTable(file, warn);
      try {
        writeFileAtomic(file, encode(mergeRows(mine, theirs, fresh, Date.now())), temps);
        loaded = undefined;
        fresh.clear();
      } catch (error) {
        warn(writeFailure(error, `the stat cache ${file}`));
      }
    },
  };
}

interface Row extends Signature {
  readonly hash: Sha256;
}

/**
 * The file as columns: magic, count, then per column one float64 an entry (dev, ino, size, mtime, ctime, last use), then the
 * hashes, the paths with a line feed after each, and the SHA-256 of all that. One read and no parsing: 100 000 entries load in
 * some tens of milliseconds. The checksum matters, as a wrong digest would be a wrong key.
 */
interface Table {
  readonly index: ReadonlyMap<string, number>;
  readonly columns: Float64Array;
  readonly hashes: Buffer;
  /** 1 for each entry asked for since it was loaded. */
  readonly used: Uint8Array;
  matches(at: number, stat: Signature): boolean;
  hash(at: number): Sha256;
}

const magic = 'mixdown-stat/1\n\0';
const columnCount = 6;
const lastUse = 5;
const hashBytes = 32;
const headBytes = magic.length + 8;

function tableOf(paths: readonly string[], columns: Float64Array, hashes: Buffer): Table {
  const count = paths.length;
  const column = (name: number, at: number): number => columns[name * count + at] ?? NaN;
  return {
    index: new Map(paths.map((path, at) => [path, at])),
    columns,
    hashes,
    used: new Uint8Array(count),
    matches: (at, stat) =>
      column(3, at) === stat.mtimeMs &&
      column(4, at) === stat.ctimeMs &&
      column(2, at) === stat.size &&
      column(1, at) === stat.ino &&
      column(0, at) === stat.dev,
    hash: (at) => hashes.toString('hex', at * hashBytes, (at + 1) * hashBytes) as Sha256,
  };
}

function readTable(file: string, warn: Warn): Table {
  const empty = tableOf([], new Float64Array(0), Buffer.alloc(0));
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    if (!isMissing(error))
      warn(failure('state-corrupt', `The stat cache ${file} cannot be read: ${(error as Error).message}`));
    return empty;
  }
  const table = decode(bytes);
  if (table === undefined) {
    warn(
      failure('state-corrupt', `The stat cache ${file} is damaged or of another version; it starts anew`, {
        hint: 'Sources are read again once.',
      }),
    );
  }
  return table ?? empty;
}

function decode(bytes: Buffer): Table | undefined {
  const end = bytes.byteLength - hashBytes;
  if (end < headBytes || bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  const body = bytes.subarray(0, end);
  if (!createHash('sha256').update(body).digest().equals(bytes.subarray(end))) return undefined;
  const count = body.readDoubleLE(magic.length);
  const columnsEnd = headBytes + count * columnCount * 8;
  const hashesEnd = columnsEnd + count * hashBytes;
  // Copied: a typed array must begin at a multiple of eight.
  const columns = new Float64Array(new Uint8Array(body.subarray(headBytes, columnsEnd)).buffer);
  const paths = body.toString('utf8', hashesEnd).split('\n');
  paths.pop();
  if (paths.length !== count) return undefined;
  return tableOf(paths, columns, body.subarray(columnsEnd, hashesEnd));
}

type Rows = Map<string, Row & {readonly lastUseMs: number}>;

function mergeRows(mine: Table, theirs: Table, fresh: ReadonlyMap<string, Row | undefined>, nowMs: number): Rows {
  const rows: Rows = new Map();
  const count = theirs.index.size;
  for (const [path, at] of theirs.index) {
    const column = (name: number): number => theirs.columns[name * count + at] ?? NaN;
    const asked = mine.used[mine.index.get(path) ?? -1] === 1;
    const lastUseMs = asked ? nowMs : column(lastUse);
    if (nowMs - lastUseMs > keepMs) continue;
    const [dev, ino, size, mtimeMs, ctimeMs] = [column(0), column(1), column(2), column(3), column(4)];
    rows.set(path, {dev, ino, size, mtimeMs, ctimeMs, hash: theirs.hash(at), lastUseMs});
  }
  for (const [path, row] of fresh) {
    if (row === undefined) rows.delete(path);
    else rows.set(path, {...row, lastUseMs: nowMs});
  }
  return rows;
}

function encode(rows: Rows): Buffer {
  const count = rows.size;
  const columns = new Float64Array(count * columnCount);
  const hashes = Buffer.alloc(count * hashBytes);
  let at = 0;
  for (const row of rows.values()) {
    [row.dev, row.ino, row.size, row.mtimeMs, row.ctimeMs, row.lastUseMs].forEach((value, name) => {
      columns[name * count + at] = value;
    });
    hashes.write(row.hash, at * hashBytes, 'hex');
    at++;
  }
  const head = Buffer.alloc(headBytes);
  head.write(magic, 'latin1');
  head.writeDoubleLE(count, magic.length);
  const paths = count === 0 ? '' : `${[...rows.keys()].join('\n')}\n`;
  const body = Buffer.concat([head, Buffer.from(columns.buffer), hashes, Buffer.from(paths, 'utf8')]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

function stampOf(file: string): string {
  const stat = statSync(file, {throwIfNoEntry: false});
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}
