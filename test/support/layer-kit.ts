import type {Scalar, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D} from '@tensorflow/tfjs-core';
import type {AttentionNorm} from '../../stages/lib/models/graph.ts';
import {attentionPool} from '../../stages/lib/tensors/attention-pool.ts';
import type {CounterStream} from '../../stages/lib/tensors/counter-random.ts';
import type {Engine} from '../../stages/lib/tensors/engine.ts';
import {convolution, imageMean, maxPool} from '../../stages/lib/tensors/image-layers.ts';
import {
  batchNorm,
  concatColumns,
  dense,
  dropout,
  flatten,
  meanOf,
  relu,
  reshape,
  sigmoid,
  sumOf,
  timeMean,
} from '../../stages/lib/tensors/layers.ts';
import {shareCrossEntropy, sigmoidCrossEntropy, softmaxCrossEntropy} from '../../stages/lib/tensors/losses.ts';
import {lstm} from '../../stages/lib/tensors/lstm.ts';
import {maskedBatchNorm, maskedTimeMean, vectorMask} from '../../stages/lib/tensors/masked-layers.ts';

/** All differentiable layers on values of one kind, so that a test says once what an engine and its reference compute. */
export interface LayerKit<T> {
  tensor(shape: readonly number[], values: ArrayLike<number>): T;
  dense(x: T, weights: T, biases: T): T;
  convolution(x: T, filter: T, biases: T, stride: number): T;
  maxPool(x: T): T;
  imageMean(x: T): T;
  flatten(x: T): T;
  reshape(x: T, shape: readonly number[]): T;
  /** Of the rows that a mask, a column, has 1 at; the others become 0. */
  batchNorm(x: T, gamma: T, beta: T, epsilon: number, mask?: T): T;
  /** 0 for a vector of zeros, else 1. */
  vectorMask(x: T): T;
  dropout(x: T, rate: number, stream: CounterStream): T;
  relu(x: T): T;
  sigmoid(x: T): T;
  timeMean(x: T, mask?: T): T;
  concatColumns(parts: readonly T[]): T;
  sumOf(parts: readonly T[]): T;
  meanOf(parts: readonly T[]): T;
  lstm(x: T, weights: T, recurrent: T, biases: T, mask?: T): T;
  attentionPool(scores: T, attention: T, norm: AttentionNorm, mask?: T): T;
  softmaxCrossEntropy(logits: T, targets: T): T;
  sigmoidCrossEntropy(logits: T, targets: T): T;
  shareCrossEntropy(values: T, targets: T): T;
  /** In inference only. */
  rectifiedDense(x: T, weights: T, biases: T): T;
  /** With a rectifier that ends at 6. */
  rectifiedConvolution(x: T, filter: T, biases: T, stride: number): T;
  /** One filter a channel, with a rectifier that ends at 6. */
  rectifiedDepthwise(x: T, filter: T, biases: T, stride: number): T;
  softmax(x: T): T;
  /** Each row divided by its total. */
  shares(x: T): T;
}

export function engineKit(engine: Engine): LayerKit<Tensor> {
  const {tf} = engine;
  return {
    tensor: (shape, values) => tf.tensor(Float32Array.from(values), [...shape], 'float32'),
    dense: (x, weights, biases) => dense(engine, x as Tensor2D, weights as Tensor2D, biases as Tensor1D),
    convolution: (x, filter, biases, stride) =>
      convolution(engine, x as Tensor4D, filter as Tensor4D, biases as Tensor1D, stride),
    maxPool: (x) => maxPool(engine, x as Tensor4D),
    imageMean: (x) => imageMean(engine, x as Tensor4D),
    flatten: (x) => flatten(engine, x as Tensor4D),
    reshape: (x, shape) => reshape(engine, x, shape),
    batchNorm(x, gamma, beta, epsilon, mask) {
      const own = [engine, x as Tensor2D, gamma as Tensor1D, beta as Tensor1D, epsilon] as const;
      return mask === undefined ? batchNorm(...own).y : maskedBatchNorm(...own, mask as Tensor2D).y;
    },
    vectorMask: (x) => vectorMask(engine, x as Tensor3D),
    dropout: (x, rate, stream) => dropout(engine, x, rate, stream),
    relu: (x) => relu(engine, x),
    sigmoid: (x) => sigmoid(engine, x),
    timeMean: (x, mask) =>
      mask === undefined ? timeMean(engine, x as Tensor3D) : maskedTimeMean(engine, x as Tensor3D, mask as Tensor2D),
    concatColumns: (parts) => concatColumns(engine, parts as Tensor2D[]),
    sumOf: (parts) => sumOf(engine, parts),
    meanOf: (parts) => meanOf(engine, parts),
    lstm: (x, weights, recurrent, biases, mask) =>
      lstm(
        engine,
        x as Tensor3D,
        weights as Tensor2D,
        recurrent as Tensor2D,
        biases as Tensor1D,
        mask as Tensor2D | undefined,
      ),
    attentionPool: (scores, attention, norm, mask) =>
      attentionPool(engine, scores as Tensor3D, attention as Tensor3D, norm, mask as Tensor2D | undefined),
    softmaxCrossEntropy: (logits, targets): Scalar =>
      softmaxCrossEntropy(engine, logits as Tensor2D, targets as Tensor2D),
    sigmoidCrossEntropy: (logits, targets): Scalar =>
      sigmoidCrossEntropy(engine, logits as Tensor2D, targets as Tensor2D),
    rectifiedDense: (x, weights, biases) => tf.fused.matMul({a: x, b: weights, bias: biases, activation: 'relu'}),
    rectifiedConvolution: (x, filter, biases, stride) =>
      tf.fused.conv2d({...image(x, filter, biases, stride), activation: 'relu6'}),
    rectifiedDepthwise: (x, filter, biases, stride) =>
      tf.fused.depthwiseConv2d({...image(x, filter, biases, stride), activation: 'relu6'}),
    softmax: (x) => tf.softmax(x),
    shares: (x) => tf.div(x, tf.sum(x, 1, true)),
    shareCrossEntropy: (values, targets): Scalar => shareCrossEntropy(engine, values as Tensor2D, targets as Tensor2D),
  };
}

function image(x: Tensor, filter: Tensor, bias: Tensor, strides: number) {
  return {x: x as Tensor4D, filter: filter as Tensor4D, bias, strides, pad: 'same' as const};
}
