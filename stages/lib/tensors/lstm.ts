import type {Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';
import type {LstmStep} from './ops.ts';

/**
 * The last output (N, U) of an LSTM over x (N, T, C), T from 1. `weights` (C, 4 U), `recurrent` (U, 4 U) and `biases` (4 U)
 * have the gates in the order input, forget, cell, output; state and cell start at zero. Gradients go through all steps.
 */
export function lstm(engine: Engine, x: Tensor3D, weights: Tensor2D, recurrent: Tensor2D, biases: Tensor1D): Tensor2D {
  const {tf, ops} = engine;
  const [rows, steps, width] = x.shape;
  const units = recurrent.shape[0];
  return withGradient(engine, [x, weights, recurrent, biases], (save) => {
    // Time first: the rows of one step lie together, and all steps' inputs are one product.
    const frames = tf.reshape(tf.transpose(x, [1, 0, 2]), [steps * rows, width]) as Tensor2D;
    const projected = tf.fused.matMul({a: frames, b: weights, bias: biases}) as Tensor2D;
    const states: LstmStep[] = [];
    for (let t = 0; t < steps; t++) {
      const before = states.at(-1);
      const input = tf.slice(projected, [t * rows, 0], [rows, 4 * units]);
      const z = before === undefined ? input : tf.add<Tensor2D>(input, tf.matMul(before.hidden, recurrent));
      states.push(ops.lstmCell(z, before?.cell));
    }
    save([frames, weights, recurrent, ...states.flatMap(toSaved)]);
    return {
      value: (states.at(-1) as LstmStep).hidden,
      gradient: (dy, [frames, weights, recurrent, ...saved]: [Tensor2D, Tensor2D, Tensor2D, ...Tensor2D[]]) => {
        const states = Array.from({length: steps}, (_, t) => fromSaved(saved, t));
        const dz = backwards(engine, states, recurrent, dy);
        return [
          () => tf.transpose(tf.reshape(tf.matMul(dz, weights, false, true), [steps, rows, width]), [1, 0, 2]),
          () => tf.matMul(frames, dz, true, false),
          () => {
            if (steps === 1) return tf.zerosLike(recurrent);
            const hidden = tf.concat(states.slice(0, -1).map((state) => state.hidden));
            return tf.matMul(hidden, tf.slice(dz, [rows, 0], [(steps - 1) * rows, 4 * units]), true, false);
          },
          () => tf.sum(dz, 0),
        ];
      },
    };
  });
}

/** Gradients of all steps' pre-activations, (T * N, 4 U), time first. */
function backwards({tf, ops}: Engine, states: readonly LstmStep[], recurrent: Tensor2D, dLast: Tensor2D): Tensor2D {
  const parts: Tensor2D[] = [];
  let dHidden = dLast;
  let dCell: Tensor2D | undefined;
  for (let t = states.length - 1; t >= 0; t--) {
    const {dz, dBefore} = ops.lstmCellGradient(states[t] as LstmStep, states[t - 1]?.cell, dHidden, dCell);
    parts.unshift(dz);
    dCell = dBefore;
    if (t > 0) dHidden = tf.matMul(dz, recurrent, false, true);
  }
  return tf.concat(parts);
}

function toSaved({gates, cell, squashed, hidden}: LstmStep): readonly Tensor2D[] {
  return [gates, cell, squashed, hidden];
}

function fromSaved(saved: readonly Tensor2D[], step: number): LstmStep {
  const [gates, cell, squashed, hidden] = saved.slice(4 * step) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
  return {gates, cell, squashed, hidden};
}
