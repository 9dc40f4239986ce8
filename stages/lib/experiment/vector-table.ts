import {cellsOf, type Cells} from '../datasets/cells.ts';
import type {LabelledFile, LabelsTable, LayoutOptions} from '../datasets/layout.ts';
import {table as clipTable, USUAL_COLUMNS} from '../datasets/table.ts';
import {tidyTable} from '../datasets/tidy-table.ts';
import {checkCase, checkLabels} from '../datasets/vocabulary.ts';
import {readCsvTable} from '../formats/csv.ts';
import {groupBy} from '../group-by.ts';
import {gatherProblems, type Problems} from '../problems.ts';
import type {LabelledClip} from './labels.ts';

/** A labelled clip and where its vectors are. */
export interface VectorClip extends LabelledClip {
  /** Its first row of the array. */
  readonly first: number;
  /** Its rows, from 1. */
  readonly rows: number;
}

export interface VectorTableOptions extends Pick<LayoutOptions, ColumnParam | 'firstFold'> {
  /** What a row of the table is. */
  readonly rowOf: 'clip' | 'vector';
  /** Column with the number of the row's first vector, from 0; empty: `row`, where there is one. */
  readonly rowColumn: string;
  /** Column with how many vectors a clip has; empty: one. */
  readonly countColumn: string;
  /** Labels there may be; undefined: any. */
  readonly vocabulary: readonly string[] | undefined;
}

/**
 * Reads a table whose rows go with the rows of an array, in its order. Either every train clip has an official fold or none
 * has. Throws a StageError of all that is wrong, of rows that are missing or out of order too, where they are numbered.
 */
export function readVectorTable(path: string, options: VectorTableOptions): readonly VectorClip[] {
  const problems = gatherProblems(NAME);
  const {firstFold, fileColumn, labelColumn, verifiedColumn, splitColumn, foldColumn, groupColumn} = options;
  const named = {fileColumn, labelColumn, verifiedColumn, splitColumn, foldColumn, groupColumn};
  const layout: LayoutOptions = {...named, firstFold, subset: 'all', usage: 'both'};
  const kept = [...Object.values(named), options.rowColumn, options.countColumn];
  const tidy = tidyTable(readCsvTable(path, [], NAME), [...USUAL_COLUMNS, ROW_COLUMN], kept);
  const labels: LabelsTable = {...tidy, name: NAME};
  checkHeader(labels, layout, options, problems);
  if (labels.rows.length === 0) problems.add(`${NAME} has no rows`);
  problems.check();
  const files = clipTable.read(labels, layout, problems).map((file) => ({...file, label: file.label.normalize('NFC')}));
  problems.check();
  const rows = readRows(labels, options, problems);
  problems.check();
  if (options.vocabulary === undefined) checkCase(files, problems);
  else checkLabels(files, options.vocabulary, problems);
  checkFolds(files, problems);
  checkGroups(files, problems);
  const read = files.map((file, i) => clipOf(file, rows[i] as ArrayRows));
  const clips = options.rowOf === 'vector' ? joinVectors(read, problems) : read;
  checkKeys(clips, options.rowOf, problems);
  problems.check();
  return clips;
}

/** The name of a clip in all later stages: its file's without the extension, `clip.7` having none. */
export function keyOf(fname: string): string {
  return fname.replace(/(?<=[^/])\.[a-z][a-z0-9]{1,4}$/i, '');
}

type ColumnParam = Extract<keyof LayoutOptions, `${string}Column`>;

const NAME = 'the table';
const ROW_COLUMN = 'row';

function checkHeader(
  labels: LabelsTable,
  layout: LayoutOptions,
  {rowColumn, countColumn}: VectorTableOptions,
  problems: Problems,
): void {
  const {columns} = labels;
  const hint = `the header has ${columns.map((column) => `\`${column}\``).join(', ')}`;
  const headers = clipTable.headers(layout);
  if (!headers.some((header) => header.every((column) => columns.includes(column)))) {
    const [missing = []] = headers
      .map((header) => header.filter((column) => !columns.includes(column)))
      .sort((a, b) => a.length - b.length);
    problems.add(
      `${NAME}, line 1: there is no column ${missing.map((column) => `\`${column}\``).join(', ')}`,
      `${hint}: name the columns by params, such as \`fileColumn\` and \`labelColumn\``,
    );
  }
  for (const [param, column] of Object.entries({rowColumn, countColumn})) {
    if (column === '' || columns.includes(column)) continue;
    problems.add(`${NAME}, line 1: no column \`${column}\`, which the param ${param} names`, hint);
  }
}

interface ArrayRows {
  readonly first: number;
  readonly rows: number;
}

/** Which rows of the array each row of the table is for: the next ones. */
function readRows(labels: LabelsTable, options: VectorTableOptions, problems: Problems): readonly ArrayRows[] {
  const {rowColumn, countColumn} = options;
  const numbered = rowColumn !== '' || labels.columns.includes(ROW_COLUMN);
  let next = 0;
  let isBroken = false;
  return labels.rows.map((row) => {
    const cells = cellsOf(labels, row, problems);
    const first = next;
    const rows = countColumn === '' ? 1 : (cells.wholeNumber(countColumn, 1) ?? 1);
    next += rows;
    // After the first break every row would be off.
    if (numbered && !isBroken) isBroken = !isNext(cells, rowColumn || ROW_COLUMN, first, problems);
    return {first, rows};
  });
}

function isNext(cells: Cells, column: string, wanted: number, problems: Problems): boolean {
  const {place} = cells;
  const number = cells.wholeNumber(column, 0);
  if (number === undefined || number === wanted) return number !== undefined;
  problems.add(
    `${place.table}, line ${place.line}: ${column} is ${number}; ${wanted} is the next`,
    'the table must have the rows of the array, all of them and in their order',
  );
  return false;
}

function clipOf({names, label, verified, split, fold, group, place}: LabelledFile, rows: ArrayRows): VectorClip {
  return {key: keyOf(names[0] ?? ''), label, verified, split, fold, group, line: place.line, ...rows};
}

/** Rows of one clip follow each other and say the same. */
function joinVectors(rows: readonly VectorClip[], problems: Problems): readonly VectorClip[] {
  const clips: VectorClip[] = [];
  for (const row of rows) {
    const last = clips.at(-1);
    if (last?.key !== row.key) {
      clips.push(row);
      continue;
    }
    const differs = COMMON.find((field) => last[field] !== row[field]);
    if (differs !== undefined) {
      problems.add(`${NAME}, line ${row.line}: ${differs} of \`${row.key}\` is another than on line ${last.line}`);
    }
    clips[clips.length - 1] = {...last, rows: last.rows + row.rows};
  }
  return clips;
}

const COMMON = ['label', 'verified', 'split', 'fold', 'group'] as const;

function checkKeys(clips: readonly VectorClip[], rowOf: 'clip' | 'vector', problems: Problems): void {
  const lineOf = new Map<string, number>();
  for (const {key, line} of clips) {
    const before = lineOf.get(key);
    if (before === undefined) lineOf.set(key, line);
    else {
      problems.add(
        `${NAME}, line ${line}: clip \`${key}\` is on line ${before} already`,
        rowOf === 'vector'
          ? 'the vectors of a clip must follow each other'
          : 'extensions do not count; if each row is one of several vectors of a clip, set `rowOf: vector`',
      );
    }
  }
}

/** Folds are official or drawn, not half and half. */
function checkFolds(files: readonly LabelledFile[], problems: Problems): void {
  if (!files.some(({fold}) => fold !== undefined)) return;
  for (const {names, split, fold, place} of files) {
    if (fold !== undefined || split === 'test') continue;
    problems.add(`${NAME}, line ${place.line}: \`${names[0]}\` has no fold`, 'others have; fill in the column');
  }
}

/** What is of one recording lies in one place, or a model would be scored with what it was trained on. */
function checkGroups(files: readonly LabelledFile[], problems: Problems): void {
  const grouped = groupBy(
    files.filter(({group}) => group !== ''),
    ({group}) => group,
  );
  for (const [group, members] of grouped) {
    const [first] = members;
    const other = members.find(({split, fold}) => split !== first?.split || fold !== first?.fold);
    if (first === undefined || other === undefined) continue;
    problems.add(
      `${NAME}, line ${other.place.line}: \`${other.names[0]}\` of group \`${group}\` lies in ${placeOf(other)}, but ` +
        `\`${first.names[0]}\` (line ${first.place.line}) of the same group in ${placeOf(first)}`,
      'clips of one group share one recording: they belong in one place',
    );
  }
}

function placeOf({split, fold}: LabelledFile): string {
  if (fold !== undefined) return `fold ${fold}`;
  return split === undefined ? 'none yet' : `the ${split} split`;
}
