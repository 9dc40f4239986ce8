import type {Failure} from '../core/failure.ts';
import type {Job} from '../core/ports.ts';
import type {Result} from '../core/result.ts';
import type {StopReason} from './stopper.ts';

/** A job whose work is a stage. */
export type StageJob = Job & {readonly work: {readonly type: 'stage'}};

/** A job whose work is a program. */
export type CommandJob = Job & {readonly work: {readonly type: 'command'}};

/** What a stage left behind and what it cost; `JobResult` without the log. */
export interface StageReport {
  readonly outputs: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly wallMs: number;
  /** User and system time of all threads of the worker. */
  readonly cpuMs: number;
  /** Largest resident set while the job ran, as far as it exceeded earlier jobs'; else the size at its end. */
  readonly maxRssBytes: number;
}

/** Parent to worker. */
export type Order =
  | {readonly type: 'run'; readonly id: number; readonly job: StageJob}
  | {readonly type: 'abort'; readonly id: number; readonly reason: StopReason};

/** Worker to parent. Log lines and the end of a job's text travel in the output streams, see line-reader. */
export type Reply =
  | {readonly type: 'progress'; readonly id: number; readonly fraction: number; readonly message?: string}
  | {readonly type: 'done'; readonly id: number; readonly answer: Answer};

export interface Answer {
  readonly result: Result<StageReport, Failure>;
  /** Resident set after the job, in bytes. */
  readonly rssBytes: number;
  /** The worker's state is doubtful: do not give it another job. */
  readonly retire: boolean;
}
