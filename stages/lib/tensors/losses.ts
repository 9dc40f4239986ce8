import type {Scalar, Tensor2D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and the softmax of the logits (N, C).
 */
export function softmaxCrossEntropy(engine: Engine, logits: Tensor2D, targets: Tensor2D): Scalar {
  const {tf} = engine;
  const [rows] = logits.shape;
  return withGradient(engine, [logits], (save) => {
    const logProbabilities = tf.logSoftmax(logits, 1);
    save([tf.sub(tf.exp(logProbabilities), targets)]);
    return {
      value: tf.div(tf.sum<Scalar>(tf.mul(targets, logProbabilities)), -rows),
      gradient: (dy, [difference]: [Tensor2D]) => [() => tf.mul(difference, tf.div(dy, rows))],
    };
  });
}

/**
 * Mean over rows and classes of the binary cross-entropy between targets (N, C), 0 ... 1, and the sigmoid of the logits
 * (N, C).
 */
export function sigmoidCrossEntropy(engine: Engine, logits: Tensor2D, targets: Tensor2D): Scalar {
  const {tf} = engine;
  return withGradient(engine, [logits], (save) => {
    save([tf.sub(tf.sigmoid(logits), targets)]);
    // max(x, 0) - x t + ln(1 + exp(-|x|)) has no exponential that overflows.
    const tails = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
    const losses = tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tails);
    return {
      value: tf.mean<Scalar>(losses),
      gradient: (dy, [difference]: [Tensor2D]) => [() => tf.mul(difference, tf.div(dy, logits.size))],
    };
  });
}

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and shares (N, C): each row of values from 0
 * divided by its total. Values below 1e-7 count as 1e-7.
 */
export function shareCrossEntropy(engine: Engine, values: Tensor2D, targets: Tensor2D): Scalar {
  const {tf} = engine;
  const [rows] = values.shape;
  return withGradient(engine, [values], (save) => {
    const kept = tf.maximum<Tensor2D>(values, 1e-7);
    const total = tf.sum<Tensor2D>(kept, 1, true);
    save([tf.sub(tf.div(1, total), tf.div(targets, kept))]);
    return {
      value: tf.div(tf.sum<Scalar>(tf.mul(targets, tf.log(tf.div(kept, total)))), -rows),
      gradient: (dy, [slope]: [Tensor2D]) => [() => tf.mul(slope, tf.div(dy, rows))],
    };
  });
}
