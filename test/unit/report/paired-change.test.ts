import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
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
