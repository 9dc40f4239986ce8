import {StageError} from 'mixdown/stage';
import type {Weights} from '../tensors/named-array.ts';
import type {Layer, ModelGraph} from './graph.ts';
import {checkWeights} from './shapes.ts';

/** Input of the network: log-mel frames by bands. */
export const PATCH_FRAMES = 96;
export const PATCH_BANDS = 64;
const EMBEDDING_SIZE = 128;
/** The layer of the embedding, before any activation. */
export const EMBEDDING_LAYER = 'vggish/fc2';

export type EmbeddingActivation = 'none' | 'relu';

/** The sizes that may differ from the released network's. */
export interface VggishWidths {
  /** Of the six convolutions. */
  readonly channels: readonly number[];
  /** Of the two dense layers before the embedding. */
  readonly units: readonly number[];
}

export interface VggishOptions {
  /** The released code had a ReLU on the embedding until August 2020. */
  readonly embeddingActivation?: EmbeddingActivation;
}

/**
 * VGGish, patches (96, 64) to embeddings (128). Every convolution is 3x3, stride 1, SAME, every pool 2x2, stride 2, SAME;
 * each layer but the embedding ends in a ReLU; the last pool is flattened in the order row, column, channel. The names are
 * those of the released checkpoint. Source: tensorflow/models, research/audioset/vggish.
 *
 * @param of - `width`: factor on all widths but the embedding's, above 0 to 1, each at least 1; with 1 the parameters are
 *   those of the release, 72,141,184 values. `weights`: the widths are read off their shapes; throws StageError, naming the
 *   tensor, when one is missing, does not fit the layer before it or holds NaN.
 */
export function vggishGraph(
  of: {readonly width: number} | {readonly weights: Weights},
  {embeddingActivation = 'none'}: VggishOptions = {},
): ModelGraph {
  const {channels, units} = 'width' in of ? scaledWidths(of.width) : widthsOf(of.weights);
  const layers: Layer[] = [];
  let last = 'patches';
  const add = (layer: Layer): void => {
    layers.push(layer);
    last = layer.name;
  };
  add({name: 'vggish/image', inputs: [last], op: 'expand'});
  for (const [i, [name, isPooled]] of CONVOLUTIONS.entries()) {
    add({name, inputs: [last], op: 'convolution', filters: channels[i] ?? 0, kernel: [3, 3], stride: 1});
    add({name: `${name}/relu`, inputs: [last], op: 'relu'});
    if (isPooled) add({name: `${name}/pool`, inputs: [last], op: 'max-pool'});
  }
  add({name: 'vggish/flat', inputs: [last], op: 'flatten'});
  for (const [i, name] of DENSE.entries()) {
    add({name, inputs: [last], op: 'dense', units: units[i] ?? 0});
    add({name: `${name}/relu`, inputs: [last], op: 'relu'});
  }
  add({name: EMBEDDING_LAYER, inputs: [last], op: 'dense', units: EMBEDDING_SIZE});
  if (embeddingActivation === 'relu') add({name: `${EMBEDDING_LAYER}/relu`, inputs: [last], op: 'relu'});
  const graph: ModelGraph = {
    inputs: [{name: 'patches', shape: [PATCH_FRAMES, PATCH_BANDS]}],
    layers,
    outputs: [last],
  };
  if ('weights' in of) checkWeights(graph, of.weights);
  return graph;
}

/** A classifier on what a graph gives: ReLU, dense of `hidden` with ReLU, dense of `classes` with softmax. */
export function withHead(
  {inputs, layers, outputs}: ModelGraph,
  {hidden, classes}: {readonly hidden: number; readonly classes: number},
): ModelGraph {
  const [embedding] = outputs;
  if (embedding === undefined) throw new StageError('the model has no output to classify by');
  const head: readonly Layer[] = [
    {name: 'head/embedding', inputs: [embedding], op: 'relu'},
    {name: 'head/hidden', inputs: ['head/embedding'], op: 'dense', units: hidden},
    {name: 'head/hidden/relu', inputs: ['head/hidden'], op: 'relu'},
    {name: 'head/output', inputs: ['head/hidden/relu'], op: 'dense', units: classes},
    {name: 'head/softmax', inputs: ['head/output'], op: 'softmax'},
  ];
  return {inputs, layers: [...layers, ...head], outputs: ['head/softmax']};
}

const CONVOLUTIONS: readonly (readonly [name: string, isPooled: boolean])[] = [
  ['vggish/conv1', true],
  ['vggish/conv2', true],
  ['vggish/conv3/conv3_1', false],
  ['vggish/conv3/conv3_2', true],
  ['vggish/conv4/conv4_1', false],
  ['vggish/conv4/conv4_2', true],
];
const DENSE = ['vggish/fc1/fc1_1', 'vggish/fc1/fc1_2'] as const;

function scaledWidths(width: number): VggishWidths {
  const scaled = (size: number): number => Math.max(1, Math.round(size * width));
  return {channels: [64, 128, 256, 256, 512, 512].map(scaled), units: [4096, 4096].map(scaled)};
}

function widthsOf(weights: Weights): VggishWidths {
  const width = (name: string): number => {
    const array = weights.get(`${name}/weights`);
    if (array === undefined) {
      throw new StageError(
        `the weights have no tensor \`${name}/weights\``,
        'they must be those of a VGGish, see vggish-weights',
      );
    }
    return Math.max(1, array.shape.at(-1) ?? 1);
  };
  return {channels: CONVOLUTIONS.map(([name]) => width(name)), units: DENSE.map(width)};
}
