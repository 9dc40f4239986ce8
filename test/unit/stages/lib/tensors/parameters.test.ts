import {beforeAll, expect, test} from 'vitest';
import {loadEngine, type Engine} from '../../../../../stages/lib/tensors/engine.ts';
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {createParameters, type Parameters} from '../../../../../stages/lib/tensors/parameters.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

let engine: Engine;
let tf: Engine['tf'];
beforeAll(async () => {
  engine = await loadEngine({engine: 'cpu', threads: 1});
  ({tf} = engine);
});

const shapes = {w: [3, 2], b: [2]} as const;
const settings = {learningRate: 0.1};

function weights(seed: number): Weights {
  const rng = createRng(seed);
  return new Map(
    Object.entries(shapes).map(([name, shape]): [string, NamedArray] => {
      const size = shape.reduce<number>((product, axis) => product * axis, 1);
      return [name, {shape, data: Float32Array.from({length: size}, () => rng.normal())}];
    }),
  );
}

function step(parameters: Parameters, seed: number): void {
  const gradients = [...weights(seed).values()].map(({shape, data}) => tf.tensor(data, [...shape]));
  parameters.step(gradients);
  tf.dispose(gradients);
}

test('a step is that of Adam with a corrected rate and an uncorrected epsilon', async () => {
  const parameters = createParameters(engine, weights(1), {...settings, epsilon: 0.01});
  const start = weights(1).get('w')!.data;
  let [m, v, value] = [0, 0, start[0]!];
  for (const [i, seed] of [2, 3, 4].entries()) {
    step(parameters, seed);
    const g = weights(seed).get('w')!.data[0]!;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    value -= (0.1 * (Math.sqrt(1 - 0.999 ** (i + 1)) / (1 - 0.9 ** (i + 1))) * m) / (Math.sqrt(v) + 0.01);
  }
  expect((await parameters.save()).get('w')!.data[0]).toBeCloseTo(value, 5);
  parameters.dispose();
});

test('go on from a saved state as if they had not stopped', async () => {
  const [unbroken, first, second] = [1, 1, 7].map((seed) => createParameters(engine, weights(seed), settings));
  for (const seed of [2, 3, 4]) step(unbroken!, seed);
  for (const seed of [2, 3]) step(first!, seed);
  second!.loadState(await first!.saveState());
  step(second!, 4);
  expect(await second!.saveState()).toEqual(await unbroken!.saveState());
  for (const parameters of [unbroken, first, second]) parameters!.dispose();
});

test('load replaces the values and leaves what Adam remembers', async () => {
  const parameters = createParameters(engine, weights(1), settings);
  step(parameters, 2);
  const before = await parameters.saveState();
  parameters.load(weights(9));
  const after = await parameters.saveState();
  expect(after).toEqual({...before, weights: weights(9)});
  parameters.dispose();
});

test('are known by name, and refuse weights that are missing or of another shape', () => {
  const parameters = createParameters(engine, weights(1), settings);
  expect(parameters.names).toEqual(['w', 'b']);
  expect(parameters.get('w')).toBe(parameters.tensors[0]);
  expect(() => parameters.get('x')).toThrow('no parameter is called x');
  expect(() => parameters.load(new Map())).toThrow('no parameter is called w');
  const transposed = new Map([...weights(1), ['w', {shape: [2, 3], data: new Float32Array(6)}]]);
  expect(() => parameters.load(transposed)).toThrow('parameter w is not of shape [3, 2]');
  parameters.dispose();
});

test('hold three tensors each, in or out of a tidy, and none when disposed of', async () => {
  const before = tf.memory().numTensors;
  const parameters = createParameters(engine, weights(1), settings);
  expect(tf.memory().numTensors).toBe(before + 6);
  step(parameters, 2);
  tf.tidy(() => step(parameters, 3));
  expect(tf.memory().numTensors).toBe(before + 6);
  expect((await parameters.save()).get('b')!.data).toHaveLength(2);
  parameters.dispose();
  expect(tf.memory().numTensors).toBe(before);
});
