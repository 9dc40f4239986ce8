import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {geometricMean} from '../../../../../stages/lib/learning/geometric-mean.ts';

const row = fc.array(fc.double({min: 0, max: 1, noNaN: true}), {minLength: 3, maxLength: 3});

describe('geometricMean', () => {
  test('of two rows by hand', () => {
    const mean = geometricMean([Float32Array.of(0.8, 0.2), Float32Array.of(0.2, 0.8)], 2);
    expect([...mean]).toEqual([0.5, 0.5]);
    const [a = 0, b = 0] = geometricMean([Float32Array.of(0.9, 0.1), Float32Array.of(0.4, 0.6)], 2);
    const [x, y] = [Math.sqrt(0.9 * 0.4), Math.sqrt(0.1 * 0.6)];
    expect(a).toBeCloseTo(x / (x + y), 6);
    expect(b).toBeCloseTo(y / (x + y), 6);
  });

  test('rows sum to 1 and the order of the models does not matter much', () => {
    fc.assert(
      fc.property(fc.array(row, {minLength: 1, maxLength: 5}), (rows) => {
        const arrays = rows.map((values) => Float32Array.from(values));
        const mean = geometricMean(arrays, 3);
        expect(mean.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
        const back = geometricMean([...arrays].reverse(), 3);
        for (const [i, value] of mean.entries()) expect(back[i]).toBeCloseTo(value, 6);
      }),
    );
  });

  test('the mean of one model keeps its ranking, and of copies its values', () => {
    const one = Float32Array.of(0.5, 0.3, 0.2);
    const mean = geometricMean([one, one, one], 3);
    for (const [i, value] of one.entries()) expect(mean[i]).toBeCloseTo(value, 6);
  });

  test('one zero does not make the mean zero', () => {
    const mean = geometricMean([Float32Array.of(0, 1), Float32Array.of(1, 0)], 2);
    expect([...mean]).toEqual([0.5, 0.5]);
  });

  test('the floor is what smaller values count as', () => {
    const mean = geometricMean([Float32Array.of(0, 1), Float32Array.of(1, 0.25)], 2, {floor: 0.0625});
    expect([...mean]).toEqual([0.25 / 0.75, 0.5 / 0.75].map(Math.fround));
  });

  test('rows of several true classes stay as they are', () => {
    const mean = geometricMean([Float32Array.of(0.25, 1), Float32Array.of(1, 1)], 2, {renormalise: false});
    expect([...mean]).toEqual([0.5, 1]);
  });

  test('refuses arrays of different lengths', () => {
    expect(() => geometricMean([new Float32Array(2), new Float32Array(4)], 2)).toThrow(RangeError);
    expect(() => geometricMean([], 2)).toThrow(RangeError);
  });
});
