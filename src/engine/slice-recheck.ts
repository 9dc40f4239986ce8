import {sliceFingerprinter, type Action, type ActionResult, type SliceRecord} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {JoinedItem} from '../core/join.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {Failure} from '../core/failure.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {Lease} from '../core/resources.ts';
import {ok, type Result} from '../core/result.ts';
import {sliceSeed} from '../core/seed.ts';
import type {Artifact} from '../core/tree.ts';
import type {Task} from './execute.ts';
import {theirsOf, type Doubt} from './recheck-step.ts';
import type {Outputs} from './resolve.ts';
import type {RunContext} from './run-context.ts';
import {readSliceList} from './slice-list.ts';
import type {PlannedSlice, SlicePlan} from './slices.ts';
import {distrustOf, usableSlices} from './trust.ts';
import {blame, tryResult, type Theirs, type Verdict} from './verdict.ts';

/** The slices of a whole result that others made. */
export interface Look {
  readonly doubt: Doubt;
  /** Those that may be used one by one. */
  readonly slices: readonly SliceRecord[];
  /** The list names each item of the collection. */
  readonly complete: boolean;
}

/**
 * Looks into the result of others for slices to make again. Which these are depends on the items, not on their list, which may
 * leave one out.
 *
 * @returns undefined when none was chosen: the result is taken as it is
 */
export async function lookInto(
  doubt: Doubt,
  items: readonly JoinedItem[],
  context: RunContext,
): Promise<Look | undefined> {
  const {planned, action, hit} = doubt;
  const {ports} = context.request;
  const listed = await readManifest(doubt, context);
  const records = new Map(listed.map((record) => [record.fingerprint, record]));
  const fingerprints = fingerprintsOf(planned.node, action, items);
  // All are to be decided on, so that all are counted.
  const chosen = fingerprints.filter((each) => context.rechecks!.chooses(each, records.get(each)?.wallMs ?? 0));
  if (chosen.length === 0) return undefined;
  const slices = usableSlices(listed, hit.from, ports);
  ports.remote?.promise(slices.flatMap(({outputs}) => Object.values(outputs)));
  return {doubt, slices, complete: fingerprints.every((each) => records.has(each))};
}

function fingerprintsOf(node: PipelineNode, action: Action, items: readonly JoinedItem[]): readonly Sha256[] {
  const fingerprintOf = sliceFingerprinter(action);
  return items.map(({key, entries}) => {
    const digests = entries.map(({digest}) => digest);
    return fingerprintOf(digests, sliceSeed(node.seed, key));
  });
}

async function readManifest({hit}: Doubt, {request: {ports}}: RunContext): Promise<readonly SliceRecord[]> {
  if (!hit.slices) return [];
  // An earlier run may have taken the record, so that this one has not asked for it.
  ports.remote?.promise([hit.slices]);
  await ports.remote?.fetch([hit.slices]);
  return readSliceList(hit.slices, ports.cas);
}

/** The slices that are taken from others now and are to be made again. */
export async function chosenSlices({taken}: SlicePlan, context: RunContext): Promise<ReadonlySet<PlannedSlice>> {
  const {rechecks, halt} = context;
  if (!rechecks || taken.length === 0 || halt.aborted || !(await rechecks.ready())) return new Set();
  return new Set(taken.filter(({fingerprint, record}) => rechecks.chooses(fingerprint, record?.wallMs ?? 0)));
}

/** Makes a slice of others again. */
export async function trySlice(
  task: Task,
  record: SliceRecord,
  look: Look | undefined,
  lease: Lease,
  context: RunContext,
): Promise<Result<Verdict, Failure>> {
  const verdict = await tryResult(task, theirSlice(task.node, record, look, context), lease, context);
  if ('result' in verdict) await context.request.ports.actions.put(verdict.result);
  return ok(verdict);
}

function theirSlice(node: PipelineNode, record: SliceRecord, look: Look | undefined, context: RunContext): Theirs {
  const outputs = Object.entries(record.outputs).map(([name, digest]): [string, Artifact] => {
    const {kind = 'file'} = node.outputs[name] ?? {};
    // How much a tree holds is not compared.
    return [name, kind === 'file' ? {kind, digest} : {kind, digest, files: 0, bytes: 0}];
  });
  const {builder} = look ? theirsOf(look.doubt, context) : {};
  return {outputs: Object.fromEntries(outputs), from: record.from!, ...(builder ? {builder} : {})};
}

/** True when one of these rests on somebody who is distrusted by now. */
export function restOnDistrusted(records: Iterable<SliceRecord>, {request: {ports}}: RunContext): boolean {
  for (const record of records) if (distrustOf(record, ports)) return true;
  return false;
}

/**
 * Whether the whole is what its slices make, none of which had to be replaced. Who says otherwise is not trusted any more.
 *
 * @param outputs - put together here of their slices
 */
export async function standsWhole({doubt, complete}: Look, outputs: Outputs, context: RunContext): Promise<boolean> {
  const {hit, planned} = doubt;
  const same = digestsOf(outputs) === digestsOf(hit.outputs) && Object.keys(hit.metrics).length === 0;
  if (!same && complete) {
    const why = `${planned.node.id}: the result of others is not what its own slices make`;
    await blame(planned.node, theirsOf(doubt, context), why, context);
  }
  return same;
}

function digestsOf(outputs: ActionResult['outputs']): string {
  return canonicalJson(outputs as unknown as Json);
}
