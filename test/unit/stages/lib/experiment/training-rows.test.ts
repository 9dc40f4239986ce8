import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {readMixed, writeMixed} from '../../../../../stages/lib/experiment/mixed-table.ts';
import type {PieceRow} from '../../../../../stages/lib/experiment/piece-rows.ts';
import {readOrder, trainingWeights} from '../../../../../stages/lib/experiment/training-rows.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const rows = [2, 2, 1, 0].map((fold, row): PieceRow => ({
  row,
  key: `k${row}`,
  piece: 0,
  classIndex: row % 2,
  split: fold === 0 ? 'test' : 'train',
  fold,
  parent: '',
  label: `c${row % 2}`,
  verified: true,
  weight: 1,
}));

function file(text: string): string {
  const path = join(temporaryFolder(), 'table.csv');
  writeFileSync(path, text);
  return path;
}

test('an order keeps its repeats', () => {
  expect(readOrder(file('row,class\n1,1\n0,0\n1,1\n'), rows, 1)).toEqual([1, 0, 1]);
});

test.each([
  ['no rows', '', 'has no rows'],
  ['a row that is not there', '4,0\n', 'line 2: row `4` is not in the rows table'],
  ['no number', '-1,0\n', 'line 2: row `-1` is not in the rows table'],
  ['another class', '0,0\n1,0\n', 'line 3: row 1 (clip `k1`) is of class 1, not `0`'],
  ['a validation row', '2,0\n', 'line 2: row 2 must not train fold 1: clip `k2` validates fold 1'],
  ['a test row', '3,1\n', 'line 2: row 3 must not train fold 1: clip `k3` is a test clip'],
])('an order with %s is refused', (_, lines, message) => {
  expect(() => readOrder(file(`row,class\n${lines}`), rows, 1)).toThrow(`the order table`);
  expect(() => readOrder(file(`row,class\n${lines}`), rows, 1)).toThrow(message);
});

test('shares are read back to the last bit', () => {
  const share = fc.double({min: 0, minExcluded: true, max: 1, maxExcluded: true, noNaN: true});
  fc.assert(
    fc.property(fc.array(share, {maxLength: 20}), (shares) => {
      const examples = shares.map((value, i) => ({first: i % 2, second: (i + 1) % 2, share: value}));
      const path = join(temporaryFolder(), 'mixed.csv');
      writeMixed(path, examples);
      expect(readMixed(path, rows, 1)).toEqual(examples);
    }),
    {numRuns: 50},
  );
});

test.each(['0', '1', '1.5', '-0.5', 'NaN', '', '0x1', '.5', ' 0.5'])('share `%s` is refused', (share) => {
  expect(() => readMixed(file(`first,second,share\n0,1,${share}\n`), rows, 1)).toThrow(`line 2: share is \`${share}\``);
});

test('a pair with a row that must not train says which one', () => {
  const read = (pair: string) => () => readMixed(file(`first,second,share\n0,1,0.5\n${pair},0.5\n`), rows, 1);
  expect(read('0,3')).toThrow('line 3, second: row 3 must not train fold 1: clip `k3` is a test clip');
  expect(read('2,0')).toThrow('line 3, first: row 2 must not train fold 1: clip `k2` validates fold 1');
});

test('a row counts its weight, times that of labels that nobody has confirmed', () => {
  const [a, b, c] = rows as [PieceRow, PieceRow, PieceRow];
  const weighted = [
    {...a, weight: 0.25},
    {...b, verified: false},
    {...c, verified: false, weight: 0.5},
    {...c, row: 3, weight: 0},
  ];
  expect(trainingWeights(weighted, [0, 1, 2], 0.5)).toEqual([0.25, 0.5, 0.25, 0]);
  expect(trainingWeights(weighted, [0], 0)).toEqual([0.25, 0, 0, 0]);
  expect(() => trainingWeights(weighted, [0, 3], 1)).toThrow(
    'row 3 (clip `k2`) is drawn to train, and counts 0: so the rows table says',
  );
  expect(() => trainingWeights(weighted, [0, 1], 0)).toThrow(
    'row 1 (clip `k1`) is drawn to train, and counts 0: its label is not verified, and `unverifiedWeight` is 0',
  );
});
