import fc from 'fast-check';
import {expect, it} from 'vitest';
import {makeBatches} from '../../../src/engine/batches.ts';

const items = fc.array(
  fc.record(
    {size: fc.nat(10_000_000), lastWallMs: fc.double({min: 0, max: 1e4, noNaN: true})},
    {requiredKeys: ['size']},
  ),
  {maxLength: 200},
);

it('keeps every item once and in order', () => {
  fc.assert(
    fc.property(items, fc.integer({min: 1, max: 64}), (list, wanted) => {
      const batches = makeBatches(list, wanted);
      expect(batches.flat()).toEqual(list);
      expect(batches.every((batch) => batch.length > 0)).toBe(true);
      expect(batches.length).toBeLessThanOrEqual(wanted);
    }),
  );
});

it('cuts recorded costs evenly: no batch is dearer than its share and one item', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({min: 1, max: 1000}), {minLength: 1, maxLength: 200}),
      fc.integer({min: 1, max: 32}),
      (costs, wanted) => {
        const batches = makeBatches(
          costs.map((lastWallMs) => ({size: 0, lastWallMs})),
          wanted,
        );
        const count = Math.min(costs.length, wanted);
        const share = costs.reduce((sum, cost) => sum + cost, 0) / count;
        for (const batch of batches) {
          const cost = batch.reduce((sum, {lastWallMs}) => sum + lastWallMs, 0);
          expect(cost).toBeLessThanOrEqual(share + Math.max(...costs) + 1e-6);
        }
      },
    ),
  );
});

it('makes as many batches as are wanted', () => {
  const list = Array.from({length: 80}, () => ({size: 1, lastWallMs: 5}));
  expect(makeBatches(list, 8).map((batch) => batch.length)).toEqual(Array(8).fill(10));
});
