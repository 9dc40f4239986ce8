import type {Failure, FailureCode} from '../core/failure.ts';

/**
 * What the process says to its caller. `stale`: results are not as the lock pins them, or not made from what they would be
 * made from. 141 is what a shell says of a program that a closed pipe ended.
 */
export const exitCodes = {
  done: 0,
  nodeFailed: 1,
  badUsage: 2,
  internal: 3,
  stale: 4,
  interrupted: 130,
  readerGone: 141,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The exit code for failures that ended a command before or outside a run. */
export function exitCodeFor(failures: readonly Failure[]): ExitCode {
  const codes = failures.map(({code}) => code);
  if (codes.includes('internal-error')) return exitCodes.internal;
  if (codes.some((code) => executionCodes.has(code))) return exitCodes.nodeFailed;
  return codes.some((code) => staleCodes.has(code)) ? exitCodes.stale : exitCodes.badUsage;
}

const staleCodes: ReadonlySet<FailureCode> = new Set<FailureCode>(['stale-result', 'document-differs']);

const executionCodes: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'stage-failed',
  'command-failed',
  'command-not-found',
  'output-missing',
  'output-undeclared',
  'output-unreadable',
  'input-changed',
  'input-unreadable',
  'slice-key-collision',
  'item-missing',
  'timed-out',
  'cancelled',
  'worker-crashed',
  'out-of-memory',
  'no-device',
  'no-engine',
  'resources-unsatisfiable',
  'no-executor',
  'job-rejected',
  'job-cancelled',
  'disk-full',
  'blocked',
  'blob-missing',
  'blob-corrupt',
  'cache-unwritable',
  'document-unwritable',
]);
