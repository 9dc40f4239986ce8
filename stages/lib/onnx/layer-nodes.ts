import {StageError} from 'mixdown/stage';
import type {Layer} from '../models/graph.ts';
import type {ExampleShape} from '../models/shapes.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import type {OnnxAttribute} from './encode.ts';
import type {GraphBuilder} from './graph-builder.ts';
import {attentionNodes, lstmNodes, maskedMeanNodes, maskNodes} from './sequence-nodes.ts';

/** An input of a layer: its name in the ONNX graph, and the sizes of one example in the model's order of axes. */
export interface LayerInput {
  readonly name: string;
  readonly shape: ExampleShape;
}

/** Parameters of the layer at hand, `weights` for example. */
type Part = (kind: string) => NamedArray;

/**
 * Adds the nodes of a layer, as it is in inference, and returns the name of its value: `output`, or an input's where the
 * layer does nothing. Images are (batch, channels, height, width) here, sequences (batch, time, channels).
 */
export function layerNodes(
  builder: GraphBuilder,
  layer: Layer,
  inputs: readonly LayerInput[],
  output: string,
  weights: Weights,
): string {
  const [{name: x, shape}] = inputs as [LayerInput];
  const names = inputs.map(({name}) => name);
  const isImage = shape.length === 3;
  const channelAxis = {int: isImage ? 1 : -1};
  const part: Part = (kind) => weights.get(`${layer.name}/${kind}`) as NamedArray;
  switch (layer.op) {
    case 'dropout':
      return x;
    case 'expand':
      if (isImage) throw new StageError(`layer \`${layer.name}\` would give an image a fifth axis; ONNX has none`);
      return builder.node('Unsqueeze', [x, builder.integers([shape.length === 2 ? 1 : -1])], output);
    case 'convolution': {
      const filter = channelsFirst(part('weights'), false);
      return convolution(builder, layer.name, [x, output], filter, part, windows(layer.kernel, layer.stride, shape));
    }
    case 'depthwise-convolution': {
      const filter = channelsFirst(part('weights'), true);
      const attributes = {...windows(layer.kernel, layer.stride, shape), group: {int: filter.shape[0] ?? 0}};
      return convolution(builder, layer.name, [x, output], filter, part, attributes);
    }
    case 'max-pool':
      return builder.node('MaxPool', [x], output, windows([2, 2], 2, shape));
    case 'image-mean':
      return builder.node('ReduceMean', [x], output, {axes: {ints: [2, 3]}, keepdims: {int: 0}});
    case 'mask':
      return maskNodes(builder, layer.name, x, output);
    case 'series':
      return builder.node('Unsqueeze', [x, builder.integers([1])], output);
    case 'time-mean':
      if (inputs[1] !== undefined) return maskedMeanNodes(builder, layer.name, x, inputs[1].name, output);
      return builder.node('ReduceMean', [x], output, {axes: {ints: [1]}, keepdims: {int: 0}});
    case 'flatten': {
      const rows = builder.node('Transpose', [x], `${layer.name}:rows`, {perm: {ints: [0, 2, 3, 1]}});
      return builder.node('Flatten', [rows], output, {axis: {int: 1}});
    }
    case 'dense':
      return dense(builder, layer.name, [x, output], shape.length, part);
    case 'batch-norm':
      return batchNorm(builder, layer.name, [x, output], isImage, layer.epsilon, part);
    case 'relu':
      return builder.node('Relu', [x], output);
    case 'relu6':
      return builder.node('Clip', [x, builder.scalar(0), builder.scalar(6)], output);
    case 'sigmoid':
      return builder.node('Sigmoid', [x], output);
    case 'softmax':
      return builder.node('Softmax', [x], output, {axis: channelAxis});
    case 'concat':
      return builder.node('Concat', names, output, {axis: channelAxis});
    case 'sum':
      return builder.node('Sum', names, output);
    case 'mean':
      return builder.node('Mean', names, output);
    case 'normalise': {
      const total = builder.node('ReduceSum', [x, builder.integers([channelAxis.int])], `${layer.name}:total`);
      return builder.node('Div', [x, total], output);
    }
    case 'attention-pool':
      return attentionNodes(builder, layer.name, names as [string, string, string?], output, layer.norm);
    case 'lstm':
      return lstmNodes(builder, layer.name, names as [string, string?], output, part);
  }
}

function convolution(
  builder: GraphBuilder,
  name: string,
  [x, output]: readonly [string, string],
  filter: NamedArray,
  part: Part,
  attributes: Readonly<Record<string, OnnxAttribute>>,
): string {
  const weights = builder.array(`${name}/weights`, filter);
  return builder.node('Conv', [x, weights, builder.array(`${name}/biases`, part('biases'))], output, attributes);
}

function dense(
  builder: GraphBuilder,
  name: string,
  [x, output]: readonly [string, string],
  axes: number,
  part: Part,
): string {
  const weights = builder.array(`${name}/weights`, part('weights'));
  const biases = builder.array(`${name}/biases`, part('biases'));
  if (axes === 1) return builder.node('Gemm', [x, weights, biases], output);
  return builder.node('Add', [builder.node('MatMul', [x, weights], `${name}:product`), biases], output);
}

/** onnxruntime takes an image's into the convolution before it. The operator needs the channels on the second axis. */
function batchNorm(
  builder: GraphBuilder,
  name: string,
  [x, output]: readonly [string, string],
  isImage: boolean,
  epsilon: number,
  part: Part,
): string {
  if (isImage) {
    const parameters = ['gamma', 'beta', 'mean', 'variance'].map((kind) =>
      builder.array(`${name}/${kind}`, part(kind)),
    );
    return builder.node('BatchNormalization', [x, ...parameters], output, {epsilon: {float: epsilon}});
  }
  const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((kind) => part(kind).data) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const factor = Float64Array.from(gamma, (value, i) => value / Math.sqrt((variance[i] as number) + epsilon));
  const shift = Float32Array.from(factor, (value, i) => (beta[i] as number) - value * (mean[i] as number));
  const shape = [gamma.length];
  const scale = builder.array(`${name}:scale`, {shape, data: Float32Array.from(factor)});
  const scaled = builder.node('Mul', [x, scale], `${name}:scaled`);
  return builder.node('Add', [scaled, builder.array(`${name}:shift`, {shape, data: shift})], output);
}

/** Windows with SAME padding over an image: what is odd of it lies after the image. */
function windows(
  kernel: readonly [number, number],
  stride: number,
  shape: ExampleShape,
): Readonly<Record<string, OnnxAttribute>> {
  const total = kernel.map((taps, i) => {
    const size = shape[i] as number;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + taps - size);
  });
  const before = total.map((pad) => Math.floor(pad / 2));
  const after = total.map((pad) => Math.ceil(pad / 2));
  return {
    kernel_shape: {ints: kernel},
    strides: {ints: [stride, stride]},
    pads: {ints: [...before, ...after]},
  };
}

/** A filter (height, width, inputs, outputs) as (outputs, inputs, height, width); a depthwise one as (channels, 1, ...). */
function channelsFirst({shape, data}: NamedArray, isDepthwise: boolean): NamedArray {
  const [height = 0, width = 0, third = 0, fourth = 0] = shape;
  const [from, to] = isDepthwise ? [1, third * fourth] : [third, fourth];
  const area = height * width;
  const turned = new Float32Array(data.length);
  for (let place = 0, at = 0; place < area; place++) {
    for (let i = 0; i < from; i++) {
      for (let o = 0; o < to; o++, at++) turned[(o * from + i) * area + place] = data[at] as number;
    }
  }
  return {shape: [to, from, height, width], data: turned};
}
