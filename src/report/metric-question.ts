import {failure, type Failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import {pivotRows, pivotTable, type Pivot} from './metric-pivot.ts';
import {
  axisNames,
  filterRows,
  metricNames,
  sortRows,
  unknownAxes,
  unknownMetrics,
  type MetricRow,
  type Order,
} from './metric-rows.ts';
import {tablesByName, type ValueTable} from './metric-table.ts';

/** How a table of metrics is asked for, on the command line and in documents. */
export interface MetricWish {
  readonly metric?: readonly string[];
  readonly filter?: readonly string[];
  readonly sort?: string;
  readonly pivot?: readonly string[];
  readonly mean?: boolean;
  /** Decimals of numbers that are not whole. */
  readonly digits?: number;
}

/** The wish, checked against the rows there are. */
export interface MetricAnswer {
  /** Filtered, not sorted. */
  readonly rows: readonly MetricRow[];
  readonly metrics: readonly string[];
  /** Sorted rows that have one of the metrics. */
  readonly measured: readonly MetricRow[];
  /** Absent when no axis is pivoted. */
  readonly pivot?: Pivot;
}

/** @param floors - metrics that must exist as well */
export function answerMetrics(
  found: readonly MetricRow[],
  wish: MetricWish,
  floors: readonly string[] = [],
): Result<MetricAnswer> {
  if (wish.mean && wish.pivot === undefined) {
    const hint = 'such as --pivot fold --mean';
    return err([failure('usage', '--mean is over the columns that --pivot makes', {hint})]);
  }
  if (found.every(({metrics}) => metrics === undefined)) {
    return err([failure('blob-missing', 'there are no results yet', {hint: 'make some: mixdown run'})]);
  }
  const filtered = filterRows(found, wish.filter ?? []);
  if (!filtered.ok) return filtered;
  const rows = filtered.value;
  const order = readOrder(wish.sort);
  const problems: Failure[] = [
    ...unknownMetrics(rows, [...(wish.metric ?? []), ...floors]),
    ...unknownAxes(rows, wish.pivot ?? []),
  ];
  if (order !== undefined && !axisNames(rows).includes(order.by)) problems.push(...unknownMetrics(rows, [order.by]));
  if (problems.length > 0) return err(problems);
  const metrics = wish.metric ?? metricNames(rows);
  const measured = rows.filter((row) => metrics.some((metric) => row.metrics?.has(metric)));
  return ok({
    rows,
    metrics,
    measured: order === undefined ? measured : sortRows(measured, order),
    ...(wish.pivot === undefined ? {} : {pivot: pivotRows(measured, metrics, wish.pivot, order)}),
  });
}

/** The answer as tables for people: one of the pivot, else one for each node name. */
export function answerTables(
  {measured, metrics, pivot}: MetricAnswer,
  {pivot: over = [], mean = false, digits}: MetricWish,
): readonly ValueTable[] {
  if (pivot === undefined) return tablesByName(measured, metrics);
  return [pivotTable(pivot, over, {mean, wide: false, ...(digits === undefined ? {} : {digits})})];
}

function readOrder(sort: string | undefined): Order | undefined {
  if (sort === undefined) return undefined;
  const [, by = sort, way] = /^(.*):(asc|desc)$/s.exec(sort) ?? [];
  return way === undefined ? {by} : {by, descending: way === 'desc'};
}
