import {didYouMean} from '../core/closest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {nodeAxes} from '../core/node-axes.ts';
import {byCodeUnit} from '../core/json.ts';
import type {NodeId} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import {parseReference, type AxisSelector} from '../core/reference.ts';

/** What one node's result measures. */
export interface MetricRow {
  readonly node: NodeId;
  readonly name: string;
  /** Axis to the text of its value. */
  readonly axes: ReadonlyMap<string, string>;
  /** Absent when the node has no result. */
  readonly metrics?: ReadonlyMap<string, number>;
}

/** A metric that must not be below a number. */
export interface Floor {
  readonly metric: string;
  readonly floor: number;
}

/** A node under a floor; without a value when its result lacks what its sibling variants report. */
export interface Below extends Floor {
  readonly node: NodeId;
  readonly value?: number;
}

export type Order = {readonly by: string; readonly descending?: boolean};

/** @param metrics - as recorded; what is no number (a record cannot hold NaN) counts as not reported */
export function metricRow(node: NodeId, metrics: Readonly<Record<string, unknown>> | undefined): MetricRow {
  const numbers = Object.entries(metrics ?? {}).filter((entry): entry is [string, number] => isNumber(entry[1]));
  return {node, ...nodeAxes(node), ...(metrics === undefined ? {} : {metrics: new Map(numbers)})};
}

/** Names of the metrics of some rows, in the order in which they first come. */
export function metricNames(rows: readonly MetricRow[]): readonly string[] {
  return [...new Set(rows.flatMap(({metrics}) => [...(metrics?.keys() ?? [])]))];
}

/** Names of the axes of some rows, likewise. */
export function axisNames(rows: readonly Pick<MetricRow, 'axes'>[]): readonly string[] {
  return [...new Set(rows.flatMap(({axes}) => [...axes.keys()]))];
}

/** The failure of each name that no row reports. */
export function unknownMetrics(rows: readonly MetricRow[], wanted: readonly string[]): readonly Failure[] {
  const known = metricNames(rows);
  return wanted
    .filter((name) => !known.includes(name))
    .map((name) => {
      const hint = didYouMean(name, known);
      return failure('unknown-metric', `no result here reports \`${name}\``, hint === undefined ? {} : {hint});
    });
}

/** The failure of each axis that no row has. */
export function unknownAxes(rows: readonly Pick<MetricRow, 'axes'>[], wanted: readonly string[]): readonly Failure[] {
  const known = axisNames(rows);
  return wanted
    .filter((axis) => !known.includes(axis))
    .map((axis) => {
      const hint = didYouMean(axis, known);
      return failure('unknown-axis', `no node here has the axis \`${axis}\``, hint === undefined ? {} : {hint});
    });
}

/** The rows whose axes have the values that `fold=1` or `fold=1|2,levels=h1` names; rows without such an axis are left out. */
export function filterRows(rows: readonly MetricRow[], filters: readonly string[]): Result<readonly MetricRow[]> {
  const failures: Failure[] = [];
  const wanted: AxisSelector[] = [];
  for (const filter of filters) {
    const parsed = parseReference(`x[${filter}]`);
    if (parsed.ok && parsed.value.selector?.all === false && parsed.value.output === undefined) {
      wanted.push(...parsed.value.selector.axes);
    } else {
      const hint = 'write axis=value, axis=value|value, or several with commas between';
      failures.push(failure('usage', `\`${filter}\` is no filter`, {hint}));
    }
  }
  failures.push(
    ...unknownAxes(
      rows,
      wanted.map(({axis}) => axis),
    ),
  );
  if (failures.length > 0) return err(failures);
  for (const {axis, choices = []} of wanted) {
    const texts = new Set(rows.flatMap(({axes}) => axes.get(axis) ?? []));
    const wrong = choices.find(({text}) => !texts.has(text));
    if (wrong === undefined) continue;
    const hint = didYouMean(wrong.text, texts);
    const message = `no node here has ${axis}=${wrong.text}`;
    failures.push(failure('unknown-node', message, hint === undefined ? {} : {hint}));
  }
  if (failures.length > 0) return err(failures);
  return ok(
    rows.filter(({axes}) =>
      wanted.every(({axis, choices}) => {
        const own = axes.get(axis);
        return own !== undefined && (choices === undefined || choices.some(({text}) => text === own));
      }),
    ),
  );
}

/**
 * The rows in order of a metric, largest first unless `descending` is false, or of an axis, smallest first unless it is
 * true; rows without it come last, equal ones stay as they were.
 */
export function sortRows(rows: readonly MetricRow[], {by, descending}: Order): readonly MetricRow[] {
  if (!metricNames(rows).includes(by)) {
    return sortBy(rows, ({axes}) => axes.get(by), compareTexts, descending ?? false);
  }
  return sortBy(
    rows,
    ({metrics}) => metrics?.get(by),
    (a, b) => a - b,
    descending ?? true,
  );
}

/** A stable sort by a key; what has none comes last. */
export function sortBy<T, K>(
  items: readonly T[],
  key: (item: T) => K | undefined,
  compare: (a: K, b: K) => number,
  descending: boolean,
): readonly T[] {
  return [...items].sort((left, right) => {
    const [a, b] = [key(left), key(right)];
    if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0);
    return descending ? compare(b, a) : compare(a, b);
  });
}

/** Numbers by their size and before other texts, which go by code unit. */
export function compareTexts(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)];
  if (Number.isNaN(left) !== Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1;
  if (left !== right && !Number.isNaN(left)) return left - right;
  return byCodeUnit(a, b);
}

/** Nodes by name, then by the values of their axes. */
export function compareNodes(a: Pick<MetricRow, 'name' | 'axes'>, b: Pick<MetricRow, 'name' | 'axes'>): number {
  if (a.name !== b.name) return byCodeUnit(a.name, b.name);
  const right = [...b.axes.values()];
  return [...a.axes.values()].reduce((order, text, at) => order || compareTexts(text, right[at] ?? ''), 0);
}

/**
 * The nodes below a floor. A node that lacks the metric although another variant of its name reports it is below too: what
 * was not measured has not passed.
 */
export function belowFloors(rows: readonly MetricRow[], floors: readonly Floor[]): readonly Below[] {
  return floors.flatMap(({metric, floor}) => {
    const names = new Set(rows.flatMap(({name, metrics}) => (metrics?.has(metric) ? [name] : [])));
    return rows.flatMap(({node, name, metrics}): Below[] => {
      const value = metrics?.get(metric);
      if (!names.has(name) || (value !== undefined && value >= floor)) return [];
      return [{node, metric, floor, ...(value === undefined ? {} : {value})}];
    });
  });
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
