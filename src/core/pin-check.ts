import type {NodeId} from './pipeline.ts';
import type {StaleReason} from './reason.ts';

/**
 * `fresh`: made from what it would be made from now, and what is here of it agrees. `stale`: it would be made from something
 * else. `drifted`: made from the same, and it came out differently. `unpinned`: to be pinned, and not. `orphaned`: pinned, and
 * no longer a node of what is to be pinned.
 */
export type Verdict = 'fresh' | 'stale' | 'drifted' | 'unpinned' | 'orphaned';

/** How a node stands to its pin. */
export interface NodeCheck {
  readonly node: NodeId;
  readonly verdict: Verdict;
  /** How its recipe differs from the pinned one; of a stale node. */
  readonly reasons: readonly StaleReason[];
  /** How its values here differ from the pinned ones. */
  readonly drifts: readonly Drift[];
  /** Producers that it only follows in this: it has no cause of its own. */
  readonly follows: readonly NodeId[];
  /**
   * The tensor engine of the pin, when another one computed what differs here, or what this was made from: that is no drift,
   * and its values say nothing about the pinned ones.
   */
  readonly otherEngine?: string;
}

/** One value that differs from the pinned one by more than is allowed. */
export type Drift = OutputDrift | MetricDrift;

export type OutputDrift = {readonly of: 'output'; readonly name: string} & (
  {readonly kind: 'bytes'; /** Bytes. */ readonly before: number; readonly after: number} | Difference
);

export interface MetricDrift {
  readonly of: 'metric';
  readonly name: string;
  /** Absent when it was not reported. */
  readonly before?: number;
  readonly after?: number;
  readonly allowed: number;
}

/** How numbers differ from the pinned ones by more than is allowed. */
export type Difference =
  /** What is no number differs: structure, names, shapes, texts. */
  | {readonly kind: 'form'}
  /** The number that is furthest beyond its tolerance. */
  | {
      readonly kind: 'number';
      /** Position among the numbers, from 0. */
      readonly index: number;
      readonly count: number;
      readonly before: number;
      readonly after: number;
      readonly allowed: number;
    }
  /** Of many numbers: estimate of the root mean square of the differences. */
  | {readonly kind: 'many'; readonly count: number; readonly difference: number; readonly allowed: number};
