import type {Failure} from '../../core/failure.ts';
import {isSha256} from '../../core/digest.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {diffText} from '../../report/diff-text.ts';
import {metricRow, unknownAxes, unknownMetrics} from '../../report/metric-rows.ts';
import {diffRuns, pairRuns, type PairedRow, type RunDiff, type RunSide} from '../../report/run-diff.ts';
import {openRunStore, type RunStore} from '../../store/run-store.ts';
import {openStore, type Store} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {detailReasons} from '../reason-detail.ts';
import {matchRecorded} from '../recorded-nodes.ts';
import {chooseRun, nodesOf} from '../run-choice.ts';
import {warnOnce} from '../warnings.ts';

interface DiffOptions {
  readonly over?: readonly string[];
  readonly metric?: readonly string[];
}

/** What differs between two recorded runs. Reads records and the cache; the pipeline as it is now plays no part. */
export async function diffCommand(
  context: Context,
  beforeRun: string,
  afterRun: string,
  patterns: readonly string[],
  {over = [], metric}: DiffOptions,
): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const runs = openRunStore(project.value.runsDir);
  const opened = openStore({dir: project.value.cacheDir, warn: warnOnce(context), what: 'comparing runs'});
  if (!opened.ok) return context.fail(opened.error);
  const store = opened.value;
  try {
    const sides = [beforeRun, afterRun].map((wanted) => sideOf(runs, store, wanted));
    const [left, right] = sides;
    if (!left?.ok || !right?.ok) return context.fail(sides.flatMap((side) => (side.ok ? [] : side.error)));
    const only = chooseNodes(left.value, right.value, patterns, over, metric ?? []);
    if (!only.ok) return context.fail(only.error);
    const [before, after] = [withMetrics(left.value, metric), withMetrics(right.value, metric)];
    const diff = diffRuns(before, after, only.value);
    const detailed = {
      ...diff,
      changed: diff.changed.map((change) => ({
        ...change,
        reasons: detailReasons(undefined, change.reasons, {blobs: store.blobs, stages: []}),
      })),
    };
    const pairs = over.length === 0 ? undefined : pairRuns(before.nodes, after.nodes, only.value, over);
    if (context.globals.json) context.printJson(diffJson(detailed, pairs));
    else context.print(diffText(detailed, pairs, context.paint));
    return exitCodes.done;
  } finally {
    store.close();
  }
}

function sideOf(runs: RunStore, store: Store, wanted: string): Result<RunSide> {
  const record = chooseRun(runs, wanted);
  if (!record.ok) return record;
  const {id, startedAt} = record.value;
  return ok({
    id,
    startedAt,
    nodes: nodesOf(runs, record.value),
    actionOf: (fingerprint) => (isSha256(fingerprint) ? store.actions.peek(fingerprint)?.action : undefined),
  });
}

/** The run as if it had reported these metrics only; as it is when none are named. */
function withMetrics(side: RunSide, wanted: readonly string[] | undefined): RunSide {
  if (wanted === undefined) return side;
  const nodes = Object.entries(side.nodes).map(([id, node]) => {
    const kept = Object.entries(node.metrics ?? {}).filter(([name]) => wanted.includes(name));
    return [id, node.metrics === undefined ? node : {...node, metrics: Object.fromEntries(kept)}] as const;
  });
  return {...side, nodes: Object.fromEntries(nodes)};
}

function chooseNodes(
  {nodes: before}: RunSide,
  {nodes: after}: RunSide,
  patterns: readonly string[],
  over: readonly string[],
  metrics: readonly string[],
): Result<ReadonlySet<NodeId>> {
  const chosen = matchRecorded([...new Set([...Object.keys(after), ...Object.keys(before)])], patterns);
  if (!chosen.ok) return chosen;
  const rows = chosen.value.flatMap((id) => [metricRow(id, before[id]?.metrics), metricRow(id, after[id]?.metrics)]);
  const problems: readonly Failure[] = [...unknownMetrics(rows, metrics), ...unknownAxes(rows, over)];
  return problems.length > 0 ? err(problems) : ok(new Set(chosen.value));
}

function diffJson(diff: RunDiff, pairs: readonly PairedRow[] | undefined): object {
  return {
    type: 'diff/1',
    ...diff,
    changed: diff.changed.map((change) => ({...change, axes: Object.fromEntries(change.axes)})),
    ...(pairs === undefined ? {} : {paired: pairs.map((row) => ({...row, axes: Object.fromEntries(row.axes)}))}),
  };
}
