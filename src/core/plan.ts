import type {Action} from './action.ts';
import type {Failure} from './failure.ts';
import type {Sha256} from './digest.ts';
import type {NodeId, PipelineNode} from './pipeline.ts';
import type {StaleReason} from './reason.ts';
import type {EngineName} from './tensor-engine.ts';
import type {Artifact} from './tree.ts';

/**
 * `up-to-date`: same as this node's last result. `cached`: a result is found from another time, branch or machine.
 * `will-run`: certainly stale. `may-run`: only a producer is stale, and its new output may turn out to be the old one.
 */
export type PlanStatus = 'up-to-date' | 'cached' | 'will-run' | 'may-run';

export interface PlannedNode {
  readonly node: PipelineNode;
  readonly status: PlanStatus;
  /** Known when all inputs are known. */
  readonly fingerprint?: Sha256;
  readonly action?: Action;
  /** Known when up to date or cached. */
  readonly outputs?: Readonly<Record<string, Artifact>>;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly reasons: readonly StaleReason[];
  /** Class of the tensor engine that it computes with, if it does. */
  readonly engine?: EngineName;
  /** Why it cannot run here although it must: its engine cannot be had. */
  readonly obstacle?: Failure;
  /** For an `each` node whose collection is known. */
  readonly slices?: {readonly total: number; readonly stale: number};
  /** How many of its jobs were stopped in an earlier run and go on from a checkpoint; absent when none does. */
  readonly checkpoints?: number;
  /** Expected wall time in milliseconds, from recorded durations; absent when nothing is recorded. */
  readonly expectedMs?: number;
  /** Length of the longest time-weighted path from here to a target; larger runs first. */
  readonly priority: number;
}

export interface Plan {
  /** In topological order; only the nodes that the selection needs. */
  readonly nodes: readonly PlannedNode[];
  readonly targets: readonly NodeId[];
}

export type Outcome = 'up-to-date' | 'cached' | 'executed' | 'failed' | 'blocked' | 'cancelled';
