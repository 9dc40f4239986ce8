import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {holm} from '../../../../../stages/lib/statistics/holm.ts';
import {pairedTTest} from '../../../../../stages/lib/statistics/paired-t-test.ts';
import {wilcoxonTest} from '../../../../../stages/lib/statistics/wilcoxon.ts';

interface Case {
  readonly name: string;
  readonly values: readonly number[];
  readonly t: number;
  readonly oneSided: number;
  readonly twoSided: number;
  readonly wilcoxon: {
    readonly exact: boolean;
    readonly statistic: number;
    readonly oneSided: number;
    readonly twoSided: number;
  };
}

const {cases} = JSON.parse(
  readFileSync(new URL('../../../../golden/statistics/paired.json', import.meta.url), 'utf8'),
) as {readonly cases: readonly Case[]};

/** Closer than 1e-9 in the value and, for the small ones, in its ratio to the expected one. */
function expectEqual(actual: number | undefined, expected: number): void {
  expect(actual).toBeDefined();
  expect(Math.abs((actual ?? Number.NaN) / expected - 1)).toBeLessThan(1e-9);
}

describe('paired t-test', () => {
  test.each(cases)('equals SciPy: $name', ({values, t, oneSided, twoSided}) => {
    const result = pairedTTest(Float64Array.from(values));
    expectEqual(result?.t, t);
    expectEqual(result?.oneSided, oneSided);
    expectEqual(result?.twoSided, twoSided);
    expect(result?.freedom).toBe(values.length - 1);
  });

  test('is not defined without a spread', () => {
    for (const values of [[], [0.3], [0, 0, 0], [0.5, 0.5], [0.4 - 0.3, 0.9 - 0.8, 0.1, 0.7 - 0.6]]) {
      expect(pairedTTest(Float64Array.from(values))).toBeUndefined();
    }
    expect(pairedTTest(Float64Array.of(0, 0, 1e-9))?.twoSided).toBeCloseTo(0.42264973, 8);
  });

  test('the other way round only the sign of t differs', () => {
    const values = fc.array(fc.integer({min: -1000, max: 1000}), {minLength: 2, maxLength: 60});
    fc.assert(
      fc.property(values, (list) => {
        const there = pairedTTest(Float64Array.from(list, (value) => value / 1000));
        const back = pairedTTest(Float64Array.from(list, (value) => -value / 1000));
        expect(back).toEqual(there && {...there, t: 0 - there.t});
        if (there) expect(there.oneSided).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});

describe('Wilcoxon signed rank', () => {
  test.each(cases)('equals SciPy: $name', ({values, wilcoxon}) => {
    const result = wilcoxonTest(Float64Array.from(values));
    expect(result?.isExact).toBe(wilcoxon.exact);
    expect(result?.statistic).toBe(wilcoxon.statistic);
    expectEqual(result?.oneSided, wilcoxon.oneSided);
    expectEqual(result?.twoSided, wilcoxon.twoSided);
  });

  test('is exact with ties: all assignments of signs counted', () => {
    const values = fc.array(fc.integer({min: -4, max: 4}), {minLength: 1, maxLength: 9});
    fc.assert(
      fc.property(values, (list) => {
        const result = wilcoxonTest(Float64Array.from(list));
        const sizes = list.filter((value) => value !== 0).map(Math.abs);
        if (sizes.length === 0) {
          expect(result).toBeUndefined();
          return;
        }
        const rank = (size: number): number =>
          sizes.filter((other) => other < size).length + (sizes.filter((other) => other === size).length + 1) / 2;
        const sumOf = (isPositive: (i: number) => boolean): number =>
          sizes.reduce((sum, size, i) => sum + (isPositive(i) ? rank(size) : 0), 0);
        const signs = list.filter((value) => value !== 0).map((value) => value > 0);
        const smaller = Math.min(
          sumOf((i) => signs[i] === true),
          sumOf((i) => signs[i] === false),
        );
        const all = 2 ** sizes.length;
        let reached = 0;
        for (let word = 0; word < all; word++) if (sumOf((i) => ((word >> i) & 1) === 1) <= smaller) reached++;
        expect(result?.statistic).toBe(smaller);
        expect(result?.oneSided).toBeCloseTo(reached / all, 12);
        expect(result?.twoSided).toBeCloseTo(Math.min(1, (2 * reached) / all), 12);
      }),
    );
  });
});

describe('Holm', () => {
  test('by hand', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => p?.toFixed(10))).toEqual(
      [0.03, 0.06, 0.06, 0.02].map((p) => p.toFixed(10)),
    );
    expect(holm([0.5, 0.6, undefined])).toEqual([1, 1, undefined]);
    expect(holm([])).toEqual([]);
    expect(holm([0.02])).toEqual([0.02]);
  });

  test('lies between the bare value and that of Bonferroni, in the same order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({min: 0, max: 1, noNaN: true}), {maxLength: 25}), (list) => {
        const corrected = holm(list) as number[];
        for (const [i, p] of list.entries()) {
          expect(corrected[i]).toBeGreaterThanOrEqual(p);
          expect(corrected[i]).toBeLessThanOrEqual(Math.min(1, p * list.length) + 1e-15);
          for (const [j, q] of list.entries()) if (p <= q) expect(corrected[i]).toBeLessThanOrEqual(corrected[j] ?? 0);
        }
      }),
    );
  });
});
