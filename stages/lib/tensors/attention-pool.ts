import type {Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {Tf} from './tf.ts';
import {withGradient} from './layers.ts';

export const ATTENTION_NORMS = ['class-softmax+time-sum', 'time-softmax', 'sigmoid+time-sum'] as const;
export type AttentionNorm = (typeof ATTENTION_NORMS)[number];

/** Attention values are kept this far from 0 and 1 before they are divided by their sum over time. */
const CLIP = 1e-7;

/**
 * Pools scores over time: out (B, C) = sum over t of w * sigmoid(scores), where w is the attention, of sum 1 over t.
 * `scores` and `attention` are logits, (B * pieces, C), the rows of one item one after the other.
 */
export function attentionPool(
  tf: Tf,
  scores: Tensor2D,
  attention: Tensor2D,
  pieces: number,
  norm: AttentionNorm,
): Tensor2D {
  const [rows, classes] = scores.shape;
  const cube: [number, number, number] = [rows / pieces, pieces, classes];
  return withGradient(tf, [scores, attention], (save) => {
    const cla = tf.reshape(tf.sigmoid(scores), cube);
    const raw: Tensor3D = activate(tf, attention, cube, norm);
    const kept = norm === 'time-softmax' ? raw : tf.clipByValue(raw, CLIP, 1 - CLIP);
    const total = tf.sum<Tensor3D>(kept, 1, true);
    const weights = tf.div<Tensor3D>(kept, total);
    const value = tf.sum<Tensor3D>(tf.mul(weights, cla), 1, true);
    save([cla, raw, total, weights, value]);
    return {
      value: tf.reshape(value, [cube[0], classes]),
      gradient: (
        dy: Tensor2D,
        [cla, raw, total, weights, value]: [Tensor3D, Tensor3D, Tensor3D, Tensor3D, Tensor3D],
      ) => {
        const g = tf.reshape(dy, [cube[0], 1, classes]);
        const dScores = tf.mul(tf.mul(weights, g), tf.mul(cla, tf.sub(1, cla)));
        // d out / d kept: the sum over time of w * cla is `value`.
        const dKept = tf.mul<Tensor3D>(tf.div(g, total), tf.sub(cla, value));
        const dAttention = activationGradient(tf, raw, dKept, norm);
        return [tf.reshape(dScores, [rows, classes]), tf.reshape(dAttention, [rows, classes])];
      },
    };
  });
}

function activate(tf: Tf, attention: Tensor2D, cube: [number, number, number], norm: AttentionNorm): Tensor3D {
  switch (norm) {
    case 'class-softmax+time-sum':
      return tf.reshape(tf.softmax(attention), cube);
    case 'sigmoid+time-sum':
      return tf.reshape(tf.sigmoid(attention), cube);
    case 'time-softmax': {
      const logits = tf.reshape(attention, cube);
      return tf.exp(tf.sub(logits, tf.max(logits, 1, true)));
    }
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
