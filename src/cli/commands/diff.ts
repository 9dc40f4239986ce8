import type {Failure} from '../../core/failure.ts';
import type {NodeId} from '../../core/pipeline.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {diffText} from '../../report/diff-text.ts';
import {metricRow, unknownAxes, unknownMetrics} from '../../report/metric-rows.ts';
import {diffSides, pairRuns, type Diff, type DiffSide, type PairedRow} from '../../report/run-diff.ts';
import {openRunStore} from '../../store/run-store.ts';
import {openStore} from '../../store/store.ts';
import type {Context} from '../context.ts';
import {openOther, openSide, sideReasons, type OpenedSide, type SidePlaces} from '../diff-side.ts';
import {exitCodes, type ExitCode} from '../exit.ts';
import {findProject} from '../project.ts';
import {detailReasons} from '../reason-detail.ts';
import {matchRecorded} from '../recorded-nodes.ts';
import {warnOnce} from '../warnings.ts';

interface DiffOptions {
  readonly over?: readonly string[];
  readonly metric?: readonly string[];
}

/**
 * What differs between two recorded runs, or what two locks pin, or a run and a lock. Reads records, locks and the cache; the
 * pipeline as it is now plays no part.
 */
export async function diffCommand(
  context: Context,
  beforeName: string | undefined,
  afterName: string | undefined,
  patterns: readonly string[],
  {over = [], metric}: DiffOptions,
): Promise<ExitCode> {
  const project = findProject(context);
  if (!project.ok) return context.fail(project.error);
  const runs = openRunStore(project.value.runsDir);
  const opened = openStore({dir: project.value.cacheDir, warn: warnOnce(context), what: 'comparing results'});
  if (!opened.ok) return context.fail(opened.error);
  const store = opened.value;
  try {
    const sides = await openSides(context, {project: project.value, runs, store}, beforeName, afterName);
    if (!sides.ok) return context.fail(sides.error);
    const [left, right] = sides.value;
    const only = chooseNodes(left, right, patterns, over, metric ?? []);
    if (!only.ok) return context.fail(only.error);
    const [before, after] = [withMetrics(left, metric), withMetrics(right, metric)];
    const diff = diffSides(before, after, only.value, (node) => sideReasons(left, right, node));
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

async function openSides(
  context: Context,
  places: SidePlaces,
  beforeName = 'latest~1',
  afterName: string | undefined,
): Promise<Result<readonly [OpenedSide, OpenedSide]>> {
  const before = await openSide(context, places, beforeName);
  const after =
    afterName !== undefined
      ? await openSide(context, places, afterName)
      : before.ok
        ? openOther(context, places, before.value)
        : undefined;
  if (before.ok && after?.ok) return ok([before.value, after.value]);
  return err([before, after].flatMap((side) => (side === undefined || side.ok ? [] : side.error)));
}

/** The side as if it had these metrics only; as it is when none are named. */
function withMetrics(side: DiffSide, wanted: readonly string[] | undefined): DiffSide {
  if (wanted === undefined) return side;
  const nodes = Object.entries(side.nodes).map(([id, node]) => {
    const kept = Object.entries(node.metrics ?? {}).filter(([name]) => wanted.includes(name));
    return [id, node.metrics === undefined ? node : {...node, metrics: Object.fromEntries(kept)}] as const;
  });
  return {...side, nodes: Object.fromEntries(nodes)};
}

function chooseNodes(
  {nodes: before}: DiffSide,
  {nodes: after}: DiffSide,
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

function diffJson(diff: Diff, pairs: readonly PairedRow[] | undefined): object {
  return {
    type: 'diff/1',
    ...diff,
    changed: diff.changed.map((change) => ({...change, axes: Object.fromEntries(change.axes)})),
    ...(pairs === undefined ? {} : {paired: pairs.map((row) => ({...row, axes: Object.fromEntries(row.axes)}))}),
  };
}
