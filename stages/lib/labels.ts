import {StageError, type InputTree} from 'mixdown/stage';
import {readCsvTable, type CsvRow} from './csv.ts';

/** One row of a labels table, in the layout of FSDKaggle2018's train.csv. */
export interface LabelledClip {
  readonly key: string;
  readonly label: string;
  readonly verified: boolean;
  /** From the optional column `split`. */
  readonly split?: 'train' | 'test';
  /** From the optional column `fold`: 1 ... k; absent for a test clip. */
  readonly fold?: number;
}

/**
 * Reads a labels table (fname,label,manually_verified, optionally split and fold; other columns are ignored) and checks it
 * against the clips. A fold of 0 or nothing makes a test clip, so a table with folds needs no split.
 * Throws StageError with the line for a bad row, and when a labelled file is missing or a clip has no label.
 */
export function readLabels(path: string, clips: InputTree, folds: number): readonly LabelledClip[] {
  const {columns, rows} = readCsvTable(path, ['fname', 'label', 'manually_verified'], NAME);
  if (rows.length === 0) throw new StageError(`${NAME} has no rows`);
  const has = {split: columns.includes('split'), fold: columns.includes('fold')};
  const lineOf = new Map<string, number>();
  for (const {line, record} of rows) {
    const fname = record['fname'] ?? '';
    if (fname === '') throw new StageError(`${NAME}, line ${line}: fname is empty`);
    const before = lineOf.get(fname);
    if (before !== undefined) throw new StageError(`${NAME}, line ${line}: \`${fname}\` is on line ${before} already`);
    lineOf.set(fname, line);
  }
  const keyOf = new Map(clips.entries.map((entry) => [entry.path, entry.key]));
  checkKeys(keyOf);
  const missing = [...lineOf].filter(([fname]) => !keyOf.has(fname));
  if (missing.length > 0) {
    throw new StageError(
      `${NAME} names ${count(missing.length, 'file')} that the clips lack: ` +
        firstOf(missing.map(([fname, line]) => `\`${fname}\` (line ${line})`)),
      'fname is the path inside the clips folder; remove the rows or add the files',
    );
  }
  const unlabelled = [...keyOf.keys()].filter((file) => !lineOf.has(file));
  if (unlabelled.length > 0) {
    throw new StageError(
      `${NAME} has no row for ${count(unlabelled.length, 'clip')}: ${firstOf(unlabelled.map((file) => `\`${file}\``))}`,
      'label them, or leave them out by the include pattern of the source',
    );
  }
  return rows.map((row) => readRow(row, keyOf.get(row.record['fname'] ?? '') ?? '', has, folds));
}

const NAME = 'the labels table';
const MOST_NAMES = 10;

function readRow(
  {line, record}: CsvRow,
  key: string,
  has: {readonly split: boolean; readonly fold: boolean},
  folds: number,
): LabelledClip {
  const wrong = (column: string, wanted: string): StageError =>
    new StageError(`${NAME}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  const label = record['label'] ?? '';
  if (label === '') throw new StageError(`${NAME}, line ${line}: label is empty`);
  const verified = record['manually_verified'];
  if (verified !== '0' && verified !== '1') throw wrong('manually_verified', '0 or 1');
  const clip = {key, label, verified: verified === '1'};
  const split = record['split'];
  if (has.split && split !== 'train' && split !== 'test') throw wrong('split', 'train or test');
  if (!has.fold) return split === 'train' || split === 'test' ? {...clip, split} : clip;
  const text = record['fold'] ?? '';
  const fold = /^\d{1,9}$/.test(text) ? Number(text) : text === '' ? 0 : undefined;
  if (fold === undefined || fold > folds) throw wrong('fold', `a whole number, 0 ... ${folds} (0 is test)`);
  if (has.split && (fold === 0) !== (split === 'test')) {
    throw wrong('fold', split === 'test' ? '0, because split is test,' : `1 ... ${folds}, because split is train,`);
  }
  return fold === 0 ? {...clip, split: 'test'} : {...clip, split: 'train', fold};
}

/** Two files such as `a.wav` and `a.flac` would be one clip in every later stage. */
function checkKeys(keyOf: ReadonlyMap<string, string>): void {
  const fileOf = new Map<string, string>();
  for (const [file, key] of keyOf) {
    const other = fileOf.get(key);
    if (other !== undefined) {
      throw new StageError(`clips \`${other}\` and \`${file}\` differ only in their extension`, 'rename one of them');
    }
    fileOf.set(key, file);
  }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

function firstOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
