import {membersOf} from '../learning/class-members.ts';
import {balancedSampler, shuffledSampler, type Sampler, type SamplerStart} from '../learning/sampler.ts';

/** `balanced`: every class equally often; `unbalanced`: every clip equally often. */
export type Strategy = 'balanced' | 'unbalanced';

/** The batches of clips of a whole training, in order. */
export interface ClipBatches {
  /**
   * Batches of an epoch: as many as it takes to draw as many clips as there are, so that a clip comes once an epoch on
   * average, and under `unbalanced` once in each run of as many draws.
   */
  readonly perEpoch: number;
  /** Draws one batch after the other, as if `done` had been drawn; each is a list of indices of the training clips. */
  from(done: number): () => readonly number[];
}

/**
 * Each batch is `clipsPerBatch` clips (0: as many as there are classes). Which ones follows from the seed and the number of
 * the batch: nothing else has to be kept to go on. A balanced batch of one clip per class has one of each class that has
 * training clips; see lib/learning/sampler.ts.
 *
 * @param classOf - class of each training clip
 */
export function clipBatches(
  classOf: readonly number[],
  classes: number,
  {strategy, clipsPerBatch, seed}: {readonly strategy: Strategy; readonly clipsPerBatch: number; readonly seed: number},
): ClipBatches {
  const clips = Int32Array.from(classOf.keys());
  const members = membersOf(clips, Int32Array.from(classOf), classes);
  const present = new Set(classOf).size;
  const size = clipsPerBatch || (strategy === 'balanced' ? present : classes);
  const start = (state: SamplerStart): Sampler =>
    strategy === 'balanced' ? balancedSampler(members, state) : shuffledSampler(clips, state);
  return {
    perEpoch: Math.ceil(clips.length / size),
    from(done) {
      const sampler = start({...start({seed}).state(), drawn: done * size});
      return () => {
        const batch = new Int32Array(size);
        sampler.next(batch);
        return [...batch];
      };
    },
  };
}
