import {sliceAction, type Action, type ActionResult, type SliceManifest, type SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {PlannedNode} from '../core/plan.ts';
import {err, type Result} from '../core/result.ts';
import {assembleSlices} from '../core/slice.ts';
import {treeText, type Artifact, type Tree} from '../core/tree.ts';
import {makeBatches} from './batches.ts';
import {claim} from './claim.ts';
import {commitTask, runTask, storeCode} from './execute.ts';
import {jobInputs, locateItem, storeText, type JobInputs} from './job-inputs.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {lastSlices, loadCollection, planSlices, templateKey, type PlannedSlice, type SlicePlan} from './slices.ts';
import {announce, failed, settleExecuted} from './settle.ts';
import {guarded} from './unexpected.ts';

/** An `each` node about to be brought up to date. */
interface EachStep {
  readonly planned: PlannedNode;
  readonly action: Action;
  readonly fingerprint: Sha256;
  readonly forced: boolean;
}

/** What is known of the slices while they run. */
interface Progress {
  readonly total: number;
  readonly records: Map<string, SliceRecord>;
  readonly failures: {readonly key: string; readonly failure: Failure}[];
  /** Slices that this run made itself. */
  executed: number;
}

/**
 * Runs the stale slices in batches on warm workers. Each slice is stored by itself as soon as it is done, so a crash
 * loses the ones in work; at the end the slices' files are put together as the node's trees.
 */
export async function stepSlices(step: EachStep, context: RunContext): Promise<NodeResult> {
  const {node} = step.planned;
  const each = node.each!;
  const startedAt = context.request.ports.clock.now();
  const artifact = context.artifacts.of(each.collection)!;
  const collection = await loadCollection(each.collection, artifact, context.artifacts, context.request.ports);
  if (!collection)
    return failed(
      failure('input-unreadable', `${node.id}: the collection ${each.port} is not in the store`, {node: node.id}),
    );
  await storeText(treeText(collection), artifact.digest.hash, context);

  const progress: Progress = {total: collection.entries.length, records: new Map(), failures: [], executed: 0};
  // What the plan found stale is looked at again under the lock in any case: a look before that would be one too many.
  const plannedStale = (step.planned.slices?.stale ?? 0) > 0;
  let found = plannedStale ? undefined : await findSlices(step, collection, context);
  if (!found || (found.ok && found.value.stale.length > 0)) found = await runStale(step, collection, progress, context);
  else if (found.ok) collectKnown(found.value, progress);
  return found.ok ? assemble(step, found.value.slices, progress, startedAt, context) : failed(found.error);
}

async function findSlices(step: EachStep, collection: Tree, context: RunContext): Promise<Result<SlicePlan, Failure>> {
  const {node} = step.planned;
  const {ports} = context.request;
  return planSlices(node, step.action, collection, await lastSlices(node.id, ports), ports, step.forced);
}

/** Returns all slices as they were found under the lock; `progress` then has a record of each. */
async function runStale(
  step: EachStep,
  collection: Tree,
  progress: Progress,
  context: RunContext,
): Promise<Result<SlicePlan, Failure>> {
  const {node} = step.planned;
  const lock = await claim(node, templateKey(step.action), context);
  if (!lock.ok) return lock;
  try {
    // Another run may have made some of them while this one waited.
    const planned = await findSlices(step, collection, context);
    if (!planned.ok) return planned;
    collectKnown(planned.value, progress);
    const shared = await jobInputs(node, context);
    const slots = Math.max(1, Math.floor(context.request.jobs / Math.max(1, node.resources.cpu)));
    const batches = makeBatches(planned.value.stale, slots);
    const announced = {...step.planned, slices: {total: progress.total, stale: planned.value.stale.length}};
    const announceOnce = once((device: string) => announce(announced, step.action, device, context));
    const ends = await Promise.all(
      batches.map((batch) => runBatch(step, batch, shared, progress, announceOnce, context)),
    );
    const problem = ends.find((end) => end !== undefined);
    if (problem && progress.failures.length === 0) return err(problem);
    return progress.failures.length > 0 ? err(summarise(node.id, progress)) : planned;
  } finally {
    lock.value.release();
  }
}

/** Runs one batch on one lease; the next slice computes while the last one is being stored. */
async function runBatch(
  step: EachStep,
  batch: readonly PlannedSlice[],
  shared: JobInputs,
  progress: Progress,
  announceOnce: (device: string) => void,
  context: RunContext,
): Promise<Failure | undefined> {
  const {node, priority} = step.planned;
  const each = node.each!;
  const stopsAtOnce = context.request.onFailure !== 'continue';
  const lease = await context.pool.acquire(node.resources, priority);
  if (!lease.ok) return {...lease.error, node: node.id};
  const commits: Promise<void>[] = [];
  let problem: Failure | undefined;
  try {
    announceOnce(lease.value.device);
    for (const slice of batch) {
      if (context.halt.aborted || (stopsAtOnce && progress.failures.length > 0)) {
        problem = failure('cancelled', `${node.id} was stopped`, {node: node.id});
        break;
      }
      const item = locateItem(each.collection, {path: slice.path, digest: slice.item}, context);
      const inputs: JobInputs = {
        inputs: {...shared.inputs, [each.port]: item.input},
        sourcePaths: [...shared.sourcePaths, ...item.sourcePaths],
        blobs: [...shared.blobs, ...item.blobs],
      };
      const action = sliceAction(step.action, slice.item, slice.seed);
      const task = {node, slice: slice.key, action, fingerprint: slice.fingerprint, inputs};
      const ran = await guarded(runTask(task, lease.value, context), node.id);
      if (ran.ok) {
        const committed = guarded(commitTask(ran.value, context), node.id);
        commits.push(committed.then((result) => finishSlice(step, slice, result, progress, context)));
      } else if (ran.error.code === 'cancelled') problem = ran.error;
      else finishSlice(step, slice, ran, progress, context);
    }
  } finally {
    context.pool.release(lease.value);
    await Promise.all(commits);
  }
  return problem;
}

function finishSlice(
  step: EachStep,
  slice: PlannedSlice,
  result: Result<ActionResult, Failure>,
  progress: Progress,
  context: RunContext,
): void {
  const {ports, emit} = context.request;
  if (result.ok) {
    progress.records.set(slice.key, recordOf(slice, result.value));
    progress.executed++;
  } else progress.failures.push({key: slice.key, failure: result.error});
  emit({
    type: 'slice-finished',
    at: ports.clock.now(),
    node: step.planned.node.id,
    key: slice.key,
    outcome: result.ok ? 'executed' : 'failed',
    wallMs: result.ok ? result.value.execution.wallMs : 0,
    done: progress.records.size,
    total: progress.total,
    ...(result.ok ? {} : {failure: result.error}),
  });
}

function recordOf(slice: PlannedSlice, result: ActionResult): SliceRecord {
  const outputs: Record<string, Digest> = {};
  for (const [name, artifact] of Object.entries(result.outputs)) outputs[name] = artifact.digest;
  return {key: slice.key, item: slice.item, fingerprint: slice.fingerprint, outputs, wallMs: result.execution.wallMs};
}

function collectKnown(plan: SlicePlan, progress: Progress): void {
  for (const slice of plan.slices) if (slice.record) progress.records.set(slice.key, slice.record);
}

/** Stores the node's trees, the manifest of its slices and its own action result. */
async function assemble(
  step: EachStep,
  slices: readonly PlannedSlice[],
  progress: Progress,
  startedAt: number,
  context: RunContext,
): Promise<NodeResult> {
  const {ports, runId, host} = context.request;
  const {node} = step.planned;
  const records = slices.map((slice) => progress.records.get(slice.key)!);
  const outputs: Record<string, Artifact> = {};
  for (const [name, {artifact, tree, text}] of Object.entries(assembleSlices(node.outputs, records))) {
    await storeText(text, artifact.digest.hash, context);
    context.artifacts.keepTree(artifact.digest, tree);
    outputs[name] = artifact;
  }
  const manifest: SliceManifest = {type: 'slices/1', slices: records};
  const manifestDigest = await ports.cas.putBytes(canonicalJson(manifest as unknown as Json));
  await storeCode(node, context);
  const {executed} = progress;
  const result: ActionResult = {
    type: 'action-result/1',
    fingerprint: step.fingerprint,
    action: step.action,
    outputs,
    metrics: {},
    execution: {
      runId,
      startedAt,
      wallMs: ports.clock.now() - startedAt,
      cpuMs: 0,
      maxRssBytes: 0,
      device: 'cpu',
      host,
    },
    slices: manifestDigest,
  };
  await ports.actions.put(result);
  const workMs = records.reduce((sum, record) => sum + record.wallMs, 0);
  const settled = settleExecuted(step.planned, result, context, workMs);
  const counts = {total: slices.length, executed, cached: slices.length - executed};
  return {...settled, outcome: executed === 0 ? 'cached' : 'executed', slices: counts};
}

function summarise(node: string, progress: Progress): Failure {
  const [first] = progress.failures;
  const keys = progress.failures.map(({key}) => key).sort();
  const shown = keys.slice(0, 10).join(', ') + (keys.length > 10 ? ', …' : '');
  const many =
    keys.length > 1 ? `${keys.length} of ${progress.total} slices failed (${shown}); the first: ` : `slice ${shown}: `;
  return {...first!.failure, node, message: many + first!.failure.message};
}

function once<A>(action: (argument: A) => void): (argument: A) => void {
  let done = false;
  return (argument) => {
    if (done) return;
    done = true;
    action(argument);
  };
}
