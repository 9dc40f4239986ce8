import {closeSync, fsyncSync, openSync, readFileSync, rmSync} from 'node:fs';
import {failure} from '../core/failure.ts';
import {byCodeUnit} from '../core/json.ts';
import {isVoucher, type Distrusted, type Voucher} from '../core/origin.ts';
import type {Distrust, Locks} from '../core/ports.ts';
import {writeFileAtomic, type TempNames} from './atomic-file.ts';
import {isMissing, writing, type Warn} from './io-failure.ts';
import {isFields, parseJson} from './validate.ts';

/** What people need besides. */
export interface DistrustAdmin {
  /** By voucher; undefined when the file cannot be understood, so that everybody is distrusted. */
  list(): readonly Distrusted[] | undefined;
  /** Trusts these again, or everybody; also where the file is damaged. */
  lift(vouchers: ReadonlySet<Voucher> | 'all'): Promise<void>;
}

export interface DistrustParts {
  readonly file: string;
  readonly temps: TempNames;
  readonly locks: Locks;
  readonly warn: Warn;
}

/** By voucher; undefined for a file that says nothing that can be relied on. */
type Known = ReadonlyMap<Voucher, Distrusted> | undefined;

/**
 * Who is distrusted, in one file of the store, which is read when first asked. It keeps wrong results out, so a file that
 * cannot be understood means that nobody is trusted: what others made is made again, which costs time and is never wrong.
 */
export function createDistrust({file, temps, locks, warn}: DistrustParts): Distrust & DistrustAdmin {
  let known: {readonly entries: Known} | undefined;
  const load = (): Known => (known ??= {entries: read(file, warn)}).entries;
  const change = async (how: (entries: Known) => Known): Promise<void> => {
    const lock = await locks.acquire('distrusted', new AbortController().signal, () => {});
    try {
      const entries = how(read(file, () => {}));
      known = {entries};
      if (entries) await writing(`the list of those who are distrusted, ${file}`, () => write(file, entries, temps));
    } finally {
      lock.release();
    }
  };
  return {
    of(voucher) {
      const entries = load();
      return entries ? entries.get(voucher) : {voucher, since: 0, why: `${file} is damaged`};
    },
    // A damaged file stays: putting one name in its place would trust all that it named.
    add: (entry) => change((entries) => entries && new Map(entries).set(entry.voucher, entry)),
    list: () => {
      const entries = load();
      return entries && sorted(entries);
    },
    lift: (vouchers) =>
      change((entries) => {
        if (vouchers === 'all') return new Map();
        return entries && new Map([...entries].filter(([voucher]) => !vouchers.has(voucher)));
      }),
  };
}

function sorted(entries: NonNullable<Known>): readonly Distrusted[] {
  return [...entries.values()].sort((a, b) => byCodeUnit(a.voucher, b.voucher));
}

function read(file: string, warn: Warn): Known {
  let text: string;
  let why = 'is damaged';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return new Map();
    text = '';
    why = `cannot be read (${(error as Error).message})`;
  }
  const entries = parse(text);
  if (entries) return new Map(entries.map((entry) => [entry.voucher, entry]));
  warn(
    failure('record-corrupt', `${file} ${why}: it is not known whom to distrust, so no result of others is used`, {
      hint: 'Put it back from a copy. Or trust all again with `mixdown cache trust --all`: they are then to be found out anew.',
    }),
  );
  return undefined;
}

function parse(text: string): readonly Distrusted[] | undefined {
  const value = parseJson(text);
  if (!isFields(value) || value['type'] !== 'distrusted/1' || !Array.isArray(value['entries'])) return undefined;
  const entries: readonly unknown[] = value['entries'];
  return entries.every(isEntry) ? entries : undefined;
}

function isEntry(value: unknown): value is Distrusted {
  if (!isFields(value)) return false;
  const {voucher, since, builder, node, why} = value;
  return (
    isVoucher(voucher) &&
    typeof since === 'number' &&
    (node === undefined || typeof node === 'string') &&
    typeof why === 'string' &&
    (builder === undefined || (isFields(builder) && typeof builder['name'] === 'string'))
  );
}

/** Unlike other files of the store it must outlast a power failure: nothing tells that it is gone. */
function write(file: string, entries: NonNullable<Known>, temps: TempNames): void {
  if (entries.size === 0) {
    rmSync(file, {force: true});
    return;
  }
  writeFileAtomic(file, `${JSON.stringify({type: 'distrusted/1', entries: sorted(entries)}, null, 2)}\n`, temps, sync);
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
