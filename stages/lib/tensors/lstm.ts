import type {Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import {withGradient} from './gradient.ts';
import type {LstmStep} from './ops.ts';

/**
 * The last output (N, U) of an LSTM over x (N, T, C), T from 1. `weights` (C, 4 U), `recurrent` (U, 4 U) and `biases` (4 U)
 * have the gates in the order input, forget, cell, output; state and cell start at zero. Gradients go through all steps.
 *
 * Where a mask (N, T), of 0 and 1, has 0, state and cell stay as they are: the output is bit for bit that of the other steps
 * alone, zero if there is none.
 */
export function lstm(
  engine: Engine,
  x: Tensor3D,
  weights: Tensor2D,
  recurrent: Tensor2D,
  biases: Tensor1D,
  mask?: Tensor2D,
): Tensor2D {
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
      const step = ops.lstmCell(z, before?.cell);
      states.push(mask === undefined ? step : carried(engine, step, before, columnOf(engine, mask, t)));
    }
    save([...(mask === undefined ? [] : [mask]), frames, weights, recurrent, ...states.flatMap(toSaved)]);
    return {
      value: (states.at(-1) as LstmStep).hidden,
      gradient(dy, all: Tensor2D[]) {
        const own = mask === undefined ? undefined : all[0];
        const [frames, weights, recurrent, ...saved] = all.slice(own === undefined ? 0 : 1) as Saved;
        const states = Array.from({length: steps}, (_, t) => fromSaved(saved, t));
        const dz = backwards(engine, states, recurrent, dy, own);
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

type Saved = [Tensor2D, Tensor2D, Tensor2D, ...Tensor2D[]];

/** The step, or for rows with 0 the state and cell before it. */
function carried({tf}: Engine, step: LstmStep, before: LstmStep | undefined, column: Tensor2D): LstmStep {
  const rest = tf.sub<Tensor2D>(1, column);
  const blend = (now: Tensor2D, then: Tensor2D | undefined): Tensor2D => {
    const own = tf.mul<Tensor2D>(now, column);
    return then === undefined ? own : tf.add<Tensor2D>(own, tf.mul(then, rest));
  };
  return {...step, cell: blend(step.cell, before?.cell), hidden: blend(step.hidden, before?.hidden)};
}

/** Time t of a mask (N, T), as (N, 1). */
function columnOf({tf}: Engine, mask: Tensor2D, t: number): Tensor2D {
  return tf.slice(mask, [0, t], [mask.shape[0], 1]);
}

/** Gradients of all steps' pre-activations, (T * N, 4 U), time first. */
function backwards(
  engine: Engine,
  states: readonly LstmStep[],
  recurrent: Tensor2D,
  dLast: Tensor2D,
  mask: Tensor2D | undefined,
): Tensor2D {
  const {tf, ops} = engine;
  const parts: Tensor2D[] = [];
  let dHidden = dLast;
  let dCell: Tensor2D | undefined;
  for (let t = states.length - 1; t >= 0; t--) {
    const column = mask && columnOf(engine, mask, t);
    const taken = (d: Tensor2D): Tensor2D => (column === undefined ? d : tf.mul(d, column));
    // Past a masked step the gradients of state and cell go as they are.
    const passed = (through: Tensor2D, d: Tensor2D | undefined): Tensor2D =>
      column === undefined || d === undefined ? through : tf.add(through, tf.mul(d, tf.sub(1, column)));
    const {dz, dBefore} = ops.lstmCellGradient(
      states[t] as LstmStep,
      states[t - 1]?.cell,
      taken(dHidden),
      dCell && taken(dCell),
    );
    parts.unshift(dz);
    dCell = passed(dBefore, dCell);
    if (t > 0) dHidden = passed(tf.matMul(dz, recurrent, false, true), dHidden);
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
