import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
  areaUnderRoc,
  averagePrecision,
  averagePrecisionAt3,
  chanceAveragePrecisionAt3,
  dPrime,
  meanAveragePrecisionAt3,
} from '../../../../../stages/lib/learning/metrics.ts';
import {normalQuantile} from '../../../../../stages/lib/learning/normal.ts';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly scores: readonly number[];
    readonly truth: readonly number[];
    readonly ap: number;
    readonly auc: number;
  }[];
  readonly quantiles: readonly {readonly p: number; readonly x: number}[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/learning/metrics.json', import.meta.url), 'utf8'),
) as Golden;

describe('average precision and area under the ROC curve', () => {
  test.each(golden.cases)('equal scikit-learn: $name', ({scores, truth, ap, auc}) => {
    const positive = truth.map((value) => value === 1);
    expect(averagePrecision(scores, positive)).toBeCloseTo(ap, 12);
    expect(areaUnderRoc(scores, positive)).toBeCloseTo(auc, 12);
  });

  test('hits at ranks 1, 3, 4 and 6 give the worked example of the thesis', () => {
    const hits = [true, false, true, true, false, true];
    expect(averagePrecision([6, 5, 4, 3, 2, 1], hits)).toBeCloseTo((1 + 2 / 3 + 3 / 4 + 4 / 6) / 4, 12);
    expect(averagePrecision([6, 5, 4, 3, 2, 1], hits)).toBeCloseTo(0.770833, 6);
  });

  test('a tie between a positive and a negative counts one half', () => {
    expect(areaUnderRoc([0.5, 0.5, 0.1], [true, false, false])).toBe(0.75);
  });

  test('are undefined without the cases that they need', () => {
    expect(averagePrecision([1, 2], [false, false])).toBeUndefined();
    expect(areaUnderRoc([1, 2], [false, false])).toBeUndefined();
    expect(areaUnderRoc([1, 2], [true, true])).toBeUndefined();
    expect(averagePrecision([], [])).toBeUndefined();
  });

  test('do not depend on the order of the items, ties included', () => {
    const items = fc.array(fc.record({score: fc.integer({min: 0, max: 5}), positive: fc.boolean()}), {minLength: 1});
    fc.assert(
      fc.property(items, (list) => {
        const back = [...list].reverse();
        const scores = (of: typeof list): number[] => of.map(({score}) => score);
        const positives = (of: typeof list): boolean[] => of.map(({positive}) => positive);
        expect(averagePrecision(scores(back), positives(back))).toBe(averagePrecision(scores(list), positives(list)));
        expect(areaUnderRoc(scores(back), positives(back))).toBe(areaUnderRoc(scores(list), positives(list)));
      }),
    );
  });
});

describe('normalQuantile and dPrime', () => {
  test.each(golden.quantiles)('the quantile of $p equals SciPy', ({p, x}) => {
    expect(Math.abs(normalQuantile(p) - x)).toBeLessThan(4e-15 * Math.max(1, Math.abs(x)));
  });

  test('the ends are infinite and the outside is not a number', () => {
    expect([normalQuantile(0), normalQuantile(1), normalQuantile(1.1), normalQuantile(Number.NaN)]).toEqual([
      -Infinity,
      Infinity,
      Number.NaN,
      Number.NaN,
    ]);
  });

  test("d' of the published areas", () => {
    expect(dPrime(0.93426)).toBeCloseTo(2.133, 3);
    expect(dPrime(0.96262)).toBeCloseTo(2.52, 3);
    expect(dPrime(0.5)).toBe(0);
  });
});

describe('average precision at 3', () => {
  test.each([
    [0, 1],
    [1, 1 / 2],
    [2, 1 / 3],
    [3, 0],
  ])('a true class with %i better ones scores %d', (better, expected) => {
    const scores = [0.9, 0.8, 0.7, 0.6];
    expect(averagePrecisionAt3(scores, better)).toBe(expected);
  });

  test('among equal scores the lower class comes first', () => {
    expect([0, 1, 2, 3].map((own) => averagePrecisionAt3([0.25, 0.25, 0.25, 0.25], own))).toEqual([1, 1 / 2, 1 / 3, 0]);
  });

  test('the mean goes over rows', () => {
    const scores = Float32Array.of(0.7, 0.2, 0.1, 0.7, 0.2, 0.1);
    expect(meanAveragePrecisionAt3(scores, 3, [0, 2])).toBeCloseTo((1 + 1 / 3) / 2, 12);
    expect(meanAveragePrecisionAt3(new Float32Array(0), 3, [])).toBeUndefined();
  });

  test('chance is the mean over all ranks', () => {
    expect(chanceAveragePrecisionAt3(12)).toBeCloseTo(11 / 6 / 12, 12);
    expect(chanceAveragePrecisionAt3(2)).toBe(0.75);
  });
});
