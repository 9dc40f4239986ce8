import {describe, expect, test} from 'vitest';
import {clipBatches, type ClipBatches, type Strategy} from '../../../../../stages/lib/experiment/fine-tune-batches.ts';

/** Seven clips of class 0, two of class 1, one of class 3; none of class 2. */
const classOf = [0, 0, 0, 1, 0, 0, 1, 3, 0, 0];

function batchesOf(strategy: Strategy, clipsPerBatch = 0, seed = 5): ClipBatches {
  return clipBatches(classOf, 4, {strategy, clipsPerBatch, seed});
}

function drawn(batches: ClipBatches, count: number, done = 0): readonly (readonly number[])[] {
  const draw = batches.from(done);
  return Array.from({length: count}, draw);
}

describe('balanced batches', () => {
  test('have one clip of each class that has clips', () => {
    const batches = batchesOf('balanced');
    for (const batch of drawn(batches, 20)) {
      expect(new Set(batch.map((clip) => classOf[clip]))).toEqual(new Set([0, 1, 3]));
      expect(batch).toHaveLength(3);
    }
    expect(batches.perEpoch).toBe(4);
  });

  test('come back to a clip only after all others of its class', () => {
    const clips = drawn(batchesOf('balanced'), 7)
      .flat()
      .filter((clip) => classOf[clip] === 0);
    expect(new Set(clips).size).toBe(7);
  });
});

describe('unbalanced batches', () => {
  test('have as many clips as there are classes, and an epoch has each clip once', () => {
    const batches = batchesOf('unbalanced', 5);
    expect(batches.perEpoch).toBe(2);
    expect(new Set(drawn(batches, 2).flat())).toEqual(new Set(classOf.keys()));
    expect(drawn(batchesOf('unbalanced'), 1)[0]).toHaveLength(4);
  });
});

describe.each(['balanced', 'unbalanced'] as const)('%s', (strategy) => {
  test('batches follow from the seed and their number alone', () => {
    const all = drawn(batchesOf(strategy, 3), 12);
    for (const done of [0, 1, 4, 11]) {
      expect(drawn(batchesOf(strategy, 3), 12 - done, done)).toEqual(all.slice(done));
    }
    expect(drawn(batchesOf(strategy, 3, 6), 12)).not.toEqual(all);
  });

  test('a batch larger than the training set is filled by drawing again', () => {
    const batches = batchesOf(strategy, 25);
    expect(batches.perEpoch).toBe(1);
    expect(drawn(batches, 1)[0]).toHaveLength(25);
  });
});
