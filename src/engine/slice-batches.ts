import {sliceAction} from '../core/action.ts';
import {failure, type Failure} from '../core/failure.ts';
import {ok, type Result} from '../core/result.ts';
import {batchCount, makeBatches} from './batches.ts';
import {isOutdated} from './bring.ts';
import {commitTask, runTask, type Task} from './execute.ts';
import {gather, type Send} from './gathering.ts';
import {jobInputs, locateItem, type JobInputs} from './job-inputs.ts';
import type {RunContext} from './run-context.ts';
import {announce} from './settle.ts';
import {sliceFailures} from './slice-failures.ts';
import {trySlice} from './slice-recheck.ts';
import {collectKnown, finishSlice, recordOf, tellSlice, type EachStep, type Progress, type Work} from './slice-work.ts';
import type {PlannedSlice, SlicePlan} from './slices.ts';
import {guarded} from './unexpected.ts';
import type {Verdict} from './verdict.ts';

/** Runs these slices. Afterwards `progress` has a record of each slice, unless a failure is returned. */
export async function runBatches(
  step: EachStep,
  work: Work,
  found: SlicePlan,
  wanted: readonly PlannedSlice[],
  progress: Progress,
  context: RunContext,
): Promise<Failure | 'again' | undefined> {
  const {node} = step.planned;
  collectKnown(found, progress, new Set(wanted));
  const shared = await jobInputs(node, context);
  if (isOutdated(node, step.fingerprint, context)) return 'again';
  const batches = makeBatches(wanted, batchCount(node, wanted.length, context));
  const voucher = found.stale.length > 0 ? undefined : wanted[0]?.record?.from;
  const reasons = voucher === undefined ? step.planned.reasons : [{kind: 'recheck', voucher} as const];
  const announced = {...step.planned, reasons, slices: {total: progress.total, stale: wanted.length}};
  const announceOnce = once((device: string) => announce(announced, step, device, context));
  const ends = await Promise.all(
    batches.map((batch) => runBatch(step, work, batch, shared, progress, announceOnce, context)),
  );
  if (progress.failures.length > 0) return sliceFailures(node.id, progress.total, progress.failures);
  return ends.find((end) => end !== undefined);
}

/**
 * Runs one batch on one lease; the next slice computes while the last one is being stored. What goes to a cluster is sent
 * there as a whole.
 */
async function runBatch(
  step: EachStep,
  work: Work,
  batch: readonly PlannedSlice[],
  shared: JobInputs,
  progress: Progress,
  announceOnce: (device: string) => void,
  context: RunContext,
): Promise<Failure | undefined> {
  const {node, priority} = step.planned;
  const stopsAtOnce = context.request.onFailure !== 'continue';
  const pool = context.poolOf(node);
  const lease = await pool.acquire(context.engines.resourcesOf(node), priority, context.halt);
  if (!lease.ok) return {...lease.error, node: node.id};
  const commits: Promise<void>[] = [];
  let problem: Failure | undefined;
  try {
    announceOnce(lease.value.device);
    const runSlice = async (slice: PlannedSlice, send?: Send): Promise<void> => {
      const task = sliceTask(step, work, slice, shared, context, send);
      if (slice.record) {
        const tried = guarded(trySlice(task, slice.record, work.look, lease.value, context), node.id);
        problem = finishRecheck(step, slice, await tried, progress, context) ?? problem;
        return;
      }
      const ran = await guarded(runTask(task, lease.value, context), node.id);
      if (ran.ok) {
        const committed = guarded(commitTask(ran.value, context), node.id);
        commits.push(committed.then((result) => finishSlice(step, slice, result, progress, context)));
      } else if (ran.error.code === 'cancelled') problem = ran.error;
      else finishSlice(step, slice, ran, progress, context);
    };
    const stopped = (): boolean => context.halt.aborted || (stopsAtOnce && progress.failures.length > 0);
    if (lease.value.cluster && !stopped()) {
      const gathering = gather(batch.length, context.request.ports.runner);
      await Promise.all(batch.map((slice) => runSlice(slice, gathering.send).finally(gathering.ended)));
    } else {
      for (const slice of batch) {
        if (stopped()) {
          problem = failure('cancelled', `${node.id} was stopped`, {node: node.id});
          break;
        }
        await runSlice(slice);
      }
    }
  } finally {
    pool.release(lease.value);
    await Promise.all(commits);
  }
  return problem;
}

/** Keeps what came of making a slice of others again. Returns why it was stopped. */
function finishRecheck(
  step: EachStep,
  slice: PlannedSlice,
  tried: Result<Verdict, Failure>,
  progress: Progress,
  context: RunContext,
): Failure | undefined {
  if (!tried.ok) {
    finishSlice(step, slice, tried, progress, context);
    return undefined;
  }
  const verdict = tried.value;
  if (verdict.kind === 'failed' && verdict.failure.code === 'cancelled') return verdict.failure;
  if (verdict.kind === 'replaced') {
    finishSlice(step, slice, ok(verdict.result), progress, context);
    return undefined;
  }
  const record = verdict.kind === 'same' ? recordOf(slice, verdict.result) : slice.record!;
  progress.records.set(slice.key, record);
  tellSlice(step, slice, {outcome: 'cached', wallMs: record.wallMs}, progress, context);
  return undefined;
}

function sliceTask(
  {planned: {node}, action: template, forced}: EachStep,
  {each}: Work,
  slice: PlannedSlice,
  shared: JobInputs,
  context: RunContext,
  send: Send | undefined,
): Task {
  const inputs = sliceInputs(each, slice, shared, context);
  const digests = slice.entries.map(({digest}) => digest);
  const action = sliceAction(template, digests, slice.seed);
  const {key, fingerprint} = slice;
  return {node, slice: key, action, fingerprint, inputs, anew: forced, ...(send ? {send} : {})};
}

/** The inputs that all slices share, with the slice's own items. */
function sliceInputs(each: Work['each'], slice: PlannedSlice, shared: JobInputs, context: RunContext): JobInputs {
  const inputs = {...shared.inputs};
  const sourcePaths = [...shared.sourcePaths];
  const blobs = [...shared.blobs];
  each.forEach(({port, collection}, index) => {
    const item = locateItem(collection, slice.entries[index]!, context);
    inputs[port] = item.input;
    sourcePaths.push(...item.sourcePaths);
    blobs.push(...item.blobs);
  });
  return {inputs, sourcePaths, blobs};
}

function once<A>(action: (argument: A) => void): (argument: A) => void {
  let done = false;
  return (argument) => {
    if (done) return;
    done = true;
    action(argument);
  };
}
