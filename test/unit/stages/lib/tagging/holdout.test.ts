import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {holdOut} from '../../../../../stages/lib/tagging/holdout.ts';

const cases = fc
  .uniqueArray(fc.integer({min: 0, max: 1000}), {minLength: 1, maxLength: 200})
  .chain((rows) => fc.tuple(fc.constant(Int32Array.from(rows).sort()), fc.integer({min: 0, max: rows.length})));

describe('holding out', () => {
  test('parts the rows in two, both rising', () => {
    fc.assert(
      fc.property(cases, fc.integer({min: 1, max: 99}), ([rows, size], seed) => {
        const {training, holdout} = holdOut(rows, size, seed);
        expect(holdout.length).toBe(size);
        expect([...training].sort((a, b) => a - b)).toEqual([...training]);
        expect([...holdout].sort((a, b) => a - b)).toEqual([...holdout]);
        expect([...training, ...holdout].sort((a, b) => a - b)).toEqual([...rows]);
      }),
    );
  });

  test('follows from the seed', () => {
    const rows = Int32Array.from({length: 100}, (_, row) => 2 * row);
    expect(holdOut(rows, 10, 1)).toEqual(holdOut(rows, 10, 1));
    expect(holdOut(rows, 10, 1)).not.toEqual(holdOut(rows, 10, 2));
  });
});
