import type {ExecutorName} from '../core/executor.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {PlanRequest} from './workspace.ts';

/** Where the node's jobs run: as the caller wants for all nodes, else as the node says. */
export function executorOf(
  node: Pick<PipelineNode, 'executor'>,
  {executor}: Pick<PlanRequest, 'executor'>,
): ExecutorName {
  return executor ?? node.executor ?? 'local';
}
