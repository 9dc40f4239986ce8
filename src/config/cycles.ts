import {producersOf, shortestCycle, topologicalOrder} from '../core/graph.ts';
import type {ArtifactRef, NodeId, PipelineNode} from '../core/pipeline.ts';
import type {Path, Problem} from './problem.ts';

const cycleLimit = 10;

/** Reports cycles, the shortest first and each node name in one of them at most. Returns the nodes nobody consumes. */
export function reportCycles(nodes: readonly PipelineNode[], report: (problem: Problem) => void): readonly NodeId[] {
  const indexOf = new Map(nodes.map((node, index) => [node.id, index]));
  const consumers: number[][] = nodes.map(() => []);
  let producers: readonly (readonly number[])[] = nodes.map((node, index) => {
    const found = producersOf(node, (producer) => indexOf.get(producer));
    for (const producer of found) consumers[producer]?.push(index);
    return found;
  });
  const free = nodes.filter((_, index) => consumers[index]?.length === 0).map((node) => node.id);
  if (topologicalOrder(producers, consumers).length === nodes.length) return free;
  for (let count = 0; count < cycleLimit; count++) {
    const cycle = shortestCycle(producers);
    if (!cycle) break;
    report(describe(cycle, nodes));
    const names = new Set(cycle.map((index) => nodes[index]?.name));
    const cut = producers;
    producers = cut.map((list, index) => (names.has(nodes[index]?.name) ? [] : list));
  }
  return free;
}

function describe(cycle: readonly number[], nodes: readonly PipelineNode[]): Problem {
  const first = cycle.indexOf(Math.min(...cycle));
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)].map((index) => nodes[index] as PipelineNode);
  const start = turned[0] as PipelineNode;
  const next = turned[1] ?? start;
  const circle = [...turned, start].map((node) => node.id).join(' -> ');
  const one = turned.length === 1;
  return {
    code: 'cycle',
    message: one ? `\`${start.id}\` is made from itself` : `nodes are made from each other in a circle: ${circle}`,
    hint: one ? 'remove this input' : 'each node reads an output of the next; remove one of these inputs',
    path: edgePath(start, next.id),
    at: 'value',
  };
}

function edgePath(from: PipelineNode, to: NodeId): Path {
  const leadsTo = (ref: ArtifactRef) => ref.from === 'node' && ref.node === to;
  for (const [port, binding] of Object.entries(from.inputs)) {
    const refs = binding.many ? binding.refs : [binding.ref];
    if (refs.some(leadsTo)) return ['nodes', from.name, 'inputs', port];
  }
  const {each = []} = from;
  const sliced = each.find(({collection}) => leadsTo(collection));
  return ['nodes', from.name, 'each', ...(sliced && each.length > 1 ? [sliced.port] : [])];
}
