import {StageError} from 'mixdown/stage';
import {readCsvTable, writeCsv, type CsvRow} from '../formats/csv.ts';

/** A labelled clip with its place in the experiment: a recording, or a copy made from one. */
export interface Clip {
  /** What joins the clip over all stages: its path without the extension. */
  readonly key: string;
  readonly label: string;
  /** Index of the label in the sorted labels. */
  readonly classIndex: number;
  /** A person has confirmed the label. */
  readonly verified: boolean;
  readonly split: 'train' | 'test';
  /** Part of the official test set that a test clip belongs to, where there are such. */
  readonly usage?: Usage;
  /** Fold in which a train clip validates, 1 ... k; 0 for a test clip. */
  readonly fold: number;
  /** Clips of one source recording share it, and one place; empty for a clip of its own. */
  readonly group: string;
  /** Key of the recording that a copy was made from; empty for a recording. */
  readonly parent: string;
}

export type Usage = 'public' | 'private';

export interface Folds {
  /** Sorted by key. */
  readonly clips: readonly Clip[];
  /** The labels, sorted by code point. */
  readonly classes: readonly string[];
}

/** Writes the folds table; with the column `usage` where a clip has one. `clips` may be in any order. */
export function writeFolds(path: string, clips: readonly Clip[]): void {
  const hasUsage = clips.some(({usage}) => usage !== undefined);
  const rows = [...clips]
    .sort((a, b) => compareCodePoints(a.key, b.key))
    .map((clip) => [
      clip.key,
      clip.label,
      clip.classIndex,
      clip.verified ? 1 : 0,
      clip.split,
      clip.fold,
      clip.group,
      clip.parent,
      ...(hasUsage ? [clip.usage ?? ''] : []),
    ]);
  writeCsv(path, hasUsage ? [...COLUMNS, 'usage'] : COLUMNS, rows);
}

/**
 * Reads the folds table. Throws StageError with the line for anything that `writeFolds` would not write, and for a leak:
 * see `checkLeaks`.
 */
export function readFolds(path: string, name = 'the folds table'): Folds {
  const {rows} = readCsvTable(path, COLUMNS, name);
  const placed = new Map<string, PlacedClip>();
  for (const row of rows) {
    const clip = readClip(row, name);
    if (placed.has(clip.key)) throw new StageError(`${name}, line ${row.line}: clip \`${clip.key}\` appears twice`);
    placed.set(clip.key, {clip, line: row.line});
  }
  const clips = [...placed.values()].map(({clip}) => clip);
  const classes = classesOf(clips.map((clip) => clip.label));
  for (const {clip, line} of placed.values()) {
    if (classes[clip.classIndex] !== clip.label) {
      throw new StageError(
        `${name}, line ${line}: class ${clip.classIndex} of \`${clip.label}\` is not its place among the ` +
          `${classes.length} sorted labels`,
      );
    }
  }
  checkLeaks(placed, name);
  return {clips: clips.sort((a, b) => compareCodePoints(a.key, b.key)), classes};
}

/** The distinct labels, sorted by code point: the index in this list is the class index. */
export function classesOf(labels: readonly string[]): readonly string[] {
  return [...new Set(labels)].sort(compareCodePoints);
}

/** Orders text by code point. UTF-16 order, the language's own, differs above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const COLUMNS = ['key', 'label', 'class', 'verified', 'split', 'fold', 'group', 'parent'] as const;

interface PlacedClip {
  readonly clip: Clip;
  /** Line of the table. */
  readonly line: number;
}

/**
 * Refuses a table by which something of a test or validation clip could be trained on: a copy without its parent, of
 * another copy, of another label or place than its parent, or for testing; a group in more than one place.
 */
function checkLeaks(placed: ReadonlyMap<string, PlacedClip>, name: string): void {
  const firstOfGroup = new Map<string, PlacedClip>();
  for (const {clip, line} of placed.values()) {
    if (clip.parent !== '') checkCopy(clip, placed.get(clip.parent), `${name}, line ${line}`);
    if (clip.group === '') continue;
    const first = firstOfGroup.get(clip.group);
    if (first === undefined) firstOfGroup.set(clip.group, {clip, line});
    else if (first.clip.fold !== clip.fold) {
      throw new StageError(
        `${name}, line ${line}: clip \`${clip.key}\` of group \`${clip.group}\` lies in ${placeOf(clip)}, but clip ` +
          `\`${first.clip.key}\` (line ${first.line}) of the same group in ${placeOf(first.clip)}`,
        'clips of one group share one recording: they belong in one place',
      );
    }
  }
}

function checkCopy(copy: Clip, parent: PlacedClip | undefined, where: string): void {
  const wrong = (why: string): StageError => new StageError(`${where}: clip \`${copy.key}\` ${why}`, COPY_HINT);
  const of = `is a copy of \`${copy.parent}\``;
  if (parent === undefined) throw wrong(`${of}, which the table lacks`);
  if (parent.clip.parent !== '') throw wrong(`${of} (line ${parent.line}), which is a copy itself`);
  if (copy.split === 'test') throw wrong(`${of} and in the test split: copies only train`);
  if (copy.label !== parent.clip.label) {
    throw wrong(`${of} (line ${parent.line}) with label \`${copy.label}\` instead of \`${parent.clip.label}\``);
  }
  if (copy.fold !== parent.clip.fold) {
    throw wrong(`${of} (line ${parent.line}) but lies in ${placeOf(copy)} instead of ${placeOf(parent.clip)}`);
  }
}

const COPY_HINT = 'a copy keeps the label, split and fold of the recording it was made from';

function placeOf({split, fold}: Clip): string {
  return split === 'test' ? 'the test split' : `fold ${fold}`;
}

function readClip({line, record}: CsvRow, name: string): Clip {
  const {key = '', label = '', split = '', verified = '', group = '', parent = '', usage = ''} = record;
  const wrong = (column: string, wanted: string): StageError =>
    new StageError(`${name}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  if (key === '') throw wrong('key', 'the name of a clip');
  if (label === '') throw wrong('label', 'a label');
  if (split !== 'train' && split !== 'test') throw wrong('split', 'train or test');
  if (verified !== '0' && verified !== '1') throw wrong('verified', '0 or 1');
  const isUsage = usage === 'public' || usage === 'private';
  if (usage !== '' && (!isUsage || split !== 'test')) {
    throw wrong('usage', split === 'test' ? 'public, private or nothing' : 'nothing, for a train clip,');
  }
  const classIndex = wholeNumber(record['class']);
  if (classIndex === undefined) throw wrong('class', 'a whole number from 0');
  const fold = wholeNumber(record['fold']);
  if (fold === undefined || (fold === 0) !== (split === 'test')) {
    throw wrong('fold', split === 'test' ? '0 (a test clip)' : 'a whole number from 1 (a train clip)');
  }
  return {key, label, classIndex, verified: verified === '1', split, ...(isUsage && {usage}), fold, group, parent};
}

function wholeNumber(text = ''): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
