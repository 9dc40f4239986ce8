import {
  sliceAction,
  templateKey,
  type Action,
  type ActionResult,
  type SliceManifest,
  type SliceRecord,
} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {SliceCounts, SliceFinished} from '../core/events.ts';
import {failure, type Failure} from '../core/failure.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {PlannedNode} from '../core/plan.ts';
import {ok, type Result} from '../core/result.ts';
import {treeText} from '../core/tree.ts';
import {assemble} from './assemble.ts';
import {bringInputs, fetchInputs, isOutdated, neededBlobs, remakeInputs, type Needed} from './bring.ts';
import {batchCount, makeBatches} from './batches.ts';
import {claim} from './claim.ts';
import {commitTask, runTask, storeCode, type Task} from './execute.ts';
import {gather, type Send} from './gathering.ts';
import {joinItems, loadCollections, type Items} from './items.ts';
import {jobInputs, locateItem, storeText, type JobInputs} from './job-inputs.ts';
import type {Hit} from './resolve.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {chosenSlices, lookInto, restOnDistrusted, standsWhole, trySlice, type Look} from './slice-recheck.ts';
import {viaOf} from './trust.ts';
import {sliceFailures, type SliceFailure} from './slice-failures.ts';
import {absentOutputs, findSlices, type PlannedSlice, type SlicePlan} from './slices.ts';
import {announce, failed, settleExecuted, settleHit} from './settle.ts';
import {guarded} from './unexpected.ts';
import {cannotTell, type Verdict} from './verdict.ts';

/** An `each` node about to be brought up to date. */
interface EachStep {
  readonly planned: PlannedNode;
  readonly action: Action;
  readonly fingerprint: Sha256;
  readonly forced: boolean;
  /** The whole result of others that is there, when it is to be looked into. */
  readonly hit?: Hit;
}

/** What is known of the slices while they run. */
interface Progress {
  readonly total: number;
  readonly records: Map<string, SliceRecord>;
  readonly failures: SliceFailure[];
  /** Slices that this run made itself. */
  executed: number;
}

/** The items of an `each` node. */
interface Work extends Items {
  readonly each: NonNullable<PipelineNode['each']>;
  /** The result of others that some of them are taken from and some made again. */
  readonly look?: Look;
}

/**
 * Runs the stale slices in batches on warm workers. Each slice is stored by itself as soon as it is done, so a crash
 * loses the ones in work; at the end what the slices made is put together as the node's trees.
 */
export async function stepSlices(step: EachStep, context: RunContext): Promise<NodeResult | 'again'> {
  const {node} = step.planned;
  const each = node.each!;
  const {artifacts, request} = context;
  const startedAt = request.ports.clock.now();
  const {hit} = step;
  const takeUnseen = (problem: Failure): NodeResult => {
    if (hit?.from === undefined || problem.code === 'cancelled') return failed(problem);
    cannotTell({node, fingerprint: step.fingerprint}, hit.from, problem, context);
    return settleHit(step.planned, step.fingerprint, hit, context);
  };
  const collections = await loadCollections(each, artifacts, request.ports);
  if (!collections.ok) {
    const refs = each.map(({collection}) => collection);
    const brought = await bringInputs(await neededBlobs(refs, context), node.id, context);
    if (brought !== 'ready') return brought === 'again' ? brought : takeUnseen(brought);
    const message = `${node.id}: the collection ${collections.error} is not in the store`;
    return takeUnseen(failure('input-unreadable', message, {node: node.id}));
  }
  for (const [index, {collection}] of each.entries()) {
    await storeText(treeText(collections.value[index]!), artifacts.of(collection)!.digest.hash, context);
  }
  const joined = await joinItems(node, each, collections.value, request.graph, artifacts, request.ports);
  if (!joined.ok) return takeUnseen(joined.error);
  const look = hit && (await lookInto({...step, hit}, joined.value.items, context));
  if (hit && !look) return settleHit(step.planned, step.fingerprint, hit, context);
  const work: Work = {...joined.value, each, ...(look ? {look} : {})};

  const progress: Progress = {total: work.items.length, records: new Map(), failures: [], executed: 0};
  // What the plan found stale is looked at again under the lock in any case: a look before that would be one too many.
  const plannedStale = (step.planned.slices?.stale ?? 0) > 0;
  const found = plannedStale ? undefined : await lookForSlices(step, work, context);
  if (!found || found.stale.length > 0 || (await chosenSlices(found, context)).size > 0) {
    const problem = await runStale(step, work, progress, context);
    if (problem) return problem === 'again' ? problem : failed(problem);
  } else collectKnown(found, progress);
  // Somebody was found out meanwhile, by one of these slices or elsewhere.
  if (restOnDistrusted(progress.records.values(), context)) return 'again';
  return finish(step, work, progress, startedAt, context);
}

function lookForSlices(step: EachStep, {items, look}: Work, context: RunContext): Promise<SlicePlan> {
  const {ports} = context.request;
  return findSlices(step.planned.node, step.action, items, context.artifacts, ports, step.forced, look?.slices);
}

/** What the stale slices are about to read. */
async function neededBySlices(
  {planned: {node}}: EachStep,
  {each}: Work,
  stale: readonly PlannedSlice[],
  context: RunContext,
): Promise<readonly Needed[]> {
  const shared = Object.values(node.inputs).flatMap((binding) => (binding.many ? binding.refs : [binding.ref]));
  const needed = [...(await neededBlobs(shared, context))];
  for (const [index, {collection}] of each.entries()) {
    if (collection.from === 'source') continue;
    needed.push({producer: collection.node, digests: stale.map(({entries}) => entries[index]!.digest)});
  }
  return needed;
}

/** Afterwards `progress` has a record of each slice, unless a failure is returned. */
async function runStale(
  step: EachStep,
  work: Work,
  progress: Progress,
  context: RunContext,
): Promise<Failure | 'again' | undefined> {
  const {node} = step.planned;
  // The same lock for runs whose collections merely overlap.
  const lock = await claim(node, templateKey(step.action), context);
  if (!lock.ok) return lock.error;
  let gone: readonly Needed[];
  try {
    const failedMeanwhile = context.request.held?.get(node.id);
    if (failedMeanwhile) return failedMeanwhile;
    // Another run may have made some of them while this one waited.
    const planned = await lookForSlices(step, work, context);
    const chosen = await chosenSlices(planned, context);
    const wanted = chosen.size === 0 ? planned.stale : planned.slices.filter((one) => !one.record || chosen.has(one));
    gone = await fetchInputs(await neededBySlices(step, work, wanted, context), context);
    if (gone.length === 0) return await runBatches(step, work, planned, wanted, progress, context);
  } finally {
    lock.value.release();
  }
  return remakeInputs(gone, node.id, context);
}

async function runBatches(
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

function finishSlice(
  step: EachStep,
  slice: PlannedSlice,
  result: Result<ActionResult, Failure>,
  progress: Progress,
  context: RunContext,
): void {
  if (!result.ok) {
    progress.failures.push({key: slice.key, failure: result.error});
    tellSlice(step, slice, {outcome: 'failed', wallMs: 0, failure: result.error}, progress, context);
    return;
  }
  const {outputs, execution} = result.value;
  progress.records.set(slice.key, recordOf(slice, result.value));
  progress.executed++;
  const absent = absentOutputs(step.planned.node, outputs);
  const made = {outcome: 'executed', wallMs: execution.wallMs, ...(absent.length > 0 ? {absent} : {})} as const;
  tellSlice(step, slice, made, progress, context);
}

function tellSlice(
  {planned}: EachStep,
  {key}: PlannedSlice,
  end: Pick<SliceFinished, 'outcome' | 'wallMs' | 'absent' | 'failure'>,
  {records, total}: Progress,
  {request: {ports, emit}}: RunContext,
): void {
  const at = ports.clock.now();
  emit({type: 'slice-finished', at, node: planned.node.id, key, ...end, done: records.size, total});
}

function recordOf(slice: PlannedSlice, result: ActionResult): SliceRecord {
  const outputs: Record<string, Digest> = {};
  for (const [name, artifact] of Object.entries(result.outputs)) outputs[name] = artifact.digest;
  const {key, fingerprint, entries} = slice;
  return {key, item: entries[0]!.digest, fingerprint, outputs, wallMs: result.execution.wallMs};
}

function collectKnown({slices}: SlicePlan, {records}: Progress, but: ReadonlySet<PlannedSlice> = new Set()): void {
  for (const slice of slices) if (slice.record && !but.has(slice)) records.set(slice.key, slice.record);
}

/** Stores the node's trees, the manifest of its slices and its own action result. */
async function finish(
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

function once<A>(action: (argument: A) => void): (argument: A) => void {
  let done = false;
  return (argument) => {
    if (done) return;
    done = true;
    action(argument);
  };
}
