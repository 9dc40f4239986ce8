import {readFileSync} from 'node:fs';
import {describe, expect, test} from 'vitest';
import {attentionGraph, type AttentionConfig} from '../../../../../stages/lib/models/attention.ts';
import {scoreShifts} from '../../../../../stages/lib/models/blocks.ts';
import {dnnGraph} from '../../../../../stages/lib/models/dnn.ts';
import type {Layer, LayerKind, ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {planGraph} from '../../../../../stages/lib/models/graph-plan.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {hasGradient, layerShapes, parameterShapes, sizeOf} from '../../../../../stages/lib/models/shapes.ts';
import {vggishGraph, withHead} from '../../../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../../../stages/lib/models/yamnet.ts';
import {sharedData} from '../../../../support/shared-data.ts';

const reference: AttentionConfig = {
  features: 128,
  classes: 527,
  levels: [1, 2, 3],
  units: 600,
  dropout: 0.4,
  headBatchNorm: false,
  finalDense: true,
  attentionNorm: 'class-softmax+time-sum',
  momentum: 0.99,
  labels: 'multi',
};

/** Values that training moves. */
function trainedValues(graph: ModelGraph): number {
  const shapes = [...parameterShapes(graph)].filter(([name]) => hasGradient(name));
  return shapes.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
}

/** A model of one input and the layers given. */
function model(shape: readonly (number | null)[], ...layers: readonly Layer[]): ModelGraph {
  return {inputs: [{name: 'x', shape}], layers, outputs: [layers.at(-1)?.name ?? 'x']};
}

function layer(kind: LayerKind, inputs: readonly string[] = ['x'], name = 'y'): Layer {
  return {name, inputs, ...kind};
}

describe('the models on embeddings', () => {
  const normed = {...reference, headBatchNorm: true};
  test.each([
    ['plain', dnnGraph({...normed, blocks: 3}), '1.12'],
    ['level 3', attentionGraph({...normed, levels: [3]}), '1.72'],
    ['levels 1, 2 and 3', attentionGraph(normed), '3.54'],
  ])('%s: as many million parameters as the reference', (_, graph, millions) => {
    expect((trainedValues(graph) / 1e6).toFixed(2)).toBe(millions);
  });

  test('give one row of probabilities for series of any length', () => {
    for (const graph of [attentionGraph(reference), dnnGraph({...reference, blocks: 1}), recurrentGraph(reference)]) {
      expect(graph.inputs).toEqual([{name: 'features', shape: [null, 128]}]);
      expect(layerShapes(graph).get(graph.outputs[0] ?? '')).toEqual([527]);
    }
  });

  test('normalise the input, each block, and the heads where that is wanted', () => {
    const norms = (config: AttentionConfig): readonly string[] =>
      attentionGraph(config).layers.flatMap(({op, name}) => (op === 'batch-norm' ? [name] : []));
    expect(norms({...reference, levels: [2]})).toEqual(['features/norm', 'h1/norm', 'h2/norm']);
    expect(norms({...reference, levels: [1], headBatchNorm: true})).toEqual([
      'features/norm',
      'h1/norm',
      'h1/scores/norm',
      'h1/attention/norm',
      'output/norm',
    ]);
  });

  test('for one label end in a softmax, or in shares where there is no final dense layer', () => {
    const last = (graph: ModelGraph): string => graph.layers.at(-1)?.op ?? '';
    const single = {...reference, labels: 'single'} as const;
    expect(last(attentionGraph(single))).toBe('softmax');
    expect(last(attentionGraph({...single, finalDense: false}))).toBe('normalise');
    expect(last(dnnGraph({...single, blocks: 1}))).toBe('normalise');
    expect(last(recurrentGraph(single))).toBe('softmax');
  });

  test('for several labels without a final dense layer end in the mean of the levels', () => {
    const {layers, outputs} = attentionGraph({...reference, finalDense: false, levels: [1, 3]});
    expect(layers.at(-1)).toEqual({name: 'probabilities', inputs: ['h1/pool', 'h3/pool'], op: 'mean'});
    expect(outputs).toEqual(['probabilities']);
    expect(attentionGraph({...reference, finalDense: false, levels: [2]}).outputs).toEqual(['h2/pool']);
  });

  test('say which parameters shift their scores', () => {
    expect(scoreShifts(attentionGraph({...reference, labels: 'single', levels: [1, 2]}))).toEqual([
      'h1/scores/biases',
      'h2/scores/biases',
    ]);
    expect(scoreShifts(attentionGraph({...normed, levels: [1]}))).toEqual(['h1/scores/norm/beta', 'output/norm/beta']);
    expect(scoreShifts(dnnGraph({...normed, blocks: 1, labels: 'single'}))).toEqual(['output/norm/beta']);
    expect(scoreShifts(recurrentGraph({...normed, labels: 'single'}))).toEqual([]);
  });

  test('have no dropout layer without dropout', () => {
    const none = {...reference, dropout: 0};
    for (const graph of [attentionGraph(none), dnnGraph({...none, blocks: 2}), recurrentGraph(none)]) {
      expect(graph.layers.filter(({op}) => op === 'dropout')).toEqual([]);
    }
  });
});

describe('VGGish', () => {
  test('at width 1 has the shapes of the released checkpoint, 72,141,184 values', () => {
    const shapes = parameterShapes(vggishGraph({width: 1}));
    expect(Object.fromEntries([...shapes].filter(([name]) => name.endsWith('/weights')))).toEqual({
      'vggish/conv1/weights': [3, 3, 1, 64],
      'vggish/conv2/weights': [3, 3, 64, 128],
      'vggish/conv3/conv3_1/weights': [3, 3, 128, 256],
      'vggish/conv3/conv3_2/weights': [3, 3, 256, 256],
      'vggish/conv4/conv4_1/weights': [3, 3, 256, 512],
      'vggish/conv4/conv4_2/weights': [3, 3, 512, 512],
      'vggish/fc1/fc1_1/weights': [12288, 4096],
      'vggish/fc1/fc1_2/weights': [4096, 4096],
      'vggish/fc2/weights': [4096, 128],
    });
    expect(shapes.size).toBe(18);
    expect([...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0)).toBe(72_141_184);
  });

  test('shrinks its images as the released network does', () => {
    const shapes = layerShapes(vggishGraph({width: 1}));
    const of = (name: string): unknown => shapes.get(`vggish/${name}`);
    expect(of('conv1/pool')).toEqual([48, 32, 64]);
    expect(of('conv2/pool')).toEqual([24, 16, 128]);
    expect(of('conv3/conv3_1/relu')).toEqual([24, 16, 256]);
    expect(of('conv3/conv3_2/pool')).toEqual([12, 8, 256]);
    expect(of('conv4/conv4_2/pool')).toEqual([6, 4, 512]);
    expect(of('flat')).toEqual([12288]);
    expect(of('fc2')).toEqual([128]);
  });

  test('takes its widths from weights, and may end in a ReLU or in a classifier', () => {
    const narrow = vggishGraph({width: 0.03});
    const weights = new Map(
      [...parameterShapes(narrow)].map(([name, shape]) => [name, {shape, data: new Float32Array(sizeOf(shape))}]),
    );
    expect(vggishGraph({weights})).toEqual(narrow);
    expect(vggishGraph({weights}, {embeddingActivation: 'relu'}).outputs).toEqual(['vggish/fc2/relu']);
    const classifier = withHead(narrow, {hidden: 100, classes: 41});
    expect(classifier.outputs).toEqual(['head/softmax']);
    const added = [...parameterShapes(classifier)].filter(([name]) => name.startsWith('head/'));
    expect(added).toEqual([
      ['head/hidden/weights', [128, 100]],
      ['head/hidden/biases', [100]],
      ['head/output/weights', [100, 41]],
      ['head/output/biases', [41]],
    ]);
    // Only what belongs to VGGish is asked for: a fine-tuned model's weights do as well.
    const more = new Map(weights).set('head/hidden/biases', {shape: [100], data: new Float32Array(100)});
    expect(vggishGraph({weights: more})).toEqual(narrow);
    weights.delete('vggish/conv4/conv4_1/weights');
    expect(() => vggishGraph({weights})).toThrow('the weights have no tensor `vggish/conv4/conv4_1/weights`');
  });
});

describe('YAMNet', () => {
  test('gives 521 scores and the 1024 values before them', () => {
    const graph = yamnetGraph();
    const shapes = layerShapes(graph);
    expect(graph.outputs.map((name) => [name, shapes.get(name)])).toEqual([
      ['scores', [521]],
      ['embeddings', [1024]],
    ]);
    expect(shapes.get('layer1')).toEqual([48, 32, 32]);
    expect(shapes.get('layer27')).toEqual([3, 2, 1024]);
  });

  const manifest = sharedData('yamnet/yamnet_manifest.json');
  test.skipIf(manifest === undefined)('has the layers and shapes of the released weights', () => {
    interface Described {
      readonly layers: readonly {name: string; op: string; stride: number; kernel: readonly number[]; act: string}[];
    }
    const {layers} = JSON.parse(readFileSync(manifest ?? '', 'utf8')) as Described;
    const graph = yamnetGraph();
    const shapes = parameterShapes(graph);
    expect([...shapes.keys()].filter((name) => name.endsWith('/weights'))).toHaveLength(layers.length);
    for (const {name, op, stride, kernel, act} of layers) {
      const own = graph.layers.find((candidate) => candidate.name === name);
      const isDepthwise = op === 'DEPTHWISE_CONV_2D';
      const kind = {CONV_2D: 'convolution', DEPTHWISE_CONV_2D: 'depthwise-convolution', FULLY_CONNECTED: 'dense'}[op];
      expect([own?.op, own !== undefined && 'stride' in own ? own.stride : 1]).toEqual([kind, stride]);
      expect(shapes.get(`${name}/weights`)).toEqual(isDepthwise ? [...kernel, 1] : kernel);
      const next = graph.layers.find(({inputs}) => inputs.includes(name));
      expect(next?.op).toBe(act === 'relu6' ? 'relu6' : 'sigmoid');
    }
  });
});

describe('a graph that cannot be computed is refused, with the name of the layer', () => {
  test.each<readonly [string, ModelGraph, string]>([
    ['an unknown input', model([3], layer({op: 'relu'}, ['z'])), 'its input `z` is not an input or an earlier layer'],
    ['a name twice', model([3], layer({op: 'relu'}, ['x'], 'x')), 'two layers or inputs called `x`'],
    ['a dense layer on an image', model([3, 4, 5], layer({op: 'dense', units: 2})), 'its input has 3 axes; one or two'],
    [
      'a dense layer on an open axis',
      model([3, null], layer({op: 'dense', units: 2})),
      'last axis of its input is not',
    ],
    ['no units', model([3], layer({op: 'dense', units: 0})), 'units is 0; a whole number from 1'],
    ['half a filter', model([3, 3, 1], layer({op: 'convolution', filters: 1.5, kernel: [3, 3], stride: 1})), '1.5'],
    ['no stride', model([3, 3, 1], layer({op: 'depthwise-convolution', kernel: [3, 3], stride: 0})), 'stride is 0'],
    ['a convolution of a series', model([3, 3], layer({op: 'max-pool'})), 'height, width and channels are needed'],
    ['an open image', model([null, 3, 1], layer({op: 'flatten'})), 'the size of its image is not fixed'],
    ['a rate of 1', model([3], layer({op: 'dropout', rate: 1})), 'rate is 1; it must be from 0 and below 1'],
    ['a momentum of 1', model([3], layer({op: 'batch-norm', epsilon: 1e-3, momentum: 1})), 'momentum is 1'],
    ['an epsilon of 0', model([3], layer({op: 'batch-norm', epsilon: 0, momentum: 0.9})), 'epsilon is 0'],
    ['an LSTM of one row', model([3], layer({op: 'lstm', units: 2})), 'time and values are needed'],
    ['a series of series', model([3, 2], layer({op: 'series'})), 'its input has 2 axes; one is needed'],
    ['a mask of a row', model([3], layer({op: 'mask'})), 'time and values are needed'],
    ['two inputs of a ReLU', model([3], layer({op: 'relu'}, ['x', 'x'])), 'it has 2 inputs; one is needed'],
    ['attention without scores', model([3, 2], layer({op: 'attention-pool', norm: 'time-softmax'})), 'it has 1 inputs'],
    ['nothing to add', model([3], layer({op: 'sum'}, [])), 'it has nothing to add'],
    [
      'a sum of different shapes',
      model([3], layer({op: 'dense', units: 2}, ['x'], 'd'), layer({op: 'sum'}, ['x', 'd'])),
      'its inputs differ in shape',
    ],
    [
      'a join of different lengths',
      model([3, 2], layer({op: 'time-mean'}, ['x'], 'm'), layer({op: 'concat'}, ['x', 'm'])),
      'its inputs differ in more than the last axis',
    ],
    ['an unknown output', {...model([3]), outputs: ['y']}, 'output `y` is not one of its layers'],
    ['no output', {...model([3]), outputs: []}, 'the model has no outputs'],
    ['an input of no size', model([0]), 'its shape has a size below 1'],
  ])('%s', (_, graph, message) => {
    expect(() => parameterShapes(graph)).toThrow(message);
  });
});

describe('a plan', () => {
  const graph = attentionGraph({...reference, levels: [1, 2], dropout: 0});

  test('has the layers on the way only, in order', () => {
    const names = planGraph(graph, ['h1/pool']).layers.map(({name}) => name);
    expect(names).toEqual(['features/norm', 'h1', 'h1/norm', 'h1/relu', 'h1/scores', 'h1/attention', 'h1/pool']);
    expect(planGraph(graph, ['features']).layers).toEqual([]);
  });

  test('frees each value once, after the last layer that needs it, and none that is wanted', () => {
    const {lastUses, layers} = planGraph(graph, ['probabilities', 'h1/relu']);
    const freed = [...lastUses.values()].flat();
    expect(new Set(freed).size).toBe(freed.length);
    expect(freed.sort()).toEqual(
      layers
        .map(({name}) => name)
        .filter((name) => name !== 'probabilities' && name !== 'h1/relu')
        .sort(),
    );
    expect(lastUses.get('h2')).toBeUndefined();
    expect(lastUses.get('h2/norm')).toEqual(['h2']);
  });

  test('joins an activation with the layer before it only where nobody else uses that', () => {
    const image = vggishGraph({width: 0.02});
    expect(planGraph(image, image.outputs).activations.size).toBe(8);
    expect(planGraph(image, [...image.outputs, 'vggish/conv2']).activations.has('vggish/conv2')).toBe(false);
    const twice = model(
      [3],
      layer({op: 'dense', units: 2}, ['x'], 'd'),
      layer({op: 'relu'}, ['d'], 'r'),
      layer({op: 'sum'}, ['d', 'r']),
    );
    expect(planGraph(twice, ['y']).activations.size).toBe(0);
  });
});
