import {writeFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {attentionGraph} from '../../../../../stages/lib/models/attention.ts';
import type {SeriesConfig} from '../../../../../stages/lib/models/blocks.ts';
import {dnnGraph} from '../../../../../stages/lib/models/dnn.ts';
import {ATTENTION_NORMS, type Layer, type ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import {createPredictor} from '../../../../../stages/lib/models/predictor.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {layerShapes} from '../../../../../stages/lib/models/shapes.ts';
import {toLayers} from '../../../../../stages/lib/models/to-layers.ts';
import {createTrainer, type Batch} from '../../../../../stages/lib/models/trainer.ts';
import {toOnnx} from '../../../../../stages/lib/onnx/from-graph.ts';
import {openSession} from '../../../../../stages/lib/onnx/session.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {float64Values} from '../../../../support/float64-graph.ts';
import {runLayersModel} from '../../../../support/layers-model.ts';
import {checkOnnxFiles, pythonWithOnnx} from '../../../../support/onnx-checker.ts';
import {temporaryFolder, testEngine} from '../../../../support/stage-harness.ts';

const engine = await loadEngine({engine: testEngine(), threads: 1});

const WIDTH = 4;
const CLASSES = 3;
const config: SeriesConfig = {
  features: WIDTH,
  classes: CLASSES,
  units: 6,
  dropout: 0,
  headBatchNorm: true,
  momentum: 0.9,
  labels: 'single',
  mask: true,
};

const attention = {levels: [1, 2], finalDense: true, attentionNorm: 'time-softmax'} as const;

const MODELS: readonly (readonly [string, ModelGraph])[] = [
  ['LSTM', recurrentGraph(config)],
  ...ATTENTION_NORMS.map((attentionNorm): [string, ModelGraph] => [
    `attention by ${attentionNorm}`,
    attentionGraph({...config, ...attention, attentionNorm}),
  ]),
  ['attention for several labels', attentionGraph({...config, ...attention, finalDense: false, labels: 'multi'})],
  ['dense layers and a mean', dnnGraph({...config, blocks: 2})],
  ['attention to a mean', attentionGraph({...config, ...attention, view: 'mean'})],
  ['LSTM of a mean', recurrentGraph({...config, view: 'mean'})],
];

/** Far enough from 0 and 1 that every layer counts. */
function weightsOf(graph: ModelGraph): Weights {
  const rng = createRng(8);
  const some = (data: Float32Array, from: number): Float32Array => data.map(() => from + 0.6 * rng.uniform());
  return new Map(
    [...initialWeights(graph, 2)].map(([name, {shape, data}]) => {
      const isScale = /\/(gamma|variance)$/.test(name);
      return [
        name,
        {shape, data: shape.length > 1 ? data.map((value) => 2 * value) : some(data, isScale ? 0.7 : -0.3)},
      ];
    }),
  );
}

/** Clips of so many vectors. */
function clipsOf(lengths: readonly number[]): readonly Float32Array[] {
  const rng = createRng(4);
  return lengths.map((length) => Float32Array.from({length: length * WIDTH}, () => rng.normal()));
}

/** The clips as rows of `steps` vectors; `places` says where the vectors of each clip lie, at the start unless given. */
function padded(clips: readonly Float32Array[], steps: number, places?: readonly (readonly number[])[]): NamedArray {
  const data = new Float32Array(clips.length * steps * WIDTH);
  for (const [row, clip] of clips.entries()) {
    for (let i = 0; i < clip.length / WIDTH; i++) {
      const at = row * steps + (places?.[row]?.[i] ?? i);
      data.set(clip.subarray(i * WIDTH, (i + 1) * WIDTH), at * WIDTH);
    }
  }
  return {shape: [clips.length, steps, WIDTH], data};
}

async function predict(graph: ModelGraph, weights: Weights, features: NamedArray): Promise<Float32Array> {
  const predictor = createPredictor(engine, graph, weights);
  const outputs = await predictor.run({features});
  predictor.dispose();
  return outputs[graph.outputs[0] ?? '']?.data ?? new Float32Array();
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? NaN))));
}

describe.each(MODELS)('%s', (_, graph) => {
  const weights = weightsOf(graph);
  const lengths = [5, 1, 3, 2];
  const clips = clipsOf(lengths);
  // Shares of nothing are none.
  const nothing = graph.layers.some(({op}) => op === 'normalise') ? [] : [new Float32Array(0)];

  test('gives a clip the same among zeros as alone', async () => {
    const alone = [];
    for (const clip of clips) alone.push(...(await predict(graph, weights, padded([clip], clip.length / WIDTH))));
    expect(Math.max(...alone) - Math.min(...alone)).toBeGreaterThan(0.01);
    const atTheEnd = await predict(graph, weights, padded(clips, 7));
    expect(largestDifference(atTheEnd, alone)).toBeLessThan(1e-6);
    const places = [[0, 2, 3, 5, 6], [6], [1, 2, 4], [0, 6]];
    const between = await predict(graph, weights, padded(clips, 7, places));
    expect(largestDifference(between, alone)).toBeLessThan(1e-6);
    const unmasked = {...graph, layers: graph.layers.map(withoutMask).filter(({op}) => op !== 'mask')};
    const other = await predict(unmasked, weights, padded(clips, 7));
    expect(largestDifference(other, alone)).toBeGreaterThan(0.01);
  });

  test('equals float64, also for a row of nothing but zeros', async () => {
    const features = padded([...clips, ...nothing], 6);
    const found = await predict(graph, weights, features);
    const expected = float64Values(graph, weights, {features}).get(graph.outputs[0] ?? '');
    expect(largestDifference(found, expected?.data ?? [])).toBeLessThan(1e-5);
  });

  test('gives the same as ONNX and in the layers format', {timeout: 60_000}, async () => {
    const session = await openSession(toOnnx(graph, weights), 1);
    const file = toLayers(graph, weights, 'weights.bin');
    const all = [...clips, ...nothing];
    const gaps = padded(all, 7, [[0, 2, 3, 5, 6], [6], [1, 2, 4], [0, 6]]);
    for (const features of [padded(all, 7), gaps, padded(clipsOf([1, 1]), 1), padded(clipsOf([3]), 3)]) {
      const here = await predict(graph, weights, features);
      const outputs = await session.run({features});
      expect(largestDifference(outputs[graph.outputs[0] ?? '']?.data ?? [], here)).toBeLessThan(1e-5);
      const [fromLayers] = await runLayersModel(file.model, file.weights, [features]);
      expect(largestDifference(fromLayers?.data ?? [], here)).toBeLessThan(1e-5);
    }
    await session.release();
  });

  test('is trained the same whatever lies behind the clips, batch normalisations included', async () => {
    const train = async (steps: number): Promise<readonly (number | Weights)[]> => {
      const trainer = createTrainer(engine, graph, {learningRate: 0.01}, weights, 1);
      const batch: Batch = {
        inputs: {features: padded(clipsOf([3, 3, 3]), steps)},
        targets: {shape: [3, CLASSES], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)},
      };
      const losses = [await trainer.step([batch]), await trainer.step([batch]), await trainer.step([batch])];
      const saved = await trainer.save();
      trainer.dispose();
      return [...losses, saved];
    };
    const [plain, long] = [await train(3), await train(8)];
    expect(largestDifference(long.slice(0, 3) as number[], plain.slice(0, 3) as number[])).toBeLessThan(2e-6);
    expect(plain[2]).toBeLessThan(plain[0] as number);
    for (const [name, {data}] of plain[3] as Weights) {
      const other = (long[3] as Weights).get(name)?.data ?? [];
      // Adam divides gradients by their size: those that are zero but for rounding make steps of any direction.
      if (!isWithoutEffect(name)) expect([name, largestDifference(other, data) < 1e-3]).toEqual([name, true]);
    }
  });
});

/** Biases before a batch normalisation have no gradient. */
function isWithoutEffect(name: string): boolean {
  return name.endsWith('/biases') && name !== 'lstm/biases';
}

function lstm(...inputs: readonly string[]): Layer {
  return {name: 'lstm', inputs, op: 'lstm', units: 2};
}

function withoutMask(layer: Layer): Layer {
  return {...layer, inputs: layer.inputs.filter((name) => name !== 'features/mask')};
}

describe('a mask', () => {
  test('is taken from the input as it is, before the batch normalisation', () => {
    const {layers} = recurrentGraph(config);
    expect(layers.slice(0, 2)).toMatchObject([
      {name: 'features/mask', inputs: ['features'], op: 'mask'},
      {name: 'features/norm', inputs: ['features', 'features/mask'], op: 'batch-norm'},
    ]);
    const taking = layers.flatMap(({name, inputs}) => (inputs.includes('features/mask') ? [name] : []));
    expect(taking).toEqual(['features/norm', 'lstm']);
    expect(recurrentGraph({...config, mask: false}).layers.some(({op}) => op === 'mask')).toBe(false);
  });

  test('of another series is refused', () => {
    const graph = (length: number, ...layers: readonly Layer[]): ModelGraph => ({
      inputs: [
        {name: 'x', shape: [4, 2]},
        {name: 'y', shape: [length, 2]},
      ],
      layers: [{name: 'm', inputs: ['y'], op: 'mask'}, ...layers],
      outputs: [layers.at(-1)?.name ?? ''],
    });
    const mean = (...inputs: string[]): Layer => ({name: 'mean', inputs, op: 'time-mean'});
    expect(layerShapes(graph(4, mean('x', 'm'))).get('mean')).toEqual([2]);
    expect(() => layerShapes(graph(3, mean('x', 'm')))).toThrow('its mask is not one value for each vector');
    expect(() => layerShapes(graph(4, mean('x', 'm', 'm')))).toThrow('it has 3 inputs; 1 and a mask are the most');
    expect(() => layerShapes(graph(4, mean('x', 'y')))).toThrow('its mask is not one value for each vector');
  });

  test.each<readonly [string, readonly Layer[]]>([
    ['of another input', [lstm('x', 'm')]],
    ['that another LSTM would not take', [lstm('y', 'm'), {name: 'other', inputs: ['y'], op: 'lstm', units: 1}]],
    ['of a pool too', [lstm('y', 'm'), {name: 'mean', inputs: ['y', 'm'], op: 'time-mean'}]],
    ['that a mean would not take', [lstm('y', 'm'), {name: 'mean', inputs: ['y'], op: 'time-mean'}]],
    ['as a value', [lstm('y', 'm'), {name: 'row', inputs: ['m'], op: 'relu'}]],
    ['twice', [{name: 'n', inputs: ['x'], op: 'mask'}, lstm('x', 'n')]],
    ['through a join', [{name: 'both', inputs: ['y', 'y'], op: 'concat'}, lstm('both', 'm')]],
  ])('of an LSTM %s cannot be expressed in the layers format', (_, layers) => {
    const graph: ModelGraph = {
      inputs: [
        {name: 'x', shape: [4, 2]},
        {name: 'y', shape: [4, 2]},
      ],
      layers: [{name: 'm', inputs: ['y'], op: 'mask'}, ...layers],
      outputs: [layers.at(-1)?.name ?? ''],
    };
    const weights = initialWeights(graph, 1);
    expect(() => toLayers(graph, weights, 'weights.bin')).toThrow('cannot be expressed in the layers format');
    expect(() => toLayers({...graph, outputs: ['m']}, weights, 'weights.bin')).toThrow('cannot be expressed');
  });

  const python = pythonWithOnnx();
  test.skipIf(python === undefined)('passes the checker of ONNX (needs Python with the package onnx)', () => {
    const folder = temporaryFolder();
    const paths = MODELS.map(([, graph], i) => {
      writeFileSync(`${folder}/${i}.onnx`, toOnnx(graph, weightsOf(graph)));
      return `${folder}/${i}.onnx`;
    });
    expect(checkOnnxFiles(python ?? '', paths)).toBe('');
  });
});

test('the mean of a series of one vector is the vector: trained on means, a model takes series', async () => {
  const graph = attentionGraph({...config, ...attention, mask: false, view: 'mean'});
  const weights = weightsOf(graph);
  const clips = clipsOf([6, 6]);
  const means = clips.map((clip) =>
    Float32Array.from(
      {length: WIDTH},
      (_, k) => [0, 1, 2, 3, 4, 5].reduce((sum, t) => sum + (clip[t * WIDTH + k] ?? 0), 0) / 6,
    ),
  );
  const ofMeans = await predict(graph, weights, padded(means, 1));
  expect(largestDifference(await predict(graph, weights, padded(clips, 6)), ofMeans)).toBeLessThan(1e-6);
  const direct = attentionGraph({...config, ...attention, mask: false});
  expect(await predict(direct, weights, padded(means, 1))).toEqual(ofMeans);
});
