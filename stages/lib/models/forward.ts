import type {Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D} from '@tensorflow/tfjs-core';
import {attentionPool} from '../tensors/attention-pool.ts';
import {counterStream} from '../tensors/counter-random.ts';
import type {Engine} from '../tensors/engine.ts';
import {withGradient} from '../tensors/gradient.ts';
import {convolution, imageMean, maxPool} from '../tensors/image-layers.ts';
import {
  batchNorm,
  concatColumns,
  dense,
  dropout,
  meanOf,
  relu,
  reshape,
  sigmoid,
  sumOf,
  timeMean,
  type Moments,
} from '../tensors/layers.ts';
import {lstm} from '../tensors/lstm.ts';
import {maskedBatchNorm, maskedTimeMean, vectorMask} from '../tensors/masked-layers.ts';
import type {Layer} from './graph.ts';
import type {GraphPlan} from './graph-plan.ts';
import {asColumn, asImage, asMask, asMatrix, asSeries, type Value} from './value.ts';

/** What the layers need besides their inputs. */
export interface Pass {
  /** The tensor of a parameter, by name. */
  readonly get: (parameter: string) => Tensor;
  /** Only while a tape runs. */
  readonly training?: TrainingPass;
}

export interface TrainingPass {
  readonly seed: number;
  /** Which step and which part of its batch it is: they address the dropout masks. */
  readonly step: number;
  readonly part: number;
  /** Layers whose parameters stay: their batch normalisations use the running moments. */
  readonly isFrozen: (layer: string) => boolean;
  /** Moments of a batch normalisation, which the receiver must not keep. */
  readonly onMoments: (layer: string, moments: Moments) => void;
}

/**
 * Computes the plan's values from the inputs, in the order of `plan.wanted`. Each value is freed after its last use, so that
 * memory holds the widest layers only (and, in training, what the gradients need). The inputs stay the caller's.
 */
export function runGraph(
  engine: Engine,
  {wanted, layers, lastUses, activations}: GraphPlan,
  inputs: ReadonlyMap<string, Value>,
  pass: Pass,
): readonly Value[] {
  const values = new Map(inputs);
  const get = (name: string): Value => {
    const value = values.get(name);
    if (value === undefined) throw new RangeError(`the model has no value \`${name}\``);
    return value;
  };
  for (const layer of layers) {
    const own = layer.inputs.map(get);
    // In training, an activation of its own can pass its gradient on.
    const activation = pass.training === undefined ? activations.get(layer.name) : undefined;
    const isDone = pass.training === undefined && activations.has(layer.inputs[0] ?? '') && isRectifier(layer);
    values.set(layer.name, compute(engine, layer, own, pass, isDone ? 'done' : activation));
    for (const name of lastUses.get(layer.name) ?? []) {
      get(name).tensor.dispose();
      values.delete(name);
    }
  }
  return wanted.map(get);
}

/** Ops that have no gradient: nothing before them can be trained. */
export const ONE_WAY_OPS: ReadonlySet<Layer['op']> = new Set([
  'depthwise-convolution',
  'relu6',
  'softmax',
  'normalise',
] as const);

type Activation = 'relu' | 'relu6' | 'done' | undefined;

function isRectifier({op}: Layer): boolean {
  return op === 'relu' || op === 'relu6';
}

function compute(engine: Engine, layer: Layer, inputs: readonly Value[], pass: Pass, activation: Activation): Value {
  const {tf} = engine;
  let shape: readonly number[] = [];
  const tensor = tf.tidy(() => {
    const result = evaluate(engine, layer, inputs, pass, activation);
    ({shape} = result);
    // A tensor of its own even where nothing is to be done: what came in is freed by itself.
    const isAlias = inputs.some((input) => input.tensor === result.tensor);
    return isAlias ? reshape(engine, result.tensor, result.tensor.shape) : result.tensor;
  });
  return {shape, tensor};
}

function evaluate(
  engine: Engine,
  layer: Layer,
  inputs: readonly Value[],
  {get, training}: Pass,
  activation: Activation,
): Value {
  const {tf} = engine;
  const [input] = inputs as [Value];
  const {shape} = input;
  const [rows = 0] = shape;
  const parameter = (part: string): Tensor => get(`${layer.name}/${part}`);
  const whole = (tensor: Tensor): Value => ({shape: tensor.shape, tensor});
  const alike = (tensor: Tensor): Value => ({shape, tensor});
  switch (layer.op) {
    case 'expand':
      return {shape: [...shape, 1], tensor: input.tensor};
    case 'convolution': {
      const x = asImage(engine, input);
      const filter = parameter('weights') as Tensor4D;
      const bias = parameter('biases') as Tensor1D;
      if (activation === undefined) return whole(convolution(engine, x, filter, bias, layer.stride));
      return whole(
        tf.fused.conv2d({x, filter, bias, strides: layer.stride, pad: 'same', activation: named(activation)}),
      );
    }
    case 'depthwise-convolution':
      return whole(
        oneWay(engine, asImage(engine, input), (x) =>
          tf.fused.depthwiseConv2d({
            x,
            filter: parameter('weights') as Tensor4D,
            bias: parameter('biases'),
            strides: layer.stride,
            pad: 'same',
            activation: named(activation),
          }),
        ),
      );
    case 'max-pool':
      return whole(maxPool(engine, asImage(engine, input)));
    case 'image-mean':
      return whole(imageMean(engine, asImage(engine, input)));
    case 'flatten':
      return {shape: [rows, shape.slice(1).reduce((size, axis) => size * axis, 1)], tensor: input.tensor};
    case 'dense': {
      const x = asMatrix(engine, input);
      const weights = parameter('weights') as Tensor2D;
      const bias = parameter('biases') as Tensor1D;
      const outputShape = [...shape.slice(0, -1), layer.units];
      if (activation === undefined) return {shape: outputShape, tensor: dense(engine, x, weights, bias)};
      const tensor = tf.fused.matMul({a: x, b: weights, bias, activation: named(activation)});
      return {shape: outputShape, tensor};
    }
    case 'batch-norm': {
      const x = asMatrix(engine, input);
      const [gamma, beta] = [parameter('gamma') as Tensor1D, parameter('beta') as Tensor1D];
      if (training === undefined || training.isFrozen(layer.name)) {
        const moments = {mean: parameter('mean') as Tensor1D, variance: parameter('variance') as Tensor1D};
        return alike(fixedNorm(engine, x, gamma, beta, moments, layer.epsilon));
      }
      const mask = inputs[1] && asColumn(engine, inputs[1]);
      const {y, ...moments} =
        mask === undefined
          ? batchNorm(engine, x, gamma, beta, layer.epsilon)
          : maskedBatchNorm(engine, x, gamma, beta, layer.epsilon, mask);
      training.onMoments(layer.name, moments);
      return alike(y);
    }
    case 'dropout': {
      if (training === undefined || layer.rate === 0) return input;
      const stream = counterStream(training.seed, `${layer.name}/${training.step}/${training.part}`);
      return alike(dropout(engine, input.tensor, layer.rate, stream));
    }
    case 'relu':
      return activation === 'done' ? input : alike(relu(engine, input.tensor));
    case 'relu6':
      return activation === 'done' ? input : alike(oneWay(engine, input.tensor, (x) => tf.relu6(x)));
    case 'sigmoid':
      return alike(sigmoid(engine, input.tensor));
    case 'softmax':
      return alike(oneWay(engine, asMatrix(engine, input), (x) => tf.softmax(x)));
    case 'mask':
      return whole(vectorMask(engine, asSeries(engine, input)));
    case 'series':
      return {shape: [rows, 1, ...shape.slice(1)], tensor: input.tensor};
    case 'time-mean': {
      const x = asSeries(engine, input);
      return whole(inputs[1] ? maskedTimeMean(engine, x, asMask(engine, inputs[1])) : timeMean(engine, x));
    }
    case 'attention-pool': {
      const [scores, attention] = inputs.slice(0, 2).map((logits) => asSeries(engine, logits)) as [Tensor3D, Tensor3D];
      return whole(attentionPool(engine, scores, attention, layer.norm, inputs[2] && asMask(engine, inputs[2])));
    }
    case 'lstm': {
      const x = asSeries(engine, input);
      const [weights, recurrent] = [parameter('weights') as Tensor2D, parameter('recurrent') as Tensor2D];
      const mask = inputs[1] && asMask(engine, inputs[1]);
      return whole(lstm(engine, x, weights, recurrent, parameter('biases') as Tensor1D, mask));
    }
    case 'concat': {
      const parts = inputs.map((part) => asMatrix(engine, part));
      const width = parts.reduce((total, part) => total + part.shape[1], 0);
      return {shape: [...shape.slice(0, -1), width], tensor: concatColumns(engine, parts)};
    }
    case 'sum':
    case 'mean': {
      const parts = inputs.map((part) => asMatrix(engine, part));
      return alike(layer.op === 'sum' ? sumOf(engine, parts) : meanOf(engine, parts));
    }
    case 'normalise':
      return alike(oneWay(engine, asMatrix(engine, input), (x) => tf.div(x, tf.sum(x, 1, true))));
  }
}

/** A value that nobody may ask for a gradient of: see ONE_WAY_OPS. Nothing of it stays on the tape. */
function oneWay<T extends Tensor>(engine: Engine, x: T, compute: (x: T) => T): T {
  return withGradient(engine, [x], () => ({
    value: compute(x),
    gradient: () => [
      () => {
        throw new Error('this layer passes no gradient on');
      },
    ],
  }));
}

/** Batch normalisation of x (N, D) by moments that do not depend on x. */
function fixedNorm(
  engine: Engine,
  x: Tensor2D,
  gamma: Tensor1D,
  beta: Tensor1D,
  {mean, variance}: Moments,
  epsilon: number,
): Tensor2D {
  const {tf, ops} = engine;
  return withGradient<Tensor2D>(engine, [x], (save) => {
    const scale = tf.mul<Tensor1D>(gamma, tf.rsqrt(tf.add(variance, epsilon)));
    save([scale]);
    return {
      value: ops.affine(x, scale, tf.sub<Tensor1D>(beta, tf.mul(mean, scale))),
      gradient: (dy, [scale]: [Tensor1D]) => [() => tf.mul(dy, scale)],
    };
  });
}

function named(activation: Activation): 'linear' | 'relu' | 'relu6' {
  return activation === 'relu' || activation === 'relu6' ? activation : 'linear';
}
