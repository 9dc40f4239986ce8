import {failure, type Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import {err, type Result} from '../core/result.ts';

const longestTextMiB = 512;

/** A throw inside a step is a bug or a store that cannot be written; either way it must not take other nodes down. */
export function unexpected(problem: unknown, node: NodeId): Failure {
  const error = problem as Partial<Error> & {readonly failure?: Failure; readonly code?: unknown};
  if (error.failure) return {...error.failure, node};
  if (error.message === 'Invalid string length' || error.code === 'ERR_STRING_TOO_LONG') {
    const what = `${node}: a list of its slices or files would be longer than ${longestTextMiB} MiB, the longest text that Node.js holds`;
    return failure('too-large', what, {
      node,
      hint: 'Divide the collection among several nodes, or put several items into one file.',
    });
  }
  const stack = error.stack;
  return failure('internal-error', `${node}: ${error.message ?? String(problem)}`, {
    node,
    hint: 'This is a bug in mixdown. Please report it with the stack.',
    ...(stack === undefined ? {} : {stack}),
  });
}

/** Waits for work that answers with a result, also when it throws: a promise left alone must never reject. */
export async function guarded<T>(work: Promise<Result<T, Failure>>, node: NodeId): Promise<Result<T, Failure>> {
  try {
    return await work;
  } catch (problem) {
    return err(unexpected(problem, node));
  }
}
