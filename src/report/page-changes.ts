import type {NodeId} from '../core/pipeline.ts';
import {metricRow} from './metric-rows.ts';
import type {PageChanges} from './page-data.ts';
import {metricChanges} from './run-diff.ts';

/** Metrics of each node, of a run or of pinned results. */
export type MetricsByNode = ReadonlyMap<NodeId, Readonly<Record<string, number>>>;

/** Differences that are told at most; the largest steps of a sweep are seen in these. */
export const mostChanges = 2000;

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
    for (const {metric, before: was = null, after: is = null} of metricChanges(
      metricRow(node, then),
      metricRow(node, now),
    )) {
      if (metrics.length < mostChanges) metrics.push({node, metric, before: was, after: is});
    }
  }
  return {
    since,
    metrics,
    added: [...after.keys()].filter((node) => !before.has(node)),
    removed: [...before.keys()].filter((node) => !after.has(node) && isGone(node)),
  };
}
