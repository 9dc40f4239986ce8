import {groupBy} from './group-by.ts';
import {axisNames, metricNames, type MetricRow} from './metric-rows.ts';

/** A table before it is written: texts and numbers in columns. */
export interface ValueTable {
  /** The name that its rows share; absent when they do not. */
  readonly title?: string;
  readonly columns: readonly ValueColumn[];
  readonly rows: readonly (readonly (string | number | undefined)[])[];
}

export interface ValueColumn {
  readonly title: string;
  readonly numeric: boolean;
}

/** One table of all rows, with the union of their axes and metrics as columns. */
export function wideTable(rows: readonly MetricRow[], metrics: readonly string[]): ValueTable {
  const axes = axisNames(rows);
  return {
    columns: [textColumn('node'), ...axes.map(textColumn), ...metrics.map(numberColumn)],
    rows: rows.map((row) => [
      row.name,
      ...axes.map((axis) => row.axes.get(axis)),
      ...metrics.map((metric) => row.metrics?.get(metric)),
    ]),
  };
}

/** A table for each node name, with the axes and metrics that its variants have. */
export function tablesByName(rows: readonly MetricRow[], metrics: readonly string[]): readonly ValueTable[] {
  return [...groupBy(rows, ({name}) => name)].flatMap(([title, own]) => {
    const known = metricNames(own);
    const {columns, rows: lines} = wideTable(
      own,
      metrics.filter((metric) => known.includes(metric)),
    );
    if (columns.every(({numeric}) => !numeric)) return [];
    return [{title, columns: columns.slice(1), rows: lines.map((line) => line.slice(1))}];
  });
}

export function textColumn(title: string): ValueColumn {
  return {title, numeric: false};
}

export function numberColumn(title: string): ValueColumn {
  return {title, numeric: true};
}
