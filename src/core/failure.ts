/** Permanent kebab-case names of expected failures. A name is never reused for something else. */
export type FailureCode =
  // configuration (exit code 2)
  | 'pipeline-missing'
  | 'pipeline-unreadable'
  | 'yaml-syntax'
  | 'yaml-duplicate-key'
  | 'yaml-alias-limit'
  | 'schema-violation'
  | 'unknown-key'
  | 'unknown-stage'
  | 'unknown-node'
  | 'unknown-source'
  | 'unknown-input'
  | 'unknown-param'
  | 'unknown-output'
  | 'unknown-axis'
  | 'unknown-variable'
  | 'unknown-profile'
  | 'unknown-target'
  | 'unknown-metric'
  | 'no-repository'
  | 'unknown-revision'
  | 'bad-reference'
  | 'bad-value'
  | 'bad-override'
  | 'missing-input'
  | 'missing-param'
  | 'missing-source'
  | 'empty-matrix'
  | 'duplicate-variant'
  | 'duplicate-output-path'
  | 'cycle'
  | 'leak'
  | 'kind-mismatch'
  | 'stage-invalid'
  | 'stage-compile-error'
  | 'too-large'
  | 'document-missing'
  | 'document-invalid'
  | 'document-unwritable'
  | 'lock-missing'
  | 'lock-invalid'
  | 'not-built'
  | 'usage'
  // execution (exit code 1)
  | 'stage-failed'
  | 'command-failed'
  | 'command-not-found'
  | 'output-missing'
  | 'output-undeclared'
  | 'output-unreadable'
  | 'input-changed'
  | 'input-unreadable'
  | 'slice-key-collision'
  | 'item-missing'
  | 'timed-out'
  | 'cancelled'
  | 'worker-crashed'
  | 'out-of-memory'
  | 'no-device'
  | 'no-engine'
  | 'resources-unsatisfiable'
  | 'no-executor'
  | 'job-rejected'
  | 'job-cancelled'
  | 'disk-full'
  | 'blocked'
  // results that are not what they should be (exit code 4)
  | 'stale-result'
  | 'document-differs'
  // cache trouble (a warning, never fatal by itself)
  | 'blob-missing'
  | 'blob-corrupt'
  | 'record-corrupt'
  | 'record-version'
  | 'state-corrupt'
  | 'cache-unwritable'
  | 'remote-unavailable'
  | 'remote-corrupt'
  | 'remote-untrusted'
  | 'remote-config'
  | 'result-differs'
  | 'not-deterministic'
  | 'recheck-failed'
  // other trouble that stops nothing
  | 'slow-engine'
  | 'watch-incomplete'
  // bugs (exit code 3)
  | 'internal-error';

/** A place in a text file. Lines and columns count from 1; columns count UTF-16 units. */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** A problem with the place that caused it. `frame` is the excerpt with a caret, without colour. */
export interface Diagnostic {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly range?: SourceRange;
  readonly frame?: string;
}

/** An expected problem as a value: what and why in `message`, what to do in `hint`. */
export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint?: string;
  readonly node?: string;
  readonly diagnostics?: readonly Diagnostic[];
  readonly stack?: string;
  /** Folder with the failed job's files and a script that runs it again. */
  readonly reproduce?: string;
}

export function failure(code: FailureCode, message: string, rest: Omit<Failure, 'code' | 'message'> = {}): Failure {
  return {code, message, ...rest};
}

/** Carries a failure out of a port that returns a plain value, for instance a full disk out of `Cas.putBytes`. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, {cause});
    this.failure = failure;
  }
}
