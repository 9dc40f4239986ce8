import {fingerprintOf, type ActionResult} from '../core/action.ts';
import {failure, type Failure} from '../core/failure.ts';
import {refsOf, type NodeId} from '../core/pipeline.ts';
import type {PlannedNode} from '../core/plan.ts';
import {err, ok, type Result} from '../core/result.ts';
import {bringInputs, bringOutputs, isOutdated, neededBlobs} from './bring.ts';
import {withClaim} from './claim.ts';
import {commitTask, runTask} from './execute.ts';
import {jobInputs} from './job-inputs.ts';
import {isStale} from './plan.ts';
import {missingOutput} from './presence.ts';
import {isDoubtful, recheckNode} from './recheck-step.ts';
import {findHit, resolveAction, type Hit, type Outputs} from './resolve.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {announce, failed, settleExecuted, settleHit} from './settle.ts';
import {stepSlices} from './slice-step.ts';

/**
 * Brings one node up to date; everything it is made from is. Looks again whether a result is there (early cutoff, or
 * another run made it), and only then executes.
 */
export async function stepNode(planned: PlannedNode, context: RunContext): Promise<NodeResult> {
  for (;;) {
    const result = await tryStep(planned, context);
    if (result !== 'again') return result;
  }
}

/** `again`: a producer had to be made again on the way. */
async function tryStep(planned: PlannedNode, context: RunContext): Promise<NodeResult | 'again'> {
  const {node} = planned;
  const {request, artifacts, engines} = context;
  const {action} = resolveAction(node, engines, request.toolchain, artifacts);
  const fingerprint = fingerprintOf(action);
  const forced = request.force?.has(node.id) ?? false;

  const hit = forced ? undefined : await usableHit(planned, fingerprint, context);
  if (hit) {
    if (!(await isDoubtful(planned, hit, context))) return settleHit(planned, fingerprint, hit, context);
    const doubt = {planned, action, fingerprint, hit};
    if (node.each) return wholeSlices(await stepSlices({...doubt, forced}, context), node.id, context);
    const chosen = context.rechecks!.chooses(fingerprint, hit.wallMs);
    return chosen ? recheckNode(doubt, context) : settleHit(planned, fingerprint, hit, context);
  }
  const held = request.held?.get(node.id);
  if (held) return failed(held);
  // Of a node that was not planned to run it is not known yet.
  const obstacle = planned.obstacle ?? (isStale(planned.status) ? undefined : await engines.obstacleOf(node.id));
  if (obstacle) return failed({...obstacle, node: node.id});
  if (node.each) {
    return wholeSlices(await stepSlices({planned, action, fingerprint, forced}, context), node.id, context);
  }
  const brought = await bringInputs(await neededBlobs(refsOf(node), context), node.id, context);
  if (brought === 'again') return brought;
  if (brought !== 'ready') return failed(brought);

  let outdated = false;
  const made = await withClaim(
    node,
    fingerprint,
    planned.priority,
    context,
    async ({lease, giveBack}): Promise<Result<Hit | ActionResult, Failure>> => {
      const late = forced ? undefined : await usableHit(planned, fingerprint, context);
      if (late) return ok(late);
      const failedMeanwhile = request.held?.get(node.id);
      if (failedMeanwhile) return err(failedMeanwhile);
      const granted = await lease();
      if (!granted.ok) return err({...granted.error, node: node.id});
      const inputs = await jobInputs(node, context);
      outdated = isOutdated(node, fingerprint, context);
      if (outdated) return err(failure('input-changed', `what ${node.id} reads was made again`, {node: node.id}));
      announce(planned, {action, fingerprint}, granted.value.device, context);
      const ran = await runTask({node, action, fingerprint, inputs, anew: forced}, granted.value, context);
      giveBack();
      return ran.ok ? commitTask(ran.value, context) : ran;
    },
  );
  if (outdated) return 'again';
  if (!made.ok) return failed(made.error);
  if ('status' in made.value) return settleHit(planned, fingerprint, made.value, context);
  request.ports.remote?.share(made.value);
  return settleExecuted(planned, made.value, context);
}

/**
 * A result that consumers can use. Of one that the plan found, blobs were looked at as far as something needs them: what
 * nothing reads may be gone.
 */
async function usableHit(
  planned: PlannedNode,
  fingerprint: ActionResult['fingerprint'],
  context: RunContext,
): Promise<Hit | undefined> {
  const {ports} = context.request;
  const {remote} = ports;
  const {id} = planned.node;
  const look = async (): Promise<Hit | undefined> => {
    const hit = findHit(id, fingerprint, ports);
    if (!hit || (!isStale(planned.status) && planned.fingerprint === fingerprint)) return hit;
    return (await missingOutput(hit.outputs, context.artifacts, ports)) === undefined ? hit : undefined;
  };
  let hit = await look();
  if (!remote) return hit;
  if (!hit) {
    await remote.findResults([fingerprint]);
    hit = await look();
  }
  if (!hit || !(await isWhole(id, hit.outputs, context))) return undefined;
  // Small, and what the next change of the collection is compared with.
  if (hit.slices) await remote.fetch([hit.slices], context.halt);
  return hit;
}

async function wholeSlices(
  result: NodeResult | 'again',
  node: NodeId,
  context: RunContext,
): Promise<NodeResult | 'again'> {
  const whole = result === 'again' || !result.outputs || (await isWhole(node, result.outputs, context));
  return whole ? result : 'again';
}

/** What others only read is fetched when one of them runs; what was asked for must be here. */
async function isWhole(node: NodeId, outputs: Outputs, context: RunContext): Promise<boolean> {
  return !context.targets.has(node) || bringOutputs(outputs, context);
}
