import {appendFileSync, cpSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import exportModel from '../../../stages/export-model.ts';
import {encodeWav} from '../../../stages/lib/audio/wav-write.ts';
import type {LabelsFile} from '../../../stages/lib/packages/labels-file.ts';
import predict from '../../../stages/predict.ts';
import {components, pieceLength, runModelPipeline, type ModelPipeline} from '../../support/model-pipeline.ts';
import {runStage, temporaryFolder} from '../../support/stage-harness.ts';

let pipeline: ModelPipeline;
let model: string;
beforeAll(async () => {
  pipeline = await runModelPipeline();
  const {extractor, pca} = pipeline;
  const {outputs} = await runStage(exportModel, {
    params: {components, length: pieceLength},
    inputs: {model: pipeline.model, extractor, pca},
  });
  model = outputs.model;
}, 60_000);

async function label(recordings: Readonly<Record<string, Uint8Array | string>>, top = 3, from = model) {
  const inputs = {model: from, recordings: {files: recordings}};
  const {outputs, metrics, logs} = await runStage(predict, {params: {top}, inputs});
  const file = JSON.parse(readFileSync(outputs.labels, 'utf8')) as LabelsFile;
  expect(file.type).toBe('labels/1');
  return {recordings: file.recordings, metrics, logs};
}

/** A copy of the package that may be damaged. */
function copyOfModel(): string {
  const folder = join(temporaryFolder(), 'model');
  cpSync(model, folder, {recursive: true});
  return folder;
}

describe('predict', () => {
  it('gives the scores of the pipeline, the best class first', async () => {
    const {recordings, metrics} = await label(pipeline.clips);
    expect(metrics).toEqual({labelled: 3, bad: 0});
    expect(recordings.map(({path}) => path)).toEqual(['long.wav', 'middle.wav', 'short.wav']);
    for (const recording of recordings) {
      if ('reason' in recording) throw new Error(recording.reason);
      const scores = pipeline.scores[recording.path.replace('.wav', '')] ?? new Float32Array();
      const wanted = pipeline.classes
        .map((title, c) => ({class: title, score: scores[c] ?? NaN}))
        .sort((a, b) => b.score - a.score);
      expect(recording.top.map((each) => each.class)).toEqual(wanted.map((each) => each.class));
      for (const [i, {score}] of recording.top.entries()) expect(score).toBeCloseTo(wanted[i]?.score ?? NaN, 5);
    }
    expect(recordings).toMatchObject([
      {seconds: 7.7, pieces: 3},
      {seconds: 2.2, pieces: 1},
      {seconds: 0.4, pieces: 1},
    ]);
  });

  it('names as many classes as wanted, and no more than there are', async () => {
    const clips = {'a.wav': pipeline.clips['short.wav'] ?? ''};
    expect((await label(clips, 1)).recordings).toMatchObject([{top: [{}]}]);
    expect((await label(clips, 99)).recordings).toMatchObject([{top: [{}, {}, {}]}]);
  });

  it('says why a recording is bad, and labels the others', async () => {
    const good = pipeline.clips['short.wav'] ?? new Uint8Array();
    const {recordings, metrics, logs} = await label({
      'cut.wav': good.subarray(0, 100),
      'empty.wav': '',
      'good.wav': good,
      'text.wav': 'This is no sound.\n',
    });
    expect(metrics).toEqual({labelled: 1, bad: 3});
    expect(recordings).toEqual([
      {path: 'cut.wav', reason: expect.stringContaining('truncated') as string},
      {path: 'empty.wav', reason: 'the clip is no sound: it is empty'},
      expect.objectContaining({path: 'good.wav', pieces: 1}) as object,
      {path: 'text.wav', reason: 'the clip is no sound: it looks like text'},
    ]);
    expect(logs).toHaveLength(3);
  });

  it('says that a recording is silent', async () => {
    const silence = encodeWav({sampleRate: 16_000, channels: [new Float64Array(20_000)]}, 'pcm16');
    expect((await label({'quiet.wav': silence})).recordings).toMatchObject([{path: 'quiet.wav', silent: true}]);
  });

  it('has nothing to say of no recordings', async () => {
    expect(await label({})).toMatchObject({recordings: [], metrics: {labelled: 0, bad: 0}});
  });

  it('gives the same bytes whatever else is labelled', async () => {
    const [all, one] = [await label(pipeline.clips), await label({'middle.wav': pipeline.clips['middle.wav'] ?? ''})];
    expect(one.recordings).toEqual([all.recordings[1]]);
  });

  it('loads a package anew when a file of it has changed', async () => {
    const folder = copyOfModel();
    const before = await label(pipeline.clips, 1, folder);
    const file = join(folder, 'mixdown.json');
    rmSync(file);
    writeFileSync(
      file,
      readFileSync(join(model, 'mixdown.json'), 'utf8')
        .replace('"cow"', '"moo"')
        .replace('"dog"', '"bow"')
        .replace('"owl"', '"hoo"'),
    );
    const after = await label(pipeline.clips, 1, folder);
    expect(JSON.stringify(after.recordings)).not.toBe(JSON.stringify(before.recordings));
  });
});

describe('predict refuses', () => {
  const changes: readonly (readonly [string, (folder: string) => void, string])[] = [
    ['a folder without mixdown.json', (folder) => rmSync(join(folder, 'mixdown.json')), 'it has no mixdown.json'],
    [
      'one that is not JSON',
      (folder) => change(folder, 'mixdown.json', () => '{'),
      'mixdown.json of the model is not JSON',
    ],
    [
      'a package of another version',
      (folder) => change(folder, 'mixdown.json', (text) => text.replace('model/1', 'model/2')),
      'mixdown.json of the model is of type `model/2`; this version of mixdown reads `model/1`',
    ],
    [
      'a front end that lacks something',
      (folder) => change(folder, 'mixdown.json', (text) => text.replace('"trimDb": 60,', '')),
      "mixdown.json of the model is damaged: /frontEnd/waveform must have required property 'trimDb'",
    ],
    [
      'a front end with what nobody knows',
      (folder) => change(folder, 'mixdown.json', (text) => text.replace('"trimDb"', '"speed": 2, "trimDb"')),
      'mixdown.json of the model is damaged: /frontEnd/waveform must NOT have additional properties (speed)',
    ],
    [
      'other classes than the model has scores',
      (folder) => change(folder, 'mixdown.json', (text) => text.replace('"cow",', '')),
      'the model gives 3 scores for 2 classes',
    ],
    [
      'a package without weights',
      (folder) => rmSync(join(folder, 'weights.bin')),
      'the model lacks its file weights.bin',
    ],
    [
      'weights with other values',
      (folder) => change(folder, 'weights.bin', (text) => `${text.slice(0, 4)}abcd${text.slice(8)}`),
      'weights.bin of the model is not as it was written: it was damaged or changed',
    ],
    [
      'weights that were cut short',
      (folder) => change(folder, 'weights.bin', (text) => text.slice(0, 100)),
      'weights.bin of the model is not as it was written: it was damaged or changed',
    ],
    ['a package without PCA', (folder) => rmSync(join(folder, 'pca.npz')), 'the model lacks its file pca.npz'],
    [
      'a PCA that was cut short',
      (folder) => change(folder, 'pca.npz', (text) => text.slice(0, 1000)),
      'pca.npz of the model is not as it was written: it was damaged or changed',
    ],
    [
      'a front end that the model does not fit',
      (folder) => change(folder, 'mixdown.json', (text) => text.replace('"components": 6', '"components": 5')),
      'the model takes [any, 6], the front end makes [3, 5]',
    ],
  ];

  it.each(changes)('%s', async (_, damage, message) => {
    const folder = copyOfModel();
    damage(folder);
    await expect(label({}, 3, folder)).rejects.toThrow(message);
  });
});

/** Files of results are read only: the changed one is another file. */
function change(folder: string, name: string, edit: (text: string) => string): void {
  const path = join(folder, name);
  const text = readFileSync(path, 'latin1');
  rmSync(path);
  appendFileSync(path, edit(text), 'latin1');
}
