import type {Scalar} from './json.ts';

/**
 * What a stage does with the fold that a param of it names. `learns`: it learns from training clips, or chooses some, but
 * those of the fold. `applies`: it learns nothing itself, but what it reads must not have learned from the fold.
 */
export type HeldOutUse = 'learns' | 'applies';

/** On which side of a cross-validation a node is. */
export interface HeldOut {
  /** The fold that nothing the node reads may have learned from; empty when no fold is held out. */
  readonly fold: string;
  readonly use: HeldOutUse;
}

/**
 * Reads the value that names the fold: 0, an empty text and null hold nothing out. Undefined for a negative number: folds
 * do not concern the node.
 */
export function heldOutOf(value: Exclude<Scalar, boolean> | null, use: HeldOutUse): HeldOut | undefined {
  if (typeof value === 'number' && value < 0) return undefined;
  return {fold: value === 0 || value === null ? '' : String(value), use};
}
