import type {Tensor} from '@tensorflow/tfjs-core';
import {StageError} from 'mixdown/stage';
import type {AdamSettings} from '../tensors/adam.ts';
import type {Engine} from '../tensors/engine.ts';
import {constant} from '../tensors/gradient.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {createParameters} from '../tensors/parameters.ts';
import {createRunningMoments, type RunningMoments} from '../tensors/running-moments.ts';
import {hasFreshMoments, layerOf, type ParameterRoles} from './trainable.ts';

/** All weights of a model in training, on the engine: those that learn with Adam, running moments, and frozen ones. */
export interface TrainedWeights {
  /** Those that learn, in the order in which `step` takes gradients; valid until the next `step` or `load`. */
  readonly learning: readonly Tensor[];
  /** Running moments by the name of their layer. */
  readonly running: ReadonlyMap<string, RunningMoments>;
  /** Any parameter's tensor by name. */
  get(parameter: string): Tensor;
  /** One step of Adam with gradients that stay the caller's. */
  step(gradients: readonly Tensor[]): void;
  /** A copy of all. */
  save(): Promise<Weights>;
  /** Replaces all but the frozen ones, not what Adam remembers. */
  load(weights: Weights): void;
  saveState(): Promise<WeightsState>;
  /** Throws StageError, and changes nothing, when the state is of another training. */
  loadState(state: WeightsState): void;
  dispose(): void;
}

/** All but the frozen ones, with what Adam remembers. */
export interface WeightsState {
  readonly arrays: Weights;
  readonly counters: Readonly<Record<string, number>>;
}

export function createTrainedWeights(
  engine: Engine,
  initial: Weights,
  roles: ParameterRoles,
  settings: AdamSettings,
): TrainedWeights {
  const {tf} = engine;
  const array = (name: string): NamedArray => {
    const found = initial.get(name);
    if (found === undefined) throw new RangeError(`the weights have no ${name}`);
    return found;
  };
  const adam = createParameters(engine, new Map(roles.learning.map((name) => [name, array(name)])), settings);
  const running = new Map(
    [...new Set(roles.moments.map(layerOf))].map((norm) => {
      const moments = createRunningMoments(engine, array(`${norm}/mean`).data.length);
      // The first batch replaces moments of no weight; those of a trained model go on.
      moments.load(norm, initial, hasFreshMoments(norm, initial) ? 0 : 1);
      return [norm, moments] as const;
    }),
  );
  const fixed = new Map(
    roles.frozen.map((name) => {
      const {shape, data} = array(name);
      return [name, constant(engine, tf.keep(tf.tensor(data, [...shape], 'float32')))] as const;
    }),
  );
  const moving = new Set(roles.moments);

  async function momentsNow(): Promise<readonly (readonly [string, NamedArray])[]> {
    const entries: (readonly [string, NamedArray])[] = [];
    for (const [norm, moments] of running) entries.push(...(await moments.save(norm)));
    return entries;
  }

  return {
    get learning() {
      return adam.tensors;
    },
    running,
    get(parameter) {
      if (!moving.has(parameter)) return fixed.get(parameter) ?? adam.get(parameter);
      const moments = running.get(layerOf(parameter)) as RunningMoments;
      return parameter.endsWith('/mean') ? moments.mean : moments.variance;
    },
    step: (gradients) => adam.step(gradients),
    async save() {
      const saved = new Map([...(await adam.save()), ...(await momentsNow())]);
      return new Map([...initial.keys()].map((name) => [name, saved.get(name) ?? array(name)]));
    },
    load(weights) {
      adam.load(weights);
      for (const [norm, moments] of running) moments.load(norm, weights);
    },
    async saveState() {
      const {weights, first, second, steps} = await adam.saveState();
      const arrays = new Map([
        ...prefixed('weights/', weights),
        ...prefixed('first/', first),
        ...prefixed('second/', second),
        ...prefixed('moments/', await momentsNow()),
      ]);
      const sums = [...running].map(([norm, {weight}]) => [`moments/${norm}`, weight] as const);
      return {arrays, counters: {adam: steps, ...Object.fromEntries(sums)}};
    },
    loadState({arrays, counters}) {
      const part = (prefix: string, names: readonly string[]): Weights =>
        new Map(names.map((name) => [name, arrayOf(arrays, prefix + name, array(name).shape)]));
      const state = {
        weights: part('weights/', roles.learning),
        first: part('first/', roles.learning),
        second: part('second/', roles.learning),
        steps: counterOf(counters, 'adam'),
      };
      const moments = part('moments/', roles.moments);
      const sums = [...running.keys()].map((norm) => counterOf(counters, `moments/${norm}`));
      adam.loadState(state);
      for (const [i, [norm, own]] of [...running].entries()) own.load(norm, moments, sums[i]);
    },
    dispose() {
      adam.dispose();
      tf.dispose([...fixed.values()]);
      for (const moments of running.values()) moments.dispose();
    },
  };
}

/** Throws StageError when the state of a training lacks the counter. */
export function counterOf(counters: Readonly<Record<string, number>>, name: string): number {
  const value = counters[name];
  if (value === undefined) throw new StageError(`the state of the training has no counter \`${name}\``);
  return value;
}

function arrayOf(arrays: Weights, name: string, shape: readonly number[]): NamedArray {
  const found = arrays.get(name);
  if (found === undefined) throw new StageError(`the state of the training has no array \`${name}\``);
  if (String(found.shape) !== String(shape)) {
    throw new StageError(
      `array \`${name}\` of the training's state has shape [${found.shape.join(', ')}]; [${shape.join(', ')}] is expected`,
    );
  }
  return found;
}

function prefixed(
  prefix: string,
  entries: Iterable<readonly [string, NamedArray]>,
): readonly (readonly [string, NamedArray])[] {
  return [...entries].map(([name, array]) => [prefix + name, array]);
}
