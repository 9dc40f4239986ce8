import type {GradSaveFunc, Scalar, Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import type {Tf} from './tf.ts';

/**
 * Layers with their gradients, in tensor ops that every engine has. The library's own gradients are not part of its
 * package for Node, and a gradient written per layer needs a fraction of the ops that one per op would need.
 */

/** x (N, D) times weights (D, U) plus biases (U). */
export function dense(tf: Tf, x: Tensor2D, weights: Tensor2D, biases: Tensor1D): Tensor2D {
  return withGradient(tf, [x, weights, biases], (save) => {
    save([x, weights]);
    return {
      value: tf.fused.matMul({a: x, b: weights, bias: biases}) as Tensor2D,
      gradient: (dy: Tensor2D, [x, weights]: [Tensor2D, Tensor2D]) => [
        tf.matMul(dy, weights, false, true),
        tf.matMul(x, dy, true, false),
        tf.sum(dy, 0),
      ],
    };
  });
}

/** Mean and variance (division by N) of each column. */
export interface Moments {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/** Added to variances, as Keras does. */
export const BATCH_NORM_EPSILON = 1e-3;

/**
 * Normalises each column of x (N, D) by the batch's own moments, then scales by gamma (D) and shifts by beta (D).
 * `onMoments` receives the moments, which the caller must not keep. Source of the gradient: Ioffe and Szegedy 2015.
 */
export function batchNorm(
  tf: Tf,
  x: Tensor2D,
  gamma: Tensor1D,
  beta: Tensor1D,
  onMoments: (moments: Moments) => void,
): Tensor2D {
  return withGradient(tf, [x, gamma, beta], (save) => {
    const mean = tf.mean<Tensor1D>(x, 0);
    const centred = tf.sub(x, mean);
    const variance = tf.mean<Tensor1D>(tf.square(centred), 0);
    onMoments({mean, variance});
    const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
    const normalised = tf.mul(centred, inverse);
    save([normalised, gamma, inverse]);
    return {
      value: tf.add(tf.mul(normalised, gamma), beta),
      gradient: (dy: Tensor2D, [normalised, gamma, inverse]: [Tensor2D, Tensor1D, Tensor1D]) => {
        const rows = dy.shape[0];
        const dBeta = tf.sum(dy, 0);
        const dGamma = tf.sum(tf.mul(dy, normalised), 0);
        const inner = tf.sub(tf.sub(dy, tf.div(dBeta, rows)), tf.mul(normalised, tf.div(dGamma, rows)));
        return [tf.mul(inner, tf.mul(gamma, inverse)), dGamma, dBeta];
      },
    };
  });
}

/** Rectifies x, then multiplies by the mask (same shape). */
export function maskedRelu(tf: Tf, x: Tensor2D, mask: Tensor2D): Tensor2D {
  return withGradient(tf, [x], (save) => {
    save([tf.mul(mask, tf.step(x))]);
    return {
      value: tf.mul(tf.relu(x), mask),
      gradient: (dy: Tensor2D, [slope]: [Tensor2D]) => [tf.mul(dy, slope)],
    };
  });
}

/** Joins along columns. */
export function concatColumns(tf: Tf, parts: readonly Tensor2D[]): Tensor2D {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return withGradient(tf, [...parts], () => ({
    value: tf.concat([...parts], 1),
    gradient: (dy: Tensor2D) =>
      tf.split(
        dy,
        parts.map((part) => part.shape[1]),
        1,
      ),
  }));
}

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and the softmax of the logits (N, C).
 */
export function softmaxCrossEntropy(tf: Tf, logits: Tensor2D, targets: Tensor2D): Scalar {
  return withGradient(tf, [logits], (save) => {
    const rows = logits.shape[0];
    const logProbabilities = tf.logSoftmax(logits, 1);
    save([tf.sub(tf.exp(logProbabilities), targets)]);
    return {
      value: tf.div(tf.sum<Scalar>(tf.mul(targets, logProbabilities)), -rows),
      gradient: (dy: Scalar, [difference]: [Tensor2D]) => [tf.mul(difference, tf.div(dy, rows))],
    };
  });
}

/** Sum of tensors of one shape. */
export function sumOf(tf: Tf, parts: readonly Tensor2D[]): Tensor2D {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return withGradient(tf, [...parts], () => ({
    value: tf.addN([...parts]),
    // The tape may free a gradient after use, so each input gets its own.
    gradient: (dy: Tensor2D) => parts.map(() => tf.clone(dy)),
  }));
}

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and shares (N, C): each row of values from 0
 * divided by its total. Values below 1e-7 count as 1e-7.
 */
export function shareCrossEntropy(tf: Tf, values: Tensor2D, targets: Tensor2D): Scalar {
  return withGradient(tf, [values], (save) => {
    const rows = values.shape[0];
    const kept = tf.maximum<Tensor2D>(values, 1e-7);
    const total = tf.sum<Tensor2D>(kept, 1, true);
    save([tf.sub(tf.div(1, total), tf.div(targets, kept))]);
    return {
      value: tf.div(tf.sum<Scalar>(tf.mul(targets, tf.log(tf.div(kept, total)))), -rows),
      gradient: (dy: Scalar, [slope]: [Tensor2D]) => [tf.mul(slope, tf.div(dy, rows))],
    };
  });
}

interface Differentiable<Y extends Tensor> {
  readonly value: Y;
  /** From the gradient of the value and the saved tensors, the gradients of the inputs, in order. */
  readonly gradient: (dy: never, saved: never) => readonly Tensor[];
}

/** One node of the tape: `forward` may use any op, none of which is recorded. */
export function withGradient<Y extends Tensor>(
  tf: Tf,
  inputs: Tensor[],
  forward: (save: GradSaveFunc) => Differentiable<Y>,
): Y {
  const operation = tf.customGrad<Tensor>((...args) => {
    const {value, gradient} = forward(args.at(-1) as unknown as GradSaveFunc);
    return {value, gradFunc: (dy, saved) => [...gradient(dy as never, saved as never)]};
  });
  return operation(...inputs) as Y;
}
