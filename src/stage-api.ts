/**
 * What a stage author sees: `import {defineStage} from 'mixdown/stage'`.
 *
 * A stage is a function of (inputs, params, seed) to files. It cannot see the graph, the cache or other nodes. The same
 * inputs, params and seed must give the same bytes; a stage that cannot promise it says `deterministic: false`.
 */
import type {OutputCompare, Tolerance} from './core/compare.ts';
import type {HeldOutUse} from './core/held-out.ts';
import type {Json} from './core/json.ts';
import type {Resources} from './core/resources.ts';

export {didYouMean} from './core/closest.ts';
export type {OutputCompare, Tolerance} from './core/compare.ts';
export type {HeldOutUse} from './core/held-out.ts';
export type {Json} from './core/json.ts';

/**
 * A param: a small JSON Schema with a line of help. Without `default` the pipeline must give a value.
 *
 * `heldOut` on one integer or text says that its value names a fold of a cross-validation, so that a pipeline in which the
 * clips of that fold leak into the training is refused.
 */
export type ParamSpec = {readonly about: string} & (
  | {
      readonly type: 'integer' | 'number';
      readonly default?: number;
      readonly minimum?: number;
      readonly maximum?: number;
      readonly exclusiveMinimum?: number;
      readonly exclusiveMaximum?: number;
      readonly enum?: readonly number[];
      readonly heldOut?: HeldOutUse;
    }
  | {
      readonly type: 'string';
      readonly default?: string;
      readonly enum?: readonly string[];
      readonly pattern?: string;
      readonly minLength?: number;
      readonly heldOut?: HeldOutUse;
    }
  | {readonly type: 'boolean'; readonly default?: boolean}
  | {
      readonly type: 'array';
      readonly items: {
        readonly type: 'integer' | 'number' | 'string';
        readonly minimum?: number;
        readonly maximum?: number;
        readonly enum?: readonly (string | number)[];
      };
      readonly default?: readonly (string | number)[];
      readonly minItems?: number;
      readonly maxItems?: number;
      readonly uniqueItems?: boolean;
    }
  | {readonly type: 'object'; readonly default?: {readonly [key: string]: Json}}
);

export interface InputSpec {
  /** `file`: one file. `tree`: a folder of files. */
  readonly kind: 'file' | 'tree';
  /** The port takes an ordered list (fan-in). */
  readonly many?: true;
  readonly optional?: true;
  readonly about: string;
}

export type OutputSpec = {
  readonly about: string;
  /**
   * How another machine's output may differ from a pinned one (`mixdown.lock`) without being called drifted. By its bytes, not
   * at all, when absent. It does not count as a change of the stage's results.
   */
  readonly compare?: OutputCompare;
} & (
  | {
      readonly kind: 'file';
      /** File name with extension. */ readonly name: string;
      /** Print the text at the end of a run when the node is a target. */ readonly display?: true;
      /**
       * How `mixdown report` shows this CSV, also when the node is no target: `curve`, lines over the first column;
       * `confusion`, counts with a row and a column a class; `bars`, a bar a row, of the first column of numbers, or with
       * `bars:NAME` of that one.
       */
      readonly show?: 'curve' | 'confusion' | 'bars' | `bars:${string}`;
      /** Under `each`, a slice may leave the file unwritten: the item is then absent from the node's tree. */
      readonly optional?: true;
    }
  | {readonly kind: 'tree'; /** Folder name. */ readonly name: string}
);

/** A folder given to a stage. Entries are sorted by path; the bytes of an entry lie at `file`. Read only. */
export interface InputTree {
  readonly entries: readonly TreeFile[];
  /** Absolute path of the entry's bytes. Throws when there is no such entry. */
  file(path: string): string;
}

export interface TreeFile {
  /** Relative path, forward slashes. */
  readonly path: string;
  /** Path without its last extension: what joins the same item over several nodes. */
  readonly key: string;
  /** Absolute path of the bytes. The file name says nothing about the content. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
}

export interface StageContext<P, I, O> {
  readonly params: P;
  readonly inputs: I;
  /** Absolute path to write each output to; folders exist already. */
  readonly outputs: O;
  /** 1 ... 2^31-1, the same for the same node, pipeline seed and slice; 0 unless the stage says `seeded: true`. */
  readonly seed: number;
  /** Cores this job may use. */
  readonly threads: number;
  /** `cpu`, or the devices leased to this job. */
  readonly device: string;
  /** The tensor engine to compute with, chosen before the job started; empty unless the stage says `numericBackend: true`. */
  readonly engine: string;
  /**
   * Absolute path of a folder that outlives a failure, a timeout, a stop and a kill -9: the next attempt at the same work
   * gets it with what the last one left in it, and it is removed when the result is stored. A stage may be killed while
   * it writes there, so it writes to another name and renames, and takes nothing there on trust. Empty unless the stage
   * says `resumable: true`.
   */
  readonly checkpoint: string;
  /** Aborted when the run is cancelled or the time is up. */
  readonly signal: AbortSignal;
  log(this: void, text: string): void;
  /** `fraction` in 0 ... 1. */
  progress(this: void, fraction: number, message?: string): void;
  /** Reports a finite number under a name; kept with the result and shown in tables. */
  metric(this: void, name: string, value: number): void;
}

type Params = Readonly<Record<string, ParamSpec>>;
type Inputs = Readonly<Record<string, InputSpec>>;
type Outputs = Readonly<Record<string, OutputSpec>>;

type Simplify<T> = {[K in keyof T]: T[K]};

export type ParamValue<S extends ParamSpec> = S extends {type: 'integer' | 'number'}
  ? number
  : S extends {type: 'string'; enum: readonly (infer E)[]}
    ? E
    : S extends {type: 'string'}
      ? string
      : S extends {type: 'boolean'}
        ? boolean
        : S extends {type: 'array'; items: {type: 'string'}}
          ? readonly string[]
          : S extends {type: 'array'}
            ? readonly number[]
            : {readonly [key: string]: Json};

type One<S extends InputSpec> = S['kind'] extends 'file' ? string : InputTree;
type InputValue<S extends InputSpec> = S extends {many: true}
  ? readonly One<S>[]
  : S extends {optional: true}
    ? One<S> | undefined
    : One<S>;

export type ParamsOf<P extends Params> = Simplify<{readonly [K in keyof P]: ParamValue<P[K]>}>;
export type InputsOf<I extends Inputs> = Simplify<{readonly [K in keyof I]: InputValue<I[K]>}>;
export type OutputsOf<O extends Outputs> = {readonly [K in keyof O]: string};

export interface StageSpec<P extends Params, I extends Inputs, O extends Outputs> {
  /** Kebab-case, equal to the file's name without `.ts`. */
  readonly name: string;
  readonly summary: string;
  readonly params: P;
  readonly inputs: I;
  readonly outputs: O;
  /** The same for the metrics that the stage reports: each must be equal to the pinned one when absent. */
  readonly compareMetrics?: Tolerance | 'none';
  readonly resources?: Partial<Resources>;
  /** The numbers depend on the tensor engine: its class enters the key. */
  readonly numericBackend?: boolean;
  /** The stage draws random numbers from `seed`. */
  readonly seeded?: boolean;
  readonly deterministic?: boolean;
  /**
   * The stage keeps in `checkpoint` what it needs to go on after it was stopped, and then ends with the bytes of a run that
   * was not.
   */
  readonly resumable?: true;
  run(context: StageContext<ParamsOf<P>, InputsOf<I>, OutputsOf<O>>): void | Promise<void>;
}

/** Declares a stage. The types of `params`, `inputs` and `outputs` inside `run` follow from the declaration. */
export function defineStage<const P extends Params, const I extends Inputs, const O extends Outputs>(
  spec: StageSpec<P, I, O>,
): StageSpec<P, I, O> {
  return spec;
}

/** An expected failure of a stage: its message is shown without a stack trace. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
