import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Emit, NodeLog} from '../core/events.ts';
import type {Job} from '../core/ports.ts';
import {createLogBuffer} from './log-buffer.ts';

/** Everything one job prints: told as events while it runs, and kept for its result. */
export interface JobLog {
  lines(stream: NodeLog['stream'], text: string): void;
  progress(fraction: number, message?: string): void;
  text(): string;
  /** The last lines; of the error stream alone when `stderr` is set. */
  lastLines(count: number, stderr?: true): readonly string[];
  /** Leaves the log in the job's folder, for whoever looks at a failed job. */
  save(): void;
}

const logFile = 'log.txt';

/** The error stream's own memory: enough for the last words of a dying process. */
const lastWords = 16 * 1024;

export function createJobLog(job: Job, emit: Emit): JobLog {
  const all = createLogBuffer();
  const errors = createLogBuffer(lastWords);
  const slice = job.slice === undefined ? {} : {slice: job.slice};
  return {
    lines(stream, text) {
      all.add(text);
      if (stream === 'stderr') errors.add(text);
      emit({type: 'node-log', at: Date.now(), node: job.node, stream, text, ...slice});
    },
    progress(fraction, message) {
      // How far a slice has come says nothing about its node.
      if (job.slice !== undefined) return;
      const rest = message === undefined ? {} : {message};
      emit({type: 'node-progress', at: Date.now(), node: job.node, fraction, ...rest});
    },
    text: () => all.text(),
    lastLines: (count, stderr) => (stderr ? errors : all).lastLines(count),
    save() {
      try {
        writeFileSync(join(job.folder, logFile), all.text());
      } catch {
        // The folder may be gone or the disk full; the failure itself is what matters.
      }
    },
  };
}
