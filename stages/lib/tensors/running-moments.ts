import type {Tensor1D} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';
import type {Moments} from './layers.ts';
import type {Weights} from './named-array.ts';

/**
 * Moving averages of a batch normalisation's moments, for inference. Divided by the sum of the weights so far: without
 * that, a momentum of 0.99 would leave the start values (0 and 1) in most of the average for the first hundreds of steps.
 */
export interface RunningMoments {
  /** Mean 0 and variance 1 before the first update; valid until the next update or load. */
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
  /** Sum of the weights so far, 0 ... 1. With it, `load` goes on as if nothing had happened. */
  readonly weight: number;
  /** Adds the moments of a batch, which stay the caller's; the part `momentum` of what was there is kept. */
  update(moments: Moments, momentum: number): void;
  /** As named arrays `<name>/mean` and `<name>/variance`. */
  save(name: string): Promise<Weights>;
  load(name: string, weights: Weights, weight?: number): void;
  dispose(): void;
}

export function createRunningMoments({tf}: Engine, width: number): RunningMoments {
  let mean = tf.keep<Tensor1D>(tf.zeros([width]));
  let variance = tf.keep<Tensor1D>(tf.ones([width]));
  let weight = 0;

  function replace(nextMean: Tensor1D, nextVariance: Tensor1D): void {
    tf.dispose([mean, variance]);
    mean = tf.keep(nextMean);
    variance = tf.keep(nextVariance);
  }

  function loaded(name: string, weights: Weights): Tensor1D {
    const array = weights.get(name);
    if (array === undefined) throw new Error(`no weights are called ${name}`);
    return tf.tensor1d(array.data, 'float32');
  }

  return {
    get mean() {
      return mean;
    },
    get variance() {
      return variance;
    },
    get weight() {
      return weight;
    },
    update(moments, momentum) {
      weight = momentum * weight + (1 - momentum);
      const part = (1 - momentum) / weight;
      const blend = (average: Tensor1D, value: Tensor1D): Tensor1D =>
        tf.tidy(() => tf.add(tf.mul(average, 1 - part), tf.mul(value, part)));
      replace(blend(mean, moments.mean), blend(variance, moments.variance));
    },
    save: async (name) =>
      new Map([
        [`${name}/mean`, {shape: [width], data: await mean.data<'float32'>()}],
        [`${name}/variance`, {shape: [width], data: await variance.data<'float32'>()}],
      ]),
    load(name, weights, sum = 1) {
      replace(loaded(`${name}/mean`, weights), loaded(`${name}/variance`, weights));
      weight = sum;
    },
    dispose: () => tf.dispose([mean, variance]),
  };
}
