import type {PipelineNode} from '../core/pipeline.ts';
import {executorOf} from './executor.ts';
import type {RunContext} from './run-context.ts';

/** Without records, an item's cost is taken to grow with its size on top of a fixed share. */
const bytesPerMs = 1_000_000 / 10;

export interface Costed {
  /** Bytes of its items. */
  readonly size: number;
  readonly lastWallMs?: number;
}

/**
 * Cuts items into consecutive batches of about equal cost, so that workers end together and each pays its start once.
 *
 * @param wanted - batches to make at most; a few times as many as can run at a time, so that a wrong estimate evens out
 */
export function makeBatches<T extends Costed>(items: readonly T[], wanted: number): T[][] {
  if (items.length === 0) return [];
  const costs = items.map((item) => Math.max(0.1, item.lastWallMs ?? 1 + item.size / bytesPerMs));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const count = Math.min(items.length, Math.max(1, wanted));
  const batches: T[][] = [];
  let batch: T[] = [];
  let spent = 0;
  items.forEach((item, index) => {
    batch.push(item);
    spent += costs[index]!;
    const left = items.length - index - 1;
    const due = spent >= (total * (batches.length + 1)) / count - 1e-9;
    if ((due || left < count - batches.length - 1) && batches.length < count - 1) {
      batches.push(batch);
      batch = [];
    }
  });
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** A batch that goes to a cluster holds no more slices: each is prepared before the first can start. */
const largestClusterBatch = 1000;

/** How many batches the stale slices of a node are cut into. */
export function batchCount(node: PipelineNode, stale: number, {request}: RunContext): number {
  const {jobs, cluster} = request;
  if (cluster && executorOf(node, request) !== 'local') {
    return Math.max(cluster.batches, Math.ceil(stale / largestClusterBatch));
  }
  return 4 * Math.max(1, Math.floor(jobs / Math.max(1, node.resources.cpu)));
}
