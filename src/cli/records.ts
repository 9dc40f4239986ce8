import type {Event} from '../core/events.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {StaleReason} from '../core/reason.ts';
import type {RunRecord, RunRecordNode} from '../report/run-record.ts';
import type {RunStore} from '../store/run-store.ts';
import {isFields} from '../store/validate.ts';

/** The text of a run.json; undefined when it is none of this version, or does not say what became of its nodes. */
export function parseRecord(text: string | undefined): RunRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as RunRecord | null;
    return value?.type === 'run/1' && hasNodes(value.nodes) ? value : undefined;
  } catch {
    return undefined;
  }
}

function hasNodes(nodes: unknown): boolean {
  if (!isFields(nodes)) return false;
  return Object.values(nodes).every(
    (node) => isFields(node) && typeof node['outcome'] === 'string' && isFields(node['metrics'] ?? {}),
  );
}

/** The run's record; undefined when it is missing, damaged or of another version. */
export function readRecord(runs: RunStore, id: string): RunRecord | undefined {
  return parseRecord(runs.open(id)?.read('run.json'));
}

/** The events of a run. A line that is damaged but still JSON is passed over, as one that is cut off is. */
export function recordedEvents(runs: RunStore, id: string): readonly Event[] {
  return (runs.open(id)?.readLines('events.ndjson') ?? []).filter(isEvent);
}

function isEvent(line: unknown): line is Event {
  const {type, at} = (line ?? {}) as Partial<Record<'type' | 'at', unknown>>;
  return typeof type === 'string' && typeof at === 'number';
}

/** Why each node of a run started, from its events. */
export function startReasons(runs: RunStore, id: string): ReadonlyMap<NodeId, readonly StaleReason[]> {
  const reasons = new Map<NodeId, readonly StaleReason[]>();
  for (const event of recordedEvents(runs, id)) {
    if (event.type === 'node-started') reasons.set(event.node, event.reasons);
  }
  return reasons;
}

/** What became of the nodes of a run so far, from its events. */
export function finishedNodes(runs: RunStore, id: string): Readonly<Record<NodeId, RunRecordNode>> {
  const nodes: Record<NodeId, RunRecordNode> = {};
  for (const event of recordedEvents(runs, id)) {
    if (event.type !== 'node-finished') continue;
    const {type: _, at: __, node, ...rest} = event;
    nodes[node] = rest;
  }
  return nodes;
}

/** The newest run that executed the node, with the reasons that it started for. Looks through a few runs at most. */
export function lastStart(
  runs: RunStore,
  node: NodeId,
): {readonly runId: string; readonly reasons: readonly StaleReason[]} | undefined {
  for (const runId of runs.list().slice(0, mostRuns)) {
    // A finished record says which nodes ran, and is much smaller than the events.
    const record = readRecord(runs, runId);
    const outcome = record?.nodes[node]?.outcome;
    if (record === undefined || (record.outcome !== 'running' && outcome !== 'executed' && outcome !== 'failed'))
      continue;
    const reasons = startReasons(runs, runId).get(node);
    if (reasons !== undefined) return {runId, reasons};
  }
  return undefined;
}

const mostRuns = 50;
