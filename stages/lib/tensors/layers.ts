import type {Rank, ShapeMap, Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D} from '@tensorflow/tfjs-core';
import type {CounterStream} from './counter-random.ts';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';

/** x (N, D) times weights (D, U) plus biases (U). */
export function dense(engine: Engine, x: Tensor2D, weights: Tensor2D, biases: Tensor1D): Tensor2D {
  const {tf} = engine;
  return withGradient(engine, [x, weights, biases], (save) => {
    save([x, weights]);
    return {
      value: tf.fused.matMul({a: x, b: weights, bias: biases}) as Tensor2D,
      gradient: (dy, [x, weights]: [Tensor2D, Tensor2D]) => [
        () => tf.matMul(dy, weights, false, true),
        () => tf.matMul(x, dy, true, false),
        () => tf.sum(dy, 0),
      ],
    };
  });
}

/** Mean and variance (division by N) of each column. */
export interface Moments {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/**
 * Normalises each column of x (N, D) by the batch's own moments, then scales by gamma (D) and shifts by beta (D). `epsilon`
 * is added to the variance. The moments that come with y are plain values. Source of the gradient: Ioffe and Szegedy 2015.
 */
export function batchNorm(
  engine: Engine,
  x: Tensor2D,
  gamma: Tensor1D,
  beta: Tensor1D,
  epsilon: number,
): Moments & {readonly y: Tensor2D} {
  const {tf, ops} = engine;
  const {mean, variance} = ops.moments(x);
  const y = withGradient<Tensor2D>(engine, [x, gamma, beta], (save) => {
    const inverse: Tensor1D = tf.rsqrt(tf.add(variance, epsilon));
    const scale = tf.mul<Tensor1D>(gamma, inverse);
    save([x, scale, mean, inverse]);
    return {
      value: ops.affine(x, scale, tf.sub<Tensor1D>(beta, tf.mul(mean, scale))),
      gradient: (dy, [x, scale, mean, inverse]: [Tensor2D, Tensor1D, Tensor1D, Tensor1D]) => {
        const [rows] = dy.shape;
        const sums = ops.pairSums(dy, x);
        const dGamma = tf.mul<Tensor1D>(tf.sub(sums.dyx, tf.mul(mean, sums.dy)), inverse);
        // dx = scale * (dy - sum(dy) / N - normalised x * dGamma / N), sorted by what is multiplied with x.
        const slope = tf.div<Tensor1D>(tf.mul(tf.mul(scale, inverse), dGamma), -rows);
        const shift = tf.sub<Tensor1D>(tf.div(tf.mul(scale, sums.dy), -rows), tf.mul(slope, mean));
        return [() => ops.blend(dy, x, scale, slope, shift), () => dGamma, () => sums.dy];
      },
    };
  });
  return {y, mean, variance};
}

/** Inverted dropout: each element is 0 with probability `rate` (0 <= rate < 1), else divided by 1 - rate. */
export function dropout<T extends Tensor>(engine: Engine, x: T, rate: number, stream: CounterStream): T {
  const {tf, ops} = engine;
  return withGradient(engine, [x], (save) => {
    const mask = ops.dropoutMask(x.shape, rate, stream);
    save([mask]);
    return {value: tf.mul<T>(x, mask), gradient: (dy, [mask]: [Tensor]) => [() => tf.mul(dy, mask)]};
  });
}

export function relu<T extends Tensor>(engine: Engine, x: T): T {
  const {tf} = engine;
  return withGradient(engine, [x], (save) => {
    const value = tf.relu(x);
    save([value]);
    return {value, gradient: (dy, [y]: [T]) => [() => tf.mul(dy, tf.step(y))]};
  });
}

export function sigmoid<T extends Tensor>(engine: Engine, x: T): T {
  const {tf} = engine;
  return withGradient(engine, [x], (save) => {
    const value = tf.sigmoid(x);
    save([value]);
    return {value, gradient: (dy, [y]: [T]) => [() => tf.mul(dy, tf.mul(y, tf.sub(1, y)))]};
  });
}

/** Mean over time: x (N, T, C) to (N, C). */
export function timeMean(engine: Engine, x: Tensor3D): Tensor2D {
  const {tf} = engine;
  const [rows, steps, channels] = x.shape;
  return withGradient(engine, [x], () => ({
    value: tf.mean<Tensor2D>(x, 1),
    gradient: (dy) => [() => tf.tile(tf.reshape(tf.div(dy, steps), [rows, 1, channels]), [1, steps, 1])],
  }));
}

/** The same elements in another shape. */
export function reshape<R extends Rank>(engine: Engine, x: Tensor, shape: Readonly<ShapeMap[R]>): Tensor<R> {
  const {tf} = engine;
  const original = [...x.shape];
  return withGradient(engine, [x], () => ({
    value: tf.reshape(x, shape as ShapeMap[R]),
    gradient: (dy) => [() => tf.reshape(dy, original)],
  }));
}

/** x (N, H, W, C) to (N, H * W * C). */
export function flatten(engine: Engine, x: Tensor4D): Tensor2D {
  const [rows, height, width, channels] = x.shape;
  return reshape(engine, x, [rows, height * width * channels]);
}

/** Joins matrices along columns. */
export function concatColumns(engine: Engine, parts: readonly Tensor2D[]): Tensor2D {
  const {tf} = engine;
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const widths = parts.map(({shape}) => shape[1]);
  return withGradient(engine, parts, () => ({
    value: tf.concat([...parts], 1),
    gradient: (dy) => tf.split(dy, widths, 1).map((part) => () => part),
  }));
}

/** Mean of tensors of one shape. */
export function meanOf<T extends Tensor>(engine: Engine, parts: readonly T[]): T {
  const {tf} = engine;
  return withGradient(engine, parts, () => ({
    value: tf.div<T>(tf.addN([...parts]), parts.length),
    gradient: (dy) => parts.map(() => () => tf.div(dy, parts.length)),
  }));
}

/** Sum of tensors of one shape. */
export function sumOf<T extends Tensor>(engine: Engine, parts: readonly T[]): T {
  const {tf} = engine;
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return withGradient(engine, parts, () => ({
    value: tf.addN([...parts]),
    gradient: (dy) => parts.map(() => () => tf.clone(dy)),
  }));
}
