import {failure, type Failure} from '../../core/failure.ts';

/** What `squeue` says of one job, or of one task of an array. */
export interface QueueEntry {
  /** `12`, or `12_3` for a task. */
  readonly id: string;
  readonly state: string;
  /** Why it waits, or ended. */
  readonly reason: string;
  readonly comment: string;
}

/** Format of `squeue` that `parseQueue` reads. The comment is last, since it may hold anything. */
export const queueFormat = '%A|%F|%K|%T|%r|%k';

/** Lines of `squeue --noheader --array`, by job or task id. */
export function parseQueue(text: string): ReadonlyMap<string, QueueEntry> {
  const entries = new Map<string, QueueEntry>();
  for (const line of text.split('\n')) {
    const [job, array, task, state, reason, ...comment] = line.split('|');
    if (job === undefined || array === undefined || task === undefined || state === undefined) continue;
    const id = /^\d+$/.test(task) ? `${array}_${task}` : job;
    entries.set(id, {id, state, reason: reason ?? '', comment: comment.join('|')});
  }
  return entries;
}

/** What a state means for whoever waits for the result. */
export type Verdict = 'waits' | 'runs' | 'lost' | 'over';

const waiting = new Set([
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
]);
const running = new Set(['RUNNING', 'COMPLETING', 'SUSPENDED', 'STOPPED', 'SIGNALING', 'RESIZING', 'STAGE_OUT']);
/** Through no fault of the job; to be submitted again. */
const lost = new Set(['NODE_FAIL', 'BOOT_FAIL', 'PREEMPTED', 'REVOKED']);

/** @param state - undefined for a job that the queue does not show any more */
export function verdictOn(state: string | undefined): Verdict {
  if (state === undefined) return 'over';
  if (waiting.has(state)) return 'waits';
  if (running.has(state)) return 'runs';
  return lost.has(state) ? 'lost' : 'over';
}

/** Reasons to wait that pass by themselves; any other is worth telling. */
const ordinary = new Set(['', 'None', 'Priority', 'Resources', 'BeginTime', 'Cleaning']);

export function isOrdinaryReason(reason: string): boolean {
  return ordinary.has(reason);
}

/** What Slurm writes into the output of a job that it ends for its memory: not every site has a state that says so. */
const memoryWords = /^ *slurmstepd\S*: error: .*(?:exceeded (?:job )?memory limit|oom[-_]kill)/im;

/**
 * Why a job ended without a result.
 *
 * @param details - what is known besides: an exit code, the last lines of its output
 * @param requirements - what jobs need, as a hint
 */
export function endFailure(
  id: string,
  entry: QueueEntry | undefined,
  details: readonly string[],
  requirements: string,
): Failure {
  const words = details.length === 0 ? '' : `; ${details.join('; ')}`;
  switch (memoryWords.test(words) ? 'OUT_OF_MEMORY' : entry?.state) {
    case 'TIMEOUT':
    case 'DEADLINE':
      return failure('timed-out', `Slurm ended job ${id} at its time limit${words}`, {
        hint: 'raise the `timeout` of the node, or `executors.slurm.time`',
      });
    case 'OUT_OF_MEMORY':
      return failure('out-of-memory', `Slurm ended job ${id}, which took more memory than it asked for${words}`, {
        hint: 'raise `resources.memoryMiB` of the node',
      });
    case 'CANCELLED':
      return failure('job-cancelled', `Slurm job ${id} was cancelled by somebody else${words}`, {
        hint: 'run again when it may run',
      });
    default: {
      const reason = entry && !isOrdinaryReason(entry.reason) ? ` (${entry.reason})` : '';
      const how = entry ? `ended as ${entry.state}${reason}` : 'is not in the queue any more';
      return failure('worker-crashed', `Slurm job ${id} ${how} and left no result${words}`, {
        hint: requirements,
      });
    }
  }
}
