import {fileURLToPath} from 'node:url';
import {failure, type Failure} from '../core/failure.ts';

/**
 * What a stage threw, as a failure. A StageError is shown as its author wrote it; anything else is taken for a bug of
 * the stage and carries the stack, in the positions of the source and without frames of Node and of this program.
 */
export function failureOfThrown(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) {
    return failure('stage-failed', `the stage threw something that is not an Error: ${String(thrown)}`);
  }
  const {code} = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return failure('disk-full', thrown.message, {hint: 'free some space (mixdown gc) and run again'});
  }
  if (thrown.name === 'InputError') return failure('input-unreadable', thrown.message);
  if (thrown.name === 'StageError') {
    const {hint} = thrown as {hint?: unknown};
    return failure('stage-failed', thrown.message, typeof hint === 'string' ? {hint} : {});
  }
  const message = thrown.name === 'Error' && thrown.message !== '' ? thrown.message : headline(thrown);
  const stack = userStack(thrown);
  const rest = stack === '' ? {} : {stack};
  if (thrown instanceof RangeError && /allocation failed/.test(thrown.message)) {
    return failure('out-of-memory', message, {
      ...rest,
      hint: 'lower the number of jobs, or what the stage holds at once',
    });
  }
  return failure('stage-failed', message, rest);
}

/** Stack frames of an error and its causes, those of the user's code only; empty when there are none. */
function userStack(error: Error, depth = 0): string {
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !isOwnFrame(line))
    .map((line) => line.replace('file://', ''));
  if (error.cause instanceof Error && depth < maxCauses) {
    frames.push(`caused by ${headline(error.cause)}`, userStack(error.cause, depth + 1));
  }
  return frames.filter((line) => line !== '').join('\n');
}

/** Causes may form a cycle. */
const maxCauses = 5;

function headline(error: Error): string {
  return error.message === '' ? error.name : `${error.name}: ${error.message}`;
}

/** Frames of this layer appear under `dist`, or by source map under `src`. */
function isOwnFrame(line: string): boolean {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  return /\(?node:/.test(line) || line.includes(`${root}dist/exec/`) || line.includes(`${root}src/exec/`);
}
