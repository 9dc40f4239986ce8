import {failure, type Failure} from '../../core/failure.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {countText} from '../../report/count-text.ts';
import {pivotTable, type Pivot} from '../../report/metric-pivot.ts';
import {answerMetrics, answerTables, type MetricAnswer, type MetricWish} from '../../report/metric-question.ts';
import {belowFloors, metricRow, type Below, type Floor, type MetricRow} from '../../report/metric-rows.ts';
import {wideTable} from '../../report/metric-table.ts';
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

interface MetricsOptions extends MetricWish {
  readonly run?: string;
  readonly format: 'text' | 'md' | 'csv' | 'json';
  readonly failBelow?: readonly string[];
}

/** The metrics of the last results, or of a recorded run, as a table over the axes. Runs and writes nothing. */
export async function metricsCommand(
  context: Context,
  patterns: readonly string[],
  options: MetricsOptions,
): Promise<ExitCode> {
  const floors = readFloors(options.failBelow ?? []);
  if (!floors.ok) return context.fail(floors.error);
  const found = options.run === undefined ? await lastRows(context, patterns) : runRows(context, options.run, patterns);
  if (!found.ok) return context.fail(found.error);
  const floored = floors.value.map(({metric}) => metric);
  const answer = answerMetrics(found.value, options, floored);
  if (!answer.ok) return context.fail(answer.error);
  print(context, answer.value, options);
  const below = belowFloors(answer.value.rows, floors.value);
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

function print(context: Context, answer: MetricAnswer, {format, ...wish}: MetricsOptions): void {
  const {measured, metrics, pivot} = answer;
  const {pivot: over = [], mean = false} = wish;
  const as = context.globals.json ? 'json' : format;
  if (as === 'json') return context.printJson(pivot ? pivotJson(pivot) : rowsJson(measured, metrics));
  if (as === 'csv') {
    return context.print(csvTable(pivot ? pivotTable(pivot, over, {mean, wide: true}) : wideTable(measured, metrics)));
  }
  const tables = answerTables(answer, wish);
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
