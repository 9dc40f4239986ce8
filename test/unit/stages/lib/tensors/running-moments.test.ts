import {beforeAll, expect, test} from 'vitest';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import type {Moments} from '../../../../../stages/lib/tensors/layers.ts';
import {createRunningMoments, type RunningMoments} from '../../../../../stages/lib/tensors/running-moments.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine({engine: 'cpu', threads: 1});
});

const batch = (mean: readonly number[], variance: readonly number[]): Moments => ({
  mean: engine.tf.tensor1d([...mean]),
  variance: engine.tf.tensor1d([...variance]),
});
const valuesOf = async ({mean, variance}: RunningMoments): Promise<readonly number[]> => [
  ...(await mean.data<'float32'>()),
  ...(await variance.data<'float32'>()),
];

test('the averages are weighted by momentum and divided by the sum of the weights', async () => {
  const moments = createRunningMoments(engine, 1);
  expect(await valuesOf(moments)).toEqual([0, 1]);
  expect(moments.weight).toBe(0);
  moments.update(batch([4], [9]), 0.75);
  expect(await valuesOf(moments)).toEqual([4, 9]);
  moments.update(batch([11], [2]), 0.75);
  // Weights 0.75 x 0.25 and 0.25, that is 3 and 4 sevenths.
  const [mean, variance] = await valuesOf(moments);
  expect(mean).toBeCloseTo((3 * 4 + 4 * 11) / 7, 5);
  expect(variance).toBeCloseTo((3 * 9 + 4 * 2) / 7, 5);
  expect(moments.weight).toBe(1 - 0.75 ** 2);
});

test('go on from what was saved, with the weight, as if nothing had happened', async () => {
  const [unbroken, broken, resumed] = [1, 2, 3].map(() => createRunningMoments(engine, 2)) as [
    RunningMoments,
    RunningMoments,
    RunningMoments,
  ];
  const batches = [0, 1, 2].map((i) => batch([i + 0.1, 2 * i], [1 + i, 0.3 * i]));
  for (const one of batches) unbroken.update(one, 0.9);
  for (const one of batches.slice(0, 2)) broken.update(one, 0.9);
  resumed.load('h1', await broken.save('h1'), broken.weight);
  resumed.update(batches[2] as Moments, 0.9);
  expect(await valuesOf(resumed)).toEqual(await valuesOf(unbroken));
  expect(resumed.weight).toBe(unbroken.weight);
});

test('loaded without a weight they count as complete', async () => {
  const [from, to] = [createRunningMoments(engine, 2), createRunningMoments(engine, 2)];
  from.update(batch([1, 2], [3, 4]), 0.9);
  const saved = await from.save('h1');
  to.load('h1', saved);
  expect(await valuesOf(to)).toEqual([1, 2, 3, 4]);
  expect(to.weight).toBe(1);
  expect(() => to.load('h2', saved)).toThrow('h2/mean');
});

test('hold two tensors, in or out of a tidy, and none when disposed of', () => {
  const {tf} = engine;
  const before = tf.memory().numTensors;
  const moments = createRunningMoments(engine, 2);
  tf.tidy(() => moments.update(batch([1, 2], [3, 4]), 0.9));
  expect(tf.memory().numTensors).toBe(before + 2);
  moments.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
