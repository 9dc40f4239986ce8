import type {ActionResult} from '../core/action.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {Builder, Voucher} from '../core/origin.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {Lease} from '../core/resources.ts';
import {ok, type Result} from '../core/result.ts';
import type {Artifact} from '../core/tree.ts';
import {bringOutputs} from './bring.ts';
import {keepRun, runTask, type Ran, type Task} from './execute.ts';
import type {Made} from './rechecks.ts';
import type {RunContext} from './run-context.ts';

/** A result of others that is being tried. A slice's metrics are not known. */
export interface Theirs {
  readonly outputs: Made['outputs'];
  readonly metrics?: Made['metrics'];
  readonly from: Voucher;
  readonly builder?: Builder;
}

/**
 * `same`: our result has the same bytes. `close`: it is within the tolerance, and theirs stands. `replaced`: ours stands,
 * because theirs is wrong or nobody can tell. `failed`: it could not be made here, and theirs stands.
 */
export type Verdict =
  | {readonly kind: 'same' | 'replaced'; readonly result: ActionResult}
  | {readonly kind: 'close'}
  | {readonly kind: 'failed'; readonly failure: Failure};

/**
 * Makes a result of others again and compares. Where it differs it is made once more: when our own two differ the node is not
 * deterministic, and nobody is to blame; else whoever vouched for theirs is distrusted from now on. What has to be told is told.
 */
export async function tryResult(task: Task, theirs: Theirs, lease: Lease, context: RunContext): Promise<Verdict> {
  const {node, fingerprint} = task;
  const rechecks = context.rechecks!;
  const first = await make(task, lease, context);
  if (!first.ok) return notMade(task, theirs, first.error, context);
  const ours = first.value;
  const {metrics = ours.metrics} = theirs;
  const likeness = await compare(node, {...theirs, metrics}, ours, context);
  if (likeness === 'same' || likeness === 'close') {
    rechecks.end(fingerprint, 'agreed');
    return likeness === 'same' ? {kind: 'same', result: ours} : {kind: 'close'};
  }
  const name = nameOf(task);
  const why = differenceText({...theirs, metrics}, ours);
  if (likeness === 'gone') {
    rechecks.end(fingerprint, 'undecided');
    const text = `${name}: what ${theirs.from} made could not be fetched to be compared; what was made here is used`;
    tell(failure('not-deterministic', text, {node: node.id}), context);
    return {kind: 'replaced', result: ours};
  }
  const second = await make({...task, anew: true}, lease, context);
  if (!second.ok && second.error.code === 'cancelled') return {kind: 'failed', failure: second.error};
  const agreed = second.ok ? await compare(node, ours, second.value, context) : 'other';
  if (agreed !== 'same' && agreed !== 'close') {
    rechecks.end(fingerprint, 'undecided');
    tell(notDeterministic(task, why), context);
    return {kind: 'replaced', result: ours};
  }
  rechecks.end(fingerprint, 'differed');
  await blame(node, theirs, `${name}: ${why}; made here twice, it is the same`, context);
  return {kind: 'replaced', result: ours};
}

/** From now on nothing of this voucher is used. */
export async function blame(
  node: PipelineNode,
  {from: voucher, builder}: Pick<Theirs, 'from' | 'builder'>,
  why: string,
  context: RunContext,
): Promise<void> {
  const {distrust, clock} = context.request.ports;
  if (!distrust || distrust.of(voucher)) return;
  context.rechecks!.blamed++;
  const who = builder ? `${voucher} (${builder.name})` : voucher;
  const hint =
    'Somebody or something there makes wrong results. Take the key out of `trust`, or the namespace out of `read`; another ' +
    '`salt` has all forget what lies there. If machines may differ in this, say so with `compare`. ' +
    `\`mixdown cache trust '${voucher}'\` lifts it.`;
  tell(failure('result-differs', `${why}. Nothing of ${who} is used any more`, {node: node.id, hint}), context);
  // What comes of it is worth telling even where it cannot be kept.
  await distrust.add({voucher, since: clock.now(), ...(builder ? {builder} : {}), node: node.id, why});
}

function notDeterministic(task: Task, why: string): Failure {
  return failure(
    'not-deterministic',
    `${nameOf(task)} is not deterministic: ${why}, and made twice here it differs too`,
    {
      node: task.node.id,
      hint: 'Nobody is to blame for the difference; what was made here first is used. Look for clocks, unseeded randomness or races.',
    },
  );
}

function notMade(task: Task, theirs: Theirs, problem: Failure, context: RunContext): Verdict {
  if (problem.code !== 'cancelled') cannotTell(task, theirs.from, problem, context);
  return {kind: 'failed', failure: problem};
}

/** Theirs stands, as the failure may be this machine's. */
export function cannotTell(
  task: Pick<Task, 'node' | 'slice' | 'fingerprint'>,
  voucher: Voucher,
  problem: Failure,
  context: RunContext,
): void {
  context.rechecks!.end(task.fingerprint, 'failed');
  const text = `${nameOf(task)}: what ${voucher} made could not be made again to be compared: ${problem.message}`;
  const hint = 'This may be because of this machine: what they made is used.';
  const {reproduce} = problem;
  tell(
    failure('recheck-failed', text, {node: task.node.id, hint, ...(reproduce === undefined ? {} : {reproduce})}),
    context,
  );
}

function tell(problem: Failure, {request}: RunContext): void {
  request.emit({type: 'warning', at: request.ports.clock.now(), failure: problem});
}

async function make(task: Task, lease: Lease, context: RunContext): Promise<Result<ActionResult, Failure>> {
  const ran: Result<Ran, Failure> = await runTask(task, lease, context);
  if (!ran.ok) return ran;
  const kept = await keepRun(ran.value, context);
  return kept.ok ? ok(kept.value) : kept;
}

/** `gone`: the bytes that would have to be looked at cannot be had. */
async function compare(
  node: PipelineNode,
  theirs: Made,
  ours: Made,
  context: RunContext,
): Promise<'same' | 'close' | 'other' | 'gone'> {
  const [outputs, metrics] = [differingOutputs(theirs, ours), differingMetrics(theirs, ours)];
  if (outputs.length + metrics.length === 0) return 'same';
  const readable = outputs.every((name) => node.outputs[name]?.compare !== undefined);
  if (!readable || (outputs.length === 0 && node.compareMetrics === undefined)) return 'other';
  const {remote} = context.request.ports;
  remote?.promise(outputs.flatMap((name) => theirs.outputs[name]?.digest ?? []));
  const numeric = outputs.filter((name) => node.outputs[name]?.compare !== 'none');
  const wanted = Object.fromEntries(numeric.flatMap((name) => entryOf(name, theirs.outputs[name])));
  if (!(await bringOutputs(wanted, context))) return 'gone';
  return (await context.rechecks!.agrees(node, theirs, ours)) ? 'close' : 'other';
}

function entryOf(name: string, artifact: Artifact | undefined): readonly (readonly [string, Artifact])[] {
  return artifact ? [[name, artifact]] : [];
}

function differingOutputs(theirs: Made, ours: Made): readonly string[] {
  const names = [...new Set([...Object.keys(theirs.outputs), ...Object.keys(ours.outputs)])].sort();
  return names.filter((name) => {
    const [a, b] = [theirs.outputs[name], ours.outputs[name]];
    return a?.kind !== b?.kind || a?.digest.hash !== b?.digest.hash;
  });
}

function differingMetrics(theirs: Made, ours: Made): readonly string[] {
  const names = [...new Set([...Object.keys(theirs.metrics), ...Object.keys(ours.metrics)])].sort();
  return names.filter((name) => !Object.is(theirs.metrics[name], ours.metrics[name]));
}

function differenceText(theirs: Made, ours: Made): string {
  const outputs = differingOutputs(theirs, ours).map((name) => `output ${name}`);
  const metrics = differingMetrics(theirs, ours).map((name) => {
    return `metric ${name} (${theirs.metrics[name] ?? 'none'}, here ${ours.metrics[name] ?? 'none'})`;
  });
  const parts = [...outputs, ...metrics];
  const shown = parts.slice(0, 5).join(', ') + (parts.length > 5 ? ` and ${parts.length - 5} more` : '');
  return `${shown} of others ${parts.length === 1 ? 'differs' : 'differ'} from what is made here`;
}

function nameOf({node, slice}: Pick<Task, 'node' | 'slice'>): string {
  return slice === undefined ? node.id : `${node.id}, slice ${slice}`;
}
