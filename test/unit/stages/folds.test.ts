import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import stage from '../../../stages/folds.ts';
import {readFolds} from '../../../stages/lib/experiment/dataset.ts';
import {runStage, type PortInput} from '../../support/stage-harness.ts';
import {sharedData} from '../../support/shared-data.ts';

const names = (n: number): string[] => Array.from({length: n}, (_, i) => `clip-${String(i).padStart(2, '0')}.wav`);
const tree = (files: readonly string[]) => ({files: Object.fromEntries(files.map((file) => [file, '']))});
const csv = (lines: readonly string[]) => ({content: `${lines.join('\n')}\n`});
const labelsOf = (files: readonly string[]) => [
  'fname,label,manually_verified',
  ...files.map((file, i) => `${file},${['dog', 'cat', 'Öl'][i % 3]},${i % 4 === 0 ? 0 : 1}`),
];

interface Params {
  readonly folds?: number;
  readonly testFraction?: number;
  readonly official?: 'all' | 'split' | 'none';
  readonly groups?: boolean;
}

function run(labels: PortInput, clips: PortInput, params: Params = {}, seed = 1) {
  return runStage(stage, {params, inputs: {labels, clips}, seed});
}

describe('folds', () => {
  test('keep the parts of an official test set, as long as it is one', async () => {
    const labels = csv([
      'fname,label,split,usage',
      ...['a.wav,cat,test,public', 'b.wav,cat,test,private', 'c.wav,cat,train,', 'd.wav,cat,train,'],
    ]);
    const clips = tree(['a.wav', 'b.wav', 'c.wav', 'd.wav']);
    const {outputs} = await run(labels, clips, {folds: 2});
    expect(readFileSync(outputs.folds, 'utf8')).toMatch(/^key,label,class,verified,split,fold,group,parent,usage\na,/);
    expect(readFolds(outputs.folds).clips.map(({usage}) => usage)).toEqual(['public', 'private', undefined, undefined]);
    const drawn = await run(labels, clips, {folds: 2, official: 'none', testFraction: 0});
    expect(readFolds(drawn.outputs.folds).clips.some((clip) => 'usage' in clip)).toBe(false);
    const wrong = csv(['fname,label,usage', 'a.wav,cat,Public']);
    await expect(run(wrong, tree(['a.wav']))).rejects.toThrow(
      'usage is `Public`; public, private or nothing is needed',
    );
  });

  test('writes a table that readFolds reads: sorted, classes by code point, every fold filled', async () => {
    const files = names(60);
    const {outputs, metrics, logs} = await run(
      csv(
        labelsOf(files)
          .toReversed()
          .toSorted((a) => (a.startsWith('fname') ? -1 : 1)),
      ),
      tree(files),
    );
    const {clips, classes} = readFolds(outputs.folds);
    expect(classes).toEqual(['cat', 'dog', 'Öl']);
    expect(clips.map((clip) => clip.key)).toEqual(files.map((file) => file.replace('.wav', '')));
    expect(clips.every((clip) => classes[clip.classIndex] === clip.label)).toBe(true);
    expect(clips[4]).toMatchObject({key: 'clip-04', label: 'cat', verified: false});
    expect([0, 1, 2, 3, 4, 5].map((fold) => clips.filter((clip) => clip.fold === fold).length)).toEqual([
      12, 10, 10, 10, 9, 9,
    ]);
    expect(metrics).toEqual({
      clips: 60,
      classes: 3,
      testClips: 12,
      skipped: 0,
      unlabelled: 0,
      classesMissingInFolds: 0,
      classesMissingInTraining: 0,
      classesMissingInTest: 0,
    });
    expect(readFileSync(outputs.classes, 'utf8')).toBe(
      'index,label,trainClips,testClips\n0,cat,16,4\n1,dog,16,4\n2,Öl,16,4\n',
    );
    expect(logs).toEqual([]);
  });

  test('does not depend on the order of the rows, but on the seed', async () => {
    const files = names(40);
    const [head, ...rows] = labelsOf(files);
    const text = async (lines: readonly string[], seed: number): Promise<string> =>
      readFileSync((await run(csv([head!, ...lines]), tree(files), {}, seed)).outputs.folds, 'utf8');
    expect(await text(rows.toReversed(), 1)).toBe(await text(rows, 1));
    expect(await text(rows, 2)).not.toBe(await text(rows, 1));
  });

  test('says which labels are too rare', async () => {
    const files = names(8);
    const lines = [
      'fname,label,manually_verified',
      ...files.map((file, i) => `${file},${i === 7 ? 'gong' : 'bell'},1`),
    ];
    const {logs, metrics} = await run(csv(lines), tree(files), {folds: 3});
    expect(logs).toEqual([
      'label `gong` (1 clip) has no clip in folds 2, 3, and none to test on, and none to train on when that of its only ' +
        'fold is left out',
    ]);
    expect(metrics).toMatchObject({classesMissingInFolds: 2, classesMissingInTraining: 1, classesMissingInTest: 1});
  });

  test('a split column takes the place of testFraction', async () => {
    const files = names(20);
    const lines = [
      'fname,label,manually_verified,split',
      ...files.map((file, i) => `${file},x,1,${i < 5 ? 'test' : 'train'}`),
    ];
    const {outputs} = await run(csv(lines), tree(files), {testFraction: 0.9});
    const {clips} = readFolds(outputs.folds);
    expect(clips.map((clip) => clip.split)).toEqual(files.map((_, i) => (i < 5 ? 'test' : 'train')));
  });

  test('official folds are kept, 0 is test, and what is empty is drawn', async () => {
    const files = names(40);
    const lines = [
      'fname,label,manually_verified,split,fold',
      ...files.map((file, i) => `${file},x,1,${['train,1', ',2', 'test,0', ',0', 'test,', ',', 'train,', ','][i % 8]}`),
    ];
    const {outputs} = await run(csv(lines), tree(files), {folds: 2, testFraction: 0.5});
    const {clips} = readFolds(outputs.folds);
    const every = (remainder: number): number[] => clips.filter((_, i) => i % 8 === remainder).map(({fold}) => fold);
    expect([0, 1, 2, 3, 4].map((remainder) => new Set(every(remainder)))).toEqual(
      [1, 2, 0, 0, 0].map((fold) => new Set([fold])),
    );
    expect(every(6)).not.toContain(0);
    expect([...every(5), ...every(7)].filter((fold) => fold === 0).length).toBe(5);
    expect([1, 2].map((fold) => clips.filter((clip) => clip.fold === fold).length)).toEqual([10, 10]);
  });

  test('keeps of the table what `official` says', async () => {
    const files = names(20);
    const lines = [
      'fname,label,split,fold',
      ...files.map((file, i) => `${file},x,${i < 10 ? 'test,0' : `train,${1 + (i % 2)}`}`),
    ];
    const placesOf = async (official: 'all' | 'split' | 'none'): Promise<readonly number[]> => {
      const {outputs} = await run(csv(lines), tree(files), {folds: official === 'all' ? 2 : 5, official});
      return readFolds(outputs.folds).clips.map(({fold}) => fold);
    };
    expect(await placesOf('all')).toEqual(files.map((_, i) => (i < 10 ? 0 : 1 + (i % 2))));
    const bySplit = await placesOf('split');
    expect(bySplit.map((fold) => fold === 0)).toEqual(files.map((_, i) => i < 10));
    expect([1, 2, 3, 4, 5].map((fold) => bySplit.filter((place) => place === fold).length)).toEqual([2, 2, 2, 2, 2]);
    expect((await placesOf('none')).filter((fold) => fold === 0).length).toBe(4);
  });

  test('a group goes to one place, also where the place of a member is official', async () => {
    const files = names(60);
    const lines = [
      'fname,label,fold,group',
      ...files.map(
        (file, i) => `${file},x,${i === 0 ? 3 : i === 5 ? 0 : ''},${i < 8 ? `tape-${i % 4}` : `g${i % 13}`}`,
      ),
    ];
    const {outputs} = await run(csv(lines), tree(files));
    const {clips} = readFolds(outputs.folds);
    expect(clips.slice(0, 8).map(({group}) => group)).toEqual(files.slice(0, 8).map((_, i) => `tape-${i % 4}`));
    for (const {group, fold} of clips) {
      expect(new Set(clips.filter((clip) => clip.group === group).map((clip) => clip.fold))).toEqual(new Set([fold]));
    }
    expect([0, 4, 1, 5].map((i) => clips[i]?.fold)).toEqual([3, 3, 0, 0]);
  });

  test('official places that split a group are refused, unless groups do not count', async () => {
    const files = names(12);
    const lines = [
      'fname,label,split,fold,group',
      ...files.map(
        (file, i) => `${file},x,${i === 3 ? 'test,0' : `train,${1 + (i % 2)}`},${i % 4 === 3 ? 'tape' : ''}`,
      ),
    ];
    const promise = run(csv(lines), tree(files), {folds: 2});
    await expect(promise).rejects.toThrow(
      'the 3 clips of group `tape` lie in the test split (`clip-03`, line 5), fold 2 (`clip-07`, line 9)',
    );
    await expect(promise).rejects.toMatchObject({hint: expect.stringContaining('groups: false')});
    const {outputs} = await run(csv(lines), tree(files), {folds: 2, groups: false});
    expect(readFolds(outputs.folds).clips.map(({group, fold}) => [group, fold])).toEqual(
      files.map((_, i) => ['', i === 3 ? 0 : 1 + (i % 2)]),
    );
  });

  test('a group of a test clip and a train clip whose fold is open is refused too', async () => {
    const labels = csv(['fname,label,split,group', 'a.wav,x,test,tape', 'b.wav,x,train,tape', 'c.wav,x,train,']);
    await expect(run(labels, tree(['a.wav', 'b.wav', 'c.wav']), {folds: 2})).rejects.toThrow(
      'the 2 clips of group `tape` lie in the test split (`a`, line 2), the train split (`b`, line 3)',
    );
  });

  test('leaves out clips that were skipped, and clips without a label', async () => {
    const files = names(30);
    const report = csv([
      'key,status,reason',
      ...files.map((file, i) => `${file.slice(0, -4)},${i === 3 ? 'skipped,is empty' : 'ok,'}`),
    ]);
    const inputs = {labels: csv(labelsOf(files.slice(0, 20))), clips: tree(files), report};
    const {outputs, logs, metrics} = await runStage(stage, {inputs});
    const {clips} = readFolds(outputs.folds);
    expect(clips.map(({key}) => key)).toEqual(
      files.slice(0, 20).flatMap((file, i) => (i === 3 ? [] : [file.slice(0, -4)])),
    );
    expect(logs.slice(0, 2)).toEqual([
      '1 skipped clip left out: `clip-03` (is empty)',
      '10 clips without a label left out',
    ]);
    expect(metrics).toMatchObject({clips: 19, skipped: 1, unlabelled: 10});
    // A stage that skipped the clip left no file of it.
    const without = {...inputs, clips: tree(files.filter((_, i) => i !== 3))};
    const again = await runStage(stage, {inputs: without});
    expect(readFileSync(again.outputs.folds, 'utf8')).toBe(readFileSync(outputs.folds, 'utf8'));
    const allSkipped = csv(['key,status,reason', ...files.map((file) => `${file.slice(0, -4)},skipped,is empty`)]);
    await expect(runStage(stage, {inputs: {...inputs, report: allSkipped}})).rejects.toThrow('all 20 labelled clips');
  });

  test('the extension of a clip does not count', async () => {
    const files = names(10);
    const flac = files.map((file) => file.replace('wav', 'flac'));
    const {outputs} = await run(csv(labelsOf(files)), tree(flac), {folds: 2, testFraction: 0});
    expect(readFolds(outputs.folds).clips.map(({key}) => key)).toEqual(files.map((file) => file.slice(0, -4)));
  });

  test('clips may lie in folders', async () => {
    const files = ['a/x.wav', 'a/y.wav', 'b/x.wav'];
    const {outputs} = await run(csv(labelsOf(files)), tree(files), {folds: 2, testFraction: 0});
    expect(readFolds(outputs.folds).clips.map((clip) => clip.key)).toEqual(['a/x', 'a/y', 'b/x']);
  });

  const head = 'fname,label,manually_verified';
  test.each<[string, string[], string[], string]>([
    ['no rows', [head], [], 'the labels table has no rows'],
    ['a missing column', ['fname,class', 'a.wav,x'], ['a.wav'], 'the labels table, line 1: no column `label`'],
    ['an empty name', [head, ',x,1'], ['a.wav'], 'the labels table, line 2: fname is empty'],
    ['an empty label', [head, 'a.wav,,1'], ['a.wav'], 'the labels table, line 2: label is empty'],
    [
      'a repeated name',
      [head, 'a.wav,x,1', '', 'a.wav,y,1'],
      ['a.wav'],
      'the labels table, line 4: `a.wav` is on line 2 already',
    ],
    ['a bad flag', [head, 'a.wav,x,yes'], ['a.wav'], 'line 2: manually_verified is `yes`; 0 or 1 is needed'],
    [
      'a bad split',
      [`${head},split`, 'a.wav,x,1,Train'],
      ['a.wav'],
      'line 2: split is `Train`; train, test or nothing is needed',
    ],
    [
      'a bad fold',
      [`${head},fold`, 'a.wav,x,1,6'],
      ['a.wav'],
      'the labels table has folds 1 ... 6 (fold 6 on line 2), but the param folds is 5',
    ],
    [
      'fewer folds than asked for',
      [`${head},fold`, 'a.wav,x,1,1', 'b.wav,x,1,2'],
      ['a.wav', 'b.wav'],
      'the labels table has folds 1 ... 2 (fold 2 on line 3), but the param folds is 5',
    ],
    [
      'folds that may count from 0',
      [`${head},fold`, 'a.wav,x ,1,0', 'b.wav,x,1,4'],
      ['a.wav', 'b.wav'],
      'the labels table has folds 1 ... 4 (fold 4 on line 3), but the param folds is 5 | set `folds: 4`, or ' +
        '`official: split` to draw the folds anew; if fold 0 is a fold and not the test, set `firstFold: 0` of stage dataset',
    ],
    [
      'a fold that is no number',
      [`${head},fold`, 'a.wav,x,1,one'],
      ['a.wav'],
      'line 2: fold is `one`; a whole number (0 is test) or nothing is needed',
    ],
    [
      'all that is wrong at once',
      [head, 'a.wav,,1', 'b.wav,x,2', 'c.wav,x,1'],
      ['a.wav', 'b.wav'],
      '3 problems with the labels table\n  - the labels table, line 2: label is empty\n  - the labels table, line 3: ' +
        'manually_verified is `2`; 0 or 1 is needed\n  - the labels table names 1 file that the clips lack: `c.wav` (line 4)',
    ],
    [
      'fold against split',
      [`${head},split,fold`, 'a.wav,x,1,test,2'],
      ['a.wav'],
      'line 2: fold is `2`; 0, because split is test, is needed',
    ],
    [
      'names without files',
      [head, ...names(12).map((file) => `${file},x,1`)],
      ['other.wav'],
      `names 12 files that the clips lack: ${names(10)
        .map((file, i) => `\`${file}\` (line ${i + 2})`)
        .join(', ')} and 2 more`,
    ],
    [
      'two clips of one key',
      [head, 'a.wav,x,1', 'a.flac,x,1'],
      ['a.wav', 'a.flac'],
      'clips `a.flac` and `a.wav` differ only in their extension',
    ],
    [
      'fewer clips than folds',
      [head, 'a.wav,x,1', 'b.wav,x,1'],
      ['a.wav', 'b.wav'],
      'fold 3 of 5 has no clips: there are 2 train clips',
    ],
  ])('refuses %s', async (_, lines, files, message) => {
    const error: unknown = await run(csv(lines), tree(files)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({name: 'StageError'});
    const {message: text, hint = ''} = error as {message: string; hint?: string};
    expect(`${text} | ${hint}`).toContain(message);
  });

  const real = sharedData('fsdkaggle2018-clips');
  test.skipIf(real === undefined)('reads the labels of FSDKaggle2018', async () => {
    const {outputs} = await run(join(real!, 'train.csv'), join(real!, 'audio_train'));
    const {clips, classes} = readFolds(outputs.folds);
    expect([clips.length, classes.length]).toEqual([150, 10]);
    for (let c = 0; c < 10; c++) {
      const places = clips.filter((clip) => clip.classIndex === c).map((clip) => clip.fold);
      expect([0, 1, 2, 3, 4, 5].map((fold) => places.filter((place) => place === fold).length)[0]).toBe(3);
    }
  });
});
