import type {Action, ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import type {PipelineNode} from '../core/pipeline.ts';
import type {Checkpoint, Job, JobResult} from '../core/ports.ts';
import type {Lease} from '../core/resources.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Artifact} from '../core/tree.ts';
import type {Send} from './gathering.ts';
import {storeText, type JobInputs} from './job-inputs.ts';
import {isResumable} from './resumable.ts';
import type {RunContext} from './run-context.ts';

/** One action to execute: a whole node, or one slice of it. */
export interface Task {
  readonly node: PipelineNode;
  readonly slice?: string;
  readonly action: Action;
  readonly fingerprint: Sha256;
  readonly inputs: JobInputs;
  /** Not to go on from what an earlier run left behind. */
  readonly anew: boolean;
  /** To the runner itself when absent. */
  readonly send?: Send;
}

/** A job that ended well, its outputs still in its work folder. */
export interface Ran {
  readonly task: Task;
  readonly folder: string;
  readonly result: JobResult;
  readonly startedAt: number;
  readonly device: string;
  readonly checkpoint?: Checkpoint;
}

/** Failures that another attempt may not meet. */
const transient = new Set<Failure['code']>([
  'stage-failed',
  'command-failed',
  'timed-out',
  'worker-crashed',
  'out-of-memory',
]);

/**
 * Runs the action's job, again after a failure as often as the node allows. A failed job's folder is kept. What a
 * resumable stage left in its checkpoint stays for the next attempt, in this run or a later one.
 */
export async function runTask(task: Task, lease: Lease, context: RunContext): Promise<Result<Ran, Failure>> {
  const checkpoint = isResumable(task.node, context.request.pipeline)
    ? context.request.ports.checkpoints.take(task.fingerprint)
    : undefined;
  let ran: Result<Ran, Failure> | undefined;
  try {
    ran = await attempt(task, checkpoint, lease, context);
    return ran;
  } finally {
    if (!ran?.ok) leaveCheckpoint(task, checkpoint, context);
  }
}

async function attempt(
  task: Task,
  checkpoint: Checkpoint | undefined,
  lease: Lease,
  context: RunContext,
): Promise<Result<Ran, Failure>> {
  const {node} = task;
  const {ports, emit} = context.request;
  const attempts = node.retries + 1;
  const cancel = context.cancelOf(node.id);
  for (let number = 1; ; number++) {
    const anew = task.anew && number === 1;
    // Whoever works for an earlier run has the checkpoint.
    const held = checkpoint && lease.cluster && !anew && (await ports.runner.holds?.(task.fingerprint));
    const folder = await ports.folders.create(node.id, task.slice);
    const place = held ? undefined : checkpoint?.open(anew ? 'anew' : 'resume');
    const prepared = await prepareJob(task, {folder, checkpoint: place, lease, anew}, context);
    if (!prepared.ok) {
      await ports.folders.remove(folder);
      return prepared;
    }
    const startedAt = ports.clock.now();
    const send = task.send ?? ((...job) => ports.runner.run(...job));
    const ran = await send(prepared.value, emit, cancel);
    if (ran.ok) {
      const {device} = lease;
      return ok({task, folder, result: ran.value, startedAt, device, ...(checkpoint ? {checkpoint} : {})});
    }
    const problem = {...ran.error, node: node.id};
    if (problem.code === 'cancelled' || cancel.aborted) {
      await ports.folders.remove(folder);
      return err({...problem, code: 'cancelled'});
    }
    if (number < attempts && transient.has(problem.code)) {
      await ports.folders.remove(folder);
      emit({type: 'node-retry', at: ports.clock.now(), node: node.id, attempt: number, of: attempts, failure: problem});
      continue;
    }
    const reproduce = await ports.folders.keep(folder, prepared.value, problem);
    return err(reproduce === undefined ? problem : {...problem, reproduce});
  }
}

/** What a job began with an input that moved meanwhile lies under the wrong key, like the result that it would lead to. */
function leaveCheckpoint(task: Task, checkpoint: Checkpoint | undefined, context: RunContext): void {
  if (checkpoint && changedInput(task, context)) checkpoint.discard();
  else checkpoint?.leave();
}

/**
 * Stores what the job made: blobs first, the action result last, so that a crash in between leaves only unused blobs.
 * Nothing is stored when an input moved while the job ran: the result would lie under the wrong key.
 */
export function commitTask(ran: Ran, context: RunContext): Promise<Result<ActionResult, Failure>> {
  return store(ran, context, (record) => context.request.ports.actions.put(record));
}

/** Stores what the job made, but not that it is the result of its action. */
export function keepRun(ran: Ran, context: RunContext): Promise<Result<ActionResult, Failure>> {
  return store(ran, context, async () => {});
}

type Put = (record: ActionResult) => Promise<void>;

async function store(ran: Ran, context: RunContext, put: Put): Promise<Result<ActionResult, Failure>> {
  try {
    return await commit(ran, context, put);
  } finally {
    // After a commit there is nothing left to leave.
    leaveCheckpoint(ran.task, ran.checkpoint, context);
  }
}

async function commit(ran: Ran, context: RunContext, put: Put): Promise<Result<ActionResult, Failure>> {
  const {ports, runId, host} = context.request;
  const {task, result, folder} = ran;
  const moved = changedInput(task, context);
  if (moved) {
    await ports.folders.remove(folder);
    return err(moved);
  }
  const outputs: Record<string, Artifact> = {};
  for (const [name, port] of Object.entries(task.node.outputs)) {
    const path = result.outputs[name];
    if (path === undefined) {
      if (port.optional && task.slice !== undefined) continue;
      throw new Error(`runner reported no path for output ${name} of ${task.node.id}`);
    }
    outputs[name] =
      port.kind === 'file'
        ? {kind: 'file', digest: await ports.cas.putFile(path, 'move')}
        : await ports.cas.putTree(path);
  }
  await storeCode(task.node, context);
  const log = result.log === '' ? undefined : await ports.cas.putBytes(result.log);
  const record: ActionResult = {
    type: 'action-result/1',
    fingerprint: task.fingerprint,
    action: task.action,
    outputs,
    metrics: result.metrics,
    execution: {
      runId,
      startedAt: ran.startedAt,
      wallMs: result.wallMs,
      cpuMs: result.cpuMs,
      maxRssBytes: result.maxRssBytes,
      device: result.place?.device ?? ran.device,
      host: result.place?.host ?? host,
      ...(log ? {log} : {}),
    },
  };
  await put(record);
  ran.checkpoint?.discard();
  await ports.folders.remove(folder);
  return ok(record);
}

/** Keeps what the code digest was taken over, so that a later run can say which file changed. */
export async function storeCode(node: PipelineNode, context: RunContext): Promise<void> {
  const stage = context.engines.stageOf(node);
  if (context.stored.has(stage.code)) return;
  await storeText(canonicalJson(stage.manifest as unknown as Json), stage.code, context);
}

/** What one attempt has for itself. */
interface Attempt {
  readonly folder: string;
  readonly checkpoint: string | undefined;
  readonly lease: Lease;
  readonly anew: boolean;
}

async function prepareJob(
  task: Task,
  {folder, checkpoint, lease, anew}: Attempt,
  context: RunContext,
): Promise<Result<Job, Failure>> {
  const {node, action} = task;
  const {ports, graceMs, pipeline} = context.request;
  let work: Job['work'];
  if (node.command) {
    work = {type: 'command', command: node.command};
  } else {
    const module = await ports.modules.compile(node.stage);
    if (!module.ok) return err({...module.error[0]!, node: node.id});
    // The class in the key is the one that computes.
    const engine = action.toolchain['engine'] ?? '';
    work = {type: 'stage', stage: node.stage, module: module.value, engine};
  }
  return ok({
    id: task.fingerprint,
    node: node.id,
    ...(task.slice === undefined ? {} : {slice: task.slice}),
    work,
    params: node.params,
    seed: action.seed,
    ports: node.ports,
    inputs: task.inputs.inputs,
    outputs: node.outputs,
    folder,
    // While another job has the checkpoint, this one keeps its own.
    ...(isResumable(node, pipeline) ? {checkpoint: checkpoint ?? `${folder}/checkpoint`} : {}),
    lease,
    ...(node.timeoutMs === undefined ? {} : {timeoutMs: node.timeoutMs}),
    graceMs,
    ...(anew ? {anew} : {}),
  });
}

function changedInput(task: Task, context: RunContext): Failure | undefined {
  const {ports} = context.request;
  const node = task.node.id;
  const moved = ports.sources.changedSince(task.inputs.sourcePaths);
  if (moved.length > 0) {
    const others = moved.length > 1 ? ` and ${moved.length - 1} more` : '';
    return failure('input-changed', `${moved[0]}${others} changed while ${node} was reading it; nothing was stored`, {
      node,
      hint: 'Run again once the file is left alone.',
    });
  }
  if (task.inputs.blobs.every((digest) => ports.cas.holds(digest))) return undefined;
  return failure('input-changed', `${node} changed one of its own inputs in the store; nothing was stored`, {
    node,
    hint: 'Inputs are read only: let the command write to its declared outputs. The damaged input is made again by the next run.',
  });
}
