import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {
  classNames,
  isTraining,
  readPieceRows,
  writePieceRows,
  type PieceRow,
} from '../../../../../stages/lib/experiment/piece-rows.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const rows: readonly PieceRow[] = [
  {...row(0, 'a', 0), verified: false, weight: 0.5},
  {...row(1, 'a', 1), verified: false, weight: 1e-7},
  {...row(2, 'a/pitch+05', 0), parent: 'a', verified: false, weight: 0},
  {...row(3, 'b', 0), classIndex: 1, split: 'test', fold: 0, label: 'Bee'},
];

function row(number: number, key: string, piece: number): PieceRow {
  return {
    row: number,
    key,
    piece,
    classIndex: 0,
    split: 'train',
    fold: 1,
    parent: '',
    label: 'Ant, red',
    verified: true,
    weight: 1,
  };
}

const header = 'row,key,piece,class,split,fold,parent,label';

function read(lines: readonly string[], more = ''): readonly PieceRow[] {
  const path = join(temporaryFolder(), 'rows.csv');
  writeFileSync(path, `${[header + more, ...lines].join('\n')}\n`);
  return readPieceRows(path);
}

test('rows are read as they were written', () => {
  const path = join(temporaryFolder(), 'rows.csv');
  writePieceRows(path, rows);
  expect(readPieceRows(path)).toEqual(rows);
});

test('rows that do not say are verified and count as 1', () => {
  expect(read(['0,a,0,0,train,1,,A'])[0]).toMatchObject({verified: true, weight: 1});
  expect(read(['0,a,0,0,train,1,,A,0'], ',verified')[0]).toMatchObject({verified: false, weight: 1});
  expect(read(['0,a,0,0,train,1,,A,2.5e-1'], ',weight')[0]).toMatchObject({verified: true, weight: 0.25});
});

test('pieces of a clip may count differently', () => {
  const [first, second] = read(['0,a,0,0,train,1,,A,1', '1,a,1,0,train,1,,A,0.5'], ',weight');
  expect([first?.weight, second?.weight]).toEqual([1, 0.5]);
});

test.each(['-1', 'NaN', 'Infinity', '1e999', '1e39', '', 'x', '0x1', ' 1', '.5'])(
  'weight `%s` is refused',
  (weight) => {
    expect(() => read(['0,a,0,0,train,1,,A,1', `1,b,0,0,train,1,,A,${weight}`], ',weight')).toThrow(
      `the rows table, line 3: weight is \`${weight}\`; a number from 0 is needed`,
    );
  },
);

test.each(['2', '', 'true', '-0'])('verified `%s` is refused', (verified) => {
  expect(() => read(['0,a,0,0,train,1,,A,1', `1,b,0,0,train,1,,A,${verified}`], ',verified')).toThrow(
    `the rows table, line 3: verified is \`${verified}\`; 0 or 1 is needed`,
  );
});

test('a clip or its copy that is verified in part is refused', () => {
  const lines = ['0,a,0,0,train,1,,A,1', '1,a,1,0,train,1,,A,0'];
  expect(() => read(lines, ',verified')).toThrow('line 3: the pieces of clip `a` differ in verified');
  expect(() => read(['0,a,0,0,train,1,,A,0', '1,b,0,0,train,1,a,A,1'], ',verified')).toThrow(
    'line 3: copy `b` is verified, its recording `a` not verified',
  );
});

describe('what is refused, with its line', () => {
  test.each([
    ['a row out of order', ['0,a,0,0,train,1,,A', '2,b,0,0,train,1,,A'], 'line 3: row 2 should be 1'],
    ['a split of another name', ['0,a,0,0,eval,1,,A'], 'line 2: split is `eval`'],
    ['a test clip in a fold', ['0,a,0,0,test,1,,A'], 'line 2: clip `a` is for test in fold 1'],
    ['a train clip in none', ['0,a,0,0,train,0,,A'], 'line 2: clip `a` is for train in fold 0'],
    ['no label', ['0,a,0,0,train,1,,'], 'line 2: label is empty'],
    ['a class of two labels', ['0,a,0,0,train,1,,A', '1,b,0,0,train,1,,B'], 'line 3: class 0 is `B` of clip `b`'],
    ['a piece left out', ['0,a,0,0,train,1,,A', '1,a,2,0,train,1,,A'], 'line 3: piece 2 of clip `a` is not the next'],
    [
      'a clip in two places',
      ['0,a,0,0,train,1,,A', '1,b,0,0,train,1,,A', '2,a,0,0,train,1,,A'],
      'line 4: clip `a` comes again',
    ],
    [
      'pieces in two folds',
      ['0,a,0,0,train,1,,A', '1,a,1,0,train,2,,A'],
      'line 3: the pieces of clip `a` differ in fold',
    ],
    ['pieces of two classes', ['0,a,0,0,train,1,,A', '1,a,1,1,train,1,,B'], 'differ in class'],
    [
      'a copy of a copy',
      ['0,a,0,0,train,1,,A', '1,b,0,0,train,1,a,A', '2,c,0,0,train,1,b,A'],
      'line 4: copy `c` is made of `b`, which is a copy itself',
    ],
    [
      'a copy of another class',
      ['0,a,0,0,train,1,,A', '1,b,0,1,train,1,a,B'],
      'line 3: copy `b` has label `B`, its recording `a` has `A`',
    ],
  ])('%s', (_, lines, message) => {
    expect(() => read(lines)).toThrow(message);
  });
});

test('a fold trains on the train clips of the others, fold 0 on all', () => {
  const trained = (fold: number): readonly number[] => rows.filter((row) => isTraining(row, fold)).map(({row}) => row);
  expect([trained(0), trained(1), trained(2)]).toEqual([[0, 1, 2], [], [0, 1, 2]]);
});

test('class names stand in the order of their index, without gaps', () => {
  expect(classNames(rows)).toEqual(['Ant, red', 'Bee']);
  expect(() => classNames(rows.slice(3))).toThrow('class 0 has no rows; the largest class is 1');
});
