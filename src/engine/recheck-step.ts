import {refsOf} from '../core/pipeline.ts';
import type {Action, ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {Failure} from '../core/failure.ts';
import type {PlannedNode} from '../core/plan.ts';
import {ok, type Result} from '../core/result.ts';
import {bringInputs, isOutdated, neededBlobs} from './bring.ts';
import {withClaim} from './claim.ts';
import {jobInputs} from './job-inputs.ts';
import {findHit, type Hit} from './resolve.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {announce, failed, settleExecuted, settleHit} from './settle.ts';
import {restsOf} from './trust.ts';
import {cannotTell, tryResult, type Theirs, type Verdict} from './verdict.ts';

/** A result of others that is there for the node. */
export interface Doubt {
  readonly planned: PlannedNode;
  readonly action: Action;
  readonly fingerprint: Sha256;
  readonly hit: Hit;
}

/**
 * Whether a result, or slices of it, may be made again in this run: it is taken from others now, and the node could run here
 * and has not failed before.
 */
export async function isDoubtful(planned: PlannedNode, hit: Hit, context: RunContext): Promise<boolean> {
  const {rechecks, request, halt, engines} = context;
  const {id} = planned.node;
  if (!rechecks || !request.ports.distrust || hit.status !== 'cached' || hit.from === undefined || halt.aborted)
    return false;
  if (request.held?.has(id) || !(await rechecks.ready())) return false;
  return (await engines.obstacleOf(id)) === undefined;
}

/** The result as it is compared, with who answers for it: its maker, or who took it over from another namespace since. */
export function theirsOf({fingerprint, hit}: Doubt, {request}: RunContext): Theirs {
  const {outputs, metrics, from} = hit;
  if (from === undefined) throw new Error('theirsOf: the result was made here');
  const {builder: maker, promotedBy: builder = maker} = request.ports.actions.get(fingerprint)?.borrowed ?? {};
  return {outputs, metrics, from, ...(builder ? {builder} : {})};
}

/** Makes a node's result again that others made. Its consumers wait for what comes of it. */
export async function recheckNode(doubt: Doubt, context: RunContext): Promise<NodeResult | 'again'> {
  const {planned, action, fingerprint, hit} = doubt;
  const {node} = planned;
  const {ports} = context.request;
  const theirs = theirsOf(doubt, context);
  const takeUnseen = (problem: Failure): NodeResult => {
    if (problem.code === 'cancelled') return failed(problem);
    cannotTell({node, fingerprint}, theirs.from, problem, context);
    return settleHit(planned, fingerprint, hit, context);
  };
  const brought = await bringInputs(await neededBlobs(refsOf(node), context), node.id, context);
  if (brought === 'again') return brought;
  if (brought !== 'ready') return takeUnseen(brought);
  const tried = await withClaim(
    node,
    fingerprint,
    planned.priority,
    context,
    async ({lease}): Promise<Result<Verdict | 'again', Failure>> => {
      // Another run may have come to an end with it while this one waited.
      if (findHit(node.id, fingerprint, ports)?.from !== hit.from) return ok('again');
      const granted = await lease();
      if (!granted.ok) return granted;
      const inputs = await jobInputs(node, context);
      if (isOutdated(node, fingerprint, context)) return ok('again');
      const reasons = [{kind: 'recheck', voucher: theirs.from} as const];
      announce({...planned, reasons}, {action, fingerprint}, granted.value.device, context);
      const verdict = await tryResult({node, action, fingerprint, inputs, anew: false}, theirs, granted.value, context);
      if ('result' in verdict) await ports.actions.put(verdict.result);
      return ok(verdict);
    },
  );
  if (!tried.ok) return takeUnseen(tried.error);
  if (tried.value === 'again') return 'again';
  const verdict = tried.value;
  if (verdict.kind === 'failed' && verdict.failure.code === 'cancelled') return failed(verdict.failure);
  if (verdict.kind === 'failed' || verdict.kind === 'close') return settleHit(planned, fingerprint, hit, context);
  if (verdict.kind === 'same') return settleHit(planned, fingerprint, ownHit(verdict.result), context);
  ports.remote?.share(verdict.result);
  return settleExecuted(planned, verdict.result, context);
}

/** What was found to be the same is as good as made here. */
function ownHit(result: ActionResult): Hit {
  const {outputs, metrics, execution} = result;
  return {status: 'cached', outputs, metrics, wallMs: execution.wallMs, ...restsOf(result)};
}
