import {fingerprintOf, type ActionResult} from '../core/action.ts';
import type {Failure} from '../core/failure.ts';
import type {PlannedNode} from '../core/plan.ts';
import {err, ok, type Result} from '../core/result.ts';
import {withClaim} from './claim.ts';
import {commitTask, runTask} from './execute.ts';
import {jobInputs} from './job-inputs.ts';
import {isStale} from './plan.ts';
import {missingOutput} from './presence.ts';
import {findHit, resolveAction, type Hit} from './resolve.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {announce, failed, settleExecuted, settleHit} from './settle.ts';
import {stepSlices} from './slice-step.ts';

/**
 * Brings one node up to date; everything it is made from is. Looks again whether a result is there (early cutoff, or
 * another run made it), and only then executes.
 */
export async function stepNode(planned: PlannedNode, context: RunContext): Promise<NodeResult> {
  const {node} = planned;
  const {request, artifacts, engines} = context;
  const {action} = resolveAction(node, engines, request.toolchain, artifacts);
  const fingerprint = fingerprintOf(action);
  const forced = request.force?.has(node.id) ?? false;

  const hit = forced ? undefined : await usableHit(planned, fingerprint, context);
  if (hit) return settleHit(planned, fingerprint, hit, context);
  const held = request.held?.get(node.id);
  if (held) return failed(held);
  if (planned.obstacle) return failed({...planned.obstacle, node: node.id});
  if (node.each) return stepSlices({planned, action, fingerprint, forced}, context);

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
      announce(planned, action, granted.value.device, context);
      const inputs = await jobInputs(node, context);
      const ran = await runTask({node, action, fingerprint, inputs, anew: forced}, granted.value, context);
      giveBack();
      return ran.ok ? commitTask(ran.value, context) : ran;
    },
  );
  if (!made.ok) return failed(made.error);
  if ('status' in made.value) return settleHit(planned, fingerprint, made.value, context);
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
  const hit = findHit(planned.node.id, fingerprint, ports);
  if (!hit || (!isStale(planned.status) && planned.fingerprint === fingerprint)) return hit;
  return (await missingOutput(hit.outputs, context.artifacts, ports.cas)) === undefined ? hit : undefined;
}
