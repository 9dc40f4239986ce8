import {join} from 'node:path';
import {writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {keyOf, readVectorTable, type VectorTableOptions} from '../../../../../stages/lib/experiment/vector-table.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const usual: VectorTableOptions = {
  fileColumn: '',
  labelColumn: '',
  verifiedColumn: '',
  splitColumn: '',
  foldColumn: '',
  groupColumn: '',
  rowColumn: '',
  countColumn: '',
  firstFold: 1,
  rowOf: 'clip',
  vocabulary: undefined,
};

function read(lines: readonly string[], options: Partial<VectorTableOptions> = {}) {
  const path = join(temporaryFolder(), 'table.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return readVectorTable(path, {...usual, ...options});
}

describe('readVectorTable', () => {
  test('reads columns by their usual names or those that params give, folds from 0 or from 1', () => {
    const clip = {verified: true, group: '', split: 'train'};
    expect(read(['FNAME, Label ,fold', 'b.wav, Bell,1', 'a.wav,Cow,2'])).toEqual([
      {...clip, key: 'b', label: 'Bell', fold: 1, line: 2, first: 0, rows: 1},
      {...clip, key: 'a', label: 'Cow', fold: 2, line: 3, first: 1, rows: 1},
    ]);
    const named = {fileColumn: 'id', labelColumn: 'kind', foldColumn: 'part', verifiedColumn: 'ok', firstFold: 0};
    expect(read(['id,label,kind,part,ok', '7,x,Bell,0,0', '8,x,Cow,1,1'], named)).toMatchObject([
      {key: '7', label: 'Bell', fold: 1, verified: false},
      {key: '8', label: 'Cow', fold: 2, verified: true},
    ]);
    expect(read(['fname,label,fold', 'a,Bell,0', 'b,Bell,1'])).toMatchObject([{split: 'test'}, {split: 'train'}]);
    expect(read(['fname,label', 'a,Bell', 'b,Bell'])).toMatchObject([{split: undefined}, {fold: undefined}]);
  });

  test('several vectors a clip: by their number, or a row each', () => {
    const counted = ['row,fname,label,n', '0,a,Bell,2', '2,b,Cow,3'];
    expect(read(counted, {countColumn: 'n'})).toMatchObject([
      {key: 'a', first: 0, rows: 2},
      {key: 'b', first: 2, rows: 3},
    ]);
    const listed = ['row,fname,label', '0,a,Bell', '1,a,Bell', '2,b,Cow'];
    expect(read(listed, {rowOf: 'vector'})).toMatchObject([
      {key: 'a', first: 0, rows: 2},
      {key: 'b', first: 2, rows: 1},
    ]);
    expect(() => read(listed)).toThrow('the table, line 3: clip `a` is on line 2 already');
    expect(() => read(['fname,label', 'a,Bell', 'a,Cow'], {rowOf: 'vector'})).toThrow(
      'the table, line 3: label of `a` is another than on line 2',
    );
    expect(() => read(['fname,label', 'a,Bell', 'b,Bell', 'a,Bell'], {rowOf: 'vector'})).toThrow(
      'the table, line 4: clip `a` is on line 2 already',
    );
  });

  test.each<readonly [string, readonly string[], Partial<VectorTableOptions>, string]>([
    ['rows out of order', ['row,fname,label', '1,a,B', '0,b,B'], {}, 'the table, line 2: row is 1; 0 is the next'],
    ['a row missing', ['row,fname,label', '0,a,B', '2,b,B', '3,c,B'], {}, 'the table, line 3: row is 2; 1 is the next'],
    ['a row number that is none', ['i,fname,label', 'x,a,B'], {rowColumn: 'i'}, 'i is `x`; a whole number from 0'],
    ['a clip without vectors', ['n,fname,label', '0,a,B'], {countColumn: 'n'}, 'n is `0`; a whole number from 1'],
    [
      'a clip twice',
      ['fname,label', 'a.wav,B', 'b.wav,B', 'a.flac,B'],
      {},
      'the table, line 4: clip `a` is on line 2 already',
    ],
    ['a fold missing', ['fname,label,fold', 'a,B,1', 'b,B,'], {}, 'the table, line 3: `b` has no fold'],
    ['a label missing', ['fname,label', 'a,'], {}, 'the table, line 2: label is empty'],
    [
      'a label unknown',
      ['fname,label', 'a,Bel'],
      {vocabulary: ['Bell', 'Cow']},
      'label `Bel` is not in the vocabulary',
    ],
    [
      'labels that differ in case',
      ['fname,label', 'a,Bell', 'b,bell'],
      {},
      'labels `Bell` (1 clip, the table, line 2) and `bell`',
    ],
    [
      'a group in two places',
      ['fname,label,fold,group', 'a,B,1,g', 'b,B,2,g'],
      {},
      'the table, line 3: `b` of group `g` lies in fold 2, but `a` (line 2) of the same group in fold 1',
    ],
    ['no rows', ['fname,label'], {}, 'the table has no rows'],
    ['no label column', ['fname,kind', 'a,B'], {}, 'the table, line 1: there is no column `label`'],
    [
      'a named column that it lacks',
      ['fname,label', 'a,B'],
      {foldColumn: 'part'},
      'no column `part`, which the param foldColumn names',
    ],
    ['a named row column that it lacks', ['fname,label', 'a,B'], {rowColumn: 'i'}, 'which the param rowColumn names'],
  ])('refuses %s', (_, lines, options, message) => {
    expect(() => read(lines, options)).toThrow(message);
  });

  test('a clip is known by its path without the extension', () => {
    expect(['a/00044347.wav', 'clip.7', '.hidden', 'x.M4A', 'a.b/c'].map(keyOf)).toEqual([
      'a/00044347',
      'clip.7',
      '.hidden',
      'x',
      'a.b/c',
    ]);
  });
});
