import type {Scalar, Tensor} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {createRng} from '../../stages/lib/rng.ts';
import {loadEngine, type Engine, type EngineName} from '../../stages/lib/tensors/engine.ts';
import type {Weights} from '../../stages/lib/tensors/named-array.ts';
import {createParameters} from '../../stages/lib/tensors/parameters.ts';
import {float64Kit, slopes, type Array64} from '../support/float64-kit.ts';
import {layerCases} from '../support/layer-cases.ts';
import {engineKit, type LayerKit} from '../support/layer-kit.ts';
import {initialValues, networkCases, type NetworkCase} from '../support/network-cases.ts';

/** Largest difference from float64, as a part of the largest value of the tensor (at least 1). */
const TOLERANCE = 2e-5;
/** Largest difference of a loss in 20 steps of training from the same training in float64. */
const LOSS_TOLERANCE = 5e-5;
const STEPS = 20;

/**
 * What every tensor engine must do: each layer and its gradient against float64, and whole trainings. Skipped, with the
 * reason in the name, where the engine cannot be had. One engine a process: one file a call.
 */
export async function describeEngine(name: EngineName): Promise<void> {
  const missing = await reasonAgainst(name);
  const title = missing === undefined ? name : `${name}: ${missing}`;
  // A graphics driver in software takes minutes.
  describe.skipIf(missing !== undefined)(`engine ${title}`, {timeout: 600_000}, () => {
    let engine: Engine;
    let kit: LayerKit<Tensor>;
    beforeAll(async () => {
      engine = await loadEngine({engine: name, threads: 1});
      kit = engineKit(engine);
      // Otherwise it computes on small tensors in JavaScript, and that is what would be tested.
      if (name === 'webgpu') engine.tf.env().set('WEBGPU_CPU_FORWARD', false);
    });

    describe('values and gradients equal those of float64', () => {
      test.each(layerCases)('$name', async ({shapes, positive, hasNoGradient, run}) => {
        const arrays = shapes.map((shape, i) => randomArray(shape, i + 1, positive));
        const evaluate = (inputs: readonly Array64[]): Array64 => run(float64Kit, inputs as never);
        const reference = evaluate(arrays);
        const dy = randomArray(reference.shape, 99);
        const {tf} = engine;
        const [value, gradients] = await fetch(engine, () => {
          const inputs = arrays.map(({shape, data}) => kit.tensor(shape, data));
          const weights = kit.tensor(dy.shape, dy.data);
          const f = (...tensors: Tensor[]): Tensor => run(kit, tensors as never);
          return [f(...inputs), hasNoGradient ? [] : tf.grads(f)(inputs, weights)];
        });
        expectClose(value, reference.data);
        if (hasNoGradient) return;
        for (const [i, array] of arrays.entries()) {
          const elements = sample(array.data.length);
          const expected = slopes(array, elements, (moved) => {
            const {data} = evaluate(arrays.with(i, moved));
            return data.reduce((sum, output, k) => sum + output * (dy.data[k] ?? 0), 0);
          });
          expectClose(
            elements.map((element) => gradients[i]?.[element] ?? Number.NaN),
            expected,
          );
        }
      });
    });

    describe('trains like float64', () => {
      test.each(networkCases)('$name', async (network) => {
        const losses = await train(engine, kit, network);
        const expected = trainInFloat64(network);
        expect(expected[STEPS - 1]).toBeLessThan(0.95 * (expected[0] ?? 0));
        for (const [i, loss] of losses.entries()) {
          expect(Math.abs(loss - (expected[i] ?? 0))).toBeLessThan(LOSS_TOLERANCE);
        }
      });

      test('the same way each time, and leaves no tensor behind', async () => {
        const before = counts(engine);
        for (const network of networkCases) {
          expect(await train(engine, kit, network)).toEqual(await train(engine, kit, network));
        }
        expect(counts(engine)).toEqual(before);
      });
    });

    test('extreme logits give finite losses and gradients', async () => {
      const {tf} = engine;
      const logits = [-200, 200, 0, 90, -90, 0];
      const targets = [1, 0, 0, 0, 1, 0];
      for (const loss of [kit.softmaxCrossEntropy, kit.sigmoidCrossEntropy] as const) {
        const [value, [gradient = []]] = await fetch(engine, () => {
          const wanted = kit.tensor([2, 3], targets);
          const f = (x: Tensor): Tensor => loss(x, wanted);
          const x = kit.tensor([2, 3], logits);
          return [f(x), [tf.grad(f)(x)]];
        });
        const expected =
          loss === kit.softmaxCrossEntropy ? (400 + 180) / 2 : (200 + 200 + Math.LN2 + 90 + 90 + Math.LN2) / 6;
        expect(value[0]).toBeCloseTo(expected, 3);
        expect([...gradient].every(Number.isFinite)).toBe(true);
      }
    });
  });
}

async function reasonAgainst(name: EngineName): Promise<string | undefined> {
  try {
    await loadEngine({engine: name, threads: 1});
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The loss before each step. */
async function train(engine: Engine, kit: LayerKit<Tensor>, network: NetworkCase): Promise<readonly number[]> {
  const {tf} = engine;
  const parameters = createParameters(engine, initialWeights(network), {learningRate: network.learningRate});
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    const {value, grads} = tf.tidy(() =>
      tf.valueAndGrads(() => network.loss(kit, parameters.get, step) as Scalar)([...parameters.tensors]),
    );
    parameters.step(grads);
    losses.push((await value.data<'float32'>())[0] ?? Number.NaN);
    tf.dispose([value, ...grads]);
  }
  parameters.dispose();
  return losses;
}

/** The same with slopes by central differences and Adam by its definition. */
function trainInFloat64(network: NetworkCase): readonly number[] {
  const weights = new Map<string, Array64>();
  for (const [name, {shape, data}] of initialWeights(network)) {
    weights.set(name, {shape, data: Float64Array.from(data)});
  }
  const averages = new Map(
    [...weights].map(([name, {data}]) => [name, [data.map(() => 0), data.map(() => 0)] as const]),
  );
  const lossOf = (values: ReadonlyMap<string, Array64>, step: number): number =>
    network.loss(float64Kit, (name) => values.get(name) as Array64, step).data[0] ?? Number.NaN;
  const losses: number[] = [];
  for (let step = 1; step <= STEPS; step++) {
    losses.push(lossOf(weights, step));
    const gradients = [...weights].map(([name, array]) => {
      const moved = (value: Array64): number => lossOf(new Map([...weights, [name, value]]), step);
      return [name, array, slopes(array, [...array.data.keys()], moved)] as const;
    });
    for (const [name, {shape, data}, gradient] of gradients) {
      const [first, second] = averages.get(name) ?? [new Float64Array(), new Float64Array()];
      for (const [i, slope] of gradient.entries()) {
        first[i] = 0.9 * (first[i] ?? 0) + 0.1 * slope;
        second[i] = 0.999 * (second[i] ?? 0) + 0.001 * slope ** 2;
      }
      const rate = (network.learningRate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
      const next = data.map((value, i) => value - (rate * (first[i] ?? 0)) / (Math.sqrt(second[i] ?? 0) + 1e-7));
      weights.set(name, {shape, data: next});
    }
  }
  return losses;
}

function initialWeights({parameters}: NetworkCase): Weights {
  return new Map(Object.entries(parameters).map(([name, shape]) => [name, {shape, data: initialValues(name, shape)}]));
}

/** Computes a value and gradients and fetches them, without leaving a tensor behind. */
async function fetch(
  {tf}: Engine,
  compute: () => [Tensor, Tensor[]],
): Promise<[value: Float32Array, gradients: Float32Array[]]> {
  const [value, gradients] = tf.tidy(compute);
  const result: [Float32Array, Float32Array[]] = [await value.data<'float32'>(), []];
  for (const gradient of gradients) result[1].push(await gradient.data<'float32'>());
  tf.dispose([value, ...gradients]);
  return result;
}

function counts({tf}: Engine): readonly number[] {
  return [tf.memory().numTensors, tf.memory().numDataBuffers, tf.engine().backend.numDataIds()];
}

function expectClose(values: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(values.length).toBe(expected.length);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  const errors = Array.from(values, (value, i) => Math.abs(value - (expected[i] ?? 0)) / scale);
  expect(Math.max(...errors)).toBeLessThan(TOLERANCE);
}

function randomArray(shape: readonly number[], seed: number, positive = false): Array64 {
  const rng = createRng(seed);
  const size = shape.reduce((product, axis) => product * axis, 1);
  // Through float32: the engines shall get the same values.
  const values = Float32Array.from({length: size}, () => {
    const value = 0.1 + 0.8 * rng.uniform();
    return positive || rng.uniform() < 0.5 ? value : -value;
  });
  return {shape, data: Float64Array.from(values)};
}

/** Indices of at most 40 elements, the first and the last among them. */
function sample(size: number): readonly number[] {
  if (size <= 40) return Array.from({length: size}, (_, i) => i);
  return Array.from({length: 40}, (_, i) => Math.round((i * (size - 1)) / 39));
}
