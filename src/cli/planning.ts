import {availableParallelism} from 'node:os';
import type {ExecutorName} from '../core/executor.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Plan} from '../core/plan.ts';
import {ok, type Result} from '../core/result.ts';
import {isStale, makePlan, type Planned} from '../engine/plan.ts';
import {forecastMs} from '../engine/priority.ts';
import {countText} from '../report/count-text.ts';
import type {Store} from '../store/store.ts';
import type {Context} from './context.ts';
import type {Loaded} from './load.ts';
import {lazyRemote} from './remote/open.ts';
import {mayHaveRemote, type RemoteWish} from './remote/choice.ts';
import {slownessOf} from './engines/slow-engine.ts';
import {warnOnce} from './warnings.ts';
import {currentToolchain, openWorkspace, type Workspace} from './workspace.ts';

export interface PlanOptions {
  readonly jobs?: number;
  readonly executor?: ExecutorName;
  readonly force?: true;
  /** Leave no trace in the cache, not even digests of sources. */
  readonly traceless?: true;
  /** Plan with what the remote cache has too, if this process is told of one. */
  readonly remoteOf?: RemoteWish['io'];
  /** A namespace of the remote cache that is read for this plan alone: no record of it gets into the local cache. */
  readonly alsoRead?: string;
}

/** A plan, and the open workspace that it was made in. */
export interface PlannedWork {
  readonly plan: Plan;
  readonly planned: Planned;
  readonly workspace: Workspace;
  /** Forecast of the run's wall time in milliseconds, when durations are recorded. */
  readonly expectedMs?: number;
}

/**
 * Plans for these targets and writes nothing, but for what it finds in the remote cache.
 *
 * @param what - what this process does, for others that wait for its locks
 */
export async function planNodes(
  context: Pick<Context, 'warn'>,
  {project, pipeline, graph, engines, engine, remote}: Loaded,
  targets: readonly NodeId[],
  {jobs = availableParallelism(), executor, force, traceless, remoteOf, alsoRead}: PlanOptions = {},
  what = 'planning',
): Promise<Result<PlannedWork>> {
  const warn = warnOnce(context);
  const also = alsoRead === undefined ? {} : {alsoRead};
  const wish = remoteOf && {io: remoteOf, project, ...(remote ? {remote} : {}), ...also};
  const openRemote = wish && mayHaveRemote(wish) ? (store: Store) => lazyRemote(wish, store, warn) : undefined;
  const apart = alsoRead !== undefined;
  const opened = openWorkspace(project, what, warn, {keep: !traceless, apart, ...(openRemote ? {openRemote} : {})});
  if (!opened.ok) return opened;
  const workspace = opened.value;
  const planned = await makePlan({
    pipeline,
    graph,
    ports: workspace.planPorts,
    toolchain: currentToolchain(),
    engines,
    ...(engine === undefined ? {} : {engine}),
    ...(executor === undefined ? {} : {executor}),
    targets,
    ...(force ? {force: new Set(targets)} : {}),
  });
  if (!planned.ok) return planned;
  const {plan} = planned.value;
  const slow = plan.nodes.filter(({engine, status}) => engine === 'cpu' && isStale(status)).map(({node}) => node.id);
  if (slow.length > 0) {
    const nodes = `${countText(slow.length, 'node')} (${slow[0]}${slow.length > 1 ? ', …' : ''})`;
    const slowness = await slownessOf(nodes, engines);
    if (slowness) warnOnce(context)(slowness);
  }
  const stale = plan.nodes.filter(({status}) => isStale(status));
  const longest = stale.reduce((most, {priority}) => Math.max(most, priority), 0);
  const expectedMs = forecastMs(
    stale.map((node) => node.expectedMs),
    longest,
    jobs,
  );
  return ok({plan, planned: planned.value, workspace, ...(expectedMs === undefined ? {} : {expectedMs})});
}

/** Why the plan cannot be carried out: nodes that must run have no engine. Each reason is told once. */
export function obstaclesOf({nodes}: Plan): readonly Failure[] {
  const found = new Map<string, Failure & {readonly nodes: number}>();
  for (const {node, status, obstacle} of nodes) {
    if (obstacle === undefined || status !== 'will-run') continue;
    const known = found.get(obstacle.message);
    found.set(obstacle.message, known ? {...known, nodes: known.nodes + 1} : {...obstacle, node: node.id, nodes: 1});
  }
  return [...found.values()].map(({nodes: count, message, ...rest}) => {
    const more = count === 1 ? '' : `; so for ${countText(count - 1, 'more node')}`;
    return {...rest, message: `${message}${more}`};
  });
}
