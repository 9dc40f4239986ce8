import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {weightedMean} from '../../../../../stages/lib/learning/ensemble-mean.ts';

const arrays = fc
  .array(fc.array(fc.float({min: 0, max: 1, noNaN: true}), {minLength: 4, maxLength: 4}), {minLength: 1, maxLength: 6})
  .map((rows) => rows.map((values) => Float32Array.from(values)));

describe('weightedMean', () => {
  test('by hand', () => {
    const mean = weightedMean([Float32Array.of(0.5, 0.25), Float32Array.of(0.25, 0.5)], [3, 1]);
    expect([...mean]).toEqual([0.4375, 0.3125]);
  });

  test('lies between the arrays, and the scale of the weights and the order of the arrays do not matter', () => {
    fc.assert(
      fc.property(arrays, fc.array(fc.integer({min: 0, max: 9}), {minLength: 6, maxLength: 6}), (all, drawn) => {
        const weights = all.map((_, i) => (drawn[i] as number) + (i === 0 ? 1 : 0));
        const mean = weightedMean(all, weights);
        const scaled = weightedMean(
          all,
          weights.map((weight) => weight * 4),
        );
        const back = weightedMean([...all].reverse(), [...weights].reverse());
        for (const [i, value] of mean.entries()) {
          const own = all.map((array) => array[i] as number);
          expect(value).toBeGreaterThanOrEqual(Math.min(...own) - 1e-7);
          expect(value).toBeLessThanOrEqual(Math.max(...own) + 1e-7);
          expect(scaled[i]).toBe(value);
          expect(back[i]).toBeCloseTo(value, 6);
        }
      }),
    );
  });

  test.each([
    ['no arrays', [], []],
    ['arrays of different lengths', [new Float32Array(2), new Float32Array(4)], [1, 1]],
    ['a weight too few', [new Float32Array(2), new Float32Array(2)], [1]],
    ['a negative weight', [new Float32Array(2), new Float32Array(2)], [2, -1]],
    ['weights of sum 0', [new Float32Array(2)], [0]],
    ['a weight that is no number', [new Float32Array(2)], [Number.NaN]],
  ])('refuses %s', (_what, all, weights) => {
    expect(() => weightedMean(all, weights)).toThrow(RangeError);
  });
});
