import type {Layer} from '../models/graph.ts';
import {permute} from './permute.ts';
import type {StoredTensor} from './stored-tensor.ts';

/** In which order a library keeps the axes of weights. */
export type Layout = 'tensorflow' | 'torch';

/** Kinds of layers whose weights are kept differently. */
export type WeightKind = Extract<Layer['op'], 'convolution' | 'depthwise-convolution' | 'dense'>;

/**
 * What makes TensorFlow's order, which is ours, of PyTorch's. TensorFlow: (height, width, inputs, outputs), (height, width,
 * channels, 1), (inputs, outputs). PyTorch: (outputs, inputs, height, width), (channels, 1, height, width), (outputs, inputs).
 */
const FROM_TORCH: Readonly<Record<WeightKind, readonly number[]>> = {
  convolution: [2, 3, 1, 0],
  'depthwise-convolution': [2, 3, 0, 1],
  dense: [1, 0],
};

/** The layouts in which a tensor of shape `found` can be weights of shape `wanted`: none, one or both. */
export function layoutsOf(kind: WeightKind, found: readonly number[], wanted: readonly number[]): readonly Layout[] {
  // A depthwise kernel may leave out its last axis, of size 1.
  const isDepthwise = kind === 'depthwise-convolution' && found.length === wanted.length - 1;
  const inOurs = isSame(isDepthwise ? [...found, 1] : found, wanted);
  const ours = FROM_TORCH[kind].map((axis) => found[axis]);
  const layouts: Layout[] = [];
  if (inOurs) layouts.push('tensorflow');
  if (found.length === wanted.length && isSame(ours, wanted)) layouts.push('torch');
  return layouts;
}

/** The values in our layout. */
export function readAs(kind: WeightKind, layout: Layout, tensor: StoredTensor): Float32Array {
  const values = tensor.read();
  return layout === 'tensorflow' ? values : permute(values, tensor.shape, FROM_TORCH[kind]);
}

/**
 * Dense weights (inputs, outputs) whose inputs are an image (height, width, channels) flattened in the order channel, row,
 * column, with their inputs in the order row, column, channel.
 */
export function reorderFlattened(weights: Float32Array, image: readonly number[]): Float32Array {
  const [height = 1, width = 1, channels = 1] = image;
  const outputs = weights.length / (height * width * channels);
  return permute(weights, [channels, height, width, outputs], [1, 2, 0, 3]);
}

function isSame(a: readonly (number | undefined)[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
