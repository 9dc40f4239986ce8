import {failure, FailureError, type Failure, type FailureCode} from '../core/failure.ts';

/** Receives trouble that does not stop anything. */
export type Warn = (failure: Failure) => void;

/** The errno name of a file system error, such as `ENOENT`; undefined for any other value. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/**
 * Says why writing failed, and what to do. `what` completes "Could not write ...".
 *
 * @throws the error itself when it is no file system error: that is a bug
 */
export function writeFailure(error: unknown, what: string): Failure {
  if (error instanceof FailureError) return error.failure;
  const code = errorCode(error);
  if (code === undefined) throw error;
  const {failureCode, why, hint} = causes[code] ?? {
    failureCode: 'cache-unwritable',
    why: (error as Error).message,
    hint: checkPlace,
  };
  return failure(failureCode, `Could not write ${what}: ${why} (${code}).`, {hint});
}

/** Runs a write and turns a file system error into a `FailureError`. */
export async function writing<T>(what: string, write: () => Promise<T> | T): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw asFailureError(error, what);
  }
}

/** The failure of a write as something to throw; bugs stay as they are. */
export function asFailureError(error: unknown, what: string): unknown {
  if (error instanceof FailureError || errorCode(error) === undefined) return error;
  return new FailureError(writeFailure(error, what), error);
}

const checkPlace = 'Check that the folder is writable, or choose another with --cache.';
const freeSpace = 'Free some space, for instance with `mixdown gc`, or choose another disk with --cache.';
const checkOwner = 'Check the owner and mode of the folder, or choose another with --cache.';

interface Cause {
  readonly failureCode: FailureCode;
  readonly why: string;
  readonly hint: string;
}

const causes: Readonly<Record<string, Cause>> = {
  ENOSPC: {failureCode: 'disk-full', why: 'the disk is full', hint: freeSpace},
  EDQUOT: {failureCode: 'disk-full', why: 'the disk quota is used up', hint: freeSpace},
  EFBIG: {
    failureCode: 'disk-full',
    why: 'the file is larger than the file system or `ulimit -f` allows',
    hint: 'Raise the limit, or choose another disk with --cache.',
  },
  EACCES: {failureCode: 'cache-unwritable', why: 'permission denied', hint: checkOwner},
  EPERM: {failureCode: 'cache-unwritable', why: 'operation not permitted', hint: checkOwner},
  EROFS: {failureCode: 'cache-unwritable', why: 'the file system is read-only', hint: checkPlace},
  ENOTDIR: {failureCode: 'cache-unwritable', why: 'a part of the path is not a folder', hint: checkPlace},
};
