import {failure, type Failure} from '../core/failure.ts';
import type {Job} from '../core/ports.ts';
import type {JobLog} from './job-log.ts';
import type {StopReason} from './stopper.ts';

const lastLineCount = 20;

/** The job was told to stop. */
export function stoppedFailure(reason: StopReason, job: Job, log: JobLog): Failure {
  if (reason === 'cancelled') return failure('cancelled', 'cancelled before it was done');
  const hint = 'raise the `timeout` of the node, or find out what it waits for';
  return withLastLines(failure('timed-out', `not done after ${duration(job.timeoutMs ?? 0)}`, {hint}), log);
}

/** The worker ended while it ran the job, without being told to. */
export function crashFailure(code: number | null, signal: NodeJS.Signals | null, log: JobLog): Failure {
  const words = log.lastLines(lastLineCount, true).join('\n');
  if (/heap out of memory|std::bad_alloc/.test(words)) {
    return withErrorLines('out-of-memory', 'the worker ran out of memory', log, {
      hint: 'hold less at once: a JavaScript heap is limited, typed arrays live outside it',
    });
  }
  if (signal === 'SIGKILL') {
    return withErrorLines('out-of-memory', 'the worker was killed (SIGKILL)', log, {
      hint: 'most often the system ran out of memory: give the node more memoryMiB, or run fewer jobs at once',
    });
  }
  if (signal !== null) return withErrorLines('worker-crashed', `the worker crashed (${signal})`, log, {});
  return withErrorLines('worker-crashed', `the worker ended with exit code ${code} while the stage ran`, log, {
    hint: 'a stage ends by returning or throwing, never by process.exit',
  });
}

/** Adds the end of the job's log to a failure's message. */
export function withLastLines(cause: Failure, log: JobLog): Failure {
  return {...cause, message: withLines(cause.message, log.lastLines(lastLineCount))};
}

function withErrorLines(code: Failure['code'], message: string, log: JobLog, rest: {hint?: string}): Failure {
  return failure(code, withLines(message, log.lastLines(lastLineCount, true)), rest);
}

function withLines(message: string, lines: readonly string[]): string {
  return lines.length === 0 ? message : `${message}; last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** `850 ms`, `12.5 s`, `3 min`, `2 h`: the largest unit that reads well. */
function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  if (ms < 7_200_000) return `${Number((ms / 60_000).toFixed(1))} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}
