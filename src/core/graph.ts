import {refsOf, type NodeId, type PipelineNode} from './pipeline.ts';

/** Nodes with their edges, as indices into `nodes`. */
export interface Graph {
  readonly nodes: readonly PipelineNode[];
  readonly indexOf: ReadonlyMap<NodeId, number>;
  /** Producers of each node, each once. */
  readonly producers: readonly (readonly number[])[];
  readonly consumers: readonly (readonly number[])[];
  /** Producers before consumers; declaration order otherwise. */
  readonly order: readonly number[];
}

/**
 * Builds the graph in time linear in nodes and edges.
 *
 * @throws Error when a reference points nowhere or the nodes form a cycle: `config` reports both as diagnostics first.
 */
export function buildGraph(nodes: readonly PipelineNode[]): Graph {
  const indexOf = new Map<NodeId, number>();
  nodes.forEach((node, index) => indexOf.set(node.id, index));
  const producers = nodes.map((node) =>
    producersOf(node, (producer) => {
      const index = indexOf.get(producer);
      if (index === undefined) throw new Error(`buildGraph: ${node.id} refers to ${producer}, which does not exist`);
      return index;
    }),
  );
  const consumers = invert(producers);
  const order = topologicalOrder(producers, consumers);
  if (order.length < nodes.length) throw new Error('buildGraph: the nodes form a cycle');
  return {nodes, indexOf, producers, consumers, order};
}

/** The nodes that this one reads from, each once, as the indices that `indexOf` gives them; those without one are left out. */
export function producersOf(node: PipelineNode, indexOf: (producer: NodeId) => number | undefined): readonly number[] {
  let found: Set<number> | undefined;
  for (const ref of refsOf(node)) {
    const index = ref.from === 'node' ? indexOf(ref.node) : undefined;
    if (index !== undefined) (found ??= new Set()).add(index);
  }
  return found ? [...found] : [];
}

/** The given nodes and everything they are made from, as a set of indices. */
export function closure(graph: Graph, from: Iterable<number>, direction: 'producers' | 'consumers'): Set<number> {
  const edges = graph[direction];
  const found = new Set<number>(from);
  const stack = [...found];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    for (const next of edges[index] ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      stack.push(next);
    }
  }
  return found;
}

/**
 * Kahn's algorithm with a first-in first-out queue. Shorter than the input exactly when there is a cycle; the missing
 * indices are the cycles and what depends on them.
 */
export function topologicalOrder(
  producers: readonly (readonly number[])[],
  consumers: readonly (readonly number[])[],
): number[] {
  const waiting = producers.map((list) => list.length);
  const order: number[] = [];
  waiting.forEach((count, index) => {
    if (count === 0) order.push(index);
  });
  for (let at = 0; at < order.length; at++) {
    for (const consumer of consumers[order[at] ?? 0] ?? []) {
      const left = (waiting[consumer] ?? 0) - 1;
      waiting[consumer] = left;
      if (left === 0) order.push(consumer);
    }
  }
  return order;
}

/**
 * A shortest cycle as indices, each followed by one of its producers, the first one not repeated; undefined when there
 * is none. Breadth-first from each node that lies on a cycle or between two.
 */
export function shortestCycle(producers: readonly (readonly number[])[]): number[] | undefined {
  const consumers = invert(producers);
  const suspects = new Set(producers.keys());
  for (const index of topologicalOrder(producers, consumers)) suspects.delete(index);
  for (const index of topologicalOrder(consumers, producers)) suspects.delete(index);
  let best: number[] | undefined;
  for (const start of suspects) {
    const cycle = cycleThrough(producers, suspects, start, best?.length ?? Infinity);
    if (cycle) best = cycle;
    if (best?.length === 1) break;
  }
  return best;
}

export function invert(edges: readonly (readonly number[])[]): number[][] {
  const inverse: number[][] = edges.map(() => []);
  edges.forEach((list, index) => {
    for (const other of list) inverse[other]?.push(index);
  });
  return inverse;
}

function cycleThrough(
  producers: readonly (readonly number[])[],
  suspects: ReadonlySet<number>,
  start: number,
  shorterThan: number,
): number[] | undefined {
  const cameFrom = new Map<number, number>();
  let frontier = [start];
  for (let depth = 1; frontier.length > 0 && depth < shorterThan; depth++) {
    const next: number[] = [];
    for (const index of frontier) {
      for (const producer of producers[index] ?? []) {
        if (!suspects.has(producer)) continue;
        if (producer === start) return walkBack(cameFrom, index, start);
        if (cameFrom.has(producer)) continue;
        cameFrom.set(producer, index);
        next.push(producer);
      }
    }
    frontier = next;
  }
  return undefined;
}

function walkBack(cameFrom: ReadonlyMap<number, number>, from: number, start: number): number[] {
  const path: number[] = [];
  for (let at: number | undefined = from; at !== undefined && at !== start; at = cameFrom.get(at)) path.push(at);
  path.push(start);
  return path.reverse();
}
