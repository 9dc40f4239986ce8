import type {NodeId} from '../../core/pipeline.ts';
import type {PageData, PageGroup, PageNode, PageSource, PageStage} from '../../report/page-data.ts';

/** The page's data, found by name. */
export interface PageIndex {
  readonly data: PageData;
  readonly nodes: ReadonlyMap<NodeId, PageNode>;
  readonly groups: ReadonlyMap<string, PageGroup>;
  readonly sources: ReadonlyMap<string, PageSource>;
  readonly stages: ReadonlyMap<string, PageStage>;
  /** Of each node, metric by metric, what the earlier run had. */
  readonly changes: ReadonlyMap<NodeId, ReadonlyMap<string, MetricChange>>;
}

export interface MetricChange {
  readonly before: number | null;
  readonly after: number | null;
}

/** Made once for a page. */
export function indexPage(data: PageData): PageIndex {
  const changes = new Map<NodeId, Map<string, MetricChange>>();
  for (const {node, metric, before, after} of data.changes?.metrics ?? []) {
    const metrics = changes.get(node) ?? new Map<string, MetricChange>();
    changes.set(node, metrics.set(metric, {before, after}));
  }
  return {
    data,
    nodes: new Map(data.nodes.map((node) => [node.id, node])),
    groups: new Map(data.groups.map((group) => [group.name, group])),
    sources: new Map(data.sources.map((source) => [source.name, source])),
    stages: new Map(data.stages.map((stage) => [stage.name, stage])),
    changes,
  };
}

/** The values of a node's axes that tell it from others of its name, `fold 2, levels h1`; its name where none does. */
export function variantText({groups}: PageIndex, node: PageNode): string {
  const group = groups.get(node.name);
  const telling = Object.entries(node.axes).filter(([axis]) => (group?.axes[axis]?.length ?? 2) > 1);
  return telling.length === 0 ? node.name : telling.map(([axis, value]) => `${axis} ${value}`).join(', ');
}
