import type {Action, ActionResult, SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {SliceFinished} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {PlannedNode} from '../core/plan.ts';
import type {Result} from '../core/result.ts';
import type {Items} from './items.ts';
import type {Hit} from './resolve.ts';
import type {RunContext} from './run-context.ts';
import type {SliceFailure} from './slice-failures.ts';
import type {Look} from './slice-recheck.ts';
import {absentOutputs, type PlannedSlice, type SlicePlan} from './slices.ts';

/** An `each` node about to be brought up to date. */
export interface EachStep {
  readonly planned: PlannedNode;
  readonly action: Action;
  readonly fingerprint: Sha256;
  readonly forced: boolean;
  /** The whole result of others that is there, when it is to be looked into. */
  readonly hit?: Hit;
}

/** What is known of the slices while they run. */
export interface Progress {
  readonly total: number;
  readonly records: Map<string, SliceRecord>;
  readonly failures: SliceFailure[];
  /** Slices that this run made itself. */
  executed: number;
}

/** The items of an `each` node. */
export interface Work extends Items {
  readonly each: NonNullable<PipelineNode['each']>;
  /** The result of others that some of them are taken from and some made again. */
  readonly look?: Look;
}

/** Keeps what a slice came to, and tells it. */
export function finishSlice(
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

/** Tells that a slice is done with. */
export function tellSlice(
  {planned}: EachStep,
  {key}: PlannedSlice,
  end: Pick<SliceFinished, 'outcome' | 'wallMs' | 'absent' | 'failure'>,
  {records, total}: Progress,
  {request: {ports, emit}}: RunContext,
): void {
  const at = ports.clock.now();
  emit({type: 'slice-finished', at, node: planned.node.id, key, ...end, done: records.size, total});
}

/** What the node's manifest holds of a slice that was made here. */
export function recordOf(slice: PlannedSlice, result: ActionResult): SliceRecord {
  const outputs: Record<string, Digest> = {};
  for (const [name, artifact] of Object.entries(result.outputs)) outputs[name] = artifact.digest;
  const {key, fingerprint, entries} = slice;
  return {key, item: entries[0]!.digest, fingerprint, outputs, wallMs: result.execution.wallMs};
}

/** Keeps the slices that have a result, but these. */
export function collectKnown(
  {slices}: SlicePlan,
  {records}: Progress,
  but: ReadonlySet<PlannedSlice> = new Set(),
): void {
  for (const slice of slices) if (slice.record && !but.has(slice)) records.set(slice.key, slice.record);
}
