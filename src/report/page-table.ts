import type {OutputPort} from '../core/stage.ts';
import {parseCsv, type CsvText} from './csv-text.ts';
import type {PageColumn, PageResult} from './page-data.ts';

/** How a stage wants a CSV shown. */
export type ShowHint = NonNullable<OutputPort['show']>;

/** A result without where it is from. */
export type PageContent<K extends PageResult['kind'] = PageResult['kind']> = {
  [P in K]: Omit<Extract<PageResult, {readonly kind: P}>, 'node' | 'output' | 'file' | 'title'>;
}[K];

const mostRows = 500;
const mostPoints = 4000;
const mostClasses = 600;
const mostCharacters = 200_000;
const widestCell = 2000;

/**
 * What a CSV shows: lines, counts or bars where the stage says so and the content is like that, else a table. Undefined when
 * there is nothing in it.
 */
export function tableContent(text: string, show: ShowHint | undefined): PageContent | undefined {
  const parsed = parseCsv(text, show === undefined ? mostRows : mostPoints);
  if (parsed === undefined || parsed.rows.length === 0) return undefined;
  return shown(parsed, show) ?? plainTable(parsed);
}

function shown(table: CsvText, show: ShowHint | undefined): PageContent | undefined {
  if (show === undefined || table.more > 0) return undefined;
  if (show === 'curve') return curve(table);
  if (show === 'confusion') return confusion(table);
  return bars(table, show.slice('bars:'.length));
}

/**
 * The first column counts; every other one in which there is a number, and nothing but numbers, is a line, unless it counts
 * too: epochs beside iterations would dwarf the rest.
 */
function curve({columns, rows}: CsvText): PageContent<'curve'> | undefined {
  const [x, ...others] = columns.map((name, index): PageColumn => ({name, values: numbersOf(rows, index) ?? []}));
  const lines = others.filter(({values}) => values.some((value) => value !== null) && !isCount(values));
  if (!x || lines.length === 0 || x.values.length === 0 || x.values.includes(null)) return undefined;
  return {kind: 'curve', x, lines: lines.map(({name, values}) => ({name, values: values.map(rounded)}))};
}

/** To six digits: more cannot be seen in a drawing, and curves are most of a page. */
function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6));
}

/** Whole numbers that rise and never fall. */
function isCount(values: PageColumn['values']): boolean {
  const [first = null] = values;
  const last = values.at(-1) ?? null;
  if (first === null || last === null || first < 0 || last <= first) return false;
  return values.every((value, index) => Number.isInteger(value) && (value ?? 0) >= (values[index - 1] ?? 0));
}

/** A row a true class: its name, then how often each class, in the order of the rows, was predicted for it. */
function confusion({columns, rows}: CsvText): PageContent<'confusion'> | undefined {
  const classes = columns.slice(1);
  if (classes.length !== rows.length || classes.length > mostClasses) return undefined;
  if (classes.some((name, index) => rows[index]?.[0] !== name)) return undefined;
  const counts = rows.map((row) => row.slice(1).map((cell) => numberOf(cell)));
  if (!counts.every((row): row is number[] => row.every((count) => count !== null && count !== undefined))) {
    return undefined;
  }
  return {kind: 'confusion', classes, counts};
}

/** The first column names; rows without a number are left out. */
function bars({columns, rows}: CsvText, wanted: string): PageContent<'bars'> | undefined {
  const places = wanted === '' ? columns.keys() : [columns.indexOf(wanted)];
  for (const index of places) {
    if (index < 1) continue;
    const values = numbersOf(rows, index);
    const found = rows.flatMap(([name = ''], row) => {
      const value = values?.[row] ?? null;
      return value === null ? [] : [{name, value}];
    });
    if (found.length > 0) return {kind: 'bars', unit: columns[index] ?? '', bars: found};
  }
  return undefined;
}

function plainTable({columns, rows, more}: CsvText): PageContent<'table'> {
  const kept: (readonly string[])[] = [];
  let characters = 0;
  for (const row of rows.slice(0, mostRows)) {
    const cells = row.map((cell) => (cell.length > widestCell ? `${cell.slice(0, widestCell)}…` : cell));
    characters += cells.reduce((sum, cell) => sum + cell.length + 3, 0);
    if (characters > mostCharacters) break;
    kept.push(cells);
  }
  return {kind: 'table', columns, rows: kept, more: rows.length - kept.length + more};
}

/** Null where a cell is empty; undefined when one is no finite number. */
function numbersOf(rows: readonly (readonly string[])[], index: number): readonly (number | null)[] | undefined {
  const values: (number | null)[] = [];
  for (const row of rows) {
    const value = numberOf(row[index] ?? '');
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** A NaN of a training that went wrong is a gap in its curve, not a text. */
function numberOf(cell: string): number | null | undefined {
  const text = cell.trim();
  if (text === '' || /^[-+]?(nan|inf|infinity)$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
