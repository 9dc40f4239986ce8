import {StageError} from 'mixdown/stage';
import {readCsvTable, writeCsv, type CsvRow} from './csv.ts';

/** A labelled clip with its place in the experiment. */
export interface Clip {
  /** What joins the clip over all stages: its path without the extension. */
  readonly key: string;
  readonly label: string;
  /** Index of the label in the sorted labels. */
  readonly classIndex: number;
  /** A person has confirmed the label. */
  readonly verified: boolean;
  readonly split: 'train' | 'test';
  /** Fold in which a train clip validates, 1 ... k; 0 for a test clip. */
  readonly fold: number;
}

export interface Folds {
  /** Sorted by key. */
  readonly clips: readonly Clip[];
  /** The labels, sorted by code point. */
  readonly classes: readonly string[];
}

/** Writes the folds table. `clips` may be in any order. */
export function writeFolds(path: string, clips: readonly Clip[]): void {
  const rows = [...clips]
    .sort((a, b) => compareCodePoints(a.key, b.key))
    .map(({key, label, classIndex, verified, split, fold}) => [key, label, classIndex, verified ? 1 : 0, split, fold]);
  writeCsv(path, COLUMNS, rows);
}

/** Reads the folds table. Throws StageError with the line for anything that `writeFolds` would not write. */
export function readFolds(path: string, name = 'the folds table'): Folds {
  const {rows} = readCsvTable(path, COLUMNS, name);
  const seen = new Set<string>();
  const clips = rows.map((row): Clip => {
    const clip = readClip(row, name);
    if (seen.has(clip.key)) throw new StageError(`${name}, line ${row.line}: clip \`${clip.key}\` appears twice`);
    seen.add(clip.key);
    return clip;
  });
  const classes = classesOf(clips.map((clip) => clip.label));
  for (const [i, clip] of clips.entries()) {
    if (classes[clip.classIndex] !== clip.label) {
      throw new StageError(
        `${name}, line ${rows[i]?.line}: class ${clip.classIndex} of \`${clip.label}\` is not its place among the ` +
          `${classes.length} sorted labels`,
      );
    }
  }
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

const COLUMNS = ['key', 'label', 'class', 'verified', 'split', 'fold'] as const;

function readClip({line, record}: CsvRow, name: string): Clip {
  const {key = '', label = '', split = '', verified = ''} = record;
  const wrong = (column: string, wanted: string): StageError =>
    new StageError(`${name}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  if (key === '') throw wrong('key', 'the name of a clip');
  if (label === '') throw wrong('label', 'a label');
  if (split !== 'train' && split !== 'test') throw wrong('split', 'train or test');
  if (verified !== '0' && verified !== '1') throw wrong('verified', '0 or 1');
  const classIndex = wholeNumber(record['class']);
  if (classIndex === undefined) throw wrong('class', 'a whole number from 0');
  const fold = wholeNumber(record['fold']);
  if (fold === undefined || (fold === 0) !== (split === 'test')) {
    throw wrong('fold', split === 'test' ? '0 (a test clip)' : 'a whole number from 1 (a train clip)');
  }
  return {key, label, classIndex, verified: verified === '1', split, fold};
}

function wholeNumber(text = ''): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
