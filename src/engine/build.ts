import type {Outcome, Plan, PlanStatus} from '../core/plan.ts';
import {isStale, type Planned} from './plan.ts';
import {forecastMs} from './priority.ts';
import type {BuildRequest, BuildSummary} from './run-context.ts';
import {Scheduler} from './scheduler.ts';

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

  const nodes = await new Scheduler(planned, request).run();
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
  emit({type: 'run-finished', at, wallMs: at - startedAt, outcome, counts});
  return {outcome, plan, nodes};
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
