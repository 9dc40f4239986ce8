import {writeFileSync} from 'node:fs';
import {beforeAll, describe, expect, test} from 'vitest';
import {attentionGraph} from '../../../../../stages/lib/models/attention.ts';
import {ATTENTION_NORMS, type ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import {createPredictor} from '../../../../../stages/lib/models/predictor.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {sizeOf} from '../../../../../stages/lib/models/shapes.ts';
import {vggishGraph, withHead} from '../../../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../../../stages/lib/models/yamnet.ts';
import {decodeModel} from '../../../../../stages/lib/onnx/decode.ts';
import {toOnnx} from '../../../../../stages/lib/onnx/from-graph.ts';
import {openSession} from '../../../../../stages/lib/onnx/session.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {checkOnnxFiles, pythonWithOnnx} from '../../../../support/onnx-checker.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

/** Odd sizes, strides and kernels of even size on an image, and all that may follow one. */
const images: ModelGraph = {
  inputs: [{name: 'image', shape: [7, 6, 3]}],
  layers: [
    {name: 'kept', inputs: ['image'], op: 'dropout', rate: 0.5},
    {name: 'norm', inputs: ['kept'], op: 'batch-norm', epsilon: 1e-3, momentum: 0.9},
    {name: 'even', inputs: ['norm'], op: 'convolution', filters: 4, kernel: [2, 4], stride: 1},
    {name: 'strided', inputs: ['even'], op: 'convolution', filters: 3, kernel: [3, 3], stride: 2},
    {name: 'deep', inputs: ['strided'], op: 'depthwise-convolution', kernel: [3, 2], stride: 2},
    {name: 'deep/relu6', inputs: ['deep'], op: 'relu6'},
    {name: 'pooled', inputs: ['strided'], op: 'max-pool'},
    {name: 'soft', inputs: ['pooled'], op: 'softmax'},
    {name: 'sum', inputs: ['soft', 'deep/relu6'], op: 'sum'},
    {name: 'all', inputs: ['sum', 'pooled'], op: 'concat'},
    {name: 'shares', inputs: ['soft'], op: 'normalise'},
    {name: 'flat', inputs: ['all'], op: 'flatten'},
    {name: 'mean', inputs: ['all'], op: 'image-mean'},
    {name: 'joined', inputs: ['flat', 'mean'], op: 'concat'},
    {name: 'output', inputs: ['joined'], op: 'dense', units: 5},
    {name: 'unused', inputs: ['output'], op: 'dropout', rate: 0.1},
  ],
  outputs: ['unused', 'all', 'shares', 'kept', 'image'],
};

/** What acts on each vector of a series, whose length is open. */
const series: ModelGraph = {
  inputs: [
    {name: 'x', shape: [null, 4]},
    {name: 'y', shape: [null, 4]},
  ],
  layers: [
    {name: 'norm', inputs: ['x'], op: 'batch-norm', epsilon: 1e-3, momentum: 0.9},
    {name: 'dense', inputs: ['norm'], op: 'dense', units: 3},
    {name: 'soft', inputs: ['dense'], op: 'softmax'},
    {name: 'other', inputs: ['y'], op: 'dense', units: 3},
    {name: 'logistic', inputs: ['other'], op: 'sigmoid'},
    {name: 'sum', inputs: ['soft', 'logistic'], op: 'sum'},
    {name: 'joined', inputs: ['sum', 'logistic'], op: 'concat'},
    {name: 'shares', inputs: ['joined'], op: 'normalise'},
    {name: 'mean', inputs: ['shares'], op: 'time-mean'},
    {name: 'column', inputs: ['mean'], op: 'expand'},
    {name: 'last', inputs: ['joined'], op: 'lstm', units: 2},
    ...ATTENTION_NORMS.map((norm) => ({name: norm, inputs: ['dense', 'other'], op: 'attention-pool' as const, norm})),
  ],
  outputs: ['mean', 'shares', 'column', 'last', ...ATTENTION_NORMS],
};

/** Weights in which every part counts. */
function weightsOf(graph: ModelGraph): Weights {
  const rng = createRng(5);
  return new Map(
    [...initialWeights(graph, 3)].map(([name, {shape, data}]) => [
      name,
      {shape, data: name.endsWith('/weights') ? data : data.map(() => 0.2 + rng.uniform())},
    ]),
  );
}

function inputsOf(graph: ModelGraph, count: number, length: number): Record<string, NamedArray> {
  const rng = createRng(count);
  return Object.fromEntries(
    graph.inputs.map(({name, shape}) => {
      const full = [count, ...shape.map((size) => size ?? length)];
      return [name, {shape: full, data: Float32Array.from({length: sizeOf(full)}, () => 2 * rng.normal())}];
    }),
  );
}

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine({engine: 'wasm', threads: 1});
});

describe.each([
  ['images', images],
  ['series', series],
] as const)('%s', (_, graph) => {
  test.each([
    [1, 1],
    [1, 5],
    [3, 4],
  ])('onnxruntime gives what the tensor engine gives, %i examples of length %i', async (count, length) => {
    const weights = weightsOf(graph);
    const inputs = inputsOf(graph, count, length);
    const predictor = createPredictor(engine, graph, weights);
    const wanted = await predictor.run(inputs);
    predictor.dispose();
    const session = await openSession(toOnnx(graph, weights), 1);
    const found = await session.run(inputs);
    await session.release();
    expect(Object.keys(found).sort()).toEqual([...graph.outputs].sort());
    for (const [name, {shape, data}] of Object.entries(wanted)) {
      expect([name, found[name]?.shape]).toEqual([name, shape]);
      const scale = Math.max(...data.map(Math.abs));
      expect(scale).toBeGreaterThan(0.01);
      const distance = Math.max(...data.map((value, i) => Math.abs(value - (found[name]?.data[i] ?? Number.NaN))));
      expect(distance / scale).toBeLessThan(1e-5);
    }
  });
});

test('padding that is not even lies below and to the right', async () => {
  const graph: ModelGraph = {
    inputs: [{name: 'image', shape: [2, 2, 1]}],
    layers: [{name: 'sums', inputs: ['image'], op: 'convolution', filters: 1, kernel: [2, 2], stride: 1}],
    outputs: ['sums'],
  };
  const weights: Weights = new Map([
    ['sums/weights', {shape: [2, 2, 1, 1], data: Float32Array.of(1, 10, 100, 1000)}],
    ['sums/biases', {shape: [1], data: Float32Array.of(0)}],
  ]);
  const session = await openSession(toOnnx(graph, weights), 1);
  const {sums} = await session.run({image: {shape: [1, 2, 2, 1], data: Float32Array.of(1, 2, 3, 4)}});
  await session.release();
  expect([...(sums?.data ?? [])]).toEqual([4321, 402, 43, 4]);
});

test('equal models give equal bytes, and the metadata is in them', () => {
  const weights = weightsOf(series);
  const bytes = toOnnx(series, weights, {b: '2', a: 'ä'});
  const shuffled = new Map([...weights].reverse());
  expect(Buffer.from(toOnnx(series, shuffled, {a: 'ä', b: '2'})).equals(bytes)).toBe(true);
  expect(decodeModel(bytes).metadata).toEqual({a: 'ä', b: '2'});
});

test('weights that the graph does not have are left out, missing and misshapen ones are named', () => {
  const weights = new Map(weightsOf(series));
  const plain = toOnnx(series, weights);
  weights.set('head/weights', {shape: [1], data: Float32Array.of(1)});
  expect(Buffer.from(toOnnx(series, weights)).equals(plain)).toBe(true);
  weights.set('dense/biases', {shape: [2], data: new Float32Array(2)});
  expect(() => toOnnx(series, weights)).toThrow('tensor `dense/biases` has shape [2]; [3] is expected');
  weights.delete('dense/biases');
  expect(() => toOnnx(series, weights)).toThrow('the weights have no tensor `dense/biases`');
});

test('an image does not get another axis', () => {
  const graph: ModelGraph = {
    inputs: [{name: 'image', shape: [2, 2, 1]}],
    layers: [{name: 'more', inputs: ['image'], op: 'expand'}],
    outputs: ['more'],
  };
  expect(() => toOnnx(graph, new Map())).toThrow('layer `more` would give an image a fifth axis');
});

describe('the checker of ONNX', () => {
  const python = pythonWithOnnx();
  const config = {features: 5, classes: 3, units: 8, dropout: 0.4, momentum: 0.9, headBatchNorm: true} as const;
  const attention = {levels: [1, 2], finalDense: false, attentionNorm: 'class-softmax+time-sum'} as const;
  const graphs: readonly ModelGraph[] = [
    images,
    series,
    attentionGraph({...config, ...attention, labels: 'single'}),
    recurrentGraph({...config, labels: 'multi'}),
    withHead(vggishGraph({width: 0.05}), {hidden: 6, classes: 3}),
    yamnetGraph(),
  ];

  test.skipIf(python === undefined)('accepts the files (needs Python with the package onnx)', {timeout: 60_000}, () => {
    const folder = temporaryFolder();
    const paths = graphs.map((graph, i) => {
      writeFileSync(`${folder}/${i}.onnx`, toOnnx(graph, weightsOf(graph), {classes: '[]'}));
      return `${folder}/${i}.onnx`;
    });
    expect(checkOnnxFiles(python ?? '', paths)).toBe('');
  });
});
