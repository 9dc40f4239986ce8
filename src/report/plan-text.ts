import type {NodeId} from '../core/pipeline.ts';
import type {Plan, PlannedNode, PlanStatus} from '../core/plan.ts';
import {durationText} from './duration.ts';
import {engineLine} from './engine-text.ts';
import {planLine} from './event-lines.ts';
import {explainBriefly} from './explain-text.ts';
import type {Paint} from './paint.ts';
import {textTable} from './table.ts';

const statusWords: Readonly<Record<PlanStatus, string>> = {
  'up-to-date': 'up to date',
  cached: 'cached',
  'will-run': 'will run',
  'may-run': 'may run',
};

/** What a run would do: the counts, then the nodes that would run with the reason in short. */
export function planText(plan: Plan, expectedMs: number | undefined, paint: Paint, verbose: boolean): string {
  const counts = countStatuses(plan);
  const line = planLine({counts, ...(expectedMs === undefined ? {} : {expectedMs})});
  const engines = engineLine(plan.nodes.filter(({status}) => status === 'will-run' || status === 'may-run'));
  const head = engines === undefined ? line : `${line}\n${engines}`;
  const listed = plan.nodes.filter(({status}) => verbose || status === 'will-run' || status === 'may-run');
  if (listed.length === 0) return head;
  const rows = (verbose ? listed.map((node) => [node]) : gather(listed)).map((group) => {
    const [first] = group as [PlannedNode];
    const label = group.length === 1 ? first.node.id : `${first.node.name} ×${group.length}`;
    return [
      `  ${paintStatus(first.status, paint)}`,
      label,
      sumSlices(group),
      group.length === 1 && first.expectedMs !== undefined ? durationText(first.expectedMs) : '',
      paint.dim([explainBriefly(first.reasons), ...checkpointText(sumCheckpoints(group), group.length)].join('; ')),
    ];
  });
  const columns = [{title: ''}, {title: ''}, {title: ''}, {title: '', align: 'right' as const}, {title: ''}];
  return `${head}\n\n${textTable(columns, rows)}`;
}

/** One line per node name (or, verbose, per node): how many there are, their status, slices and expected time. */
export function statusText(plan: Plan, paint: Paint, verbose: boolean): string {
  const groups = new Map<string, PlannedNode[]>();
  for (const node of plan.nodes) {
    const key = verbose ? node.node.id : node.node.name;
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  const rows = [...groups].map(([key, group]) => [
    key,
    String(group.length),
    statusesText(group, paint),
    sumSlices(group),
    paint.dim(explainBriefly(group.find(({reasons}) => reasons.length > 0)?.reasons ?? [])),
  ]);
  const columns = [
    {title: 'node'},
    {title: 'nodes', align: 'right' as const},
    {title: 'status'},
    {title: 'slices'},
    {title: 'why'},
  ];
  return `${textTable(columns, rows)}\n\n${planLine({counts: countStatuses(plan)})}`;
}

/** `{targets, counts, expectedMs?, nodes: [{node, stage, status, reasons, engine?, fingerprint?, slices?, checkpoints?, expectedMs?}]}`. */
export function planJson(plan: Plan, expectedMs: number | undefined): object {
  return {
    targets: plan.targets,
    counts: countStatuses(plan),
    expectedMs,
    nodes: plan.nodes.map(({node, status, reasons, engine, fingerprint, slices, checkpoints, expectedMs: ms}) => ({
      node: node.id,
      stage: node.stage,
      status,
      reasons,
      engine,
      fingerprint,
      slices,
      checkpoints,
      expectedMs: ms,
    })),
  };
}

function countStatuses(plan: Plan): Record<PlanStatus, number> {
  const counts: Record<PlanStatus, number> = {'up-to-date': 0, cached: 0, 'will-run': 0, 'may-run': 0};
  for (const {status} of plan.nodes) counts[status]++;
  return counts;
}

export function paintStatus(status: PlanStatus, paint: Paint): string {
  const word = statusWords[status];
  switch (status) {
    case 'up-to-date':
      return paint.good(word);
    case 'cached':
      return paint.note(word);
    case 'will-run':
      return paint.bad(word);
    case 'may-run':
      return paint.warn(word);
  }
}

/** Only these nodes of a plan, for a view that needs the rest just to decide about them. */
export function narrowPlan(plan: Plan, only: ReadonlySet<NodeId>): Plan {
  return {...plan, nodes: plan.nodes.filter(({node}) => only.has(node.id))};
}

/** Variants of one node with one status and the same reasons in short go into one line. */
function gather(nodes: readonly PlannedNode[]): PlannedNode[][] {
  const groups = new Map<string, PlannedNode[]>();
  for (const node of nodes) {
    const key = `${node.node.name} ${node.status} ${explainBriefly(node.reasons)}`;
    const group = groups.get(key);
    if (group) group.push(node);
    else groups.set(key, [node]);
  }
  return [...groups.values()];
}

function statusesText(group: readonly PlannedNode[], paint: Paint): string {
  const order: readonly PlanStatus[] = ['up-to-date', 'cached', 'may-run', 'will-run'];
  const parts = order.flatMap((status) => {
    const count = group.filter((node) => node.status === status).length;
    if (count === 0) return [];
    return [count === group.length ? paintStatus(status, paint) : `${count} ${paintStatus(status, paint)}`];
  });
  return parts.join(', ');
}

function sumSlices(group: readonly PlannedNode[]): string {
  const known = group.flatMap(({slices}) => slices ?? []);
  if (known.length === 0) return '';
  const total = known.reduce((sum, slices) => sum + slices.total, 0);
  const stale = known.reduce((sum, slices) => sum + slices.stale, 0);
  return stale === 0 ? `${total} slices` : `${stale} of ${total} slices`;
}

function sumCheckpoints(group: readonly PlannedNode[]): number {
  return group.reduce((sum, {checkpoints = 0}) => sum + checkpoints, 0);
}

/** What a stopped run left for a node's jobs: a line, or none. */
export function checkpointText(checkpoints: number, nodes: number): readonly string[] {
  if (checkpoints === 0) return [];
  if (checkpoints === 1 && nodes === 1) return ['goes on from a checkpoint'];
  return [`${checkpoints} go on from checkpoints`];
}
