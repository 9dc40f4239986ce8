import type {Event, NodeFinished, RunPlanned} from '../../../src/core/events.ts';
import type {Outcome, PlanStatus} from '../../../src/core/plan.ts';

type Rest<T extends Event['type']> = Omit<Extract<Event, {type: T}>, 'type' | 'at'>;

/** An event with its time in seconds. */
export function event<T extends Event['type']>(type: T, seconds: number, rest: Rest<T>): Event {
  return {type, at: seconds * 1000, ...rest} as unknown as Event;
}

export function planned(
  seconds: number,
  nodes: Readonly<Record<string, PlanStatus>>,
  expectedMs?: Readonly<Record<string, number>>,
): Event {
  const counts: Record<PlanStatus, number> = {'up-to-date': 0, cached: 0, 'will-run': 0, 'may-run': 0};
  for (const status of Object.values(nodes)) counts[status]++;
  const list = Object.entries(nodes).map(([node, status]): RunPlanned['nodes'][number] => {
    const ms = expectedMs?.[node];
    return {node, status, reasons: [], ...(ms === undefined ? {} : {expectedMs: ms})};
  });
  return event('run-planned', seconds, {counts, nodes: list});
}

export function started(seconds: number, node: string, rest: Partial<Rest<'node-started'>> = {}): Event {
  return event('node-started', seconds, {node, device: 'cpu', attempt: 1, reasons: [], ...rest});
}

export function finished(seconds: number, node: string, outcome: Outcome, rest: Partial<NodeFinished> = {}): Event {
  return {type: 'node-finished', at: seconds * 1000, node, outcome, wallMs: 1400, ...rest};
}

export const runStarted = event('run-started', 0, {
  runId: '20260101-000000-abcd',
  targets: ['tables'],
  jobs: 2,
  devices: ['cpu'],
});

export function runFinished(seconds: number, outcome: 'done' | 'failed' | 'interrupted'): Event {
  const counts = {'up-to-date': 0, cached: 0, executed: 2, failed: 0, blocked: 0, cancelled: 0};
  return event('run-finished', seconds, {wallMs: seconds * 1000, outcome, counts});
}
