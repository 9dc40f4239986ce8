import type {Graph} from '../core/graph.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {WorkspaceState} from '../core/ports.ts';

/** Assumed for a node of which nothing is recorded, nor of its siblings: long enough to count as a step on a path. */
const unknownMs = 1000;

/** Expected wall time of nodes in milliseconds: the node's own last time, else the mean of its name's variants. */
export function durations(
  nodes: readonly PipelineNode[],
  state: WorkspaceState,
): (node: PipelineNode) => number | undefined {
  let means: ReadonlyMap<string, number> | undefined;
  return (node) => state.get(node.id)?.wallMs ?? (means ??= meansByName(nodes, state)).get(node.name);
}

function meansByName(nodes: readonly PipelineNode[], state: WorkspaceState): ReadonlyMap<string, number> {
  const sums = new Map<string, {total: number; count: number}>();
  for (const node of nodes) {
    const wallMs = state.get(node.id)?.wallMs;
    if (wallMs === undefined) continue;
    const sum = sums.get(node.name) ?? {total: 0, count: 0};
    sums.set(node.name, {total: sum.total + wallMs, count: sum.count + 1});
  }
  return new Map([...sums].map(([name, {total, count}]) => [name, total / count]));
}

/**
 * Length of the longest time-weighted path from each node to the end, in milliseconds; linear. Nodes that will not run
 * weigh nothing.
 */
export function criticalPaths(
  graph: Graph,
  selected: ReadonlySet<number>,
  weight: (index: number) => number | undefined,
): Float64Array {
  const length = new Float64Array(graph.nodes.length);
  for (let at = graph.order.length - 1; at >= 0; at--) {
    const index = graph.order[at] ?? 0;
    if (!selected.has(index)) continue;
    let longest = 0;
    for (const consumer of graph.consumers[index] ?? []) {
      if (selected.has(consumer)) longest = Math.max(longest, length[consumer] ?? 0);
    }
    length[index] = longest + (weight(index) ?? unknownMs);
  }
  return length;
}

/**
 * Lower bound that is usually close: no run is shorter than its longest path, nor than its work spread over the slots.
 * Undefined when nothing is recorded.
 */
export function forecastMs(
  expected: readonly (number | undefined)[],
  longestPathMs: number,
  slots: number,
): number | undefined {
  const known = expected.filter((ms) => ms !== undefined);
  if (known.length === 0) return undefined;
  const mean = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const work = mean * expected.length;
  return Math.max(work / slots, longestPathMs);
}
