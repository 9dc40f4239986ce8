import type {Graph} from './graph.ts';
import {refsByPort, type NodeId, type PipelineNode} from './pipeline.ts';

export interface LeakPath {
  /** What has learned from the fold, ending with the node that holds it out; each is read by the next. The shortest. */
  readonly path: readonly PipelineNode[];
  /** Where what belongs to the fold reads what does not. */
  readonly binding: BindingAtFault;
  /** The last node of the path that does not hold out the fold its variant names: then the bindings may be right. */
  readonly astray?: {readonly node: PipelineNode; readonly axis: string};
}

export interface BindingAtFault {
  readonly node: PipelineNode;
  readonly port: string;
  readonly reads: PipelineNode;
  /** Axis of `node` that tells the fold. */
  readonly axis?: string;
  /** The same of `reads`. */
  readonly readsAxis?: string;
}

/**
 * The shortest way from something that learned with another fold held out, or with none, to a node's port. Producers are
 * tried in the order of the bindings.
 *
 * @param isBad - whether a node was made from something that has learned from the fold
 */
export function leakPath(
  graph: Graph,
  reader: number,
  port: string,
  axes: ReadonlySet<string>,
  isBad: (index: number) => boolean,
): LeakPath {
  const {nodes, producers} = graph;
  const node = nodes[reader] as PipelineNode;
  const fold = node.heldOut?.fold ?? '';
  const reads = refsByPort(node).find(([name]) => name === port)?.[1] ?? [];
  const starts = reads.flatMap((ref) => (ref.from === 'node' ? (graph.indexOf.get(ref.node) ?? []) : []));
  const readBy = new Map<number, number>();
  const queue: number[] = [];
  const visit = (from: Iterable<number>, by: number) => {
    for (const index of from) {
      if (readBy.has(index) || !isBad(index)) continue;
      readBy.set(index, by);
      queue.push(index);
    }
  };
  visit(starts, reader);
  let at = 0;
  for (; at < queue.length; at++) {
    const index = queue[at] as number;
    const {heldOut} = nodes[index] as PipelineNode;
    if (heldOut?.use === 'learns' && heldOut.fold !== fold) break;
    visit(producers[index] ?? [], index);
  }
  const path: PipelineNode[] = [];
  for (let index = queue[at]; index !== undefined; index = readBy.get(index)) path.push(nodes[index] as PipelineNode);
  const astray = path.findLast((each) => isAstray(each, axes));
  return {
    path,
    binding: bindingAtFault(path, port, fold, axes),
    ...(astray ? {astray: {node: astray, axis: foldAxisOf(astray, axes) ?? ''}} : {}),
  };
}

/** Axes whose values are the folds that nodes hold out: mostly, as one of them may be the mistake that is looked for. */
export function foldAxes(nodes: readonly PipelineNode[]): ReadonlySet<string> {
  const balance = new Map<string, number>();
  for (const {heldOut, variant} of nodes) {
    if (heldOut === undefined || heldOut.fold === '') continue;
    for (const [axis, value] of Object.entries(variant)) {
      balance.set(axis, (balance.get(axis) ?? 0) + (String(value) === heldOut.fold ? 1 : -1));
    }
  }
  return new Set([...balance].flatMap(([axis, more]) => (more > 0 ? [axis] : [])));
}

/**
 * Where something on the side of the fold first reads another side, from the end of the path back; but where what has
 * learned has no variants by fold, there is no right one to read, and it is named where it comes in.
 */
function bindingAtFault(
  path: readonly PipelineNode[],
  port: string,
  fold: string,
  axes: ReadonlySet<string>,
): BindingAtFault {
  const axisOf = (node: PipelineNode) => foldAxisOf(node, axes);
  const sideOf = (node: PipelineNode) => node.heldOut?.fold ?? String(node.variant[axisOf(node) ?? ''] ?? '');
  const onSide = (node: PipelineNode) => axisOf(path[0] as PipelineNode) === undefined || sideOf(node) === fold;
  let at = path.length - 1;
  while (at > 1 && onSide(path[at - 1] as PipelineNode)) at--;
  const node = path[at] as PipelineNode;
  const reads = path[at - 1] as PipelineNode;
  const axis = axisOf(node);
  const readsAxis = axisOf(reads);
  return {
    node,
    port: at === path.length - 1 ? port : portTo(node, reads.id),
    reads,
    ...(axis === undefined ? {} : {axis}),
    ...(readsAxis === undefined ? {} : {readsAxis}),
  };
}

function foldAxisOf({variant}: PipelineNode, axes: ReadonlySet<string>): string | undefined {
  return Object.keys(variant).find((axis) => axes.has(axis));
}

function isAstray(node: PipelineNode, axes: ReadonlySet<string>): boolean {
  const axis = foldAxisOf(node, axes);
  if (axis === undefined || node.heldOut === undefined) return false;
  const named = node.variant[axis];
  return node.heldOut.fold !== (named === 0 ? '' : String(named));
}

function portTo(node: PipelineNode, to: NodeId): string {
  const found = refsByPort(node).find(([, refs]) => refs.some((ref) => ref.from === 'node' && ref.node === to));
  return found?.[0] ?? '';
}
