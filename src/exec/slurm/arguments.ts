import type {SlurmProfile} from '../../core/executor.ts';
import type {Job} from '../../core/ports.ts';

/** What is submitted at once. */
export interface SubmissionRequest {
  readonly script: string;
  /** Folder on the compute node that it starts in. */
  readonly startIn: string;
  /** Where what it prints is written; a pattern of `sbatch`. */
  readonly output: string;
  readonly name: string;
  readonly comment: string;
  /** Array tasks; 1 makes a plain job. */
  readonly tasks: number;
  /** Jobs of one array task. All tasks need the same. */
  readonly jobs: readonly Job[];
}

const minuteMs = 60_000;
/** Time to start and to write results, on top of what the jobs may take. */
const marginMs = minuteMs;
/** Time to fetch inputs and to send results, where jobs do that. */
const travelMs = 10 * minuteMs;

/** The options that decide on resources. Jobs with equal ones may be tasks of one array. */
export function resourceArguments(jobs: readonly Job[], profile: SlurmProfile): readonly string[] {
  const lease = jobs[0]!.lease;
  const gpu = lease.cluster?.gpu ?? 0;
  const timeMs = timeLimitMs(jobs, profile) ?? profile.timeMs;
  return [
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${Math.max(1, Math.ceil(lease.cpu))}`,
    ...(lease.memoryMiB > 0 ? [`--mem=${Math.ceil(lease.memoryMiB)}M`] : []),
    ...(gpu > 0 ? [`--gres=gpu:${gpu}`] : []),
    ...(timeMs === undefined ? [] : [`--time=${Math.ceil(timeMs / minuteMs)}`]),
    ...(profile.partition === undefined ? [] : [`--partition=${profile.partition}`]),
    ...(profile.account === undefined ? [] : [`--account=${profile.account}`]),
    ...profile.extra,
  ];
}

/**
 * Arguments of `sbatch`, whose own environment is bare, since the task file says what the job is to see. Slurm itself
 * queues it again when its host fails or it is preempted.
 */
export function sbatchArguments(request: SubmissionRequest, profile: SlurmProfile): readonly string[] {
  const {startIn, output, script, name, comment, tasks, jobs} = request;
  return [
    '--parsable',
    `--job-name=${name}`,
    `--comment=${comment}`,
    `--chdir=${startIn}`,
    `--output=${output}`,
    '--open-mode=append',
    '--export=ALL',
    '--requeue',
    ...(tasks > 1 ? [`--array=0-${tasks - 1}`] : []),
    ...resourceArguments(jobs, profile),
    script,
  ];
}

/** The jobs' own limits are kept on the compute node; this is the fence behind them. */
function timeLimitMs(jobs: readonly Job[], {transport}: SlurmProfile): number | undefined {
  let sum = marginMs + (transport === 'cache' ? travelMs : 0);
  for (const {timeoutMs, graceMs} of jobs) {
    if (timeoutMs === undefined) return undefined;
    sum += timeoutMs + graceMs;
  }
  return sum;
}
