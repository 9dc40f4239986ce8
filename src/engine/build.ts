import type {Outcome, Plan, PlanStatus} from '../core/plan.ts';
import type {NodeId} from '../core/pipeline.ts';
import {isStale, makePlan, type Planned} from './plan.ts';
import {forecastMs} from './priority.ts';
import {Rechecks} from './rechecks.ts';
import type {BuildRequest, BuildSummary, NodeResult} from './run-context.ts';
import {Scheduler} from './scheduler.ts';
import {failed} from './settle.ts';

/**
 * Brings the plan's nodes up to date, producers first, as many at a time as the machine has room for. There is no other
 * way to run than by a plan, so a dry run cannot disagree with a run.
 */
export async function execute(planned: Planned, request: BuildRequest): Promise<BuildSummary> {
  const {ports, emit} = request;
  const {plan} = planned;
  const startedAt = ports.clock.now();
  emit({
    type: 'run-started',
    at: startedAt,
    runId: request.runId,
    targets: plan.targets,
    jobs: request.jobs,
    devices: ['cpu', ...request.machine.gpus.map(({index}) => `gpu${index}`)],
  });
  announcePlan(plan, request);

  const rechecks = request.recheck && new Rechecks(request.recheck);
  const results = await new Scheduler(planned, request, rechecks ? {rechecks} : {}).run();
  const nodes = rechecks ? await withoutLiars(results, rechecks, request) : results;
  await ports.state.flush();

  const counts: Record<Outcome, number> = {
    'up-to-date': 0,
    cached: 0,
    executed: 0,
    failed: 0,
    blocked: 0,
    cancelled: 0,
  };
  for (const {outcome} of nodes.values()) counts[outcome]++;
  const ended = request.signal.aborted || request.recall?.halt.aborted === true;
  const interrupted = ended && counts.cancelled > 0;
  const outcome = interrupted ? 'interrupted' : counts.failed + counts.cancelled > 0 ? 'failed' : 'done';
  const at = ports.clock.now();
  const recheck = rechecks?.counts;
  emit({type: 'run-finished', at, wallMs: at - startedAt, outcome, counts, ...(recheck ? {recheck} : {})});
  return {outcome, plan, nodes};
}

type Results = ReadonlyMap<NodeId, NodeResult>;

/**
 * Whoever is found to have vouched for a wrong result may have been believed before, in this run or an earlier one. What rests on
 * them is made again at once, by a plan of its own, so that a run which ends well ends with right results. After a failure or an
 * interrupt the next run does so.
 */
async function withoutLiars(results: Results, rechecks: Rechecks, request: BuildRequest): Promise<Results> {
  let nodes = results;
  // Each turn finds another one, or is the last.
  for (let known = 0; rechecks.blamed > known && [...nodes.values()].every(isGood) && !request.signal.aborted;) {
    known = rechecks.blamed;
    const planned = await makePlan({...request, force: new Set()});
    if (!planned.ok)
      return new Map([...nodes, ...request.targets.map((id) => [id, failed(planned.error[0]!)] as const)]);
    const again = await new Scheduler(planned.value, request, {rechecks, quiet: true}).run();
    // What was done first is what is told of a node, unless something was done since.
    nodes = new Map([...nodes, ...[...again].filter(([, {outcome}]) => outcome !== 'up-to-date')]);
  }
  return nodes;
}

function isGood({outcome}: NodeResult): boolean {
  return outcome !== 'failed' && outcome !== 'cancelled' && outcome !== 'blocked';
}

function announcePlan(plan: Plan, request: BuildRequest): void {
  const counts: Record<PlanStatus, number> = {'up-to-date': 0, cached: 0, 'will-run': 0, 'may-run': 0};
  for (const {status} of plan.nodes) counts[status]++;
  const stale = plan.nodes.filter(({status}) => isStale(status));
  const longest = stale.reduce((most, {priority}) => Math.max(most, priority), 0);
  const expectedMs = forecastMs(
    stale.map((node) => node.expectedMs),
    longest,
    request.jobs,
  );
  request.emit({
    type: 'run-planned',
    at: request.ports.clock.now(),
    counts,
    nodes: plan.nodes.map(({node, status, reasons, engine, expectedMs: ms, slices}) => ({
      node: node.id,
      status,
      reasons,
      ...(engine === undefined ? {} : {engine}),
      ...(ms === undefined ? {} : {expectedMs: ms}),
      ...(slices ? {slices} : {}),
    })),
    ...(expectedMs === undefined ? {} : {expectedMs}),
  });
}
