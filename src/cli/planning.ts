import {availableParallelism} from 'node:os';
import {failure, type Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Plan} from '../core/plan.ts';
import type {TensorEngines} from '../core/ports.ts';
import {ok, type Result} from '../core/result.ts';
import {isStale, makePlan, type Planned} from '../engine/plan.ts';
import {forecastMs} from '../engine/priority.ts';
import {countText} from '../report/count-text.ts';
import type {Context} from './context.ts';
import type {Loaded} from './load.ts';
import {warnOnce} from './warnings.ts';
import {currentToolchain, openWorkspace, type Workspace} from './workspace.ts';

export interface PlanOptions {
  readonly jobs?: number;
  readonly force?: true;
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
 * Plans for these targets and writes nothing.
 *
 * @param what - what this process does, for others that wait for its locks
 */
export async function planNodes(
  context: Pick<Context, 'warn'>,
  {project, pipeline, graph, engines, engine}: Loaded,
  targets: readonly NodeId[],
  {jobs = availableParallelism(), force}: PlanOptions = {},
  what = 'planning',
): Promise<Result<PlannedWork>> {
  const opened = openWorkspace(project, what, warnOnce(context));
  if (!opened.ok) return opened;
  const workspace = opened.value;
  const planned = await makePlan({
    pipeline,
    graph,
    ports: workspace.planPorts,
    toolchain: currentToolchain(),
    engines,
    ...(engine === undefined ? {} : {engine}),
    targets,
    ...(force ? {force: new Set(targets)} : {}),
  });
  if (!planned.ok) return planned;
  const {plan} = planned.value;
  await warnOfSlowEngine(plan, engines, warnOnce(context));
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

/** Plain JavaScript is what is left when nothing else works: people should know, and what to do about it. */
export async function warnOfSlowEngine(
  {nodes}: Pick<Plan, 'nodes'>,
  engines: Pick<TensorEngines, 'check'>,
  warn: (failure: Failure) => void,
): Promise<void> {
  const slow = nodes.filter(({engine, status}) => engine === 'cpu' && isStale(status));
  const [first] = slow;
  // One that does not work either is told as what keeps the nodes from running.
  if (first === undefined || !(await engines.check('cpu')).works) return;
  const broken = await Promise.all(
    (['onnx-blas', 'wasm'] as const).map(async (engine) => {
      const check = await engines.check(engine);
      return check.works ? [] : [`${engine}: ${check.reason}`];
    }),
  );
  const reasons = broken.flat();
  const why = reasons.length === 0 ? '' : `, since nothing faster works (${reasons.join('; ')})`;
  const message = `${countText(slow.length, 'node')} (${first.node.id}${slow.length > 1 ? ', …' : ''}) will compute tensors in plain JavaScript${why}: about a hundred times slower than it could be`;
  const hint = reasons.length === 0 ? 'leave out `cpu` as the engine' : 'install the packages again (npm ci)';
  warn(failure('slow-engine', message, {hint}));
}
