import {StageError} from 'mixdown/stage';
import type {NamedArray, Weights} from '../tensors/named-array.ts';

/** Input of the network: log-mel frames by bands. */
export const PATCH_FRAMES = 96;
export const PATCH_BANDS = 64;
export const EMBEDDING_SIZE = 128;

/** A layer of VGGish with the names of its tensors, and the sizes that fix its shapes. */
export interface VggishLayer {
  readonly name: string;
  readonly kind: 'convolution' | 'dense';
  readonly from: number;
  readonly to: number;
  /** A 2x2 pool follows. */
  readonly pool: boolean;
}

/**
 * The nine layers, all widths but the embedding's times `width` (0 < width <= 1), at least 1. With width 1 the tensors have
 * the names and shapes of the released checkpoint: 72,141,184 values. Source: tensorflow/models, research/audioset/vggish.
 */
export function vggishLayers(width: number): readonly VggishLayer[] {
  const scaled = (size: number): number => Math.max(1, Math.round(size * width));
  return chain([64, 128, 256, 256, 512, 512].map(scaled), [4096, 4096].map(scaled));
}

/**
 * The layers that these weights make, as their own shapes say. Throws StageError naming the tensor, what is expected and
 * what was found, when one is missing, does not fit the layer before it or holds NaN.
 */
export function vggishLayersOf(weights: Weights): readonly VggishLayer[] {
  const outputs = CONVOLUTIONS.map(([name]) => shapeOf(weights, `${name}/weights`).at(-1) ?? 0);
  const units = DENSE.slice(0, 2).map((name) => shapeOf(weights, `${name}/weights`).at(-1) ?? 0);
  const layers = chain(outputs, units);
  for (const layer of layers) {
    checkShape(weights, `${layer.name}/weights`, weightShape(layer));
    checkShape(weights, `${layer.name}/biases`, [layer.to]);
    for (const part of ['weights', 'biases']) {
      if (weights.get(`${layer.name}/${part}`)?.data.every(Number.isFinite) === true) continue;
      throw new StageError(`tensor \`${layer.name}/${part}\` holds a value that is not a finite number`);
    }
  }
  return layers;
}

/** Height, width, inputs, outputs of a kernel; inputs, outputs of a dense layer. */
export function weightShape({kind, from, to}: VggishLayer): readonly number[] {
  return kind === 'convolution' ? [3, 3, from, to] : [from, to];
}

const CONVOLUTIONS: readonly (readonly [name: string, pool: boolean])[] = [
  ['vggish/conv1', true],
  ['vggish/conv2', true],
  ['vggish/conv3/conv3_1', false],
  ['vggish/conv3/conv3_2', true],
  ['vggish/conv4/conv4_1', false],
  ['vggish/conv4/conv4_2', true],
];
const DENSE = ['vggish/fc1/fc1_1', 'vggish/fc1/fc1_2', 'vggish/fc2'] as const;
/** Four pools halve both axes four times. */
const POOLED_AREA = (PATCH_FRAMES / 16) * (PATCH_BANDS / 16);

function chain(channels: readonly number[], units: readonly number[]): readonly VggishLayer[] {
  const layers: VggishLayer[] = [];
  let from = 1;
  for (const [i, [name, pool]] of CONVOLUTIONS.entries()) {
    const to = channels[i] as number;
    layers.push({name, kind: 'convolution', from, to, pool});
    from = to;
  }
  from *= POOLED_AREA;
  for (const [i, name] of DENSE.entries()) {
    const to = units[i] ?? EMBEDDING_SIZE;
    layers.push({name, kind: 'dense', from, to, pool: false});
    from = to;
  }
  return layers;
}

function shapeOf(weights: Weights, name: string): readonly number[] {
  const array: NamedArray | undefined = weights.get(name);
  if (array === undefined) {
    throw new StageError(
      `the weights have no tensor \`${name}\``,
      'they must be those of a VGGish, see vggish-weights',
    );
  }
  return array.shape;
}

function checkShape(weights: Weights, name: string, expected: readonly number[]): void {
  const found = shapeOf(weights, name);
  if (found.length !== expected.length || found.some((size, i) => size !== expected[i])) {
    throw new StageError(`tensor \`${name}\` has shape [${found.join(', ')}]; [${expected.join(', ')}] is expected`);
  }
}
