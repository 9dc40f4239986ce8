import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {countText} from '../../report/count-text.ts';
import {pivotRows, pivotTable, type Pivot} from '../../report/metric-pivot.ts';
import {
  belowFloors,
  filterRows,
  metricNames,
  metricRow,
  sortRows,
  unknownAxes,
  unknownMetrics,
  axisNames,
  type Below,
  type Floor,
  type MetricRow,
  type Order,
} from '../../report/metric-rows.ts';
import {tablesByName, wideTable} from '../../report/metric-table.ts';
import {numberText} from '../../report/number-text.ts';
import {csvTable, markdownTables, plainTables} from '../../report/value-table-text.ts';
import {openRunStore} from '../../store/run-store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {loadProject, selectNodes} from '../load.ts';
import {planPresent} from '../present.ts';
import {findProject} from '../project.ts';
import {matchRecorded} from '../recorded-nodes.ts';
import {chooseRun, nodesOf} from '../run-choice.ts';
import {knownResult} from '../wanted.ts';

interface MetricsOptions {
  readonly run?: string;
  readonly metric?: readonly string[];
  readonly filter?: readonly string[];
  readonly sort?: string;
  readonly pivot?: readonly string[];
  readonly mean?: true;
  readonly format: 'text' | 'md' | 'csv' | 'json';
  readonly failBelow?: readonly string[];
}

/** What is asked of the rows, checked against them. */
interface Question {
  readonly rows: readonly MetricRow[];
  readonly metrics: readonly string[];
  readonly order?: Order;
  readonly floors: readonly Floor[];
  readonly over: readonly string[];
}

/** The metrics of the last results, or of a recorded run, as a table over the axes. Runs and writes nothing. */
export async function metricsCommand(
  context: Context,
  patterns: readonly string[],
  options: MetricsOptions,
): Promise<ExitCode> {
  if (options.mean && options.pivot === undefined) {
    const hint = 'such as --pivot fold --mean';
    return context.fail([failure('usage', '--mean is over the columns that --pivot makes', {hint})]);
  }
  const found = options.run === undefined ? await lastRows(context, patterns) : runRows(context, options.run, patterns);
  if (!found.ok) return context.fail(found.error);
  const asked = ask(found.value, options);
  if (!asked.ok) return context.fail(asked.error);
  print(context, asked.value, options);
  const below = belowFloors(asked.value.rows, asked.value.floors);
  if (below.length === 0) return exitCodes.done;
  context.io.stderr.write(below.map((each) => `below: ${belowText(each)}\n`).join(''));
  return exitCodes.nodeFailed;
}

async function lastRows(context: Context, patterns: readonly string[]): Promise<Result<readonly MetricRow[]>> {
  const loaded = await loadProject(context);
  if (!loaded.ok) return loaded;
  const selected = selectNodes(loaded.value, patterns, 'all');
  if (!selected.ok) return selected;
  const work = await planPresent(context, loaded.value, selected.value);
  if (!work.ok) return work;
  try {
    let stale = 0;
    const rows = selected.value.map((id) => {
      const known = knownResult(id, work.value);
      if (known?.stale && Object.keys(known.metrics).length > 0) stale++;
      return metricRow(id, known?.metrics);
    });
    if (stale > 0) context.note(`${countText(stale, 'result')} stale: of an earlier state of the pipeline`);
    return ok(rows);
  } finally {
    work.value.workspace.close();
  }
}

function runRows(context: Context, wanted: string, patterns: readonly string[]): Result<readonly MetricRow[]> {
  const project = findProject(context);
  if (!project.ok) return project;
  const runs = openRunStore(project.value.runsDir);
  const record = chooseRun(runs, wanted);
  if (!record.ok) return record;
  const nodes = nodesOf(runs, record.value);
  const chosen = matchRecorded(Object.keys(nodes), patterns);
  return chosen.ok ? ok(chosen.value.map((id) => metricRow(id, nodes[id]?.metrics))) : chosen;
}

function ask(found: readonly MetricRow[], options: MetricsOptions): Result<Question> {
  if (found.every(({metrics}) => metrics === undefined)) {
    return err([failure('blob-missing', 'there are no results yet', {hint: 'make some: mixdown run'})]);
  }
  const filtered = filterRows(found, options.filter ?? []);
  if (!filtered.ok) return filtered;
  const rows = filtered.value;
  const floors = readFloors(options.failBelow ?? []);
  if (!floors.ok) return floors;
  const order = readOrder(options.sort);
  const over = options.pivot ?? [];
  const problems: Failure[] = [
    ...unknownMetrics(rows, [...(options.metric ?? []), ...floors.value.map(({metric}) => metric)]),
    ...unknownAxes(rows, over),
  ];
  if (order !== undefined && !axisNames(rows).includes(order.by)) problems.push(...unknownMetrics(rows, [order.by]));
  if (problems.length > 0) return err(problems);
  const metrics = options.metric ?? metricNames(rows);
  return ok({rows, metrics, ...(order === undefined ? {} : {order}), floors: floors.value, over});
}

function print(context: Context, question: Question, {format, pivot, ...options}: MetricsOptions): void {
  const {order, metrics, over} = question;
  const mean = options.mean === true;
  const measured = question.rows.filter((row) => metrics.some((metric) => row.metrics?.has(metric)));
  const as = context.globals.json ? 'json' : format;
  const pivoted = pivot === undefined ? undefined : pivotRows(measured, metrics, over, order);
  const rows = order === undefined ? measured : sortRows(measured, order);
  if (as === 'json') return context.printJson(pivoted ? pivotJson(pivoted) : rowsJson(rows, metrics));
  if (as === 'csv') {
    return context.print(csvTable(pivoted ? pivotTable(pivoted, over, {mean, wide: true}) : wideTable(rows, metrics)));
  }
  const tables = pivoted ? [pivotTable(pivoted, over, {mean, wide: false})] : tablesByName(rows, metrics);
  if (tables.length === 0) context.note('no metrics');
  else context.print(as === 'md' ? markdownTables(tables) : plainTables(tables, context.paint));
}

function rowsJson(rows: readonly MetricRow[], metrics: readonly string[]): object {
  return rows.map(({node, name, axes, metrics: own}) => ({
    node,
    name,
    axes: Object.fromEntries(axes),
    metrics: Object.fromEntries([...(own ?? [])].filter(([metric]) => metrics.includes(metric))),
  }));
}

function pivotJson({columns, rows}: Pivot): object {
  return rows.map(({name, axes, metric, values, summary}) => ({
    name,
    axes: Object.fromEntries(axes),
    metric,
    values: Object.fromEntries(
      columns.flatMap((column, index) => (values[index] === undefined ? [] : [[column, values[index]]])),
    ),
    ...summary,
  }));
}

function readOrder(sort: string | undefined): Order | undefined {
  if (sort === undefined) return undefined;
  const [, by = sort, way] = /^(.*):(asc|desc)$/s.exec(sort) ?? [];
  return way === undefined ? {by} : {by, descending: way === 'desc'};
}

function readFloors(texts: readonly string[]): Result<readonly Floor[]> {
  const floors: Floor[] = [];
  const failures: Failure[] = [];
  for (const text of texts) {
    const at = text.lastIndexOf('=');
    const number = at < 1 ? '' : text.slice(at + 1).trim();
    const floor = Number(number);
    if (number !== '' && Number.isFinite(floor)) floors.push({metric: text.slice(0, at).trim(), floor});
    else failures.push(failure('usage', `--fail-below ${text}: no floor`, {hint: 'write metric=number: map3=0.6'}));
  }
  return failures.length > 0 ? err(failures) : ok(floors);
}

function belowText({node, metric, floor, value}: Below): string {
  if (value === undefined) return `${node} reports no ${metric} (floor ${floor})`;
  // In full where rounding would hide that it is below.
  const [short, limit] = [numberText(value), numberText(floor)];
  return `${node} ${metric} ${short === limit ? value : short} < ${floor}`;
}
