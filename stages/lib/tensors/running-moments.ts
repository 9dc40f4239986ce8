import type {Tensor1D} from '@tensorflow/tfjs-core';
import type {Moments} from './layers.ts';
import type {NamedArray, Weights} from './named-array.ts';

/**
 * Moving averages of a batch normalisation's moments, for inference. Divided by the sum of the weights so far: without
 * that, a momentum of 0.99 would leave the start values (0 and 1) in most of the average for the first hundreds of steps.
 */
export interface RunningMoments {
  /** Adds the moments of a batch; the part `momentum` of what was there is kept. */
  update(moments: Moments, momentum: number): void;
  /** Mean 0 and variance 1 before the first update. */
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  /** As named arrays `<name>/mean` and `<name>/variance`. */
  save(name: string): readonly (readonly [string, NamedArray])[];
  load(name: string, weights: Weights): void;
}

export function createRunningMoments(width: number): RunningMoments {
  const sums = {mean: new Float64Array(width), variance: new Float64Array(width)};
  let weight = 0;
  let mean = new Float32Array(width);
  let variance = new Float32Array(width).fill(1);

  return {
    update(moments, momentum) {
      weight = momentum * weight + (1 - momentum);
      mean = blend(sums.mean, moments.mean, momentum, weight);
      variance = blend(sums.variance, moments.variance, momentum, weight);
    },
    get mean() {
      return mean;
    },
    get variance() {
      return variance;
    },
    save: (name) => [
      [`${name}/mean`, {shape: [width], data: mean.slice()}],
      [`${name}/variance`, {shape: [width], data: variance.slice()}],
    ],
    load(name, weights) {
      weight = 1;
      mean = loaded(`${name}/mean`, weights, sums.mean);
      variance = loaded(`${name}/variance`, weights, sums.variance);
    },
  };
}

function blend(sum: Float64Array, batch: Tensor1D, momentum: number, weight: number): Float32Array<ArrayBuffer> {
  const values = batch.dataSync<'float32'>();
  const average = new Float32Array(sum.length);
  for (let i = 0; i < sum.length; i++) {
    const value = momentum * (sum[i] as number) + (1 - momentum) * (values[i] as number);
    sum[i] = value;
    average[i] = value / weight;
  }
  return average;
}

function loaded(name: string, weights: Weights, sum: Float64Array): Float32Array<ArrayBuffer> {
  const array = weights.get(name);
  if (array === undefined) throw new Error(`no weights are called ${name}`);
  sum.set(array.data);
  return array.data.slice();
}
