import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {selectGreedily} from '../../../../../stages/lib/learning/ensemble-greedy.ts';
import {scoreOf} from '../../../../../stages/lib/learning/ensemble-score.ts';

// Two classes. A row goes to the first where the mean of what it has for it is at least 1/2.
const truth = [0, 1, 0];
const accuracy = (values: Float32Array | Float64Array): number => scoreOf('accuracy', values, truth, 2);
const candidate = (...firsts: readonly number[]): Float32Array =>
  Float32Array.from(firsts.flatMap((value) => [value, 1 - value]));

describe('selectGreedily', () => {
  test('adds what mends the faults of the best', () => {
    const best = candidate(0.75, 0.25, 0.375);
    const other = candidate(0.375, 0.375, 0.875);
    const poor = candidate(0, 1, 0);
    expect([best, other, poor].map(accuracy)).toEqual([2 / 3, 2 / 3, 0]);
    const {picks, score} = selectGreedily([poor, best, other], accuracy, {initial: 1, size: 10});
    expect(picks).toEqual([0, 1, 1]);
    expect(score).toBe(1);
  });

  test('picks one more than once where that scores best', () => {
    // Values (1, 0) and (1/2, 1/2), where a share of 2/3 is wanted: the second, the first, the second again.
    const share = ([a = 0, b = 0]: Float64Array): number => -Math.abs(a / (a + b) - 2 / 3);
    const all = [Float32Array.of(1, 0), Float32Array.of(0.5, 0.5)];
    expect(selectGreedily(all, share, {initial: 1, size: 2})).toEqual({picks: [1, 1], score: expect.closeTo(-1 / 12)});
    expect(selectGreedily(all, share, {initial: 1, size: 9})).toEqual({picks: [1, 2], score: expect.closeTo(0)});
  });

  test('of equals it takes the first, and no more than needed', () => {
    const one = candidate(1, 0, 0.25);
    expect(selectGreedily([one, one, one], accuracy, {initial: 1, size: 5}).picks).toEqual([1, 0, 0]);
  });

  test('starts with as many of the best as it is told', () => {
    const good = candidate(0.75, 0.25, 0.25);
    const same = candidate(0.625, 0.375, 0.25);
    const mends = candidate(0.25, 0.75, 1);
    const select = (initial: number) => selectGreedily([mends, good, same], accuracy, {initial, size: 3}).picks;
    expect(select(1)).toEqual([1, 2, 0]);
    expect(select(2)).toEqual([1, 1, 1]);
    expect(select(9)).toEqual([1, 1, 1]);
  });

  const library = fc.array(
    fc.array(fc.integer({min: 0, max: 16}), {minLength: 12, maxLength: 12}).map((row) => Float32Array.from(row)),
    {minLength: 1, maxLength: 5},
  );
  const map3 = (values: Float32Array | Float64Array): number => scoreOf('map3', values, [0, 1, 3], 4);

  test('is never worse than the best alone, nor than a smaller selection, and says its own score', () => {
    fc.assert(
      fc.property(library, fc.integer({min: 1, max: 4}), fc.integer({min: 1, max: 8}), (all, initial, size) => {
        const {picks, score} = selectGreedily(all, map3, {initial, size});
        expect(score).toBeGreaterThanOrEqual(Math.max(...all.map(map3)));
        expect(score).toBeGreaterThanOrEqual(selectGreedily(all, map3, {initial, size: Math.max(1, size - 1)}).score);
        const total = picks.reduce((sum, n) => sum + n, 0);
        expect(total).toBeGreaterThanOrEqual(1);
        expect(total).toBeLessThanOrEqual(size);
        const sums = Float64Array.from({length: 12}, (_, i) =>
          all.reduce((sum, values, k) => sum + (picks[k] as number) * (values[i] as number), 0),
        );
        expect(map3(sums)).toBe(score);
      }),
    );
  });

  test('the order of the candidates does not matter where no ties are to be broken', () => {
    // Sums that differ score differently, so a tie is between equal sums.
    const distinct = (sums: Float64Array): number =>
      sums.reduce((total, sum, i) => total + Math.sin(i + 1) * Math.sqrt(sum), 0);
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.array(fc.integer({min: 1, max: 1000}), {minLength: 5, maxLength: 5}), {
          minLength: 1,
          maxLength: 5,
          comparator: (a, b) => a.join(',') === b.join(','),
        }),
        (rows) => {
          const all = rows.map((row) => Float32Array.from(row));
          const there = selectGreedily(all, distinct, {initial: 1, size: 6});
          const back = selectGreedily([...all].reverse(), distinct, {initial: 1, size: 6});
          expect(back.score).toBeCloseTo(there.score, 12);
        },
      ),
    );
  });

  test('refuses nothing to pick from, and no picks', () => {
    expect(() => selectGreedily([], accuracy, {initial: 1, size: 1})).toThrow(RangeError);
    expect(() => selectGreedily([candidate(1, 0, 0)], accuracy, {initial: 1, size: 0})).toThrow(RangeError);
  });
});
