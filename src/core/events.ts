import type {Failure} from './failure.ts';
import type {NodeId} from './pipeline.ts';
import type {Outcome, PlanStatus} from './plan.ts';
import type {StaleReason} from './reason.ts';
import type {EngineName} from './tensor-engine.ts';
import type {Artifact} from './tree.ts';

/** Everything a run says. The terminal, the run record, pages and tests read the same stream, in this order. */
export type Event =
  | RunStarted
  | RunPlanned
  | NodeWaiting
  | NodeStarted
  | NodeQueue
  | NodeProgress
  | NodeLog
  | NodeRetry
  | SliceFinished
  | NodeFinished
  | Warning
  | Interrupted
  | RunFinished;

export interface RunStarted {
  readonly type: 'run-started';
  readonly at: number;
  readonly runId: string;
  readonly targets: readonly NodeId[];
  readonly jobs: number;
  readonly devices: readonly string[];
}

export interface RunPlanned {
  readonly type: 'run-planned';
  readonly at: number;
  readonly counts: Readonly<Record<PlanStatus, number>>;
  readonly nodes: readonly {
    readonly node: NodeId;
    readonly status: PlanStatus;
    readonly reasons: readonly StaleReason[];
    readonly engine?: EngineName;
    readonly expectedMs?: number;
    readonly slices?: {readonly total: number; readonly stale: number};
  }[];
  /** Forecast of the whole run's wall time, when durations are recorded. */
  readonly expectedMs?: number;
}

/** The node waits for another run that is making the same thing. */
export interface NodeWaiting {
  readonly type: 'node-waiting';
  readonly at: number;
  readonly node: NodeId;
  readonly holder: string;
}

export interface NodeStarted {
  readonly type: 'node-started';
  readonly at: number;
  readonly node: NodeId;
  readonly device: string;
  /** Class of the tensor engine that it computes with, if it does. */
  readonly engine?: EngineName;
  readonly attempt: number;
  readonly reasons: readonly StaleReason[];
  readonly expectedMs?: number;
  readonly slices?: {readonly total: number; readonly stale: number};
}

/** A node that has started waits in a cluster's queue, or runs there: what it waited is no part of its running time. */
export interface NodeQueue {
  readonly type: 'node-queue';
  readonly at: number;
  readonly node: NodeId;
  /** Whether all its jobs wait; false as soon as one runs. */
  readonly waits: boolean;
}

export interface NodeProgress {
  readonly type: 'node-progress';
  readonly at: number;
  readonly node: NodeId;
  /** 0 ... 1. */
  readonly fraction: number;
  readonly message?: string;
}

export interface NodeLog {
  readonly type: 'node-log';
  readonly at: number;
  readonly node: NodeId;
  readonly stream: 'stdout' | 'stderr' | 'log';
  /** One or more whole lines. */
  readonly text: string;
  readonly slice?: string;
}

export interface NodeRetry {
  readonly type: 'node-retry';
  readonly at: number;
  readonly node: NodeId;
  readonly attempt: number;
  readonly of: number;
  readonly failure: Failure;
}

export interface SliceFinished {
  readonly type: 'slice-finished';
  readonly at: number;
  readonly node: NodeId;
  readonly key: string;
  readonly outcome: Outcome;
  readonly wallMs: number;
  readonly done: number;
  readonly total: number;
  /** Optional outputs that the slice left unwritten. */
  readonly absent?: readonly string[];
  readonly failure?: Failure;
}

/** What became of the slices of an `each` node. */
export interface SliceCounts {
  readonly total: number;
  readonly executed: number;
  readonly cached: number;
  /** Slices that left an optional output unwritten; absent when none did. */
  readonly leftOut?: number;
  /** Items of the leading collection without a slice, since they were left out on the way to another; absent when none. */
  readonly unmatched?: number;
}

export interface NodeFinished {
  readonly type: 'node-finished';
  readonly at: number;
  readonly node: NodeId;
  readonly outcome: Outcome;
  readonly wallMs: number;
  readonly device?: string;
  readonly engine?: EngineName;
  readonly fingerprint?: string;
  readonly outputs?: Readonly<Record<string, Artifact>>;
  readonly metrics?: Readonly<Record<string, number>>;
  /** The node ran and made the same bytes as before, so its consumers need not run for it. */
  readonly unchanged?: true;
  readonly slices?: SliceCounts;
  readonly failure?: Failure;
}

/** What came of making results of others again. */
export interface RecheckCounts {
  /** Results that were about to be taken; each slice is one. */
  readonly taken: number;
  /** What was made again has the same bytes, or is within the tolerance. */
  readonly agreed: number;
  /** It differs, and is the same whenever it is made here. */
  readonly differed: number;
  /** It differs each time, or theirs could not be had to be compared. */
  readonly undecided: number;
  /** It could not be made here. */
  readonly failed: number;
  /** It was chosen, but took its maker too long. */
  readonly tooLong: number;
}

/** Cache trouble and other things that do not stop a run. */
export interface Warning {
  readonly type: 'warning';
  readonly at: number;
  readonly failure: Failure;
}

export interface Interrupted {
  readonly type: 'interrupted';
  readonly at: number;
  /** 1: running nodes are told to stop; 2: they are killed. */
  readonly times: number;
}

export interface RunFinished {
  readonly type: 'run-finished';
  readonly at: number;
  readonly wallMs: number;
  readonly outcome: 'done' | 'failed' | 'interrupted';
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Absent where none was to be made again. */
  readonly recheck?: RecheckCounts;
}

export type Emit = (event: Event) => void;
