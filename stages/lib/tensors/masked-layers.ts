import type {Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';
import type {Moments} from './layers.ts';

/** The mask (N, T) of x (N, T, C): 0 for a vector of zeros, else 1. It passes no gradient on, being flat. */
export function vectorMask(engine: Engine, x: Tensor3D): Tensor2D {
  const {tf} = engine;
  return withGradient<Tensor2D>(engine, [x], () => ({
    value: tf.step(tf.max<Tensor2D>(tf.abs(x), 2)),
    gradient: () => [() => tf.zeros(x.shape)],
  }));
}

/** Mean over the times of x (N, T, C) that the mask (N, T) has 1 at, (N, C); 0 where there is none. */
export function maskedTimeMean(engine: Engine, x: Tensor3D, mask: Tensor2D): Tensor2D {
  const {tf} = engine;
  const [rows, steps, channels] = x.shape;
  return withGradient<Tensor2D>(engine, [x], (save) => {
    const real = tf.reshape(mask, [rows, steps, 1]);
    const weights = tf.div<Tensor3D>(real, tf.maximum(tf.sum(real, 1, true), 1));
    save([weights]);
    return {
      value: tf.sum<Tensor2D>(tf.mul(x, weights), 1),
      gradient: (dy, [weights]: [Tensor3D]) => [() => tf.mul(tf.reshape(dy, [rows, 1, channels]), weights)],
    };
  });
}

/**
 * As batchNorm, of the rows of x (N, D) that the mask (N, 1) has 1 at: the moments are theirs, and y is 0 at the others, which
 * therefore get no gradient and give none.
 */
export function maskedBatchNorm(
  engine: Engine,
  x: Tensor2D,
  gamma: Tensor1D,
  beta: Tensor1D,
  epsilon: number,
  mask: Tensor2D,
): Moments & {readonly y: Tensor2D} {
  const {tf, ops} = engine;
  // Without a real row the sums are 0.
  const count = tf.maximum(tf.sum(mask), 1);
  const mean = tf.div<Tensor1D>(tf.sum(tf.mul(x, mask), 0), count);
  const variance = tf.div<Tensor1D>(tf.sum(tf.square(tf.mul(tf.sub(x, mean), mask)), 0), count);
  const y = withGradient<Tensor2D>(engine, [x, gamma, beta], (save) => {
    const inverse: Tensor1D = tf.rsqrt(tf.add(variance, epsilon));
    const scale = tf.mul<Tensor1D>(gamma, inverse);
    save([x, scale, mean, inverse, mask, count]);
    return {
      value: tf.mul(ops.affine(x, scale, tf.sub<Tensor1D>(beta, tf.mul(mean, scale))), mask),
      gradient: (dy, [x, scale, mean, inverse, mask, count]: SavedNorm) => {
        const own = tf.mul<Tensor2D>(dy, mask);
        const sums = ops.pairSums(own, x);
        const dGamma = tf.mul<Tensor1D>(tf.sub(sums.dyx, tf.mul(mean, sums.dy)), inverse);
        // As in batchNorm, where the derivation is.
        const slope = tf.neg(tf.div<Tensor1D>(tf.mul(tf.mul(scale, inverse), dGamma), count));
        const shift = tf.sub<Tensor1D>(tf.neg(tf.div(tf.mul(scale, sums.dy), count)), tf.mul(slope, mean));
        return [() => tf.mul(ops.blend(own, x, scale, slope, shift), mask), () => dGamma, () => sums.dy];
      },
    };
  });
  return {y, mean, variance};
}

type SavedNorm = [Tensor2D, Tensor1D, Tensor1D, Tensor1D, Tensor2D, Tensor1D];
