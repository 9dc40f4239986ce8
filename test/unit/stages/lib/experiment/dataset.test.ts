import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {readFolds, writeFolds, type Clip} from '../../../../../stages/lib/experiment/dataset.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const HEAD = 'key,label,class,verified,split,fold,group,parent';

function tableOf(lines: readonly string[]): string {
  const path = join(temporaryFolder(), 'folds.csv');
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('reads what it writes, sorted by key', () => {
  const clip = (key: string, fold: number, group = '', parent = ''): Clip => ({
    key,
    label: 'Bell',
    classIndex: 0,
    verified: true,
    split: fold === 0 ? 'test' : 'train',
    fold,
    group,
    parent,
  });
  const clips = [clip('a', 1, 'tape, 7'), clip('a/pitch+05', 1, 'tape, 7', 'a'), clip('b', 0), clip('c', 2, 'tape 8')];
  const path = join(temporaryFolder(), 'folds.csv');
  writeFolds(path, clips.toReversed());
  expect(readFolds(path)).toEqual({clips, classes: ['Bell']});
});

test('keeps the part of the test set that clips are of', () => {
  const clips = (['public', undefined, 'private'] as const).map((usage, i) => ({
    ...{key: `k${i}`, label: 'Bell', classIndex: 0, verified: true, split: 'test' as const},
    ...(usage && {usage}),
    ...{fold: 0, group: '', parent: ''},
  }));
  const path = join(temporaryFolder(), 'folds.csv');
  writeFolds(path, clips);
  expect(readFolds(path).clips).toEqual(clips);
  const read = (row: string) => () => readFolds(tableOf([`${HEAD},usage`, row]));
  expect(read('a,x,0,1,test,0,,,Public')).toThrow('usage is `Public`; public, private or nothing is needed');
  expect(read('a,x,0,1,train,1,,,public')).toThrow('usage is `public`; nothing, for a train clip, is needed');
});

describe('readFolds refuses', () => {
  test.each<[string, string[], string]>([
    ['a missing column', ['key,label,class,verified,split,fold'], 'no column `group`, `parent`'],
    ['a repeated clip', ['a,x,0,1,train,1,,', 'a,x,0,1,train,1,,'], 'line 3: clip `a` appears twice'],
    ['a wrong class', ['a,x,1,1,train,1,,'], 'line 2: class 1 of `x` is not its place among the 1 sorted labels'],
    [
      'a train clip without fold',
      ['a,x,0,1,train,0,,'],
      'line 2: fold is `0`; a whole number from 1 (a train clip) is needed',
    ],
    ['a test clip with a fold', ['a,x,0,1,test,1,,'], 'line 2: fold is `1`; 0 (a test clip) is needed'],
    ['a bad class', ['a,x,zero,1,test,0,,'], 'line 2: class is `zero`; a whole number from 0 is needed'],
  ])('%s', (_, lines, message) => {
    const path = tableOf(lines[0]?.startsWith('key') ? lines : [HEAD, ...lines]);
    expect(() => readFolds(path)).toThrow(message);
  });

  // Each plants one way for a test or validation clip to reach the training side.
  test.each<[string, string[], string]>([
    [
      'a copy whose parent is not there',
      ['a,x,0,1,train,1,,', 'b/pitch+05,x,0,1,train,1,,b'],
      'line 3: clip `b/pitch+05` is a copy of `b`, which the table lacks',
    ],
    [
      'a copy of a copy',
      ['a,x,0,1,train,1,,', 'a/p,x,0,1,train,1,,a', 'a/p/q,x,0,1,train,1,,a/p'],
      'line 4: clip `a/p/q` is a copy of `a/p` (line 3), which is a copy itself',
    ],
    ['a copy of itself', ['a,x,0,1,train,1,,a'], 'line 2: clip `a` is a copy of `a` (line 2), which is a copy itself'],
    [
      'a copy of another label',
      ['a,x,0,1,train,1,,', 'a/p,y,1,1,train,1,,a'],
      'line 3: clip `a/p` is a copy of `a` (line 2) with label `y` instead of `x`',
    ],
    [
      'a copy in another fold',
      ['a/p,x,0,1,train,2,,a', 'a,x,0,1,train,1,,'],
      'line 2: clip `a/p` is a copy of `a` (line 3) but lies in fold 2 instead of fold 1',
    ],
    [
      'a training copy of a test clip',
      ['a,x,0,1,test,0,,', 'a/p,x,0,1,train,1,,a'],
      'line 3: clip `a/p` is a copy of `a` (line 2) but lies in fold 1 instead of the test split',
    ],
    [
      'a copy to test on',
      ['a,x,0,1,test,0,,', 'a/p,x,0,1,test,0,,a'],
      'line 3: clip `a/p` is a copy of `a` and in the test split: copies only train',
    ],
    [
      'a group in two folds',
      ['a,x,0,1,train,1,tape,', 'b,x,0,1,train,1,,', 'c,x,0,1,train,2,tape,'],
      'line 4: clip `c` of group `tape` lies in fold 2, but clip `a` (line 2) of the same group in fold 1',
    ],
    [
      'a group in train and test',
      ['a,x,0,1,train,1,tape,', 'c,x,0,1,test,0,tape,'],
      'line 3: clip `c` of group `tape` lies in the test split, but clip `a` (line 2) of the same group in fold 1',
    ],
  ])('%s', (_, lines, message) => {
    const path = tableOf([HEAD, ...lines]);
    expect(() => readFolds(path, 'folds.csv')).toThrow(`folds.csv, ${message}`);
  });
});
