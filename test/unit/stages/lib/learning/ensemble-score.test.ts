import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {ENSEMBLE_SCORES, scoreOf} from '../../../../../stages/lib/learning/ensemble-score.ts';

describe('scoreOf', () => {
  // Ranks of the true classes: 1, 2, 4.
  const values = Float32Array.of(0.7, 0.1, 0.1, 0.1, 0.5, 0.3, 0.1, 0.1, 0.4, 0.3, 0.2, 0.1);
  const truth = [0, 1, 3];

  test('by hand', () => {
    expect(scoreOf('map3', values, truth, 4)).toBeCloseTo((1 + 1 / 2 + 0) / 3, 12);
    expect(scoreOf('accuracy', values, truth, 4)).toBeCloseTo(1 / 3, 12);
    // Class 0 ranks its clip first; class 1 ties its clip with the third; class 3 ties all three; class 2 has no clip.
    expect(scoreOf('map', values, truth, 4)).toBeCloseTo((1 + 1 / 2 + 1 / 3) / 3, 12);
  });

  test('a scale changes nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({min: 0, max: 16}), {minLength: 12, maxLength: 12}),
        fc.integer({min: 1, max: 50}),
        (drawn, scale) => {
          const sums = Float64Array.from(drawn, (value) => (value / 16) * scale);
          for (const kind of ENSEMBLE_SCORES) {
            expect(scoreOf(kind, sums, truth, 4)).toBe(scoreOf(kind, Float32Array.from(drawn), truth, 4));
          }
        },
      ),
    );
  });
});
