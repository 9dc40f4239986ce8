import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {columnMeans, covariance, symmetricEigen} from '../../../../../stages/lib/learning/linalg.ts';

interface Golden {
  readonly data: readonly (readonly number[])[];
  readonly means: readonly number[];
  readonly covariance: readonly (readonly number[])[];
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/learning/pca.json', import.meta.url), 'utf8'),
) as Golden;

/** NaN when the lengths differ. */
function largestDifference(actual: ArrayLike<number>, expected: readonly number[]): number {
  if (actual.length !== expected.length) return Number.NaN;
  return expected.reduce((largest, value, i) => Math.max(largest, Math.abs((actual[i] as number) - value)), 0);
}

describe('symmetricEigen', () => {
  test('equals NumPy, signs included', () => {
    const x = Float64Array.from(golden.data.flat());
    const means = columnMeans([x.subarray(0, 35), x.subarray(35)], 5);
    expect(largestDifference(means, golden.means)).toBeLessThan(1e-13);
    const matrix = covariance([x.subarray(0, 35), x.subarray(35)], 5, means);
    expect(largestDifference(matrix, golden.covariance.flat())).toBeLessThan(1e-12);
    const {values, vectors} = symmetricEigen(matrix, 5);
    expect(largestDifference(values, golden.values)).toBeLessThan(1e-12);
    expect(largestDifference(vectors, golden.vectors.flat())).toBeLessThan(1e-11);
  });

  test('a diagonal matrix gives its sorted diagonal and unit vectors', () => {
    const {values, vectors} = symmetricEigen(Float64Array.of(1, 0, 0, 0, 3, 0, 0, 0, 2), 3);
    expect([...values]).toEqual([3, 2, 1]);
    expect([...vectors]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
  });

  test('a matrix of zeros gives zeros', () => {
    expect([...symmetricEigen(new Float64Array(4), 2).values]).toEqual([0, 0]);
  });

  test('the vectors are orthonormal and rebuild the matrix', () => {
    // Products of much smaller numbers are zero.
    const entry = fc.double({min: -100, max: 100, noNaN: true}).map((value) => (Math.abs(value) < 1e-100 ? 0 : value));
    const entries = fc.array(entry, {minLength: 36, maxLength: 36});
    fc.assert(
      fc.property(entries, (list) => {
        const n = 6;
        const matrix = new Float64Array(n * n);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) matrix[i * n + j] = list[Math.min(i, j) * n + Math.max(i, j)] ?? 0;
        }
        const {values, vectors} = symmetricEigen(matrix, n);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let rebuilt = 0;
            let dot = 0;
            for (let k = 0; k < n; k++) {
              rebuilt += (values[k] ?? 0) * (vectors[k * n + i] ?? 0) * (vectors[k * n + j] ?? 0);
              dot += (vectors[i * n + k] ?? 0) * (vectors[j * n + k] ?? 0);
            }
            expect(Math.abs(rebuilt - (matrix[i * n + j] ?? 0))).toBeLessThan(1e-10);
            expect(Math.abs(dot - (i === j ? 1 : 0))).toBeLessThan(1e-12);
          }
        }
      }),
      {numRuns: 50},
    );
  });
});

test('the covariance of one row is zero', () => {
  expect([...covariance([Float64Array.of(1, 2)], 2, Float64Array.of(1, 2))]).toEqual([0, 0, 0, 0]);
});
