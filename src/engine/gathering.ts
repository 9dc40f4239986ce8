import type {Emit} from '../core/events.ts';
import type {Failure} from '../core/failure.ts';
import type {Job, JobResult, Runner} from '../core/ports.ts';
import type {Result} from '../core/result.ts';

/** Hands a job to whoever runs it. */
export type Send = Runner['run'];

/** Makes one delivery of the jobs that several tasks prepare side by side. */
export interface Gathering {
  readonly send: Send;
  /** To be called when a task has ended: if it sent nothing, nobody waits for it any longer. */
  readonly ended: () => void;
}

interface Sent {
  readonly job: Job;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly answer: (result: Promise<Result<JobResult, Failure>>) => void;
}

/**
 * @param tasks - how many will each send a job, or end without; what is sent later, such as a second attempt, goes by
 *   itself
 */
export function gather(tasks: number, runner: Runner): Gathering {
  const sent: Sent[] = [];
  let without = 0;
  let delivered = false;
  const deliver = (): void => {
    if (delivered || sent.length + without < tasks) return;
    delivered = true;
    const [first] = sent;
    if (!first) return;
    const jobs = sent.map(({job}) => job);
    const results = runner.runAll?.(jobs, first.emit, first.signal);
    sent.forEach(({job, emit, signal, answer}, index) => {
      answer(results?.[index] ?? runner.run(job, emit, signal));
    });
  };
  return {
    async send(job, emit, signal) {
      if (delivered) return runner.run(job, emit, signal);
      return new Promise((resolve) => {
        sent.push({job, emit, signal, answer: resolve});
        deliver();
      });
    },
    ended() {
      if (delivered) return;
      without++;
      deliver();
    },
  };
}
