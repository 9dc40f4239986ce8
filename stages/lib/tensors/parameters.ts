import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import {adamState, adamStep, type AdamSettings, type AdamState} from './adam.ts';
import type {NamedArray, Weights} from './named-array.ts';
import type {Tf} from './tf.ts';

/** The weights of a model in training: the arrays here are the master copy, the tensors follow it. */
export interface Parameters {
  readonly names: readonly string[];
  /** In the order of `names`; valid until the next `step` or `load`. */
  readonly tensors: readonly Tensor[];
  tensor1d(name: string): Tensor1D;
  tensor2d(name: string): Tensor2D;
  /** One step of Adam with the gradients in the order of `names`. */
  step(gradients: readonly Tensor[]): void;
  /** A copy of the values. */
  save(): Weights;
  load(weights: Weights): void;
  dispose(): void;
}

/**
 * A step makes new tensors and frees the old ones, as an engine may keep prepared copies of a weight by the tensor's
 * identity (the wasm engine packs them for its matrix product): values changed in place would not be seen.
 */
export function createParameters(tf: Tf, initial: Weights, settings: AdamSettings): Parameters {
  const names = [...initial.keys()];
  const arrays = [...initial.values()].map(({shape, data}) => ({shape: [...shape], data: data.slice()}));
  const states: readonly AdamState[] = arrays.map(({data}) => adamState(data.length));
  const indices = new Map(names.map((name, i) => [name, i]));
  let tensors: Tensor[] = arrays.map(({shape, data}) => makeTensor(tf, shape, data));
  let steps = 0;

  function indexOf(name: string): number {
    return indices.get(name) ?? missing(name);
  }

  function renew(): void {
    for (const tensor of tensors) tensor.dispose();
    tensors = arrays.map(({shape, data}) => makeTensor(tf, shape, data));
  }

  return {
    names,
    get tensors() {
      return tensors;
    },
    tensor1d: (name) => tensors[indexOf(name)] as Tensor1D,
    tensor2d: (name) => tensors[indexOf(name)] as Tensor2D,
    step(gradients) {
      steps++;
      for (const [i, {data}] of arrays.entries()) {
        const gradient = (gradients[i] as Tensor).dataSync<'float32'>();
        adamStep(data, gradient, states[i] as AdamState, steps, settings);
      }
      renew();
    },
    save() {
      return new Map(names.map((name, i) => [name, copyOf(arrays[i] as NamedArray)]));
    },
    load(weights) {
      for (const [i, {data}] of arrays.entries()) data.set(weights.get(names[i] as string)?.data ?? missing(names[i]));
      renew();
    },
    dispose() {
      for (const tensor of tensors) tensor.dispose();
      tensors = [];
    },
  };
}

/** The engine may keep the array itself, so it gets a copy of its own. */
function makeTensor(tf: Tf, shape: number[], data: Float32Array): Tensor {
  return tf.keep(tf.tensor(data.slice(), shape, 'float32'));
}

function copyOf({shape, data}: NamedArray): NamedArray {
  return {shape, data: data.slice()};
}

function missing(name: string | undefined): never {
  throw new Error(`no parameter is called ${name}`);
}
