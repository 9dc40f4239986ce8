import type {Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {AttentionNorm} from '../models/graph.ts';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';
import type {Tf} from './tf.ts';

/** Attention values are kept this far from 0 and 1 before they are divided by their sum over time. */
const CLIP = 1e-7;

/**
 * Pools scores over time: out (N, C) = sum over t of w * sigmoid(scores), where w is the attention, of sum 1 over t.
 * `scores` and `attention` are logits, (N, T, C).
 */
export function attentionPool(engine: Engine, scores: Tensor3D, attention: Tensor3D, norm: AttentionNorm): Tensor2D {
  const {tf} = engine;
  const [rows, , classes] = scores.shape;
  return withGradient(engine, [scores, attention], (save) => {
    const cla = tf.sigmoid(scores);
    const raw = activate(tf, attention, norm);
    const kept = norm === 'time-softmax' ? raw : tf.clipByValue(raw, CLIP, 1 - CLIP);
    const total = tf.sum<Tensor3D>(kept, 1, true);
    const weights = tf.div<Tensor3D>(kept, total);
    const value = tf.sum<Tensor3D>(tf.mul(weights, cla), 1, true);
    save([cla, raw, total, weights, value]);
    return {
      value: tf.reshape(value, [rows, classes]),
      gradient: (dy, [cla, raw, total, weights, value]: [Tensor3D, Tensor3D, Tensor3D, Tensor3D, Tensor3D]) => {
        const g = tf.reshape(dy, [rows, 1, classes]) as Tensor3D;
        return [
          () => tf.mul(tf.mul(weights, g), tf.mul(cla, tf.sub(1, cla))),
          // d out / d kept: the sum over time of w * cla is `value`.
          () => activationGradient(tf, raw, tf.mul(tf.div(g, total), tf.sub(cla, value)), norm),
        ];
      },
    };
  });
}

function activate(tf: Tf, attention: Tensor3D, norm: AttentionNorm): Tensor3D {
  switch (norm) {
    case 'class-softmax+time-sum':
      return tf.softmax(attention);
    case 'sigmoid+time-sum':
      return tf.sigmoid(attention);
    case 'time-softmax':
      return tf.exp(tf.sub(attention, tf.max(attention, 1, true)));
  }
}

function activationGradient(tf: Tf, raw: Tensor3D, dKept: Tensor3D, norm: AttentionNorm): Tensor3D {
  // exp's slope is itself; the shift by the maximum cancels in the division by the sum.
  if (norm === 'time-softmax') return tf.mul(dKept, raw);
  const inside = tf.mul(tf.step(tf.sub(raw, CLIP)), tf.step(tf.sub(1 - CLIP, raw)));
  const dRaw = tf.mul(dKept, inside);
  if (norm === 'sigmoid+time-sum') return tf.mul(dRaw, tf.mul(raw, tf.sub(1, raw)));
  return tf.mul(raw, tf.sub(dRaw, tf.sum(tf.mul(dRaw, raw), 2, true)));
}
