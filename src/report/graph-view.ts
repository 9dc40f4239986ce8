import type {Graph} from '../core/graph.ts';
import type {JsonObject} from '../core/json.ts';
import {refsOf, type NodeId, type Pipeline} from '../core/pipeline.ts';
import type {PlanStatus} from '../core/plan.ts';

/** What a drawing of the graph shows. */
export interface GraphView {
  readonly boxes: readonly GraphBox[];
  /** Indices into `boxes`, each pair once. */
  readonly edges: readonly (readonly [from: number, to: number])[];
}

export interface GraphBox {
  readonly kind: 'node' | 'source';
  /** Node id, node name when variants share the box, or source name. */
  readonly id: string;
  readonly stage?: string;
  readonly variant?: JsonObject;
  /** Nodes in the box. */
  readonly count: number;
  readonly sliced: boolean;
  /** The most urgent status among its nodes. */
  readonly status?: PlanStatus;
}

export interface GraphViewOptions {
  /** One box per node instead of one per name. */
  readonly expanded: boolean;
  /** Only these nodes; all when absent. */
  readonly only?: ReadonlySet<NodeId>;
  readonly statusOf?: (node: NodeId) => PlanStatus | undefined;
}

/** Boxes in declaration order, the sources that they read first. */
export function graphView(pipeline: Pipeline, graph: Graph, options: GraphViewOptions): GraphView {
  const {expanded, only, statusOf} = options;
  const nodes = graph.nodes.filter((node) => only === undefined || only.has(node.id));
  const boxes: GraphBox[] = [];
  const boxOf = new Map<string, number>();
  const used = new Set(
    nodes.flatMap((node) => refsOf(node).flatMap((ref) => (ref.from === 'source' ? ref.source : []))),
  );
  for (const name of Object.keys(pipeline.sources)) {
    if (!used.has(name)) continue;
    boxOf.set(`source ${name}`, boxes.length);
    boxes.push({kind: 'source', id: name, count: 1, sliced: false});
  }
  for (const node of nodes) {
    const id = expanded ? node.id : node.name;
    const at = boxOf.get(`node ${id}`);
    const status = statusOf?.(node.id);
    if (at === undefined) {
      boxOf.set(`node ${id}`, boxes.length);
      boxes.push({
        kind: 'node',
        id,
        stage: node.stage,
        count: 1,
        sliced: node.each !== undefined,
        ...(expanded && Object.keys(node.variant).length > 0 ? {variant: node.variant} : {}),
        ...(status === undefined ? {} : {status}),
      });
      continue;
    }
    const box = boxes[at]!;
    const worst = worse(box.status, status);
    boxes[at] = {...box, count: box.count + 1, ...(worst === undefined ? {} : {status: worst})};
  }
  const edges = new Map<string, readonly [number, number]>();
  for (const node of nodes) {
    const to = boxOf.get(`node ${expanded ? node.id : node.name}`);
    for (const ref of refsOf(node)) {
      const from =
        ref.from === 'source'
          ? boxOf.get(`source ${ref.source}`)
          : boxOf.get(`node ${expanded ? ref.node : nameOf(graph, ref.node)}`);
      if (from !== undefined && to !== undefined && from !== to) edges.set(`${from} ${to}`, [from, to]);
    }
  }
  return {boxes, edges: [...edges.values()]};
}

function nameOf(graph: Graph, id: NodeId): string {
  const index = graph.indexOf.get(id);
  return index === undefined ? id : (graph.nodes[index]?.name ?? id);
}

const urgency: readonly PlanStatus[] = ['up-to-date', 'cached', 'may-run', 'will-run'];

function worse(a: PlanStatus | undefined, b: PlanStatus | undefined): PlanStatus | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return urgency.indexOf(a) >= urgency.indexOf(b) ? a : b;
}
