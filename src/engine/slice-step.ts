import {templateKey} from '../core/action.ts';
import {failure, type Failure} from '../core/failure.ts';
import {treeText} from '../core/tree.ts';
import {bringInputs, fetchInputs, neededBlobs, remakeInputs, type Needed} from './bring.ts';
import {claim} from './claim.ts';
import {joinItems, loadCollections} from './items.ts';
import {storeText} from './job-inputs.ts';
import type {NodeResult, RunContext} from './run-context.ts';
import {failed, settleHit} from './settle.ts';
import {runBatches} from './slice-batches.ts';
import {finishSlices} from './slice-finish.ts';
import {chosenSlices, lookInto, restOnDistrusted} from './slice-recheck.ts';
import {collectKnown, type EachStep, type Progress, type Work} from './slice-work.ts';
import {findSlices, type PlannedSlice, type SlicePlan} from './slices.ts';
import {cannotTell} from './verdict.ts';

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
  return finishSlices(step, work, progress, startedAt, context);
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
