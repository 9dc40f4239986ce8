import type {Result} from '../../core/result.ts';
import type {JobState, SlurmTrouble} from './client.ts';
import {verdictOn} from './queue.ts';

export interface ConfirmationOptions {
  /** What the controller says of this Slurm job now; undefined for one that it does not know. */
  readonly ask: () => Promise<Result<JobState | undefined, SlurmTrouble>>;
  /** Name of this host in the cluster. */
  readonly host: string;
  /** Aborted as soon as this process is told to end. */
  readonly signal: AbortSignal;
  /** Called once when Slurm says that it has ended the job, maybe before its signal is here. */
  readonly onEnded: () => void;
}

/** Time between two questions, while one result follows the other. */
const betweenMs = 500;
/** Where nobody answers: how long the signal of an order that was given before may take to come. */
const silenceMs = 2000;

/**
 * Holds results back until it is certain that Slurm did not end their jobs. It asks all processes of a job to end, in no
 * order, so that the program may end before this process hears of it, and may even end well, half done. But the controller
 * notes such an order before it gives it: what it says of a job that is over already holds for that job.
 */
export class Confirmation {
  readonly #options: ConfirmationOptions;
  readonly #held: (() => Promise<void>)[] = [];
  #work: Promise<void> | undefined;
  #closed = false;
  #hurry: () => void = () => {};

  constructor(options: ConfirmationOptions) {
    this.#options = options;
  }

  /** @param leave - writes the result of a job that is over; called when it counts */
  add(leave: () => Promise<void>): void {
    this.#held.push(leave);
    this.#work ??= this.#confirm().finally(() => (this.#work = undefined));
  }

  /** Resolves when each result was written, or never will be. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hurry();
    await this.#work;
  }

  async #confirm(): Promise<void> {
    const {ask, host, signal, onEnded} = this.#options;
    while (this.#held.length > 0 && !signal.aborted) {
      const some = this.#held.splice(0);
      const said = await ask();
      if (!said.ok) await pause(silenceMs);
      if (signal.aborted) return;
      if (said.ok && !isOurs(said.value, host)) {
        onEnded();
        return;
      }
      for (const leave of some) await leave();
      if (!this.#closed) await this.#rest();
    }
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, betweenMs);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether Slurm lets the job run, and here. One that was queued again may run elsewhere. */
function isOurs(job: JobState | undefined, host: string): boolean {
  if (!job || job.state === 'COMPLETING') return false;
  return (verdictOn(job.state) === 'runs' && job.host === host) || job.state === 'CONFIGURING';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
