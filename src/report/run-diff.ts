import type {NodeId} from '../core/pipeline.ts';
import type {Outcome} from '../core/plan.ts';
import type {StaleReason} from '../core/reason.ts';
import {groupBy} from './group-by.ts';
import {groupKey, restAxes} from './metric-pivot.ts';
import {metricRow, type MetricRow} from './metric-rows.ts';
import {pairedChange, type PairedChange} from './paired-change.ts';
import type {RunRecordNode} from './run-record.ts';

/** Results that are compared: those of a run, or those that a lock pins. */
export interface DiffSide {
  readonly from: SideOrigin;
  readonly nodes: Readonly<Record<NodeId, SideNode>>;
}

export type SideOrigin =
  | {readonly kind: 'run'; readonly id: string; readonly startedAt: string}
  | {
      readonly kind: 'lock';
      readonly path: string;
      /** As it was named, and the commit that it stands for; absent for a file as it is now. */
      readonly revision?: string;
      readonly commit?: string;
    };

/** A lock does not know how a node ended, and no fingerprint. */
export type SideNode = Pick<RunRecordNode, 'fingerprint' | 'metrics' | 'outputs'> & {readonly outcome?: Outcome};

/** How what the two results of a node were made from differs; undefined when it is not known any more. */
export type ReasonsOf = (node: NodeId) => readonly StaleReason[] | undefined;

/** One metric that is not the same in both; a side without it has no value. */
export interface MetricChange {
  readonly metric: string;
  readonly before?: number;
  readonly after?: number;
  /** after - before, when both have it. */
  readonly delta?: number;
}

/** A node of both sides that is not the same. */
export interface NodeChange {
  readonly node: NodeId;
  readonly name: string;
  readonly axes: ReadonlyMap<string, string>;
  /** What the two results were made from differs in this; empty when in nothing. */
  readonly reasons: readonly StaleReason[];
  /** False when a record or the cache no longer says what one of the results was made from. */
  readonly explained: boolean;
  /** Outputs with other bytes. */
  readonly outputs: readonly string[];
  /** When one of them ended without a result; that of a lock has no outcome. */
  readonly outcomes?: {readonly before?: Outcome; readonly after?: Outcome};
  readonly metrics: readonly MetricChange[];
}

/** A metric of variants that differ in the paired axes only. */
export interface PairedRow extends PairedChange {
  readonly name: string;
  /** The other axes. */
  readonly axes: ReadonlyMap<string, string>;
  /** The axes that the pairs lie along. */
  readonly over: readonly string[];
  readonly metric: string;
}

export interface Diff {
  readonly before: SideOrigin;
  readonly after: SideOrigin;
  readonly added: readonly NodeId[];
  readonly removed: readonly NodeId[];
  readonly changed: readonly NodeChange[];
  /** How many nodes are the same in both. */
  readonly same: number;
}

/** Compares those of these nodes that both or one of two sides have, in their order; what is the same is counted only. */
export function diffSides(before: DiffSide, after: DiffSide, only: ReadonlySet<NodeId>, reasonsOf: ReasonsOf): Diff {
  const ids = [...only];
  const has = ({nodes}: DiffSide, id: NodeId): boolean => Object.hasOwn(nodes, id);
  const shared = ids.filter((id) => has(before, id) && has(after, id));
  const changed = shared.flatMap((id) => changeOf(id, before.nodes[id]!, after.nodes[id]!, reasonsOf(id)) ?? []);
  return {
    before: before.from,
    after: after.from,
    added: ids.filter((id) => !has(before, id) && has(after, id)),
    removed: ids.filter((id) => has(before, id) && !has(after, id)),
    changed,
    same: shared.length - changed.length,
  };
}

/**
 * Pairs the variants of two sides along some axes: one row for each metric and combination of the other axes in which
 * anything differs. A node name that has only some of the axes is paired along those.
 */
export function pairRuns(
  before: DiffSide['nodes'],
  after: DiffSide['nodes'],
  only: ReadonlySet<NodeId>,
  over: readonly string[],
): readonly PairedRow[] {
  const rows = [...only]
    .filter((id) => Object.hasOwn(before, id) && Object.hasOwn(after, id))
    .map((id) => ({left: metricRow(id, before[id]?.metrics), right: metricRow(id, after[id]?.metrics)}))
    .filter(({right}) => over.some((axis) => right.axes.has(axis)));
  return [...groupBy(rows, ({right}) => groupKey(right, over)).values()].flatMap((group) => {
    const {right: first} = group[0]!;
    const metrics = new Set(group.flatMap(({right}) => [...(right.metrics?.keys() ?? [])]));
    return [...metrics].flatMap((metric): PairedRow[] => {
      const pairs = group.flatMap(({left, right}): (readonly [number, number])[] => {
        const [was, is] = [left.metrics?.get(metric), right.metrics?.get(metric)];
        return was === undefined || is === undefined ? [] : [[was, is]];
      });
      if (pairs.every(([was, is]) => was === is)) return [];
      const own = over.filter((axis) => first.axes.has(axis));
      return [{name: first.name, axes: restAxes(first, over), over: own, metric, ...pairedChange(pairs)}];
    });
  });
}

function changeOf(
  node: NodeId,
  was: SideNode,
  is: SideNode,
  reasons: readonly StaleReason[] | undefined,
): NodeChange | undefined {
  const left = metricRow(node, was.metrics);
  const right = metricRow(node, is.metrics);
  const metrics = metricChanges(left, right);
  const outputs = changedOutputs(was, is);
  const ended = (was.outputs === undefined) !== (is.outputs === undefined);
  const known = was.fingerprint !== undefined && is.fingerprint !== undefined;
  const rekeyed = reasons === undefined ? known && was.fingerprint !== is.fingerprint : reasons.length > 0;
  if (!rekeyed && !ended && metrics.length + outputs.length === 0) return undefined;
  return {
    node,
    name: right.name,
    axes: right.axes,
    reasons: reasons ?? [],
    explained: reasons !== undefined,
    outputs,
    ...(ended ? {outcomes: {...outcomeOf('before', was), ...outcomeOf('after', is)}} : {}),
    metrics,
  };
}

function outcomeOf(side: 'before' | 'after', {outcome}: SideNode): {readonly [side: string]: Outcome} {
  return outcome === undefined ? {} : {[side]: outcome};
}

/** The metrics that are not the same, or that only one of the two has. */
export function metricChanges(left: MetricRow, right: MetricRow): readonly MetricChange[] {
  const names = new Set([...(left.metrics?.keys() ?? []), ...(right.metrics?.keys() ?? [])]);
  return [...names].flatMap((metric): MetricChange[] => {
    const [before, after] = [left.metrics?.get(metric), right.metrics?.get(metric)];
    if (before === after) return [];
    if (before === undefined) return [{metric, after: after!}];
    return [after === undefined ? {metric, before} : {metric, before, after, delta: after - before}];
  });
}

/** Names of the outputs that both have, with other bytes. */
function changedOutputs({outputs: was = {}}: SideNode, {outputs: is = {}}: SideNode): readonly string[] {
  return Object.entries(is).flatMap(([name, {kind, digest}]) => {
    const old = Object.hasOwn(was, name) ? was[name] : undefined;
    // A lock knows no more of a tree's digest than the hash.
    return old === undefined || (old.kind === kind && old.digest.hash === digest.hash) ? [] : [name];
  });
}
