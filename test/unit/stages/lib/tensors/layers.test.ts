import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {ATTENTION_NORMS, attentionPool} from '../../../../../stages/lib/tensors/attention-pool.ts';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {Tf} from '../../../../../stages/lib/tensors/tf.ts';
import {
  batchNorm,
  concatColumns,
  dense,
  maskedRelu,
  shareCrossEntropy,
  softmaxCrossEntropy,
  sumOf,
} from '../../../../../stages/lib/tensors/layers.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

let tf: Tf;
beforeAll(async () => {
  ({tf} = await loadEngine());
});

/** Values between 0.1 and 0.9 or -0.9 and -0.1, away from the kinks of the layers. */
function values(size: number, seed: number, positive = false): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({length: size}, () => {
    const value = 0.1 + 0.8 * rng.uniform();
    return positive || rng.uniform() < 0.5 ? value : -value;
  });
}

/** Largest difference between the tape's gradient of sum(f * weights) and central differences, over all inputs. */
function gradientError(
  shapes: readonly (readonly number[])[],
  f: (...inputs: Tensor[]) => Tensor,
  positive = false,
): number {
  const arrays = shapes.map((shape, i) =>
    values(
      shape.reduce((a, b) => a * b, 1),
      i + 1,
      positive,
    ),
  );
  const tensorOf = (data: Float32Array, i: number): Tensor => tf.tensor(data, [...(shapes[i] ?? [])], 'float32');
  const evaluate = (inputs: readonly Float32Array[]): number =>
    tf.tidy(() => {
      const output = f(...inputs.map(tensorOf)).dataSync<'float32'>();
      const weights = values(output.length, 99);
      return output.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);
    });
  const gradients = tf.tidy(() => {
    const tensors = arrays.map(tensorOf);
    const dy = tf.tidy(() => f(...tensors)).shape;
    const weights = tf.tensor(
      values(
        dy.reduce((a, b) => a * b, 1),
        99,
      ),
      dy,
    );
    return tf
      .grads((...inputs: Tensor[]) => f(...inputs))(tensors, weights)
      .map((g) => g.dataSync<'float32'>());
  });
  const step = 4e-3;
  let largest = 0;
  for (const [i, array] of arrays.entries()) {
    for (let k = 0; k < array.length; k++) {
      const moved = (by: number): readonly Float32Array[] =>
        arrays.map((other, j) => (j === i ? other.map((value, n) => (n === k ? value + by : value)) : other));
      const slope = (evaluate(moved(step)) - evaluate(moved(-step))) / (2 * step);
      largest = Math.max(largest, Math.abs((gradients[i]?.[k] ?? Number.NaN) - slope));
    }
  }
  return largest;
}

describe('the gradient equals central differences', () => {
  const targets = Float32Array.of(1, 0, 0, 0, 0.25, 0.75);
  const mask = Float32Array.from({length: 12}, (_, i) => (i % 3 === 0 ? 0 : 1.5));
  const as2d = (tensor: Tensor | undefined): Tensor2D => tensor as Tensor2D;
  const as1d = (tensor: Tensor | undefined): Tensor1D => tensor as Tensor1D;

  test.each<[string, readonly (readonly number[])[], (inputs: readonly Tensor[]) => Tensor]>([
    ['dense', [[4, 3], [3, 5], [5]], ([x, w, b]) => dense(tf, as2d(x), as2d(w), as1d(b))],
    ['batchNorm', [[6, 3], [3], [3]], ([x, g, b]) => batchNorm(tf, as2d(x), as1d(g), as1d(b), () => {})],
    ['maskedRelu', [[4, 3]], ([x]) => maskedRelu(tf, as2d(x), tf.tensor2d(mask, [4, 3]))],
    [
      'concatColumns',
      [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      (parts) => concatColumns(tf, parts.map(as2d)),
    ],
    [
      'sumOf',
      [
        [2, 3],
        [2, 3],
      ],
      (parts) => sumOf(tf, parts.map(as2d)),
    ],
    ['softmaxCrossEntropy', [[2, 3]], ([x]) => softmaxCrossEntropy(tf, as2d(x), tf.tensor2d(targets, [2, 3]))],
  ])('%s', (_name, shapes, f) => {
    expect(gradientError(shapes, (...inputs) => f(inputs))).toBeLessThan(3e-3);
  });

  test('shareCrossEntropy', () => {
    const loss = (x: Tensor): Tensor => shareCrossEntropy(tf, as2d(x), tf.tensor2d(targets, [2, 3]));
    expect(gradientError([[2, 3]], loss, true)).toBeLessThan(3e-3);
  });

  test.each(ATTENTION_NORMS)('attentionPool, %s', (norm) => {
    const shapes = [
      [6, 4],
      [6, 4],
    ];
    expect(gradientError(shapes, (s, a) => attentionPool(tf, as2d(s), as2d(a), 3, norm))).toBeLessThan(3e-3);
  });
});

describe('layers', () => {
  test('softmaxCrossEntropy is -ln of the true class by hand', () => {
    const loss = tf.tidy(() => {
      const logits = tf.tensor2d([Math.log(1), Math.log(3), 0, 0], [2, 2]);
      return softmaxCrossEntropy(tf, logits, tf.tensor2d([0, 1, 1, 0], [2, 2])).dataSync<'float32'>()[0];
    });
    expect(loss).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 6);
  });

  test('a logit far below the rest gives a finite loss', () => {
    const loss = tf.tidy(() =>
      softmaxCrossEntropy(tf, tf.tensor2d([-200, 200], [1, 2]), tf.tensor2d([1, 0], [1, 2])).dataSync<'float32'>(),
    );
    expect(loss[0]).toBeCloseTo(400, 3);
  });

  test('batchNorm gives columns of mean beta and deviation gamma, and reports the moments', () => {
    const seen: number[] = [];
    const y = tf.tidy(() =>
      batchNorm(tf, tf.tensor2d([1, 2, 3, 4], [4, 1]), tf.tensor1d([2]), tf.tensor1d([5]), ({mean, variance}) => {
        seen.push(...mean.dataSync<'float32'>(), ...variance.dataSync<'float32'>());
      }).dataSync<'float32'>(),
    );
    expect(seen).toEqual([2.5, 1.25]);
    const scale = 2 / Math.sqrt(1.25 + 1e-3);
    for (const [i, value] of y.entries()) expect(value).toBeCloseTo(5 + (i - 1.5) * scale, 5);
  });

  test.each(ATTENTION_NORMS)('with one vector per item the pooled score is the score, %s', (norm) => {
    const [pooled, scores] = tf.tidy(() => {
      const logits = tf.tensor2d(values(12, 3), [3, 4]);
      const pool = attentionPool(tf, logits, tf.tensor2d(values(12, 4), [3, 4]), 1, norm);
      return [pool.dataSync<'float32'>(), tf.sigmoid(logits).dataSync<'float32'>()];
    });
    expect([...pooled]).toEqual([...scores]);
  });

  test('equal attention gives the mean over time', () => {
    const pooled = tf.tidy(() => {
      const scores = tf.tensor2d([0, 2, 0, -2], [4, 1]);
      return attentionPool(tf, scores, tf.zeros([4, 1]), 2, 'time-softmax').dataSync<'float32'>();
    });
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    expect(pooled[0]).toBeCloseTo((0.5 + sigmoid(2)) / 2, 6);
    expect(pooled[1]).toBeCloseTo((0.5 + sigmoid(-2)) / 2, 6);
  });
});
