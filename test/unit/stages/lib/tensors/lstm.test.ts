import {readFileSync} from 'node:fs';
import type {Tensor, Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import {expect, test} from 'vitest';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import {lstm} from '../../../../../stages/lib/tensors/lstm.ts';
import {testEngine} from '../../../../support/stage-harness.ts';

interface Golden {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface GoldenLstm extends Readonly<Record<'x' | 'weights' | 'recurrent' | 'biases' | 'factors' | 'last', Golden>> {
  readonly lengths: readonly number[];
  readonly gradients: Readonly<Record<'x' | 'weights' | 'recurrent' | 'biases', Golden>>;
}

test("masked, gives the last outputs and gradients of PyTorch's packed sequences", async () => {
  const text = readFileSync(new URL('../../../../golden/learning/lstm.json', import.meta.url), 'utf8');
  const golden = JSON.parse(text) as GoldenLstm;
  const engine = await loadEngine({engine: testEngine(), threads: 1});
  const {tf} = engine;
  const tensor = ({shape, data}: Golden): Tensor => tf.tensor([...data], [...shape], 'float32');
  const names = ['x', 'weights', 'recurrent', 'biases'] as const;
  const [, steps = 0] = golden.x.shape;
  const mask = tf.tensor2d(golden.lengths.map((length) => Array.from({length: steps}, (_, t) => (t < length ? 1 : 0))));
  const run = (...[x, weights, recurrent, biases]: Tensor[]): Tensor2D =>
    lstm(engine, x as Tensor3D, weights as Tensor2D, recurrent as Tensor2D, biases as Tensor1D, mask);
  const inputs = names.map((name) => tensor(golden[name]));
  expectClose(await run(...inputs).data(), golden.last.data);
  const gradients = tf.grads(run)(inputs, tensor(golden.factors));
  for (const [i, name] of names.entries()) {
    expectClose((await gradients[i]?.data()) ?? [], golden.gradients[name].data);
  }
  // What lies behind a clip is not looked at.
  const other = tf.where(tf.equal(tf.expandDims(mask, 2), 1), inputs[0] as Tensor, 7);
  expectClose(await run(other, ...inputs.slice(1)).data(), golden.last.data);
});

function expectClose(values: ArrayLike<number>, expected: readonly number[]): void {
  expect(values.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs((values[i] ?? NaN) - value)).toBeLessThan(1e-6);
}
