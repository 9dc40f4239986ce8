import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {incompleteBeta, logBeta} from '../../../../../stages/lib/statistics/incomplete-beta.ts';
import {normalTail, studentTail} from '../../../../../stages/lib/statistics/tails.ts';

interface Golden {
  readonly student: readonly (readonly [t: number, freedom: number, tail: number])[];
  readonly normal: readonly (readonly [z: number, tail: number])[];
  readonly beta: readonly (readonly [a: number, b: number, x: number, value: number])[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/statistics/tails.json', import.meta.url), 'utf8'),
) as Golden;

/** The largest relative error, where values are normal numbers. */
function largestError(pairs: readonly (readonly [actual: number, expected: number])[]): number {
  return Math.max(
    ...pairs.map(([actual, expected]) => Math.abs(actual - expected) / Math.max(Math.abs(expected), 1e-290)),
  );
}

describe('tails of distributions equal SciPy', () => {
  test('Student', () => {
    expect(golden.student.length).toBeGreaterThan(100);
    expect(largestError(golden.student.map(([t, df, tail]) => [studentTail(t, df), tail]))).toBeLessThan(1e-12);
  });

  test('normal', () => {
    expect(largestError(golden.normal.map(([z, tail]) => [normalTail(z), tail]))).toBeLessThan(1e-12);
  });

  test('incomplete beta', () => {
    expect(largestError(golden.beta.map(([a, b, x, value]) => [incompleteBeta(a, b, x, 1 - x), value]))).toBeLessThan(
      1e-11,
    );
  });
});

describe('known values', () => {
  test('one degree of freedom is the Cauchy distribution, two have a closed form', () => {
    for (const t of [0.1, 1, 3, 1e3, 1e8]) {
      expect(studentTail(t, 1) / (Math.atan2(1, t) / Math.PI)).toBeCloseTo(1, 12);
    }
    // 1 - t / sqrt(2 + t^2), over 2, without its cancellation.
    for (const t of [0.5, 4, 1e6]) {
      const root = Math.sqrt(2 + t * t);
      expect(studentTail(t, 2) / (1 / (root * (root + t)))).toBeCloseTo(1, 12);
    }
  });

  test('ends, signs and what is outside', () => {
    expect([studentTail(0, 7), studentTail(Infinity, 7), studentTail(-Infinity, 7), studentTail(1e200, 3)]).toEqual([
      0.5, 0, 1, 0,
    ]);
    expect([studentTail(Number.NaN, 7), studentTail(1, 0), normalTail(Number.NaN)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    expect([normalTail(0), normalTail(Infinity), normalTail(-Infinity)]).toEqual([0.5, 0, 1]);
    expect([incompleteBeta(2, 3, 0, 1), incompleteBeta(2, 3, 1, 0), incompleteBeta(0, 3, 0.5, 0.5)]).toEqual([
      0,
      1,
      Number.NaN,
    ]);
    expect(logBeta(1, 1)).toBeCloseTo(0, 14);
    expect(logBeta(3, 4)).toBeCloseTo(-Math.log(60), 13);
    expect(logBeta(0.5, 0.5)).toBeCloseTo(Math.log(Math.PI), 13);
  });

  test('the two ends of the beta distribution make 1, and it rises', () => {
    const positive = fc.double({min: 0.05, max: 2000, noNaN: true});
    const part = fc.double({min: 1e-6, max: 1 - 1e-6, noNaN: true});
    fc.assert(
      fc.property(positive, positive, part, (a, b, x) => {
        const lower = incompleteBeta(a, b, x, 1 - x);
        expect(lower + incompleteBeta(b, a, 1 - x, x)).toBeCloseTo(1, 10);
        const further = x + (1 - x) / 10;
        expect(incompleteBeta(a, b, further, 1 - further)).toBeGreaterThanOrEqual(lower - 1e-12);
      }),
    );
  });
});
