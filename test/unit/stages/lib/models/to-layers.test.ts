import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {attentionGraph} from '../../../../../stages/lib/models/attention.ts';
import {dnnGraph} from '../../../../../stages/lib/models/dnn.ts';
import {ATTENTION_NORMS, type ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {readLayersFile} from '../../../../../stages/lib/models/layers-file.ts';
import {kerasNames} from '../../../../../stages/lib/models/layers-topology.ts';
import {createPredictor} from '../../../../../stages/lib/models/predictor.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {parameterShapes, sizeOf} from '../../../../../stages/lib/models/shapes.ts';
import {toLayers} from '../../../../../stages/lib/models/to-layers.ts';
import {vggishGraph, withHead} from '../../../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../../../stages/lib/models/yamnet.ts';
import {toOnnx} from '../../../../../stages/lib/onnx/from-graph.ts';
import {openSession} from '../../../../../stages/lib/onnx/session.ts';
import {createRng, type Rng} from '../../../../../stages/lib/rng.ts';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {runLayersModel} from '../../../../support/layers-model.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const series = {features: 5, classes: 3, units: 8, dropout: 0.4, momentum: 0.9, headBatchNorm: true} as const;
const attention = {
  ...series,
  labels: 'single',
  levels: [1, 3],
  finalDense: true,
  attentionNorm: 'time-softmax',
} as const;

/** Every kind of layer, in one model each. */
const graphs: readonly (readonly [name: string, graph: ModelGraph, example: readonly number[]])[] = [
  ...ATTENTION_NORMS.flatMap((attentionNorm) =>
    [true, false].map((finalDense) => {
      const name = `attention by ${attentionNorm}${finalDense ? '' : ', without a final dense layer'}`;
      return [name, attentionGraph({...attention, attentionNorm, finalDense}), [4, 5]] as const;
    }),
  ),
  ['dense layers and a mean over time', dnnGraph({...series, labels: 'single', blocks: 2}), [4, 5]],
  ['an LSTM', recurrentGraph({...series, labels: 'single'}), [4, 5]],
  ['attention with a mask', attentionGraph({...attention, mask: true}), [4, 5]],
  ['a mean over some of the time', dnnGraph({...series, labels: 'single', blocks: 1, mask: true}), [4, 5]],
  ['an LSTM with a mask', recurrentGraph({...series, labels: 'single', mask: true}), [4, 5]],
  [
    'the mean of levels on a mean',
    attentionGraph({...attention, view: 'mean', finalDense: false, labels: 'multi'}),
    [4, 5],
  ],
  ['VGGish with a head', withHead(vggishGraph({width: 0.05}), {hidden: 6, classes: 3}), [96, 64]],
  ['YAMNet, with two outputs', yamnetGraph(), [96, 64]],
];

/** Float32 sums of other orders; the largest value is the measure. */
const TOLERANCE = 2e-5;

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine({engine: 'cpu', threads: 1});
});

describe.each(graphs)('%s', (_, graph, example) => {
  const rng = createRng(7);
  const weights = randomWeights(graph, rng);
  const count = example.length === 2 && example[0] === 96 ? 2 : 3;
  const shape = [count, ...example];
  const input: NamedArray = {shape, data: Float32Array.from({length: sizeOf(shape)}, () => rng.uniform() * 4 - 2)};

  it('gives the same in the layers format, as ONNX and here', {timeout: 60_000}, async () => {
    const [inputName = ''] = graph.inputs.map(({name}) => name);
    const predictor = createPredictor(engine, graph, weights);
    const wanted = await predictor.run({[inputName]: input});
    predictor.dispose();
    const file = toLayers(graph, weights, 'weights.bin');
    const fromLayers = await runLayersModel(file.model, file.weights, [input]);
    const session = await openSession(toOnnx(graph, weights), 1);
    const fromOnnx = await session.run({[inputName]: input});
    await session.release();
    for (const [i, name] of graph.outputs.entries()) {
      const here = wanted[name] as NamedArray;
      expect(Math.max(...here.data) - Math.min(...here.data)).toBeGreaterThan(0.01);
      expect(fromLayers[i]?.shape).toEqual(here.shape);
      expect(distance(fromLayers[i], here)).toBeLessThan(TOLERANCE);
      expect(distance(fromOnnx[name], here)).toBeLessThan(TOLERANCE);
    }
  });

  it('is read back as it was, from the files', () => {
    const {json, bin} = writeFiles(graph, weights);
    const read = readLayersFile(json, bin, 'model.json');
    expect(read.graph).toEqual(graph);
    expect([...read.weights].map(([name, {shape}]) => [name, shape])).toEqual([...parameterShapes(graph)]);
    for (const [name, {data}] of read.weights) {
      const {buffer, byteOffset, byteLength} = weights.get(name)?.data ?? new Float32Array();
      const same = Buffer.compare(new Uint8Array(data.buffer), new Uint8Array(buffer, byteOffset, byteLength)) === 0;
      expect([name, same]).toEqual([name, true]);
    }
  });
});

describe('readLayersFile', () => {
  const graph = dnnGraph({...series, labels: 'single', blocks: 1});
  const weights = randomWeights(graph, createRng(1));

  it('refuses weights that are cut short, or of another model', () => {
    const {json, bin} = writeFiles(graph, weights);
    writeFileSync(bin, toLayers(graph, weights, 'weights.bin').weights.subarray(4));
    expect(() => readLayersFile(json, bin, 'model.json')).toThrow(/the weights beside model\.json have \d+ bytes/);
  });

  it.each([
    ['{', 'it is not JSON'],
    ['null', 'it has no description of its graph'],
    ['{"modelTopology": {}}', 'it has no description of its graph'],
    ['{"userDefinedMetadata": {"type": "model-graph/1", "graph": {}}}', 'it has no list of its weights'],
  ])('refuses %s', (text, reason) => {
    const {json, bin} = writeFiles(graph, weights);
    writeFileSync(json, text);
    expect(() => readLayersFile(json, bin, 'model.json')).toThrow(
      `model.json is no model that mixdown wrote: ${reason}`,
    );
  });

  it('refuses a weight that is not finite', () => {
    const {json, bin} = writeFiles(graph, weights);
    const bytes = toLayers(graph, weights, 'weights.bin').weights;
    bytes.fill(0xff, 0, 4);
    writeFileSync(bin, bytes);
    expect(() => readLayersFile(json, bin, 'model.json')).toThrow('not a finite number');
  });
});

describe('toLayers', () => {
  it('throws when a parameter is missing', () => {
    const graph = dnnGraph({...series, labels: 'single', blocks: 1});
    const weights = new Map([...randomWeights(graph, createRng(1))].slice(1));
    expect(() => toLayers(graph, weights, 'weights.bin')).toThrow('have no tensor');
  });

  it('says whether the model needs the script of own layers', () => {
    const needs = (graph: ModelGraph): boolean =>
      toLayers(graph, randomWeights(graph, createRng(1)), 'weights.bin').hasOwnLayers;
    expect(needs(attentionGraph(attention))).toBe(true);
    expect(needs(vggishGraph({width: 0.02}))).toBe(false);
  });
});

describe('kerasNames', () => {
  it('gives names without slashes, each once', () => {
    const layer = (name: string): ModelGraph['layers'][number] => ({name, inputs: ['x'], op: 'relu'});
    const graph = {
      inputs: [{name: 'x', shape: [1]}],
      layers: ['a/b', 'a_b', 'a b', '/c', 'x'].map(layer),
      outputs: ['x'],
    };
    expect([...kerasNames(graph).values()]).toEqual(['x_2', 'a_b', 'a_b_2', 'a_b_3', 'x_c']);
  });
});

function writeFiles(graph: ModelGraph, weights: Weights): {readonly json: string; readonly bin: string} {
  const folder = temporaryFolder();
  const file = toLayers(graph, weights, 'weights.bin');
  const [json, bin] = [join(folder, 'model.json'), join(folder, 'weights.bin')];
  writeFileSync(json, JSON.stringify(file.model));
  writeFileSync(bin, file.weights);
  return {json, bin};
}

/** Of a size that keeps signals alive through every layer; variances above 0. */
function randomWeights(graph: ModelGraph, rng: Rng): Weights {
  return new Map(
    [...parameterShapes(graph)].map(([name, shape]) => {
      const inputs = shape.slice(0, -1).reduce((size, axis) => size * axis, 1);
      const scale = name.endsWith('/weights') ? Math.sqrt(6 / (shape.at(-1) === 1 ? 9 : inputs)) : 0.5;
      // Attention of 0 and 1 shows where it is kept apart from them.
      const spread = name.includes('/attention') && !name.endsWith('variance') ? 3 : 1;
      const shift = /\/(gamma|variance)$/.test(name) ? 1 : 0;
      return [
        name,
        {
          shape,
          data: Float32Array.from({length: sizeOf(shape)}, () => spread * (shift + scale * (2 * rng.uniform() - 1))),
        },
      ];
    }),
  );
}

function distance(a: NamedArray | undefined, b: NamedArray): number {
  const scale = Math.max(...b.data.map(Math.abs));
  return Math.max(...b.data.map((value, i) => Math.abs(value - (a?.data[i] ?? NaN)))) / scale;
}
