import type {Action, ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {Failure} from '../core/failure.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {PlannedNode} from '../core/plan.ts';
import {missReasons, type Hit, type Outputs} from './resolve.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {copyRests, restsOf} from './trust.ts';

/**
 * Says that the node's job has its resources and starts, and why it runs: by now every input is known, so the reasons
 * name what really changed where the plan could only name a stale producer.
 */
export function announce(
  planned: PlannedNode,
  {action, fingerprint}: {readonly action: Action; readonly fingerprint: Sha256},
  device: string,
  context: RunContext,
): void {
  const {ports, emit, force} = context.request;
  const {node, engine, slices, expectedMs} = planned;
  const known = planned.reasons.some(({kind}) => kind === 'forced' || kind === 'output-missing' || kind === 'recheck');
  const reasons = known || force?.has(node.id) ? planned.reasons : missReasons(node.id, action, fingerprint, ports);
  const at = ports.clock.now();
  context.started.set(node.id, {at, device});
  emit({
    type: 'node-started',
    at,
    node: node.id,
    device,
    ...(engine === undefined ? {} : {engine}),
    attempt: 1,
    reasons,
    ...(expectedMs === undefined ? {} : {expectedMs}),
    ...(slices ? {slices} : {}),
  });
}

/** The result of a node that ended without outputs. */
export function failed(problem: Failure): NodeResult {
  return {outcome: problem.code === 'cancelled' ? 'cancelled' : 'failed', failure: problem};
}

/** Remembers a node's new result and makes it known to its consumers. */
export function settleExecuted(
  planned: PlannedNode,
  result: ActionResult,
  context: RunContext,
  workMs?: number,
): NodeResult {
  const {node} = planned;
  const {state} = context.request.ports;
  const unchanged = sameOutputs(state.get(node.id)?.outputs, result.outputs);
  state.record({
    node: node.id,
    fingerprint: result.fingerprint,
    outputs: result.outputs,
    metrics: result.metrics,
    wallMs: workMs ?? result.execution.wallMs,
    ...(result.slices ? {slices: result.slices} : {}),
    ...restsOf(result),
  });
  context.artifacts.settle(node.id, result.outputs);
  return {
    outcome: 'executed',
    outputs: result.outputs,
    metrics: result.metrics,
    fingerprint: result.fingerprint,
    ...(unchanged ? {unchanged} : {}),
  };
}

/** Takes over a result that is already there. */
export function settleHit(
  planned: PlannedNode,
  fingerprint: ActionResult['fingerprint'],
  hit: Hit,
  context: RunContext,
): NodeResult {
  const {node} = planned;
  if (hit.status === 'cached') {
    context.request.ports.state.record({
      node: node.id,
      fingerprint,
      outputs: hit.outputs,
      metrics: hit.metrics,
      wallMs: hit.wallMs,
      ...(hit.slices ? {slices: hit.slices} : {}),
      ...copyRests(hit),
    });
  }
  context.artifacts.settle(node.id, hit.outputs);
  return {outcome: hit.status, outputs: hit.outputs, metrics: hit.metrics, fingerprint};
}

function sameOutputs(before: Outputs | undefined, after: Outputs): boolean {
  return before !== undefined && canonicalJson(before as unknown as Json) === canonicalJson(after as unknown as Json);
}
