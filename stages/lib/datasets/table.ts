import type {Problems} from '../problems.ts';
import {cellsOf, type Cells} from './cells.ts';
import type {LabelledFile, LabelsTable, Layout, LayoutOptions} from './layout.ts';

/** A csv file of any dataset: one row a clip, the columns named by params or by what such columns are usually called. */
export const table: Layout = {
  // A column that a param names is looked for later: the message then names the param.
  headers: ({fileColumn, labelColumn}) => {
    const labels = labelColumn === '' ? LABEL_COLUMNS.map((label) => [label]) : [[]];
    return fileColumn === '' ? FILE_COLUMNS.flatMap((file) => labels.map((label) => [file, ...label])) : labels;
  },
  vocabulary: undefined,
  tablesOverlap: false,
  splitNeedsTest: false,
  anyExtension: true,
  readTree: undefined,
  read(labels, options, problems) {
    const columns = columnsOf(labels, options, problems);
    if (columns === undefined) return [];
    return labels.rows.map((row) => readRow(cellsOf(labels, row, problems), columns, options.firstFold));
  },
};

/** Usual names, the first that a table has. */
const FILE_COLUMNS = ['fname', 'filename', 'file_name', 'slice_file_name', 'file', 'path', 'clip'] as const;
const LABEL_COLUMNS = ['label', 'category', 'class_name', 'class'] as const;
const VERIFIED_COLUMN = 'manually_verified';
const SPLIT_COLUMN = 'split';
const FOLD_COLUMN = 'fold';
const GROUP_COLUMN = 'group';

/** In lower case; a table may write them otherwise. */
export const USUAL_COLUMNS: readonly string[] = [
  ...FILE_COLUMNS,
  ...LABEL_COLUMNS,
  VERIFIED_COLUMN,
  SPLIT_COLUMN,
  FOLD_COLUMN,
  GROUP_COLUMN,
];

interface Columns {
  readonly file: string;
  readonly label: string;
  readonly verified: string | undefined;
  readonly split: string | undefined;
  readonly fold: string | undefined;
  readonly group: string | undefined;
}

function columnsOf({name, columns}: LabelsTable, options: LayoutOptions, problems: Problems): Columns | undefined {
  const before = problems.count;
  const find = (param: ColumnParam, usual: readonly string[]): string | undefined => {
    const asked = options[param];
    const found = (asked === '' ? usual : [asked]).find((column) => columns.includes(column));
    if (found === undefined && asked !== '') {
      problems.add(
        `${name}, line 1: no column \`${asked}\`, which the param ${param} names`,
        `the header has ${columns.map((column) => `\`${column}\``).join(', ')}`,
      );
    }
    return found;
  };
  const file = find('fileColumn', FILE_COLUMNS);
  const label = find('labelColumn', LABEL_COLUMNS);
  const optional = {
    verified: find('verifiedColumn', [VERIFIED_COLUMN]),
    split: find('splitColumn', [SPLIT_COLUMN]),
    fold: find('foldColumn', [FOLD_COLUMN]),
    group: find('groupColumn', [GROUP_COLUMN]),
  };
  if (problems.count > before || file === undefined || label === undefined) return undefined;
  return {file, label, ...optional};
}

type ColumnParam = Extract<keyof LayoutOptions, `${string}Column`>;

function readRow(cells: Cells, columns: Columns, firstFold: number): LabelledFile {
  const split = columns.split === undefined ? undefined : readSplit(cells, columns.split);
  const fold = columns.fold === undefined ? undefined : cells.fold(columns.fold, firstFold);
  if (columns.fold !== undefined && fold !== undefined && split !== undefined && (fold === 0) !== (split === 'test')) {
    cells.wrong(
      columns.fold,
      split === 'test' ? 'nothing, because split is test,' : 'another, because split is train,',
    );
  }
  return {
    names: [cells.text(columns.file)],
    label: cells.text(columns.label),
    verified: columns.verified === undefined || cells.flag(columns.verified),
    split: split ?? (fold === undefined ? undefined : fold === 0 ? 'test' : 'train'),
    fold: fold === 0 ? undefined : fold,
    group: cells.optional(columns.group),
    leftOut: undefined,
    place: cells.place,
  };
}

function readSplit(cells: Cells, column: string): 'train' | 'test' | undefined {
  const text = cells.optional(column).toLowerCase();
  return text === '' ? undefined : text === 'train' || text === 'test' ? text : cells.oneOf(column, ['train', 'test']);
}
