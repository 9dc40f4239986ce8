import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import exportModel from '../../../stages/export-model.ts';
import {writeSafeTensors} from '../../../stages/lib/formats/safetensors.ts';
import {initialWeights} from '../../../stages/lib/models/initial-weights.ts';
import {writeModel} from '../../../stages/lib/models/model-file.ts';
import {dnnGraph} from '../../../stages/lib/models/dnn.ts';
import {recurrentGraph} from '../../../stages/lib/models/recurrent.ts';
import {vggishGraph, withHead} from '../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../stages/lib/models/yamnet.ts';
import {attentionGraph} from '../../../stages/lib/models/attention.ts';
import {decodeModel} from '../../../stages/lib/onnx/decode.ts';
import type {PackageDescription} from '../../../stages/lib/packages/description.ts';
import {openPackage} from '../../../stages/lib/packages/labeller.ts';
import {createRng} from '../../../stages/lib/rng.ts';
import {
  components,
  pieceLength,
  randomWeights,
  runModelPipeline,
  type ModelPipeline,
} from '../../support/model-pipeline.ts';
import {runStage, temporaryFolder, testEngine, treeOf} from '../../support/stage-harness.ts';

const params = {components, length: pieceLength};
/** The same numbers, in batches of other sizes. */
const TOLERANCE = 1e-5;

let pipeline: ModelPipeline;
beforeAll(async () => {
  pipeline = await runModelPipeline();
}, 60_000);

function inputsOf({model, extractor, pca}: ModelPipeline) {
  return {model, extractor, pca};
}

/** The inputs with which a package is checked. */
function checkedInputs(made: ModelPipeline) {
  return {...inputsOf(made), clips: {files: made.clips}, index: made.index, predictions: made.predictions};
}

function descriptionOf(folder: string): PackageDescription {
  return JSON.parse(readFileSync(join(folder, 'mixdown.json'), 'utf8')) as PackageDescription;
}

describe('export-model', () => {
  it('writes a package that gives the scores of the pipeline', async () => {
    const {outputs, metrics} = await runStage(exportModel, {params, inputs: checkedInputs(pipeline)});
    expect(metrics['largestDifference']).toBeLessThan(TOLERANCE);
    expect(readdirSync(outputs.model).sort()).toEqual([
      'SHA256SUMS',
      'extractor',
      'extractor.onnx',
      'layers.mjs',
      'mixdown.json',
      'model.json',
      'model.onnx',
      'pca.npz',
      'weights.bin',
    ]);
    const description = descriptionOf(outputs.model);
    expect(description).toMatchObject({
      type: 'model/1',
      classes: ['cow', 'dog', 'owl'],
      frontEnd: {
        waveform: {sampleRate: 16_000, trimDb: 60},
        logMel: {bands: 64, logOffset: 0.01},
        extractor: {name: 'vggish', width: 128},
        pca: {components, bytesAs: 'unit'},
        segments: {length: pieceLength, long: 'split', short: 'repeat'},
      },
      provenance: {training: {levels: 'h1+h2', fold: '0'}, checked: 3},
    });
    expect(Object.keys(description.provenance.files)).toEqual(['model', 'extractor', 'pca']);
    const {metadata} = decodeModel(readFileSync(join(outputs.model, 'model.onnx')));
    expect(JSON.parse(metadata['mixdown'] ?? '')).toEqual(description);
  });

  it('writes the same bytes again', async () => {
    const folders = [];
    for (let i = 0; i < 2; i++)
      folders.push((await runStage(exportModel, {params, inputs: inputsOf(pipeline)})).outputs.model);
    const [first, second] = folders.map((folder) => treeOf(folder).entries);
    expect(second?.map(({path}) => path)).toEqual(first?.map(({path}) => path));
    for (const [i, {path, file}] of (first ?? []).entries()) {
      expect([path, readFileSync(file).equals(readFileSync(second?.[i]?.file ?? ''))]).toEqual([path, true]);
    }
  });

  it('gives the scores of a pipeline without PCA', {timeout: 60_000}, async () => {
    const plain = await runModelPipeline({quantised: false});
    const {pca: _, ...inputs} = checkedInputs(plain);
    const {outputs, metrics} = await runStage(exportModel, {params: {length: pieceLength}, inputs});
    expect(metrics['largestDifference']).toBeLessThan(TOLERANCE);
    expect(descriptionOf(outputs.model).frontEnd).not.toHaveProperty('pca');
  });

  it('gives the scores of a pipeline of whole recordings, however far they are padded', {timeout: 60_000}, async () => {
    const pieces = {length: 8, long: 'split', short: 'repeat', pieces: 'whole', scales: [1, 4]} as const;
    const whole = await runModelPipeline({pieces, makeGraph: (config) => recurrentGraph({...config, mask: true})});
    const run = (params: Partial<Record<keyof typeof pieces, unknown>>) =>
      runStage(exportModel, {params: {components, ...pieces, ...params} as object, inputs: checkedInputs(whole)});
    const {outputs, metrics} = await run({});
    expect(metrics['largestDifference']).toBeLessThan(TOLERANCE);
    expect(descriptionOf(outputs.model).frontEnd.segments).toEqual(pieces);
    expect((await run({length: 30})).metrics['largestDifference']).toBeLessThan(TOLERANCE);
    await expect(run({pieces: 'cut'})).rejects.toThrow('otherwise than the pipeline did');
    await expect(run({scales: [1, 2]})).rejects.toThrow('otherwise than the pipeline did');
    await expect(run({scales: [1]})).rejects.toThrow('the model takes [any, 12], the front end makes [8, 6]');
  });

  it('gives the scores of a model that averages the vectors', {timeout: 60_000}, async () => {
    const averaged = await runModelPipeline({makeGraph: (config) => dnnGraph({...config, blocks: 1, view: 'mean'})});
    const {metrics} = await runStage(exportModel, {params, inputs: checkedInputs(averaged)});
    expect(metrics['largestDifference']).toBeLessThan(TOLERANCE);
  });

  it.each([
    ['logOffset', {logOffset: 0.02}],
    ['normalize', {normalize: false}],
    ['embeddingActivation', {embeddingActivation: 'relu'}],
    ['long', {long: 'truncate'}],
    ['bytesAs', {bytesAs: 'whitened'}],
  ] as const)('fails when %s is not what the pipeline had', async (_, other) => {
    const result = runStage(exportModel, {params: {...params, ...other}, inputs: checkedInputs(pipeline)});
    await expect(result).rejects.toThrow(/^the package scores clip \w+ otherwise than the pipeline did/);
  });

  it('packs a model of patches without an extractor', async () => {
    const graph = withHead(vggishGraph({width: 0.02}), {hidden: 4, classes: 3});
    const model = join(temporaryFolder(), 'tuned.safetensors');
    writeModel(model, {graph, weights: initialWeights(graph, 1), classes: ['a', 'b', 'c'], about: {}});
    const {outputs} = await runStage(exportModel, {inputs: {model}});
    expect(readdirSync(outputs.model).sort()).toEqual([
      'SHA256SUMS',
      'mixdown.json',
      'model.json',
      'model.onnx',
      'weights.bin',
    ]);
    expect(descriptionOf(outputs.model).frontEnd).not.toHaveProperty('segments');
    const clip = join(temporaryFolder(), 'long.wav');
    writeFileSync(clip, pipeline.clips['long.wav'] ?? '');
    const labeller = await openPackage((path) => [join(outputs.model, path)].find((file) => existsSync(file)), {
      engine: testEngine(),
      threads: 1,
    });
    const {pieces, scores} = await labeller.label(clip, {});
    await labeller.dispose();
    expect(pieces).toBe(8);
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
  });

  it('takes YAMNet for an extractor, up to its embeddings', {timeout: 60_000}, async () => {
    const folder = temporaryFolder();
    const [weights, model] = [join(folder, 'yamnet.safetensors'), join(folder, 'model.safetensors')];
    writeSafeTensors(weights, initialWeights(yamnetGraph(), 1));
    const graph = recurrentGraph({
      features: 1024,
      classes: 2,
      units: 4,
      dropout: 0,
      headBatchNorm: false,
      momentum: 0.9,
      labels: 'single',
    });
    writeModel(model, {graph, weights: randomWeights(graph, createRng(1)), classes: ['a', 'b'], about: {}});
    const {outputs} = await runStage(exportModel, {
      params: {extractor: 'yamnet', logOffset: 0.001, patchHop: 48},
      inputs: {model, extractor: weights},
    });
    expect(descriptionOf(outputs.model).frontEnd.extractor).toEqual({name: 'yamnet', width: 1024});
    const onnx = decodeModel(readFileSync(join(outputs.model, 'extractor.onnx')));
    // The classifier behind the embeddings is left out.
    expect([...onnx.weights.keys()].some((name) => name.startsWith('layer28'))).toBe(false);
  });
});

describe('export-model refuses', () => {
  it('a model of features without its extractor', async () => {
    const inputs = {model: pipeline.model};
    await expect(runStage(exportModel, {inputs})).rejects.toThrow(
      'the model takes [any, 6], the front end makes [96, 64]',
    );
  });

  it('another number of components', async () => {
    const inputs = inputsOf(pipeline);
    await expect(runStage(exportModel, {params: {length: 3}, inputs})).rejects.toThrow(
      'the model takes [any, 6], the front end makes [3, 128]',
    );
  });

  it('PCA parameters without an extractor', async () => {
    const inputs = {model: pipeline.model, pca: pipeline.pca};
    await expect(runStage(exportModel, {params, inputs})).rejects.toThrow('PCA parameters are given, but no extractor');
  });

  it('a model of one fold with the PCA of another', async () => {
    const model = join(temporaryFolder(), 'model.safetensors');
    const graph = attentionGraph({
      ...{features: components, classes: 3, units: 4, levels: [1], dropout: 0, headBatchNorm: false, momentum: 0.9},
      ...{labels: 'single', finalDense: true, attentionNorm: 'time-softmax'},
    });
    writeModel(model, {graph, weights: initialWeights(graph, 1), classes: ['a', 'b', 'c'], about: {fold: '2'}});
    await expect(runStage(exportModel, {params, inputs: {...inputsOf(pipeline), model}})).rejects.toThrow(
      'the model was trained for fold 2, the PCA parameters were fitted for fold 0',
    );
  });

  it('a model of several labels, whose scores are no shares', async () => {
    const graph = recurrentGraph({
      ...{features: components, classes: 2, units: 4, dropout: 0, headBatchNorm: false, momentum: 0.9, labels: 'multi'},
    });
    const model = join(temporaryFolder(), 'model.safetensors');
    writeModel(model, {graph, weights: initialWeights(graph, 1), classes: ['a', 'b'], about: {}});
    await expect(runStage(exportModel, {params, inputs: {...inputsOf(pipeline), model}})).rejects.toThrow(
      "the model's scores come from a layer of kind `sigmoid`",
    );
  });

  it('some of clips, index and predictions without the others', async () => {
    const inputs = {...inputsOf(pipeline), index: pipeline.index};
    await expect(runStage(exportModel, {params, inputs})).rejects.toThrow(
      'input `clips` and `predictions` are missing',
    );
  });

  it('predictions of other classes', async () => {
    const index = {content: pipeline.index.content.replace('cow', 'cat')};
    const inputs = {...checkedInputs(pipeline), index};
    await expect(runStage(exportModel, {params, inputs})).rejects.toThrow('of other classes than the model');
  });

  it.each(['{}', '{', 'null', '{"type": "predictions/1", "classes": 3}'])('an index that reads %s', async (content) => {
    const inputs = {...checkedInputs(pipeline), index: {content}};
    await expect(runStage(exportModel, {params, inputs})).rejects.toThrow('the index is no index of predictions');
  });

  it('bands that the extractor does not take', async () => {
    const result = runStage(exportModel, {params: {...params, bands: 32}, inputs: inputsOf(pipeline)});
    await expect(result).rejects.toThrow('the extractor takes [96, 64], the front end makes [96, 32]');
  });
});
