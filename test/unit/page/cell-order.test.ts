import fc from 'fast-check';
import {expect, it} from 'vitest';
import {keyOf, numberOf, sortRows} from '../../../src/page/model/cell-order.ts';

it.each([
  ['0.61', 0.61],
  [' -3 ', -3],
  ['−3', -3],
  ['+.5', 0.5],
  ['1e-3', 0.001],
  ['61.5 %', 61.5],
  ['0.61 ± 0.02', 0.61],
  ['0.61 (0.02)', 0.61],
  ['**0.61**', 0.61],
])('reads the number of %s', (text, value) => {
  expect(numberOf(text)).toBe(value);
});

it.each(['', 'h1', '1 kg', '1.2.3', 'NaN', '2026-11-23', 'fold 1', '.', '0x10'])('sees no number in %j', (text) => {
  expect(numberOf(text)).toBeUndefined();
});

it('sorts numbers by value, text with its numbers, and empty cells last both ways', () => {
  const cells = ['fold 10', '', '2', 'fold 9', '-1', '10'];
  expect(sortRows(cells, keyOf, 'ascending')).toEqual(['-1', '2', '10', 'fold 9', 'fold 10', '']);
  expect(sortRows(cells, keyOf, 'descending')).toEqual(['fold 10', 'fold 9', '10', '2', '-1', '']);
});

it('keeps equal rows in their order, and every row', () => {
  const row = fc.record({key: fc.oneof(fc.integer({max: 3, min: 0}), fc.constant(null)), at: fc.nat()});
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const numbered = rows.map(({key}, at) => ({key, at}));
      const sorted = sortRows(numbered, ({key}) => key, 'ascending');
      expect(sorted.map(({at}) => at).toSorted((a, b) => a - b)).toEqual(numbered.map(({at}) => at));
      sorted.slice(1).forEach((next, at) => {
        const before = sorted[at];
        if (before?.key === next.key) expect(before.at).toBeLessThan(next.at);
      });
    }),
  );
});

it('takes what is not a number at all as empty', () => {
  expect(sortRows([Number.NaN, 1, 2], (value) => value, 'descending')).toEqual([2, 1, Number.NaN]);
});
