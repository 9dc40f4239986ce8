import type {Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import {fillDropoutMask} from './counter-random.ts';
import type {AdamTensors, LstmStep, Ops} from './ops.ts';
import type {Tf} from './tf.ts';

/** The operations of a training step, put together from those that every engine has. */
export function composedOps(tf: Tf): Ops {
  return {
    moments: (x) =>
      tf.tidy(() => {
        const mean = tf.mean<Tensor1D>(x, 0);
        return {mean, variance: tf.mean<Tensor1D>(tf.square(tf.sub(x, mean)), 0)};
      }),
    affine: (x, scale, shift) => tf.tidy(() => tf.add(tf.mul(x, scale), shift)),
    pairSums: (dy, x) => tf.tidy(() => ({dy: tf.sum<Tensor1D>(dy, 0), dyx: tf.sum<Tensor1D>(tf.mul(dy, x), 0)})),
    blend: (dy, x, a, b, c) => tf.tidy(() => tf.add(tf.add(tf.mul(dy, a), tf.mul(x, b)), c)),
    dropoutMask(shape, rate, stream) {
      const mask = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
      fillDropoutMask(mask, rate, stream);
      return tf.tensor(mask, [...shape], 'float32');
    },
    lstmCell: (z, cell) => tf.tidy(() => ({...cellStep(tf, z, cell)})),
    lstmCellGradient: (step, before, dHidden, dCell) =>
      tf.tidy(() => ({...cellGradient(tf, step, before, dHidden, dCell)})),
    adam({values, first, second}, gradient, {rate, beta1, beta2, epsilon}) {
      const next = tf.tidy(() => {
        const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
        const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
        const change = tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), epsilon));
        return {values: tf.sub(values, change), first: m, second: v};
      });
      tf.dispose([values, first, second]);
      return next satisfies AdamTensors;
    },
  };
}

function cellStep(tf: Tf, z: Tensor2D, before: Tensor2D | undefined): LstmStep {
  const [zInput, zForget, zCandidate, zOutput] = quarters(tf, z);
  const input = tf.sigmoid(zInput);
  const forget = tf.sigmoid(zForget);
  const candidate = tf.tanh(zCandidate);
  const output = tf.sigmoid(zOutput);
  const fresh = tf.mul<Tensor2D>(input, candidate);
  const cell = before === undefined ? fresh : tf.add<Tensor2D>(fresh, tf.mul(forget, before));
  const squashed = tf.tanh(cell);
  const gates = tf.concat([input, forget, candidate, output], 1);
  return {gates, cell, squashed, hidden: tf.mul(output, squashed)};
}

function cellGradient(
  tf: Tf,
  {gates, squashed}: LstmStep,
  before: Tensor2D | undefined,
  dHidden: Tensor2D,
  dCell: Tensor2D | undefined,
): {readonly dz: Tensor2D; readonly dBefore: Tensor2D} {
  const [input, forget, candidate, output] = quarters(tf, gates);
  const slope = (y: Tensor2D): Tensor2D => tf.mul(y, tf.sub(1, y));
  const throughHidden = tf.mul<Tensor2D>(tf.mul(dHidden, output), tf.sub(1, tf.square(squashed)));
  const d = dCell === undefined ? throughHidden : tf.add<Tensor2D>(throughHidden, dCell);
  const dz = tf.concat(
    [
      tf.mul<Tensor2D>(tf.mul(d, candidate), slope(input)),
      before === undefined ? tf.zerosLike(d) : tf.mul<Tensor2D>(tf.mul(d, before), slope(forget)),
      tf.mul<Tensor2D>(tf.mul(d, input), tf.sub(1, tf.square(candidate))),
      tf.mul<Tensor2D>(tf.mul(dHidden, squashed), slope(output)),
    ],
    1,
  );
  return {dz, dBefore: tf.mul(d, forget)};
}

function quarters(tf: Tf, x: Tensor2D): readonly [Tensor2D, Tensor2D, Tensor2D, Tensor2D] {
  return tf.split(x, 4, 1) as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
}
