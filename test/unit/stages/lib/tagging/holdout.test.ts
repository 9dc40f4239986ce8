import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {holdOut} from '../../../../../stages/lib/tagging/holdout.ts';

const sizes = fc
  .integer({min: 1, max: 200})
  .chain((count) => fc.tuple(fc.constant(count), fc.integer({min: 0, max: count})));

describe('holding out', () => {
  test('parts the rows in two, both rising', () => {
    fc.assert(
      fc.property(sizes, fc.integer({min: 1, max: 99}), ([count, size], seed) => {
        const {training, holdout} = holdOut(count, size, seed);
        expect(holdout.length).toBe(size);
        expect([...training].sort((a, b) => a - b)).toEqual([...training]);
        expect([...holdout].sort((a, b) => a - b)).toEqual([...holdout]);
        expect([...training, ...holdout].sort((a, b) => a - b)).toEqual(Array.from({length: count}, (_, i) => i));
      }),
    );
  });

  test('follows from the seed', () => {
    expect(holdOut(100, 10, 1)).toEqual(holdOut(100, 10, 1));
    expect(holdOut(100, 10, 1)).not.toEqual(holdOut(100, 10, 2));
  });
});
