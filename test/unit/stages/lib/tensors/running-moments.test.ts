import {beforeAll, expect, test} from 'vitest';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {Tf} from '../../../../../stages/lib/tensors/tf.ts';
import {createRunningMoments} from '../../../../../stages/lib/tensors/running-moments.ts';

let tf: Tf;
beforeAll(async () => {
  ({tf} = await loadEngine());
});

test('the averages are weighted by momentum and divided by the sum of the weights', () => {
  const moments = createRunningMoments(1);
  expect([...moments.mean, ...moments.variance]).toEqual([0, 1]);
  const batch = (mean: number, variance: number) => ({mean: tf.tensor1d([mean]), variance: tf.tensor1d([variance])});
  tf.tidy(() => moments.update(batch(4, 9), 0.75));
  expect([...moments.mean, ...moments.variance]).toEqual([4, 9]);
  tf.tidy(() => moments.update(batch(11, 2), 0.75));
  // Weights 0.75 x 0.25 and 0.25, that is 3 and 4 sevenths.
  expect(moments.mean[0]).toBeCloseTo((3 * 4 + 4 * 11) / 7, 6);
  expect(moments.variance[0]).toBeCloseTo((3 * 9 + 4 * 2) / 7, 6);
});

test('saved moments load into another', () => {
  const [from, to] = [createRunningMoments(2), createRunningMoments(2)];
  tf.tidy(() => from.update({mean: tf.tensor1d([1, 2]), variance: tf.tensor1d([3, 4])}, 0.9));
  to.load('h1', new Map(from.save('h1')));
  expect([...to.mean, ...to.variance]).toEqual([1, 2, 3, 4]);
  expect(() => to.load('h2', new Map(from.save('h1')))).toThrow('h2/mean');
});
