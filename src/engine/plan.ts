import {fingerprintOf, type Action} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import {explainAction} from '../core/explain.ts';
import type {Failure} from '../core/failure.ts';
import {closure} from '../core/graph.ts';
import {refsOf, type NodeId, type PipelineNode} from '../core/pipeline.ts';
import type {Plan, PlannedNode, PlanStatus} from '../core/plan.ts';
import type {RemoteCache, ScannedSource} from '../core/ports.ts';
import type {StaleReason} from '../core/reason.ts';
import {err, ok, type Result} from '../core/result.ts';
import {ChosenEngines} from './chosen-engines.ts';
import {criticalPaths, durations} from './priority.ts';
import {Artifacts, findHit, lastAction, missReasons, resolveAction, type Hit, type Outputs} from './resolve.ts';
import {assemble} from './assemble.ts';
import {joinItems, loadCollections} from './items.ts';
import {findSlices} from './slices.ts';
import {missingOutput} from './presence.ts';
import {countWaiting} from './resumable.ts';
import type {PlanRequest} from './workspace.ts';

/** A plan with what execution goes on with: scanned sources and known artifacts. */
export interface Planned {
  readonly plan: Plan;
  readonly artifacts: Artifacts;
  readonly engines: ChosenEngines;
}

/** A planned node while it is being made. */
interface Draft {
  readonly node: PipelineNode;
  status: PlanStatus;
  fingerprint?: Sha256;
  action?: Action;
  outputs?: Outputs;
  metrics?: Readonly<Record<string, number>>;
  reasons: readonly StaleReason[];
  slices?: {readonly total: number; readonly stale: number};
  checkpoints?: number;
}

/**
 * Decides for every node that the targets need whether it must run, and why. Time linear in nodes, edges and items.
 *
 * Forwards, each node's inputs are resolved and its result looked up; a node with a stale producer is `may-run`, unless
 * its own code or params changed too. Backwards, what stale nodes and targets need must be in the store: a result whose
 * blobs are gone is made again, and nothing else is touched.
 */
export async function makePlan(request: PlanRequest): Promise<Result<Planned>> {
  const {graph, pipeline, ports} = request;
  const targets = request.targets.map((id) => indexOf(request, id));
  const selected = closure(graph, targets, 'producers');
  const nodes = graph.order.filter((index) => selected.has(index));
  const selectedNodes = nodes.map((index) => graph.nodes[index]!);
  const scanned = await scanSources(selectedNodes, request);
  if (!scanned.ok) return scanned;
  const engines = await ChosenEngines.choose(
    selectedNodes,
    pipeline.stages,
    request.engines,
    request.engine,
    request.executor,
  );
  const artifacts = new Artifacts(scanned.value);
  const drafts = new Map<number, Draft>();
  const failures: Failure[] = [];
  const waves = wavesOf(nodes, request);
  for (const wave of waves) {
    for (const index of wave) drafts.set(index, draftNode(graph.nodes[index]!, request, engines, artifacts));
    const asked = ports.remote ? await findRemotely(wave, drafts, ports.remote, request.force) : [];
    for (const index of asked) drafts.set(index, draftNode(graph.nodes[index]!, request, engines, artifacts));
    const problems = wave.map(async (index) => {
      const draft = drafts.get(index)!;
      const {node, action, status} = draft;
      // The slices of a result that another machine made are listed there.
      if (!node.each || !action || status === 'up-to-date' || (ports.remote && status === 'cached')) return [];
      return (await draftSlices(node.each, draft, action, request, artifacts)) ?? [];
    });
    failures.push(...(await Promise.all(problems)).flat());
  }
  if (failures.length > 0) return err(failures);
  await demandBlobs(request, waves, new Set(targets), drafts, artifacts);
  for (const draft of drafts.values()) {
    const {node, status, fingerprint} = draft;
    if (!node.each && isStale(status) && fingerprint !== undefined) noteCheckpoints(draft, [{fingerprint}], request);
  }

  const whole = durations(pipeline.nodes, ports.state);
  const expected = ({node, slices}: Draft): number | undefined => {
    const ms = whole(node);
    return ms === undefined || slices === undefined ? ms : (ms * slices.stale) / Math.max(1, slices.total);
  };
  const lengths = criticalPaths(graph, selected, (index) => {
    const draft = drafts.get(index);
    return draft && isStale(draft.status) ? expected(draft) : 0;
  });
  const planned: PlannedNode[] = [];
  for (const index of nodes) {
    const draft = drafts.get(index)!;
    const expectedMs = expected(draft);
    const engine = engines.engineOf(draft.node.id);
    const obstacle = isStale(draft.status) ? await engines.obstacleOf(draft.node.id) : undefined;
    planned.push({
      ...draft,
      ...(engine === undefined ? {} : {engine}),
      ...(obstacle === undefined ? {} : {obstacle}),
      ...(expectedMs === undefined ? {} : {expectedMs}),
      priority: lengths[index] ?? 0,
    });
  }
  return ok({plan: {nodes: planned, targets: request.targets}, artifacts, engines});
}

export function isStale(status: PlanStatus): boolean {
  return status === 'will-run' || status === 'may-run';
}

function noteCheckpoints(draft: Draft, stale: readonly {readonly fingerprint: Sha256}[], request: PlanRequest): void {
  const checkpoints = countWaiting(draft.node, stale, request);
  if (checkpoints > 0) draft.checkpoints = checkpoints;
}

async function scanSources(
  nodes: readonly PipelineNode[],
  request: PlanRequest,
): Promise<Result<ReadonlyMap<string, ScannedSource>>> {
  const names = new Set<string>();
  for (const node of nodes) {
    for (const ref of refsOf(node)) if (ref.from === 'source') names.add(ref.source);
  }
  const scanned = new Map<string, ScannedSource>();
  const failures: Failure[] = [];
  for (const name of names) {
    const source = request.pipeline.sources[name];
    if (!source) throw new Error(`source ${name} does not exist`);
    const result = await request.ports.sources.scan(source);
    if (result.ok) scanned.set(name, result.value);
    else failures.push(...result.error);
  }
  return failures.length > 0 ? err(failures) : ok(scanned);
}

/**
 * Nodes that can be drafted together, since none is made from another of them. Without a remote cache there is no gain in it,
 * and each node is drafted when the one before it is done.
 */
function wavesOf(nodes: readonly number[], {graph, ports}: PlanRequest): readonly (readonly number[])[] {
  if (!ports.remote) return nodes.map((index) => [index]);
  const depths = new Int32Array(graph.nodes.length);
  const waves: number[][] = [];
  for (const index of nodes) {
    let depth = 0;
    for (const producer of graph.producers[index] ?? []) depth = Math.max(depth, depths[producer]! + 1);
    depths[index] = depth;
    (waves[depth] ??= []).push(index);
  }
  return waves;
}

/** Asks the remote cache for what is not here, all at once. Returns the nodes that it was asked for. */
async function findRemotely(
  wave: readonly number[],
  drafts: ReadonlyMap<number, Draft>,
  remote: RemoteCache,
  force: PlanRequest['force'],
): Promise<readonly number[]> {
  const asked = wave.filter((index) => {
    const {status, fingerprint, node} = drafts.get(index)!;
    return status === 'will-run' && fingerprint !== undefined && force?.has(node.id) !== true;
  });
  if (asked.length > 0) await remote.findResults(asked.map((index) => drafts.get(index)!.fingerprint!));
  return asked;
}

/** Resolves and looks up one node. Its outputs are settled when they are known. */
function draftNode(node: PipelineNode, request: PlanRequest, engines: ChosenEngines, artifacts: Artifacts): Draft {
  const {ports} = request;
  const {action, unknown} = resolveAction(node, engines, request.toolchain, artifacts);
  const forced = request.force?.has(node.id) ?? false;
  if (unknown.size > 0) {
    if (forced) return {node, status: 'will-run', reasons: [{kind: 'forced'}]};
    const own = explainAction(lastAction(node.id, ports), action, new Set(unknown.keys()));
    const upstream = [...unknown].map(([input, producer]): StaleReason => ({kind: 'upstream', input, node: producer}));
    return {node, status: own.length > 0 ? 'will-run' : 'may-run', reasons: [...own, ...upstream]};
  }
  const fingerprint = fingerprintOf(action);
  if (forced) return {node, status: 'will-run', fingerprint, action, reasons: [{kind: 'forced'}]};
  const hit = findHit(node.id, fingerprint, ports);
  if (!hit) {
    return {node, status: 'will-run', fingerprint, action, reasons: missReasons(node.id, action, fingerprint, ports)};
  }
  artifacts.settle(node.id, hit.outputs);
  return {...hitDraft(hit), node, fingerprint, action};
}

function hitDraft(hit: Hit): Pick<Draft, 'status' | 'outputs' | 'metrics' | 'reasons'> {
  return {status: hit.status, outputs: hit.outputs, metrics: hit.metrics, reasons: []};
}

/** Counts stale slices. When none is, the node's outputs follow from the slices' results and nothing has to run. */
async function draftSlices(
  each: NonNullable<PipelineNode['each']>,
  draft: Draft,
  action: Action,
  request: PlanRequest,
  artifacts: Artifacts,
): Promise<Failure | undefined> {
  const {ports} = request;
  const {node} = draft;
  const collections = await loadCollections(each, artifacts, ports);
  if (!collections.ok) return undefined;
  const joined = await joinItems(node, each, collections.value, request.graph, artifacts, ports);
  if (!joined.ok) return joined.error;
  const forced = request.force?.has(node.id) ?? false;
  const {slices, stale} = await findSlices(node, action, joined.value.items, artifacts, ports, forced);
  draft.slices = {total: slices.length, stale: stale.length};
  noteCheckpoints(draft, stale, request);
  if (draft.status !== 'will-run' || stale.length > 0 || forced) return undefined;
  const records = slices.map(({record}) => record!);
  const assembled = await assemble(node, records, artifacts, ports);
  if (!assembled.ok) return assembled.error;
  const {outputs} = assembled.value;
  artifacts.settle(node.id, outputs);
  Object.assign(draft, {status: 'cached', outputs, metrics: {}});
  return undefined;
}

/**
 * Walks backwards: what targets and stale nodes read must be there, or in the remote cache. A node whose blobs are gone will run, and so needs
 * its own inputs. Its outputs stay settled: a deterministic stage makes the same ones, so its consumers stay as they are.
 */
async function demandBlobs(
  request: PlanRequest,
  waves: readonly (readonly number[])[],
  targets: ReadonlySet<number>,
  drafts: ReadonlyMap<number, Draft>,
  artifacts: Artifacts,
): Promise<void> {
  const {remote} = request.ports;
  const isDemanded = (index: number): boolean => {
    const consumers = request.graph.consumers[index] ?? [];
    return targets.has(index) || consumers.some((consumer) => isStale(drafts.get(consumer)?.status ?? 'cached'));
  };
  const missingOf = async ({outputs = {}}: Draft): Promise<string | undefined> =>
    missingOutput(outputs, artifacts, request.ports);
  for (const wave of waves.toReversed()) {
    const found: {readonly draft: Draft; missing: string | undefined}[] = [];
    for (const index of wave) {
      const draft = drafts.get(index);
      if (!draft?.outputs || isStale(draft.status) || !isDemanded(index)) continue;
      found.push({draft, missing: await missingOf(draft)});
    }
    if (remote) {
      const asked = found.filter(({draft, missing}) => missing !== undefined && draft.fingerprint !== undefined);
      if (asked.length > 0) await remote.findResults(asked.map(({draft}) => draft.fingerprint!));
      for (const each of asked) each.missing = await missingOf(each.draft);
    }
    const made = found.map(async ({draft, missing}) => {
      const {node, action, outputs = {}} = draft;
      if (missing === undefined) {
        // What has to be fetched takes a step.
        if (remote && Object.values(outputs).some(({digest}) => remote.promises(digest))) draft.status = 'cached';
        return;
      }
      draft.status = 'will-run';
      draft.reasons = [{kind: 'output-missing', output: missing}];
      if (node.each && action) await draftSlices(node.each, draft, action, request, artifacts);
    });
    await Promise.all(made);
  }
}

function indexOf(request: PlanRequest, id: NodeId): number {
  const index = request.graph.indexOf.get(id);
  if (index === undefined) throw new Error(`makePlan: there is no node ${id}`);
  return index;
}
