import {StageError} from 'mixdown/stage';
import {readCsvTable} from '../formats/csv.ts';
import type {Problems} from '../problems.ts';
import {esc50} from './esc50.ts';
import {folders} from './folders.ts';
import {fsdkaggle2018} from './fsdkaggle2018.ts';
import type {LabelledFile, LabelsTable, Layout, LayoutOptions} from './layout.ts';
import {table, USUAL_COLUMNS} from './table.ts';
import {tidyTable} from './tidy-table.ts';
import {urbansound8k} from './urbansound8k.ts';

export const LAYOUTS = {table, folders, fsdkaggle2018, esc50, urbansound8k} as const;

export type LayoutName = keyof typeof LAYOUTS;

/** Reads the tables that can be read as the layout's; what is wrong with the others, or in a row, goes to the problems. */
export function readTables(
  name: LayoutName,
  paths: readonly string[],
  options: LayoutOptions,
  problems: Problems,
): readonly (readonly LabelledFile[])[] {
  const layout: Layout = LAYOUTS[name];
  return paths.map((path, i) => {
    const tableName = paths.length === 1 ? 'the labels table' : `labels table ${i + 1}`;
    const labels = readTable(path, tableName, options, problems);
    if (labels === undefined || !checkHeader(name, labels, options, problems)) return [];
    if (labels.rows.length === 0) problems.add(`${tableName} has no rows`);
    return layout.read(labels, options, problems);
  });
}

function readTable(path: string, name: string, options: LayoutOptions, problems: Problems): LabelsTable | undefined {
  try {
    return {...tidyTable(readCsvTable(path, [], name), USUAL_COLUMNS, Object.values(options).map(String)), name};
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    problems.add(error.message, error.hint);
    return undefined;
  }
}

function checkHeader(name: LayoutName, labels: LabelsTable, options: LayoutOptions, problems: Problems): boolean {
  if (fits(LAYOUTS[name], labels, options)) return true;
  const missing = LAYOUTS[name]
    .headers(options)
    .map((header) => header.filter((column) => !labels.columns.includes(column)))
    .sort((a, b) => a.length - b.length)[0];
  const others = Object.entries(LAYOUTS).flatMap(([other, layout]) =>
    other !== name && fits(layout, labels, options) ? [`\`${other}\``] : [],
  );
  const lacks = (missing ?? []).map((column) => `\`${column}\``).join(', ');
  problems.add(
    `${labels.name}, line 1: this is no table of layout ${name}: there is no column ${lacks}`,
    separatorHint(labels) ??
      `the header has ${labels.columns.map((column) => `\`${column}\``).join(', ')}` +
        (others.length === 0
          ? ', which fits no layout: name the columns by params of layout table, such as `labelColumn`'
          : `, which fits layout ${others.join(' and ')}`),
  );
  return false;
}

/** Spreadsheets of many countries write semicolons into what they call a csv file. */
function separatorHint({columns}: LabelsTable): string | undefined {
  const [only = ''] = columns;
  if (columns.length > 1) return undefined;
  const separator = only.includes(';') ? 'semicolons' : only.includes('\t') ? 'tabs' : undefined;
  return separator === undefined ? undefined : `its fields are separated by ${separator}; save it with commas`;
}

function fits(layout: Layout, {columns}: LabelsTable, options: LayoutOptions): boolean {
  return layout.headers(options).some((header) => header.every((column) => columns.includes(column)));
}
