import {describe, expect, test} from 'vitest';
import {attentionGraph} from '../../../../../stages/lib/models/attention.ts';
import {dnnGraph} from '../../../../../stages/lib/models/dnn.ts';
import {ATTENTION_NORMS, type ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {createPredictor} from '../../../../../stages/lib/models/predictor.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {parameterShapes, sizeOf} from '../../../../../stages/lib/models/shapes.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {float64Values} from '../../../../support/float64-graph.ts';
import {testEngine} from '../../../../support/stage-harness.ts';

const engine = await loadEngine({engine: testEngine(), threads: 1});

const series = {
  features: 5,
  classes: 3,
  units: 7,
  dropout: 0.4,
  headBatchNorm: true,
  momentum: 0.9,
  labels: 'single',
} as const;

const masked = {...series, mask: true} as const;

/** Odd and even sizes, both strides, activations that can and cannot be joined with the layer before. */
const images: ModelGraph = {
  inputs: [{name: 'image', shape: [9, 6]}],
  layers: [
    {name: 'x', inputs: ['image'], op: 'expand'},
    {name: 'a', inputs: ['x'], op: 'convolution', filters: 4, kernel: [3, 3], stride: 2},
    {name: 'a/relu6', inputs: ['a'], op: 'relu6'},
    {name: 'b', inputs: ['a/relu6'], op: 'depthwise-convolution', kernel: [3, 3], stride: 1},
    {name: 'b/relu', inputs: ['b'], op: 'relu'},
    {name: 'c', inputs: ['b/relu'], op: 'depthwise-convolution', kernel: [3, 3], stride: 2},
    {name: 'd', inputs: ['x'], op: 'convolution', filters: 4, kernel: [1, 1], stride: 1},
    {name: 'd/pool', inputs: ['d'], op: 'max-pool'},
    {name: 'd/relu', inputs: ['d/pool'], op: 'relu'},
    {name: 'e', inputs: ['d/relu'], op: 'convolution', filters: 4, kernel: [3, 3], stride: 2},
    {name: 'e/relu', inputs: ['e'], op: 'relu'},
    {name: 'f', inputs: ['c', 'e', 'e/relu'], op: 'sum'},
    {name: 'g', inputs: ['f', 'c'], op: 'concat'},
    {name: 'flat', inputs: ['g'], op: 'flatten'},
    {name: 'mean', inputs: ['g'], op: 'image-mean'},
    {name: 'h', inputs: ['flat'], op: 'dense', units: 5},
    {name: 'h/relu6', inputs: ['h'], op: 'relu6'},
    {name: 'p', inputs: ['h/relu6'], op: 'softmax'},
    {name: 'unused', inputs: ['p'], op: 'dense', units: 2},
  ],
  outputs: ['p', 'mean', 'h', 'image'],
};

/** What leaves a value as it is: nothing of it may be freed too early. */
const nothing: ModelGraph = {
  inputs: [{name: 'x', shape: [4]}],
  layers: [
    {name: 'a', inputs: ['x'], op: 'dropout', rate: 0.5},
    {name: 'b', inputs: ['a'], op: 'concat'},
    {name: 'c', inputs: ['b'], op: 'sum'},
    {name: 'd', inputs: ['c'], op: 'dropout', rate: 0},
    {name: 'e', inputs: ['x', 'd'], op: 'sum'},
  ],
  outputs: ['e', 'x', 'a'],
};

const MODELS: readonly (readonly [string, ModelGraph])[] = [
  ...ATTENTION_NORMS.map((attentionNorm): [string, ModelGraph] => [
    `attention with ${attentionNorm}`,
    attentionGraph({...series, levels: [1, 3], finalDense: true, attentionNorm}),
  ]),
  [
    'attention on one level without final dense layer',
    attentionGraph({...series, levels: [2], finalDense: false, attentionNorm: 'time-softmax', headBatchNorm: false}),
  ],
  [
    'attention for several labels',
    attentionGraph({...series, levels: [1, 2], finalDense: true, attentionNorm: 'sigmoid+time-sum', labels: 'multi'}),
  ],
  ['plain network', dnnGraph({...series, blocks: 2})],
  ['recurrent', recurrentGraph(series)],
  ['recurrent with a mask', recurrentGraph({...series, mask: true})],
  ['plain network with a mask on a mean', dnnGraph({...series, blocks: 1, mask: true, view: 'mean'})],
  [
    'the mean of levels with a mask',
    attentionGraph({...masked, levels: [1, 2], finalDense: false, attentionNorm: 'time-softmax', labels: 'multi'}),
  ],
  ['images', images],
  ['nothing to do', nothing],
];

function someWeights(graph: ModelGraph, seed = 3): Weights {
  const rng = createRng(seed);
  return new Map(
    [...parameterShapes(graph)].map(([name, shape]) => {
      const isPositive = name.endsWith('/variance');
      const data = Float32Array.from({length: sizeOf(shape)}, () => (isPositive ? 0.5 + rng.uniform() : rng.normal()));
      return [name, {shape, data}];
    }),
  );
}

function someInputs({inputs}: ModelGraph, rows: number): Readonly<Record<string, NamedArray>> {
  const rng = createRng(rows);
  return Object.fromEntries(
    inputs.map(({name, shape}) => {
      const full = [rows, ...shape.map((size) => size ?? 4)];
      return [name, {shape: full, data: Float32Array.from({length: sizeOf(full)}, () => rng.normal())}];
    }),
  );
}

describe('a predictor', () => {
  test.each(MODELS)('%s: equals float64 to 2e-5 of the largest value', async (_, graph) => {
    const weights = someWeights(graph);
    const inputs = someInputs(graph, 3);
    const predictor = createPredictor(engine, graph, weights);
    const outputs = await predictor.run(inputs);
    predictor.dispose();
    const expected = float64Values(graph, weights, inputs);
    expect(Object.keys(outputs)).toEqual(graph.outputs);
    for (const [name, {shape, data}] of Object.entries(outputs)) {
      const reference = expected.get(name);
      expect(shape).toEqual(reference?.shape);
      expect(data.length).toBe(sizeOf(shape));
      const scale = Math.max(...(reference?.data ?? []).map(Math.abs));
      for (const [i, value] of data.entries()) {
        expect(Math.abs(value - (reference?.data[i] ?? Number.NaN)) / scale).toBeLessThan(2e-5);
      }
    }
  });

  test.each(MODELS)('%s: leaves no tensor behind', async (_, graph) => {
    const before = engine.tf.memory().numTensors;
    const predictor = createPredictor(engine, graph, someWeights(graph));
    await predictor.run(someInputs(graph, 2));
    await predictor.run(someInputs(graph, 1));
    predictor.dispose();
    expect(engine.tf.memory().numTensors).toBe(before);
  });

  test('no rows give no rows', async () => {
    const predictor = createPredictor(engine, images, someWeights(images));
    const {p, mean} = await predictor.run({image: {shape: [0, 9, 6], data: new Float32Array(0)}});
    predictor.dispose();
    expect([p?.shape, p?.data.length]).toEqual([[0, 5], 0]);
    expect(mean?.shape).toEqual([0, 8]);
  });

  test('inputs that do not fit are refused', async () => {
    const predictor = createPredictor(engine, images, someWeights(images));
    const run = (shape: readonly number[], length: number) =>
      predictor.run({image: {shape, data: new Float32Array(length)}});
    await expect(run([1, 9, 7], 63)).rejects.toThrow('input `image` has shape [1, 9, 7], which does not fit');
    await expect(run([1, 54], 54)).rejects.toThrow('does not fit');
    await expect(run([1, 9, 6], 53)).rejects.toThrow('53 values for shape [1, 9, 6]');
    await expect(predictor.run({})).rejects.toThrow('`image` is missing');
    predictor.dispose();
  });

  test('weights that do not fit are refused, with the name of the parameter', () => {
    const weights = new Map(someWeights(images));
    weights.delete('c/biases');
    expect(() => createPredictor(engine, images, weights)).toThrow('the weights have no tensor `c/biases`');
    weights.set('c/biases', {shape: [3], data: new Float32Array(3)});
    expect(() => createPredictor(engine, images, weights)).toThrow('has shape [3]; [4] is expected');
    weights.set('c/biases', {shape: [4], data: Float32Array.of(0, 1, Number.NaN, 2)});
    expect(() => createPredictor(engine, images, weights)).toThrow('holds a value that is not a finite number');
  });
});
