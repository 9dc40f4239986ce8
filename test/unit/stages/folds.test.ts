import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import stage from '../../../stages/folds.ts';
import {readFolds} from '../../../stages/lib/dataset.ts';
import {runStage, type PortInput} from '../../support/stage-harness.ts';
import {sharedData} from '../../support/shared-data.ts';

const names = (n: number): string[] => Array.from({length: n}, (_, i) => `clip-${String(i).padStart(2, '0')}.wav`);
const tree = (files: readonly string[]) => ({files: Object.fromEntries(files.map((file) => [file, '']))});
const csv = (lines: readonly string[]) => ({content: `${lines.join('\n')}\n`});
const labelsOf = (files: readonly string[]) => [
  'fname,label,manually_verified',
  ...files.map((file, i) => `${file},${['dog', 'cat', 'Öl'][i % 3]},${i % 4 === 0 ? 0 : 1}`),
];

function run(labels: PortInput, clips: PortInput, params: {folds?: number; testFraction?: number} = {}, seed = 1) {
  return runStage(stage, {params, inputs: {labels, clips}, seed});
}

describe('folds', () => {
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
    expect(metrics).toEqual({clips: 60, classes: 3, testClips: 12});
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
    const {logs} = await run(csv(lines), tree(files), {folds: 3});
    expect(logs).toEqual(['label `gong` has 1 train clips: fewer than the 3 folds', 'label `gong` has no test clip']);
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

  test('a fold column is kept as it is, 0 and nothing are test', async () => {
    const files = names(6);
    const lines = [
      'fname,label,manually_verified,fold',
      ...files.map((file, i) => `${file},x,1,${['1', '2', '0', '', '2', '1'][i]}`),
    ];
    const {outputs} = await run(csv(lines), tree(files), {folds: 2});
    expect(readFolds(outputs.folds).clips.map((clip) => clip.fold)).toEqual([1, 2, 0, 0, 2, 1]);
  });

  test('clips may lie in folders', async () => {
    const files = ['a/x.wav', 'a/y.wav', 'b/x.wav'];
    const {outputs} = await run(csv(labelsOf(files)), tree(files), {folds: 2, testFraction: 0});
    expect(readFolds(outputs.folds).clips.map((clip) => clip.key)).toEqual(['a/x', 'a/y', 'b/x']);
  });

  const head = 'fname,label,manually_verified';
  test.each<[string, string[], string[], string]>([
    ['no rows', [head], [], 'the labels table has no rows'],
    [
      'a missing column',
      ['fname,label', 'a.wav,x'],
      ['a.wav'],
      'the labels table, line 1: no column `manually_verified`',
    ],
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
      'line 2: split is `Train`; train or test is needed',
    ],
    [
      'a bad fold',
      [`${head},fold`, 'a.wav,x,1,6'],
      ['a.wav'],
      'line 2: fold is `6`; a whole number, 0 ... 5 (0 is test) is needed',
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
    ['a clip without label', [head, 'a.wav,x,1'], ['a.wav', 'b.wav'], 'has no row for 1 clip: `b.wav`'],
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
    await expect(run(csv(lines), tree(files))).rejects.toMatchObject({name: 'StageError'});
    await expect(run(csv(lines), tree(files))).rejects.toThrow(message);
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
