import type {Tensor, Tensor2D} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {ATTENTION_NORMS} from '../../../../../stages/lib/models/graph.ts';
import {attentionPool} from '../../../../../stages/lib/tensors/attention-pool.ts';
import {counterStream} from '../../../../../stages/lib/tensors/counter-random.ts';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import {convolution, imageMean, maxPool} from '../../../../../stages/lib/tensors/image-layers.ts';
import {batchNorm, dropout, flatten, timeMean} from '../../../../../stages/lib/tensors/layers.ts';
import {shareCrossEntropy, sigmoidCrossEntropy, softmaxCrossEntropy} from '../../../../../stages/lib/tensors/losses.ts';
import {lstm} from '../../../../../stages/lib/tensors/lstm.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {float64Kit} from '../../../../support/float64-kit.ts';

// What every engine must compute, and the gradients, are in test/conformance/engine-suite.ts.
let engine: Engine;
let tf: Engine['tf'];
beforeAll(async () => {
  engine = await loadEngine({engine: 'cpu', threads: 1});
  ({tf} = engine);
});

function random(size: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({length: size}, () => 2 * rng.uniform() - 1);
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

describe('losses by hand', () => {
  test('softmax cross-entropy is -ln of the true class', async () => {
    const loss = softmaxCrossEntropy(
      engine,
      tf.tensor2d([Math.log(1), Math.log(3), 0, 0], [2, 2]),
      tf.tensor2d([0, 1, 1, 0], [2, 2]),
    );
    expect((await loss.data())[0]).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 6);
  });

  test('sigmoid cross-entropy is the mean over rows and classes', async () => {
    const logits = tf.tensor2d([0, Math.log(3), -Math.log(3), 0], [2, 2]);
    const loss = sigmoidCrossEntropy(engine, logits, tf.tensor2d([1, 1, 0, 0.5], [2, 2]));
    expect((await loss.data())[0]).toBeCloseTo((2 * Math.log(2) + 2 * Math.log(4 / 3)) / 4, 6);
  });

  test('the cross-entropy of shares divides rows by their totals and takes nothing for 1e-7', async () => {
    const values = tf.tensor2d([1, 3, 0, 5], [2, 2]);
    const loss = shareCrossEntropy(engine, values, tf.tensor2d([0, 1, 1, 0], [2, 2]));
    expect((await loss.data())[0]).toBeCloseTo((-Math.log(3 / 4) - Math.log(1e-7 / 5)) / 2, 4);
  });
});

describe('losses of weighted rows', () => {
  const shape = [4, 3];
  const weights = [2, 0.5, 0, 1];
  const targets = [0, 1, 0, 0.25, 0.75, 0, 0, 0, 1, 0.1, 0.2, 0.7];
  const points = [...random(12, 5)].map((value) => value + 1.5);
  const losses = {softmaxCrossEntropy, sigmoidCrossEntropy, shareCrossEntropy};

  /** Mean over rows of weight times the row's own loss, in float64. */
  function expectedLoss(name: keyof typeof losses, values: readonly number[]): number {
    const row = (all: readonly number[], i: number) => float64Kit.tensor([1, 3], all.slice(3 * i, 3 * i + 3));
    const own = weights.map((weight, i) => weight * (float64Kit[name](row(values, i), row(targets, i)).data[0] ?? NaN));
    return own.reduce((a, b) => a + b) / 4;
  }

  test.each(['softmaxCrossEntropy', 'sigmoidCrossEntropy', 'shareCrossEntropy'] as const)(
    '%s is the mean of weight times loss, and its gradient is what finite differences give',
    async (name) => {
      const compute = (x: Tensor) =>
        losses[name](engine, x as Tensor2D, tf.tensor2d(targets, [4, 3]), tf.tensor2d(weights, [4, 1]));
      const {value, grad} = tf.valueAndGrad(compute)(tf.tensor(points, shape));
      expect((await value.data())[0]).toBeCloseTo(expectedLoss(name, points), 5);
      const slopes = await grad.data();
      const step = 1e-5;
      for (const i of points.keys()) {
        const moved = (by: number): number =>
          expectedLoss(
            name,
            points.map((x, k) => (k === i ? x + by : x)),
          );
        expect(slopes[i]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 5);
      }
      expect([...slopes.slice(6, 9)].map(Math.abs)).toEqual([0, 0, 0]);
    },
  );
});

test('batchNorm gives columns of mean beta and deviation gamma, and the moments', async () => {
  const x = tf.tensor2d([1, 2, 3, 4], [4, 1]);
  const {y, mean, variance} = batchNorm(engine, x, tf.tensor1d([2]), tf.tensor1d([5]), 1e-3);
  expect([...(await mean.data()), ...(await variance.data())]).toEqual([2.5, 1.25]);
  const scale = 2 / Math.sqrt(1.25 + 1e-3);
  for (const [i, value] of (await y.data()).entries()) expect(value).toBeCloseTo(5 + (i - 1.5) * scale, 5);
});

test('dropout keeps the mask of its stream and scales what is left', async () => {
  const y = await dropout(engine, tf.ones([1000]), 0.25, counterStream(1, 'a')).data();
  expect(new Set(y)).toEqual(new Set([0, Math.fround(4 / 3)]));
  expect(y).toEqual(await dropout(engine, tf.ones([1000]), 0.25, counterStream(1, 'a')).data());
  expect(y).not.toEqual(await dropout(engine, tf.ones([1000]), 0.25, counterStream(1, 'b')).data());
});

describe('attention', () => {
  test.each(ATTENTION_NORMS)('with one vector per item the pooled score is the score, %s', async (norm) => {
    const logits = tf.tensor3d(random(12, 3), [3, 1, 4]);
    const pool = attentionPool(engine, logits, tf.tensor3d(random(12, 4), [3, 1, 4]), norm);
    expect(await pool.data()).toEqual(await tf.sigmoid(logits).data());
  });

  test.each(['time-softmax', 'sigmoid+time-sum'] as const)(
    'equal attention gives the mean over time, %s',
    async (norm) => {
      const scores = tf.tensor3d([0, 2, 0, -2], [2, 2, 1]);
      const pooled = await attentionPool(engine, scores, tf.zeros([2, 2, 1]), norm).data();
      expect(pooled[0]).toBeCloseTo((0.5 + logistic(2)) / 2, 6);
      expect(pooled[1]).toBeCloseTo((0.5 + logistic(-2)) / 2, 6);
    },
  );

  test('a softmax over time takes logits of any size', async () => {
    const scores = tf.tensor3d([1, -1], [1, 2, 1]);
    const pooled = await attentionPool(engine, scores, tf.tensor3d([500, -500], [1, 2, 1]), 'time-softmax').data();
    expect(pooled[0]).toBeCloseTo(logistic(1), 6);
  });
});

test('an LSTM has its gates in the order input, forget, cell, output', async () => {
  // One unit over two steps: no weights, so the gates are their biases.
  const [input, forget, cell, output] = [0.5, -0.3, 0.8, 0.2];
  const h = lstm(
    engine,
    tf.zeros([1, 2, 1]),
    tf.zeros([1, 4]),
    tf.zeros([1, 4]),
    tf.tensor1d([input, forget, cell, output]),
  );
  const first = logistic(input) * Math.tanh(cell);
  const second = logistic(forget) * first + first;
  expect((await h.data())[0]).toBeCloseTo(logistic(output) * Math.tanh(second), 6);
});

describe('images', () => {
  test('are padded like SAME: the odd row after', async () => {
    const x = tf.tensor4d(new Float32Array(16).fill(1), [1, 4, 4, 1]);
    const y = convolution(engine, x, tf.ones([3, 3, 1, 1]), tf.zeros([1]), 2);
    expect(y.shape).toEqual([1, 2, 2, 1]);
    expect([...(await y.data())]).toEqual([9, 6, 6, 4]);
  });

  test('of odd size keep their last row in a pool', async () => {
    const y = maxPool(engine, tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]));
    expect([...(await y.data())]).toEqual([5, 6, 8, 9]);
  });

  test('are flattened in the order row, column, channel, and averaged per channel', async () => {
    const x = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2]);
    expect([...(await flatten(engine, x).data())]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([...(await imageMean(engine, x).data())]).toEqual([4, 5]);
  });
});

test('timeMean averages the vectors of each item', async () => {
  const y = timeMean(engine, tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]));
  expect([...(await y.data())]).toEqual([2, 3, 6, 7]);
});
