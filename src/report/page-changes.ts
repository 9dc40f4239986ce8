import type {NodeId} from '../core/pipeline.ts';
import type {PageChanges} from './page-data.ts';

/** Metrics of each node, of a run or of pinned results. */
export type MetricsByNode = ReadonlyMap<NodeId, Readonly<Record<string, number>>>;

/** Differences that are told at most; the largest steps of a sweep are seen in these. */
const mostChanges = 2000;

/**
 * The metrics that are not the same, in the order of the nodes, and the nodes that came and went.
 *
 * @param since - the earlier run, or the file that holds the earlier values
 * @param isGone - whether an earlier node without a result now is no longer there; it may just have failed
 */
export function pageChanges(
  since: string,
  before: MetricsByNode,
  after: MetricsByNode,
  isGone: (node: NodeId) => boolean,
): PageChanges {
  const metrics: PageChanges['metrics'][number][] = [];
  for (const [node, now] of after) {
    const then = before.get(node);
    if (then === undefined) continue;
    for (const metric of new Set([...Object.keys(then), ...Object.keys(now)])) {
      const change = {node, metric, before: numberOf(then, metric), after: numberOf(now, metric)};
      if (change.before !== change.after && metrics.length < mostChanges) metrics.push(change);
    }
  }
  return {
    since,
    metrics,
    added: [...after.keys()].filter((node) => !before.has(node)),
    removed: [...before.keys()].filter((node) => !after.has(node) && isGone(node)),
  };
}

/** Null where it is not reported, or a record could not hold it. */
function numberOf(metrics: Readonly<Record<string, number>>, metric: string): number | null {
  const value: unknown = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
