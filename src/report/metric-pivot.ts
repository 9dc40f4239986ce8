import {groupBy} from './group-by.ts';
import {axisNames, compareTexts, metricNames, sortBy, type MetricRow, type Order} from './metric-rows.ts';
import {numberColumn, textColumn, type ValueTable} from './metric-table.ts';
import {numberText} from './number-text.ts';

/** One line of a pivoted table. */
export interface PivotRow {
  readonly name: string;
  /** The axes that stay rows. */
  readonly axes: ReadonlyMap<string, string>;
  readonly metric: string;
  /** One for each column, `undefined` where there is none. */
  readonly values: readonly (number | undefined)[];
  readonly summary: Summary;
}

export interface Pivot {
  /** Values of the pivoted axes, in the order of the columns; those of several axes with commas between. */
  readonly columns: readonly string[];
  readonly rows: readonly PivotRow[];
}

/** Mean and sample standard deviation (divisor n - 1) of n numbers. */
export interface Summary {
  readonly n: number;
  readonly mean?: number;
  /** From two numbers on. */
  readonly sd?: number;
}

/**
 * Makes the values of some axes columns: a row for each metric and combination of the other axes. Nodes without one of these
 * axes are left out. An order by a metric goes by its mean over the columns.
 */
export function pivotRows(
  rows: readonly MetricRow[],
  metrics: readonly string[],
  over: readonly string[],
  order: Order | undefined,
): Pivot {
  const taken = rows.filter(({axes, metrics: own}) => own !== undefined && over.every((axis) => axes.has(axis)));
  const columnOf = ({axes}: MetricRow): string => over.flatMap((axis) => axes.get(axis) ?? []).join(',');
  const columns = columnOrder(new Set(taken.map(columnOf)));
  const groups = [...groupBy(taken, (row) => groupKey(row, over)).values()];
  const built = groups.map((group) => {
    const [first] = group;
    const byColumn = new Map(group.map((row) => [columnOf(row), row]));
    const lines = metrics.flatMap((metric): PivotRow[] => {
      const values = columns.map((column) => byColumn.get(column)?.metrics?.get(metric));
      if (first === undefined || values.every((value) => value === undefined)) return [];
      return [{name: first.name, axes: restAxes(first, over), metric, values, summary: summarise(values)}];
    });
    return {lines, group};
  });
  const {by, descending} = order ?? {};
  const meanOf = (group: readonly MetricRow[]): number | undefined =>
    by === undefined ? undefined : summarise(group.map(({metrics: own}) => own?.get(by))).mean;
  const sorted =
    by === undefined
      ? built
      : metricNames(taken).includes(by)
        ? sortBy(
            built,
            ({group}) => meanOf(group),
            (a, b) => a - b,
            descending ?? true,
          )
        : sortBy(built, ({group}) => group[0]?.axes.get(by), compareTexts, descending ?? false);
  return {columns, rows: sorted.flatMap(({lines}) => lines)};
}

/** How a pivoted table is to look. */
export interface PivotLook {
  /** Adds mean and sample standard deviation over the columns. */
  readonly mean: boolean;
  /** For programs: every column always, and nothing said in a title or in one text with another number. */
  readonly wide: boolean;
  /** Decimals of mean and standard deviation. */
  readonly digits?: number;
}

/** The pivoted rows as a table; a name or metric that all rows share is in its title. */
export function pivotTable(
  {columns, rows}: Pivot,
  over: readonly string[],
  {mean, wide, digits}: PivotLook,
): ValueTable {
  const axes = axisNames(rows);
  const names = new Set(rows.map(({name}) => name));
  const metrics = new Set(rows.map(({metric}) => metric));
  const named = wide || names.size > 1;
  const measured = wide || metrics.size > 1;
  const title = [...(named ? [] : names), ...(measured ? [] : metrics)].join(' ');
  return {
    ...(title === '' ? {} : {title}),
    columns: [
      ...(named ? [textColumn('node')] : []),
      ...axes.map(textColumn),
      ...(measured ? [textColumn('metric')] : []),
      ...columns.map((column) => numberColumn(`${over.join(',')}=${column}`)),
      ...(!mean ? [] : wide ? ['mean', 'sd', 'n'].map(numberColumn) : [numberColumn('mean ± sd')]),
    ],
    rows: rows.map(({name, axes: own, metric, values, summary}) => [
      ...(named ? [name] : []),
      ...axes.map((axis) => own.get(axis)),
      ...(measured ? [metric] : []),
      ...values,
      ...(!mean ? [] : wide ? [summary.mean, summary.sd, summary.n] : [summaryText(summary, digits)]),
    ]),
  };
}

export function summarise(values: readonly (number | undefined)[]): Summary {
  const known = values.filter((value) => value !== undefined);
  const n = known.length;
  if (n === 0) return {n};
  const mean = known.reduce((sum, value) => sum + value, 0) / n;
  if (n === 1) return {n, mean};
  return {n, mean, sd: Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1))};
}

/** The axes of a row without some. */
export function restAxes({axes}: Pick<MetricRow, 'axes'>, over: readonly string[]): ReadonlyMap<string, string> {
  return new Map([...axes].filter(([axis]) => !over.includes(axis)));
}

/** The same text for rows that differ in these axes only. */
export function groupKey(row: Pick<MetricRow, 'name' | 'axes'>, over: readonly string[]): string {
  return JSON.stringify([row.name, ...restAxes(row, over)]);
}

/** Numbers by size: variants that a matrix leaves out must not put folds out of order. Others as they first came. */
function columnOrder(columns: ReadonlySet<string>): readonly string[] {
  const all = [...columns];
  return all.some((column) => Number.isNaN(Number(column))) ? all : all.sort(compareTexts);
}

function summaryText({mean, sd}: Summary, digits?: number): string {
  if (mean === undefined) return '';
  return sd === undefined ? numberText(mean, digits) : `${numberText(mean, digits)} ± ${numberText(sd, digits)}`;
}
