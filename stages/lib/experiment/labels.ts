import {StageError, type InputTree} from 'mixdown/stage';
import {readCsvTable, writeCsv, type CsvRow} from '../formats/csv.ts';
import {compareCodePoints, type Usage} from './dataset.ts';
import {tidyTable} from '../datasets/tidy-table.ts';
import {count, firstOf, gatherProblems, type Problems} from '../problems.ts';

/** One row of a labels table whose file is there. */
export interface LabelledClip {
  readonly key: string;
  readonly label: string;
  readonly verified: boolean;
  /** Undefined: to be drawn. */
  readonly split: 'train' | 'test' | undefined;
  /** Official fold of a train clip, 1 ... k; undefined for a test clip and for one to be drawn. */
  readonly fold: number | undefined;
  /** Part of the official test set. */
  readonly usage?: Usage;
  /** Source recording; empty for a clip of its own. */
  readonly group: string;
  /** Of the table. */
  readonly line: number;
}

/** One row to write. */
export interface LabelsRow extends Omit<LabelledClip, 'key' | 'line'> {
  /** Path in the clips folder. */
  readonly fname: string;
}

/** Writes the labels table, sorted by fname; a column `usage` where there is one. `rows` may be in any order. */
export function writeLabels(path: string, rows: readonly LabelsRow[]): void {
  const sorted = [...rows].sort((a, b) => compareCodePoints(a.fname, b.fname));
  const hasUsage = rows.some(({usage}) => usage !== undefined);
  writeCsv(
    path,
    ['fname', 'label', 'manually_verified', 'split', 'fold', 'group', ...(hasUsage ? ['usage'] : [])],
    sorted.map(({fname, label, verified, split, fold, group, usage}) => [
      fname,
      label,
      verified ? 1 : 0,
      split ?? '',
      fold ?? (split === 'test' ? 0 : ''),
      group,
      ...(hasUsage ? [usage ?? ''] : []),
    ]),
  );
}

/**
 * Reads a labels table: fname and label, optionally manually_verified (else 1), split (train, test, or nothing: to be
 * drawn), fold (1 ... k, 0 for test, or nothing), group and usage (public, private or nothing); other columns are ignored. fname is a path in the folder of
 * clips; its extension does not count. `absent` holds keys of clips that the folder may lack all the same.
 * Throws a StageError that says all that is wrong.
 */
export function readLabels(
  path: string,
  clips: InputTree,
  absent: ReadonlyMap<string, unknown> = new Map(),
): readonly LabelledClip[] {
  const {rows} = tidyTable(readCsvTable(path, ['fname', 'label'], NAME));
  if (rows.length === 0) throw new StageError(`${NAME} has no rows`);
  const problems = gatherProblems(NAME);
  const isKey = keyFinder(clips, problems);
  const lineOf = new Map<string, number>();
  const missing: string[] = [];
  const labelled = rows.flatMap((row): readonly LabelledClip[] => {
    const {line, record} = row;
    const {fname = ''} = record;
    const clip = readRow(row, problems);
    if (fname === '') {
      problems.add(`${NAME}, line ${line}: fname is empty`);
      return [];
    }
    const key = keysOf(fname).find((name) => isKey(name) || absent.has(name));
    if (key === undefined) {
      missing.push(`\`${fname}\` (line ${line})`);
      return [];
    }
    const before = lineOf.get(key);
    if (before === undefined) lineOf.set(key, line);
    else problems.add(`${NAME}, line ${line}: \`${fname}\` is on line ${before} already`);
    return [{...clip, key, line}];
  });
  if (missing.length > 0) {
    problems.add(
      `${NAME} names ${count(missing.length, 'file')} that the clips lack: ${firstOf(missing)}`,
      'fname is the path inside the clips folder; remove the rows or add the files',
    );
  }
  problems.check();
  return labelled;
}

const NAME = 'the labels table';

function readRow({line, record}: CsvRow, problems: Problems): Omit<LabelledClip, 'key' | 'line'> {
  const {
    label = '',
    manually_verified: verified = '1',
    split = '',
    fold: foldText = '',
    group = '',
    usage = '',
  } = record;
  const wrong = (column: string, wanted: string): void =>
    problems.add(`${NAME}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  if (label === '') problems.add(`${NAME}, line ${line}: label is empty`);
  if (verified !== '0' && verified !== '1') wrong('manually_verified', '0 or 1');
  const isSplit = split === 'train' || split === 'test';
  if (!isSplit && split !== '') wrong('split', 'train, test or nothing');
  const isUsage = usage === 'public' || usage === 'private';
  if (!isUsage && usage !== '') wrong('usage', 'public, private or nothing');
  const known: Pick<LabelledClip, 'usage'> = isUsage ? {usage} : {};
  const clip = {label, verified: verified === '1', group, ...known};
  const givenSplit = isSplit ? split : undefined;
  if (foldText === '') return {...clip, split: givenSplit, fold: undefined};
  const fold = /^\d{1,9}$/.test(foldText) ? Number(foldText) : undefined;
  if (fold === undefined) wrong('fold', 'a whole number (0 is test) or nothing');
  else if (isSplit && (fold === 0) !== (split === 'test')) {
    wrong('fold', split === 'test' ? '0, because split is test,' : 'one from 1, because split is train,');
  }
  return {...clip, split: fold === 0 ? 'test' : 'train', fold: fold === 0 ? undefined : fold};
}

/** Two files such as `a.wav` and `a.flac` would be one clip in every later stage. */
function keyFinder({entries}: InputTree, problems: Problems): (key: string) => boolean {
  const fileOf = new Map<string, string>();
  for (const {path, key} of entries) {
    const other = fileOf.get(key);
    fileOf.set(key, path);
    if (other === undefined) continue;
    problems.add(`clips \`${other}\` and \`${path}\` differ only in their extension`, 'rename one of them');
  }
  return (key) => fileOf.has(key);
}

/** Without the extension, or as it is when it has none. */
function keysOf(fname: string): readonly string[] {
  return [fname.replace(/(?<=[^/])\.[^./]*$/, ''), fname];
}
