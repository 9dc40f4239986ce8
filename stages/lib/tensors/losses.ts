import type {Scalar, Tensor2D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';

/**
 * What each row counts in a mean over rows, (N, 1), from 0: a row's loss is multiplied by it, and the sum still divided by N.
 * Without it every row counts 1.
 */
export type RowWeights = Tensor2D | undefined;

/** (N, C) with each row times its weight. */
export function weighRows({tf}: Engine, rows: Tensor2D, weights: RowWeights): Tensor2D {
  return weights === undefined ? rows : tf.mul(rows, weights);
}

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and the softmax of the logits (N, C).
 */
export function softmaxCrossEntropy(engine: Engine, logits: Tensor2D, targets: Tensor2D, weights?: RowWeights): Scalar {
  const {tf} = engine;
  const [rows] = logits.shape;
  return withGradient(engine, [logits], (save) => {
    const logProbabilities = tf.logSoftmax(logits, 1);
    save([weighRows(engine, tf.sub(tf.exp(logProbabilities), targets), weights)]);
    const gains = tf.mul<Tensor2D>(targets, logProbabilities);
    return {
      value: tf.div(tf.sum<Scalar>(weighRows(engine, gains, weights)), -rows),
      gradient: (dy, [difference]: [Tensor2D]) => [() => tf.mul(difference, tf.div(dy, rows))],
    };
  });
}

/**
 * Mean over rows and classes of the binary cross-entropy between targets (N, C), 0 ... 1, and the sigmoid of the logits
 * (N, C).
 */
export function sigmoidCrossEntropy(engine: Engine, logits: Tensor2D, targets: Tensor2D, weights?: RowWeights): Scalar {
  const {tf} = engine;
  return withGradient(engine, [logits], (save) => {
    save([weighRows(engine, tf.sub(tf.sigmoid(logits), targets), weights)]);
    // max(x, 0) - x t + ln(1 + exp(-|x|)) has no exponential that overflows.
    const tails = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
    const losses = tf.add<Tensor2D>(tf.sub(tf.relu(logits), tf.mul(logits, targets)), tails);
    return {
      value: tf.mean<Scalar>(weighRows(engine, losses, weights)),
      gradient: (dy, [difference]: [Tensor2D]) => [() => tf.mul(difference, tf.div(dy, logits.size))],
    };
  });
}

/**
 * Mean over rows of the cross-entropy between targets (N, C), rows of sum 1, and shares (N, C): each row of values from 0
 * divided by its total. Values below 1e-7 count as 1e-7.
 */
export function shareCrossEntropy(engine: Engine, values: Tensor2D, targets: Tensor2D, weights?: RowWeights): Scalar {
  const {tf} = engine;
  const [rows] = values.shape;
  return withGradient(engine, [values], (save) => {
    const kept = tf.maximum<Tensor2D>(values, 1e-7);
    const total = tf.sum<Tensor2D>(kept, 1, true);
    save([weighRows(engine, tf.sub(tf.div(1, total), tf.div(targets, kept)), weights)]);
    const gains = tf.mul<Tensor2D>(targets, tf.log(tf.div(kept, total)));
    return {
      value: tf.div(tf.sum<Scalar>(weighRows(engine, gains, weights)), -rows),
      gradient: (dy, [slope]: [Tensor2D]) => [() => tf.mul(slope, tf.div(dy, rows))],
    };
  });
}
