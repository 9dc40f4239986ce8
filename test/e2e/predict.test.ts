import {cpSync, mkdirSync, readFileSync, rmSync, symlinkSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {readFloat32} from '../../stages/lib/formats/npy.ts';
import {errorsOf, linesOf as jsonLines} from '../support/schemas.ts';
import {ended, Workspace} from '../support/workspace.ts';

/** The audio pipeline on the demo sounds, at its smallest, up to a package. */
const pipeline = `version: 1
nodes:
  demo: {stage: demo-sounds}
  dataset: {stage: dataset, inputs: {clips: demo.clips, labels: demo.labels}}
  waveforms: {stage: resample-trim, each: demo.clips}
  clip-report: {stage: clip-report, inputs: {reports: waveforms.report, clips: demo.clips}}
  folds:
    stage: folds
    inputs: {labels: dataset, clips: demo.clips, report: clip-report.clips}
    params: {folds: 2, testFraction: 0.2}
  log-mel: {stage: log-mel, each: waveforms.waveform}
  weights: {stage: vggish-weights, params: {width: 0.03}}
  embeddings: {stage: vggish, each: log-mel, inputs: {weights: weights}}
  pca: {stage: pca-fit, inputs: {embeddings: embeddings, folds: folds.folds}, params: {fold: 1, components: 12}}
  quantized: {stage: pca-quantize, each: embeddings, inputs: {pca: pca}, params: {fold: 1, components: 12}}
  segments: {stage: segments, inputs: {features: [quantized], folds: folds.folds}, params: {length: 4}}
  balance: {stage: balance, inputs: {rows: segments.rows}, params: {fold: 1}}
  train:
    stage: train
    matrix: {levels: [h1, h2]}
    inputs: {features: segments.features, rows: segments.rows, order: balance}
    params: {fold: 1, levels: '\${matrix.levels}', units: 8, epochs: 3, batchNormMomentum: 0.5}
  model:
    stage: export-model
    matrix: {levels: [h1, h2]}
    inputs:
      model: 'train[levels=\${matrix.levels}].model'
      extractor: weights
      pca: pca
      clips: demo.clips
      index: 'train[levels=\${matrix.levels}].index'
      predictions: 'train[levels=\${matrix.levels}].predictions'
    params: {components: 12, length: 4}
`;

interface Line {
  readonly file: string;
  readonly seconds: number;
  readonly pieces: number;
  readonly top: readonly {readonly class: string; readonly score: number}[];
}

let workspace: Workspace;
beforeAll(async () => {
  workspace = new Workspace();
  workspace.write('pipeline.yaml', pipeline);
  const {code, stderr, stdout} = await workspace.run('run', 'model[levels=h1]');
  if (code !== 0) throw new Error(stdout + stderr);
  await workspace.run('show', 'model[levels=h1]', '--to', 'package');
  await workspace.run('show', 'demo.clips', '--to', 'clips');
}, 120_000);
afterAll(() => workspace.dispose());

async function predict(...args: string[]) {
  return workspace.run('predict', ...args);
}

function linesOf(text: string): readonly Line[] {
  const lines = jsonLines(text);
  expect(lines.flatMap((line) => errorsOf('label', line))).toEqual([]);
  return lines as readonly Line[];
}

describe('mixdown predict', () => {
  test("gives the pipeline's own scores for its test clips", {timeout: 60_000}, async () => {
    await workspace.run('show', 'train[levels=h1].predictions', '--to', 'predictions.npy');
    const index = JSON.parse((await workspace.run('show', 'train[levels=h1].index')).stdout) as {
      readonly classes: readonly string[];
      readonly predictions: {readonly clips: readonly string[]};
    };
    const {shape, data} = readFloat32(workspace.path('predictions.npy'), 2);
    const width = shape[1] ?? 0;
    const {clips} = index.predictions;
    expect(clips.length).toBeGreaterThan(10);
    const {code, stdout} = await predict('package', ...clips.map((key) => `clips/${key}.wav`), '--json', '--top', '99');
    expect(code).toBe(0);
    const lines = linesOf(stdout);
    expect(lines.map(({file}) => file)).toEqual(clips.map((key) => `clips/${key}.wav`));
    for (const [i, {top}] of lines.entries()) {
      expect(top).toHaveLength(width);
      for (const {class: title, score} of top) {
        // Six digits are printed.
        expect(Math.abs(score - (data[i * width + index.classes.indexOf(title)] ?? NaN))).toBeLessThan(2e-6);
      }
    }
  });

  test('prints a line for each recording, and names the bad ones while it labels the others', async () => {
    const clip = readFileSync(workspace.path('clips/bird-01.wav'));
    workspace.write('mixed/a.wav', clip);
    workspace.write('mixed/b/cut.wav', clip.subarray(0, 2000));
    workspace.write('mixed/b/c.WAV', clip);
    workspace.write('mixed/notes.txt', 'no sound file by its name');
    workspace.write('mixed/.hidden/d.wav', 'left out');
    mkdirSync(workspace.path('bare'), {recursive: true});
    const {code, stdout, stderr} = await predict(
      'package',
      'mixed',
      'gone.wav',
      'mixed/notes.txt',
      'bare',
      '--top',
      '2',
    );
    expect(code).toBe(1);
    const score = String.raw`  \S+ +0\.\d{3}`;
    expect(stdout).toMatch(new RegExp(`^mixed/a\\.wav    ${score}${score}\nmixed/b/c\\.WAV  ${score}${score}\n$`));
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^error: mixed\/b\/cut\.wav: the clip is truncated: /),
      'error: gone.wav: there is no such file',
      'error: mixed/notes.txt: the clip is no sound: it looks like text',
      'error: bare: there is no sound file in this folder',
      '4 of 6 recordings could not be labelled',
      '',
    ]);
  });

  test('takes the node whose last result the package is', async () => {
    const [node, folder] = [
      await predict('model[levels=h1]', 'clips/bird-01.wav'),
      await predict('package', 'clips/bird-01.wav'),
    ];
    expect(node).toEqual(folder);
    expect(node.code).toBe(0);
    const inOut = 'runs/latest/out/model[levels=h1]/model';
    expect((await predict(inOut, 'clips/bird-01.wav')).stdout).toBe(folder.stdout);
  });

  test('needs no project', async () => {
    const elsewhere = new Workspace();
    try {
      cpSync(workspace.path('package'), elsewhere.path('model'), {recursive: true});
      cpSync(workspace.path('clips/bird-01.wav'), elsewhere.path('bird.wav'));
      const child = elsewhere.start(['predict', 'model', 'bird.wav', '--json'], {
        XDG_CACHE_HOME: elsewhere.path('.cache'),
      });
      const {code, stdout} = await ended(child);
      expect(code).toBe(0);
      const [line] = linesOf((await predict('package', 'clips/bird-01.wav', '--json')).stdout);
      expect(linesOf(stdout)).toEqual([{...line, file: 'bird.wav'}]);
    } finally {
      elsewhere.dispose();
    }
  });

  test('labels the same on every engine of the CPU', {timeout: 60_000}, async () => {
    const byEngine = await Promise.all(
      ['onnx-blas', 'wasm', 'cpu'].map(async (engine) => {
        const {stdout} = await predict(
          'package',
          'clips/bird-01.wav',
          'clips/wind-03.wav',
          '--json',
          '--engine',
          engine,
        );
        return linesOf(stdout);
      }),
    );
    const [first = []] = byEngine;
    for (const lines of byEngine) {
      for (const [i, {top}] of lines.entries()) {
        expect(top.map((each) => each.class)).toEqual(first[i]?.top.map((each) => each.class));
        for (const [k, {score}] of top.entries()) expect(score).toBeCloseTo(first[i]?.top[k]?.score ?? NaN, 4);
      }
    }
  });

  test('labels many recordings with several processes, in order', {timeout: 60_000}, async () => {
    const {code, stdout} = await predict('package', 'clips', 'clips', '--json', '--top', '1');
    expect(code).toBe(0);
    const lines = linesOf(stdout);
    expect(lines).toHaveLength(2 * 114);
    expect(lines.slice(114)).toEqual(lines.slice(0, 114));
    expect(lines.map(({file}) => file).slice(0, 114)).toEqual(
      lines
        .map(({file}) => file)
        .slice(0, 114)
        .sort(),
    );
  });

  test.each([
    [
      ['model', 'a.wav'],
      'error: `model` names 2 nodes; predict takes one [usage]\n  hint: such as model[levels=h1], model[levels=h2]\n',
    ],
    [
      ['model[levels=h2]', 'a.wav'],
      "error: there is no result of model[levels=h2] yet [blob-missing]\n  hint: make it: mixdown run 'model[levels=h2]'\n",
    ],
    [['folds', 'a.wav'], 'error: folds makes no model package [usage]\n  hint: such as model[levels=h1]\n'],
    [['waveforms', 'a.wav'], 'error: waveforms makes no model package [usage]\n  hint: such as model[levels=h1]\n'],
    [
      ['modle', 'a.wav'],
      'error: there is no folder modle, and there is no node or target group `modle` [usage]\n  hint: did you mean `model`?\n',
    ],
    [
      ['clips', 'a.wav'],
      'error: clips is no model package: it has no mixdown.json [usage]\n  hint: stage export-model makes a model package; `mixdown show NODE --to DIR` copies it out\n',
    ],
    [
      ['runs/latest/out/model[levels=h1]', 'a.wav'],
      'error: runs/latest/out/model[levels=h1] is no model package: it has no mixdown.json [usage]\n  hint: there is one in it: runs/latest/out/model[levels=h1]/model\n',
    ],
    [
      ['package/model.onnx', 'a.wav'],
      'error: package/model.onnx is a file; a model package is a folder with mixdown.json in it [usage]\n  hint: name its folder: package\n',
    ],
    [['package'], "error: missing required argument 'file'\n"],
  ])('%j: says what is wrong', async (args, message) => {
    expect(await predict(...args)).toEqual({code: expect.any(Number) as number, stdout: '', stderr: message});
  });

  test('says that the last result of a node is stale', async () => {
    const before = await predict('package', 'clips/bird-01.wav');
    workspace.edit('pipeline.yaml', 'epochs: 3', 'epochs: 4');
    try {
      const {stderr, ...rest} = await predict('model[levels=h1]', 'clips/bird-01.wav');
      expect(rest).toEqual({code: 0, stdout: before.stdout});
      expect(stderr).toBe('model[levels=h1] is stale; this is its last result\n');
    } finally {
      workspace.edit('pipeline.yaml', 'epochs: 4', 'epochs: 3');
    }
  });

  test('says which file of a damaged package is damaged, once', async () => {
    cpSync(workspace.path('package'), workspace.path('damaged'), {recursive: true});
    rmSync(workspace.path('damaged/weights.bin'));
    const {code, stdout, stderr} = await predict('damaged', 'clips');
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    expect(stderr).toBe(
      'error: the model lacks its file weights.bin [stage-failed]\n  hint: copy or export it again\n',
    );
  });

  test('says what this machine lacks for a recording, and labels the others', async () => {
    cpSync('test/golden/audio/clips/stereo.m4a', workspace.path('stereo.m4a'));
    const {code, stdout, stderr} = await ended(
      workspace.start(['predict', 'package', 'stereo.m4a', 'clips/bird-01.wav'], {PATH: ''}),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^clips\/bird-01\.wav /);
    expect(stderr).toMatch(/^error: stereo\.m4a: .*ffmpeg.*\n1 of 2 recordings could not be labelled\n$/);
  });

  test('follows links to files, and no links to folders', async () => {
    workspace.write('linked/real/a.wav', readFileSync(workspace.path('clips/bird-01.wav')));
    symlinkSync(workspace.path('linked'), workspace.path('linked/real/loop'));
    symlinkSync(workspace.path('clips/wind-03.wav'), workspace.path('linked/b.wav'));
    symlinkSync(workspace.path('nowhere.wav'), workspace.path('linked/c.wav'));
    const {stdout, stderr} = await predict('package', 'linked', '--json');
    expect(linesOf(stdout)).toMatchObject([
      {file: 'linked/b.wav', pieces: 1},
      {file: 'linked/c.wav', error: 'there is no such file'},
      {file: 'linked/real/a.wav', pieces: 1},
    ]);
    expect(stderr).toBe('');
  });

  test('stops at once when it is interrupted, and leaves nothing behind', {timeout: 60_000}, async () => {
    const child = workspace.start(['predict', 'package', ...Array.from({length: 40}, () => 'clips')]);
    child.stdout?.once('data', () => child.kill('SIGINT'));
    expect((await ended(child)).code).toBe(130);
    expect(Object.keys(workspace.hashes('cache/work'))).toEqual([]);
  });
});
