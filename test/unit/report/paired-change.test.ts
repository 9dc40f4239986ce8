import {readFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {bootstrapInterval} from '../../../src/report/bootstrap.ts';
import {normalCdf, normalQuantile} from '../../../src/report/normal.ts';
import {pairedChange} from '../../../src/report/paired-change.ts';
import {signFlipP} from '../../../src/report/sign-flip.ts';

/** Counts the signs one by one. */
function countedP(differences: readonly number[]): number {
  const total = Math.abs(differences.reduce((sum, each) => sum + each, 0));
  let reached = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs++) {
    const sum = differences.reduce((all, each, index) => all + ((signs >> index) & 1 ? each : -each), 0);
    if (Math.abs(sum) >= total) reached++;
  }
  return reached / 2 ** differences.length;
}

describe('sign flips', () => {
  test.each([
    [[], 1],
    [[0, 0], 1],
    [[3], 1],
    [[1, 2], 2 / 4],
    // Only the sums 6, 4 and their mirror images are as far out as 4 = -1 + 2 + 3.
    [[-1, 2, 3], 4 / 8],
    // One or none of the four signs differs: 1 + 4 ways, and as many on the other side.
    [[1, 1, 1, -1], 10 / 16],
    [[0, 0, 1, 2], 2 / 4],
    [[1, 2, 3, 4, 5], 2 / 32],
    [[-1, -2, -3, -4, -5, -6], 2 / 64],
    [[5, -5], 1],
  ])('%j has p = %f', (differences, p) => expect(signFlipP(differences)).toBe(p));

  test('is what counting gives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({min: -20, max: 20}), {maxLength: 11}), (differences) => {
        expect(signFlipP(differences)).toBe(countedP(differences));
      }),
    );
  });

  test('equal sums in another order stay equal although they are rounded', () => {
    expect(signFlipP([0.1, 0.2, 0.3, -0.1, -0.2, -0.3, 0.1])).toBe(countedP([1, 2, 3, -1, -2, -3, 1]));
  });

  test('many differences: exact up to 32, near it beyond', () => {
    expect(signFlipP(new Array<number>(32).fill(1))).toBe(2 / 2 ** 32);
    // Binomial: P(|S| >= 8) for 32 signs, 12 of them or fewer on one side.
    const signs = (n: number, down: number): number[] => Array.from({length: n}, (_, at) => (at < down ? -1 : 1));
    expect(signFlipP(signs(32, 12))).toBeCloseTo(0.21532714972272515, 12);
    // z = 2 and z = 0.
    expect(signFlipP(signs(100, 40))).toBeCloseTo(0.045_500_264, 7);
    expect(signFlipP(signs(100, 50))).toBe(1);
  });
});

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly values: readonly number[];
    readonly low: number;
    readonly high: number;
    readonly p: number;
  }[];
}

const {cases} = JSON.parse(
  readFileSync(new URL('../../golden/statistics/paired-means.json', import.meta.url), 'utf8'),
) as Golden;

describe.each(cases)('as SciPy has it: $name', ({values, low, high, p}) => {
  const error = (pairedChange(values.map((value) => [0, value])).sd ?? 0) / Math.sqrt(values.length);

  test('the p-value of the test', () => expect(signFlipP(values)).toBeCloseTo(p, 12));

  test.each([
    [10_000, 0.12],
    [400_000, 0.025],
  ])('the interval, of %d resamples within %f standard errors', (resamples, tolerance) => {
    const interval = bootstrapInterval(values, resamples);
    expect(Math.abs(interval.low - low)).toBeLessThanOrEqual(tolerance * error);
    expect(Math.abs(interval.high - high)).toBeLessThanOrEqual(tolerance * error);
  });
});

describe('the interval', () => {
  test('is the same whenever it is asked for, in whatever order', () => {
    const values = [0.3, -0.1, 0.2, 0.25, 0.1, 0.05];
    expect(bootstrapInterval(values)).toEqual(bootstrapInterval([...values].reverse()));
  });

  test('is a point when nothing varies', () => {
    expect(bootstrapInterval(new Array<number>(7).fill(0.1))).toEqual({
      low: expect.closeTo(0.1, 15),
      high: expect.closeTo(0.1, 15),
    });
    expect(bootstrapInterval([0, 0])).toEqual({low: 0, high: 0});
    expect(bootstrapInterval([4])).toEqual({low: 4, high: 4});
  });

  test('moves and grows with the values, and holds their mean', () => {
    const value = fc.integer({min: -1000, max: 1000});
    fc.assert(
      fc.property(
        fc.array(value, {minLength: 6, maxLength: 20}),
        value,
        fc.constantFrom(0.5, 1024),
        (values, by, times) => {
          const {low, high} = bootstrapInterval(values, 2000);
          const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
          expect(low).toBeLessThanOrEqual(mean + 1e-9);
          expect(high).toBeGreaterThanOrEqual(mean - 1e-9);
          const moved = bootstrapInterval(
            values.map((each) => each + by),
            2000,
          );
          expect(moved.low).toBeCloseTo(low + by, 6);
          expect(moved.high).toBeCloseTo(high + by, 6);
          const scaled = bootstrapInterval(
            values.map((each) => each * times),
            2000,
          );
          expect(scaled.low / times).toBeCloseTo(low, 6);
          expect(scaled.high / times).toBeCloseTo(high, 6);
        },
      ),
      {numRuns: 40},
    );
  });

  test('takes its normal distribution from SciPy, or nearly', () => {
    // scipy.stats.norm.ppf, SciPy 1.10.1.
    for (const [p, z] of [
      [0.025, -1.9599639845400545],
      [0.05, -1.6448536269514729],
      [0.3, -0.5244005127080409],
      [0.5, 0],
      [0.93, 1.4757910281791706],
      [0.999, 3.090232306167813],
      [1e-12, -7.034483825301132],
    ] as const) {
      expect(normalQuantile(p)).toBeCloseTo(z, 6);
      expect(normalCdf(z)).toBeCloseTo(p, 7);
    }
    expect([normalQuantile(0), normalQuantile(1), normalCdf(-Infinity), normalCdf(Infinity)]).toEqual([
      -Infinity,
      Infinity,
      0,
      1,
    ]);
  });
});

describe('the word', () => {
  const pairsOf = (...differences: number[]): (readonly [number, number])[] => differences.map((each) => [1, 1 + each]);

  test.each([
    ['too few', pairsOf(0.5)],
    ['too few', pairsOf(0.5, 0.5, 0.5, 0.5, 0.5)],
    ['real', pairsOf(0.5, 0.5, 0.5, 0.5, 0.5, 0.5)],
    ['real', pairsOf(-1, -2, -3, -4, -5, -6)],
    ['within noise', pairsOf(0.5, 0.5, 0.5, 0.5, 0.5, -0.5)],
    // Folds that stay the same say nothing either way.
    ['within noise', pairsOf(0.5, 0.5, 0.5, 0.5, 0.5, 0)],
  ] as const)('is %s for %j', (verdict, pairs) => expect(pairedChange(pairs).verdict).toBe(verdict));

  test('with what it is drawn from', () => {
    const change = pairedChange([
      [1, 2],
      [2, 5],
      [3, 3],
      [4, 4],
    ]);
    expect(change).toMatchObject({pairs: 4, up: 2, down: 0, before: 2.5, after: 3.5, delta: 1, p: 0.5});
    expect(change.sd).toBeCloseTo(Math.SQRT2, 12);
    expect(change.interval).toBeUndefined();
    const [first, ...rest] = pairsOf(1, 2, 3, 4, 5, 6);
    expect(pairedChange(rest).interval).toBeUndefined();
    expect(pairedChange([first!, ...rest]).interval).toEqual(bootstrapInterval([1, 2, 3, 4, 5, 6]));
    expect(pairedChange([[1, 0]])).toEqual({
      pairs: 1,
      up: 0,
      down: 1,
      before: 1,
      after: 0,
      delta: -1,
      p: 1,
      verdict: 'too few',
    });
  });
});
