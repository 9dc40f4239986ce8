import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import {beforeAll, expect, test} from 'vitest';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import {constant, withGradient} from '../../../../../stages/lib/tensors/gradient.ts';
import {dense, relu} from '../../../../../stages/lib/tensors/layers.ts';

let engine: Engine;
let tf: Engine['tf'];
beforeAll(async () => {
  engine = await loadEngine({engine: 'cpu', threads: 1});
  ({tf} = engine);
});

test('layers over constants are constants, and save nothing for the way back', () => {
  tf.tidy(() => {
    const data = constant<Tensor2D>(engine, tf.ones([5, 4]));
    const frozen = constant<Tensor2D>(engine, tf.ones([4, 3]));
    const biases = constant<Tensor1D>(engine, tf.zeros([3]));
    const own = tf.ones([3, 2]);
    const held: number[] = [];
    const f = (weights: Tensor): Tensor => {
      held.push(tf.memory().numTensors);
      const first = relu(engine, dense(engine, data, frozen, biases));
      held.push(tf.memory().numTensors);
      const second = dense(engine, first, weights as Tensor2D, tf.zeros([2]));
      held.push(tf.memory().numTensors);
      expect([first, second].map((tensor) => engine.constants.has(tensor))).toEqual([true, false]);
      return second;
    };
    const gradient = tf.grad(f)(own);
    // Of the first two layers, their values; of the third, its value, the biases and what it saved.
    expect([held[1]! - held[0]!, held[2]! - held[1]!]).toEqual([2, 4]);
    expect(gradient.shape).toEqual([3, 2]);
    expect([...gradient.dataSync()]).toEqual(Array.from({length: 6}, () => 20));
  });
});

test('a gradient that nobody wants is not computed', () => {
  const asked: string[] = [];
  tf.tidy(() => {
    const [a, b] = [tf.ones([2]), constant(engine, tf.ones([2]))];
    const f = (x: Tensor): Tensor =>
      withGradient(engine, [x, b], () => ({
        value: tf.add(x, b),
        gradient: (dy) => ['a', 'b'].map((name) => () => (asked.push(name), tf.clone(dy))),
      }));
    tf.grad(f)(a);
  });
  expect(asked).toEqual(['a']);
});

test('what a gradient makes on its way is freed at once', () => {
  const held = (steps: number): number => {
    let during = 0;
    tf.tidy(() => {
      const f = (x: Tensor): Tensor => {
        const first = withGradient(engine, [x], () => ({
          value: tf.clone(x),
          gradient: (dy) => {
            during = tf.memory().numTensors;
            return [() => tf.clone(dy)];
          },
        }));
        return withGradient(engine, [first], () => ({
          value: tf.clone(first),
          gradient: (dy) => [
            () => {
              let result = tf.clone(dy);
              for (let i = 0; i < steps; i++) result = tf.neg(result);
              return result;
            },
          ],
        }));
      };
      tf.grad(f)(tf.ones([2]), tf.ones([2]));
    });
    return during;
  };
  expect(held(10)).toBe(held(1));
});
