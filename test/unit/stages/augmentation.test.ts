import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import augmentation from '../../../stages/augmentation.ts';
import {readFolds} from '../../../stages/lib/experiment/dataset.ts';
import {readShifts} from '../../../stages/lib/experiment/shifts.ts';
import {runStage, treeOf} from '../../support/stage-harness.ts';

const header = 'key,label,class,verified,split,fold,group,parent';
const folds = {
  content: [
    header,
    'bell/a,Bell,0,1,train,1,g1,',
    'bell/b,Bell,0,0,train,2,,',
    'bell/t,Bell,0,1,test,0,,',
    'cow,Cow,1,1,train,1,,',
    '',
  ].join('\n'),
};

function run(params: {perClass?: number; maxSemitones?: number}, content = folds.content, seed = 1) {
  return runStage(augmentation, {params, inputs: {folds: {content}}, seed});
}

describe('augmentation', () => {
  test('lists the copies in the folds table beside their parents, and their shifts in one file a parent', async () => {
    const {outputs, metrics} = await run({perClass: 5});
    const {clips} = readFolds(outputs.folds);
    const tree = treeOf(outputs.shifts);
    expect(tree.entries.map(({path}) => path)).toEqual(['bell/a.json', 'bell/b.json', 'cow.json']);
    const copies = clips.filter(({parent}) => parent !== '');
    expect(metrics).toEqual({copies: 7, clips: 11, classes: 2});
    expect(copies).toHaveLength(7);
    const planned = tree.entries.flatMap(({key, file}) =>
      readShifts(file).map(({name, semitones}) => {
        expect(name).toBe(`pitch${semitones < 0 ? '-' : '+'}${String(Math.abs(semitones)).padStart(2, '0')}`);
        return `${key}/${name}`;
      }),
    );
    expect(copies.map(({key}) => key)).toEqual(planned.sort());
    for (const copy of copies) {
      const parent = clips.find(({key}) => key === copy.parent);
      expect(copy).toEqual({...parent, key: copy.key, parent: copy.parent});
      expect(copy.split).toBe('train');
    }
    for (const label of ['Bell', 'Cow']) {
      expect(clips.filter((clip) => clip.label === label && clip.split === 'train')).toHaveLength(5);
    }
  });

  test('with perClass 0 nothing is copied and the table stays as it is', async () => {
    const {outputs, metrics, logs} = await run({perClass: 0});
    expect(readFileSync(outputs.folds, 'utf8')).toBe(folds.content);
    expect(treeOf(outputs.shifts).entries).toEqual([]);
    expect([metrics, logs]).toEqual([{copies: 0, clips: 4, classes: 0}, []]);
  });

  test('a class that all shifts do not fill is logged', async () => {
    const {logs, metrics} = await run({perClass: 6, maxSemitones: 1});
    expect(metrics['copies']).toBe(6);
    expect(logs).toEqual(['label `Cow` stays 3 short of 6: all 2 shifts of its 1 train clip are used']);
  });

  test('the same seed plans the same, another otherwise', async () => {
    const text = async (seed: number): Promise<string> =>
      readFileSync((await run({perClass: 9}, folds.content, seed)).outputs.folds, 'utf8');
    expect(await text(3)).toBe(await text(3));
    expect(await text(4)).not.toBe(await text(3));
  });

  test('what changes in one clip leaves the files of the others alone', async () => {
    const before = treeOf((await run({perClass: 5})).outputs.shifts);
    const changed = folds.content.replace('bell/b,Bell,0,0,train,2', 'bell/c,Bell,0,0,train,2');
    const after = treeOf((await run({perClass: 5}, changed)).outputs.shifts);
    for (const path of ['cow.json']) {
      expect(readFileSync(after.file(path), 'utf8')).toBe(readFileSync(before.file(path), 'utf8'));
    }
  });

  test('a table that has copies, and a copy named as a recording is, are refused', async () => {
    const first = await run({perClass: 3});
    await expect(run({perClass: 5}, readFileSync(first.outputs.folds, 'utf8'))).rejects.toThrow(
      'the folds table has copies already, such as `bell/a/pitch',
    );
    const shifts = treeOf((await run({perClass: 3, maxSemitones: 1})).outputs.shifts);
    const {name} = readShifts(shifts.file('cow.json'))[0] ?? {name: ''};
    const taken = `${folds.content}${join('cow', name)},Cow,1,1,test,0,,\n`;
    await expect(run({perClass: 3, maxSemitones: 1}, taken)).rejects.toThrow(
      `a copy of clip \`cow\` would be called \`cow/${name}\`, as a recording is`,
    );
  });
});
