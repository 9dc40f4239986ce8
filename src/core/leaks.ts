import type {Graph} from './graph.ts';
import {foldAxes, leakPath, type LeakPath} from './leak-path.ts';
import {LearnedMarks} from './learned-marks.ts';
import {refsByPort, type NodeId, type PipelineNode} from './pipeline.ts';

/** Nodes that hold a fold out and could read what has learned from it, all through one binding. */
export interface Leak extends LeakPath {
  /** The fold that the last node of the path holds out. */
  readonly fold: string;
  /** How many more nodes leak through the binding. */
  readonly more: number;
}

/** A node name whose results others may read although they learned from what those hold out, and who does. */
export interface AcceptedLeak {
  readonly name: string;
  readonly reason: string;
  /** Nodes that hold a fold out and are the first to read what has learned from it, in topological order. */
  readonly readers: readonly NodeId[];
  /** The readers and everything made from them. */
  readonly reached: ReadonlySet<NodeId>;
}

export interface LeakReport {
  readonly leaks: readonly Leak[];
  readonly accepted: readonly AcceptedLeak[];
}

/**
 * Finds what lets the clips that are to be predicted into training. Every node carries which folds were held out of what it
 * was made from: a plain node those of its inputs, a node that learns its own as well. A node that holds a fold out may read
 * what held out the same, and what has not learned at all. Others are refused, each where the leak first reaches the fold's
 * side: what is made from them counts as if they were mended. Through a node with `acceptLeak` nothing is refused.
 *
 * Looks at nodes, not at their single outputs. Linear in nodes and edges, times folds as bits of an integer.
 */
export function findLeaks(graph: Graph): LeakReport {
  const {nodes, order, producers} = graph;
  if (nodes.every(({heldOut}) => heldOut === undefined)) return {leaks: [], accepted: []};
  const marks = new LearnedMarks();
  const made: bigint[] = nodes.map(() => 0n);
  const refused: number[] = [];
  /** Node and the acceptances it needs. */
  const readers: (readonly [NodeId, bigint])[] = [];
  for (const index of order) {
    const {id, name, heldOut, acceptLeak} = nodes[index] as PipelineNode;
    let carried = 0n;
    for (const producer of producers[index] ?? []) carried |= made[producer] ?? 0n;
    if (heldOut !== undefined && heldOut.fold !== '') {
      const bad = marks.refused(carried, heldOut.fold);
      if (bad !== 0n) refused.push(index);
      const {forgiven, used} = marks.accepted(carried, heldOut.fold);
      if (used !== 0n) readers.push([id, used]);
      carried = (carried & ~(bad | forgiven)) | used;
    }
    if (heldOut?.use === 'learns') carried |= marks.ofFold(heldOut.fold);
    made[index] = acceptLeak === undefined ? carried : marks.accept(carried, name, acceptLeak);
  }
  const accepted = marks.acceptances.map(({name, reason, used}): AcceptedLeak => {
    const helped = (carried = 0n) => (carried & used) !== 0n;
    return {
      name,
      reason,
      readers: readers.flatMap(([id, needed]) => (helped(needed) ? [id] : [])),
      reached: new Set(nodes.flatMap(({id}, index) => (helped(made[index]) ? [id] : []))),
    };
  });
  const isBad = (index: number, fold: string) => marks.refused(made[index] ?? 0n, fold) !== 0n;
  refused.sort((a, b) => a - b);
  return {leaks: gather(graph, refused, isBad), accepted: accepted.filter(({readers: found}) => found.length > 0)};
}

/** One leak for each binding at fault, with the shortest of its paths. One search for each port of a node name. */
function gather(graph: Graph, refused: readonly number[], isBad: (index: number, fold: string) => boolean): Leak[] {
  const axes = foldAxes(graph.nodes);
  const ports = new Map<string, {readonly first: number; readonly port: string; readonly users: number[]}>();
  for (const index of refused) {
    const node = graph.nodes[index] as PipelineNode;
    const fold = node.heldOut?.fold ?? '';
    for (const [port, refs] of refsByPort(node)) {
      if (!refs.some((ref) => ref.from === 'node' && isBad(graph.indexOf.get(ref.node) ?? -1, fold))) continue;
      const key = JSON.stringify([node.name, port]);
      const known = ports.get(key);
      if (known) known.users.push(index);
      else ports.set(key, {first: index, port, users: [index]});
    }
  }
  const leaks = new Map<string, {leak: LeakPath & {readonly fold: string}; readonly users: Set<number>}>();
  for (const {first, port, users} of ports.values()) {
    const fold = graph.nodes[first]?.heldOut?.fold ?? '';
    const leak = {fold, ...leakPath(graph, first, port, axes, (index) => isBad(index, fold))};
    const key = JSON.stringify([leak.binding.node.name, leak.binding.port]);
    const known = leaks.get(key);
    if (!known) leaks.set(key, {leak, users: new Set(users)});
    else {
      for (const user of users) known.users.add(user);
      if (leak.path.length < known.leak.path.length) known.leak = leak;
    }
  }
  return [...leaks.values()].map(({leak, users}) => ({...leak, more: users.size - 1}));
}
