import {hostname} from 'node:os';
import type {Emit} from '../../core/events.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Job, JobResult} from '../../core/ports.ts';
import type {Gpu, Lease} from '../../core/resources.ts';
import {err, type Result} from '../../core/result.ts';
import {createRunner} from '../runner.ts';
import {createSlurmClient} from './client.ts';
import {Confirmation} from './confirmation.ts';
import type {ResultFile, TaskFile} from './files.ts';

/** Where an array task has its jobs from, and leaves what they made. */
export interface Desk {
  /** Whether the job is done, since Slurm started the task before. */
  readonly hasEnded: (index: number, signal: AbortSignal) => boolean | Promise<boolean>;
  /** Gets the job ready here: its inputs, and a folder of its own. */
  readonly prepare: (index: number, lease: Lease, signal: AbortSignal) => Promise<Result<Job, Failure>>;
  readonly note: Emit;
  /** Leaves the result. False when that is not possible, so that it is no use to go on. */
  readonly leave: (index: number, end: JobEnd, signal: AbortSignal) => boolean | Promise<boolean>;
}

/** How a job ended, and where. */
export interface JobEnd {
  readonly result: Result<JobResult, Failure>;
  readonly place: ResultFile['place'];
}

/** What the task needs to know of its jobs. */
export interface TaskOrder extends Pick<TaskFile, 'nodeMajor' | 'env'> {
  readonly jobs: readonly Pick<Job, 'lease'>[];
}

/** `stopped` was told to end; `stuck` could not leave a result. */
export type TaskEnd = 'done' | 'stopped' | 'stuck';

/**
 * Runs the jobs of an array task one after another on its compute node. Told to end, it asks the job to end and leaves no
 * result, and none of a job that Slurm ended: the state of the Slurm job says why.
 */
export async function carryOut({nodeMajor, env, jobs}: TaskOrder, desk: Desk): Promise<TaskEnd> {
  const abort = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => abort.abort());
  const {signal} = abort;
  const host = process.env['SLURMD_NODENAME'] ?? hostname();
  const client = createSlurmClient({...process.env, PATH: env['PATH'] ?? process.env['PATH']});
  const confirmation = new Confirmation({
    ask: () => client.stateOf(ownId()),
    host,
    signal,
    onEnded: () => abort.abort(),
  });
  const runner = createRunner({workers: 1, env: {...env, TMPDIR: process.env['TMPDIR']}});
  const [major] = process.versions.node.split('.');
  let left = true;
  for (const [index, {lease: wanted}] of jobs.entries()) {
    if (signal.aborted || !left) break;
    if (await desk.hasEnded(index, signal)) continue;
    const lease = leaseHere(wanted);
    const prepared = major === nodeMajor ? await desk.prepare(index, lease, signal) : err(wrongNode(major, nodeMajor));
    const result = prepared.ok ? await runner.run(prepared.value, desk.note, signal) : prepared;
    if (signal.aborted) break;
    const end: JobEnd = {result, place: {host, device: lease.device}};
    confirmation.add(async () => {
      left = (await desk.leave(index, end, signal)) && left;
    });
  }
  await confirmation.close();
  await runner.close();
  if (signal.aborted) return 'stopped';
  return left ? 'done' : 'stuck';
}

/** Number of this array task, and how often Slurm started it before. */
export function whichTask(): {readonly task: number; readonly start: number} {
  const {SLURM_ARRAY_TASK_ID: task = 0, SLURM_RESTART_COUNT: start = 0} = process.env;
  return {task: Number(task), start: Number(start)};
}

/** By which the controller knows this job. The number of the last task of an array is that of the whole array as well. */
function ownId(): string {
  const {SLURM_ARRAY_JOB_ID: array, SLURM_JOB_ID: id = ''} = process.env;
  return array === undefined ? id : `${array}_${whichTask().task}`;
}

/** The lease with the devices that Slurm chose. */
function leaseHere(lease: Lease): Lease {
  const visible = process.env['CUDA_VISIBLE_DEVICES'] ?? '';
  const wanted = lease.cluster?.gpu ?? 0;
  const names = wanted === 0 || visible === '' ? [] : visible.split(',');
  const gpus = names.map((uuid, index): Gpu => ({uuid, index: Number(uuid) || index, name: '', memoryMiB: 0}));
  const device = gpus.length === 0 ? 'cpu' : gpus.map(({index}) => `gpu${index}`).join('+');
  return {...lease, gpus, device};
}

function wrongNode(here: string | undefined, wanted: string): Failure {
  return failure('no-executor', `the compute node has Node.js ${here}, and results are keyed by ${wanted}`, {
    hint: `name a Node.js ${wanted} that compute nodes see: \`executors.slurm.node\``,
  });
}
