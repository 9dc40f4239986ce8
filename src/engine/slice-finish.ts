import type {ActionResult, SliceManifest} from '../core/action.ts';
import type {SliceCounts} from '../core/events.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import {assemble} from './assemble.ts';
import {storeCode} from './execute.ts';
import {storeText} from './job-inputs.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {failed, settleExecuted, settleHit} from './settle.ts';
import {standsWhole} from './slice-recheck.ts';
import type {EachStep, Progress, Work} from './slice-work.ts';
import {absentOutputs} from './slices.ts';
import {viaOf} from './trust.ts';

/** Stores the node's trees, the manifest of its slices and its own action result. */
export async function finishSlices(
  step: EachStep,
  {items, unmatched, look}: Work,
  progress: Progress,
  startedAt: number,
  context: RunContext,
): Promise<NodeResult | 'again'> {
  const {ports, runId, host} = context.request;
  const {node} = step.planned;
  const records = items.map(({key}) => progress.records.get(key)!);
  const assembled = await assemble(node, records, context.artifacts, ports);
  if (!assembled.ok) return failed(assembled.error);
  const {outputs, trees} = assembled.value;
  if (look && progress.executed === 0) {
    const stands = await standsWhole(look, outputs, context);
    if (!stands && look.complete) return 'again';
    // Unless each of its slices has been made here too.
    if (stands && viaOf(records)) return settleHit(step.planned, step.fingerprint, look.doubt.hit, context);
  }
  for (const {artifact, text} of trees) await storeText(text, artifact.digest.hash, context);
  const manifest: SliceManifest = {type: 'slices/1', slices: records};
  const manifestDigest = await ports.cas.putBytes(canonicalJson(manifest as unknown as Json));
  await storeCode(node, context);
  const {executed} = progress;
  const via = viaOf(records);
  const workMs = records.reduce((sum, record) => sum + record.wallMs, 0);
  const result: ActionResult = {
    type: 'action-result/1',
    fingerprint: step.fingerprint,
    action: step.action,
    outputs,
    metrics: {},
    execution: {
      runId,
      startedAt,
      // Slices that waited for long, in a cluster's queue for instance, did not take so long.
      wallMs: Math.min(ports.clock.now() - startedAt, workMs),
      cpuMs: 0,
      maxRssBytes: 0,
      device: 'cpu',
      host,
    },
    slices: manifestDigest,
    ...(via ? {via} : {}),
  };
  await ports.actions.put(result);
  if (!look || executed > 0) ports.remote?.share(result);
  const settled = settleExecuted(step.planned, result, context, workMs);
  const leftOut = records.filter((record) => absentOutputs(node, record.outputs).length > 0).length;
  const counts: SliceCounts = {
    total: records.length,
    executed,
    cached: records.length - executed,
    ...(leftOut > 0 ? {leftOut} : {}),
    ...(unmatched > 0 ? {unmatched} : {}),
  };
  return {...settled, outcome: executed === 0 && records.length > 0 ? 'cached' : 'executed', slices: counts};
}
