import type {Sha256} from '../core/digest.ts';
import type {Pipeline, PipelineNode} from '../core/pipeline.ts';
import type {PlanRequest} from './workspace.ts';

/** Whether the node's stage can go on from what a stopped job left. */
export function isResumable({stage}: PipelineNode, {stages}: Pick<Pipeline, 'stages'>): boolean {
  return stages[stage]?.resumable === true;
}

/** How many of a node's stale actions would go on from a checkpoint. A forced one starts anew. */
export function countWaiting(
  node: PipelineNode,
  stale: readonly {readonly fingerprint: Sha256}[],
  {pipeline, ports, force}: Pick<PlanRequest, 'pipeline' | 'ports' | 'force'>,
): number {
  if (!isResumable(node, pipeline) || force?.has(node.id)) return 0;
  return stale.filter(({fingerprint}) => ports.checkpoints.waits(fingerprint)).length;
}
