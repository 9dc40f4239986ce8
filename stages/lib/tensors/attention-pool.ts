import type {Rank, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {AttentionNorm} from '../models/graph.ts';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';
import type {Tf} from './tf.ts';

/** Attention values are kept this far from 0 and 1 before they are divided by their sum over time. */
const CLIP = 1e-7;

/**
 * Pools scores over time: out (N, C) = sum over t of w * sigmoid(scores), where w is the attention, of sum 1 over t.
 * `scores` and `attention` are logits, (N, T, C). Of a mask (N, T), of 0 and 1, times with 0 have no weight; where there is no
 * other, the result is 0.
 */
export function attentionPool(
  engine: Engine,
  scores: Tensor3D,
  attention: Tensor3D,
  norm: AttentionNorm,
  mask?: Tensor2D,
): Tensor2D {
  const {tf} = engine;
  const [rows, steps, classes] = scores.shape;
  return withGradient(engine, [scores, attention], (save) => {
    const real = mask && tf.reshape<Rank.R3>(mask, [rows, steps, 1]);
    const cla = tf.sigmoid(scores);
    const raw = activate(tf, real ? hidden(tf, attention, real) : attention, norm);
    const all = norm === 'time-softmax' ? raw : tf.clipByValue(raw, CLIP, 1 - CLIP);
    const kept = real ? tf.mul<Tensor3D>(all, real) : all;
    const sum = tf.sum<Tensor3D>(kept, 1, true);
    // Not one real time has less.
    const total = real ? tf.maximum<Tensor3D>(sum, CLIP) : sum;
    const weights = tf.div<Tensor3D>(kept, total);
    const value = tf.sum<Tensor3D>(tf.mul(weights, cla), 1, true);
    save([cla, raw, total, weights, value, ...(real ? [real] : [])]);
    return {
      value: tf.reshape(value, [rows, classes]),
      gradient: (dy, [cla, raw, total, weights, value, real]: SavedPool) => {
        const g = tf.reshape(dy, [rows, 1, classes]) as Tensor3D;
        return [
          () => tf.mul(tf.mul(weights, g), tf.mul(cla, tf.sub(1, cla))),
          () => {
            // d out / d kept: the sum over time of w * cla is `value`.
            const dKept = tf.mul<Tensor3D>(tf.div(g, total), tf.sub(cla, value));
            return activationGradient(tf, raw, real ? tf.mul(dKept, real) : dKept, norm);
          },
        ];
      },
    };
  });
}

type SavedPool = [Tensor3D, Tensor3D, Tensor3D, Tensor3D, Tensor3D, Tensor3D?];

/** Logits that are far below all others at masked times, so that none of these is their maximum. */
function hidden(tf: Tf, attention: Tensor3D, real: Tensor3D): Tensor3D {
  return tf.add(tf.mul(attention, real), tf.mul(tf.sub(real, 1), 1e9));
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
