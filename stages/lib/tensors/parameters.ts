import type {Tensor} from '@tensorflow/tfjs-core';
import type {AdamSettings} from './adam.ts';
import type {Engine} from './engine.ts';
import type {NamedArray, Weights} from './named-array.ts';
import type {AdamTensors} from './ops.ts';

/** The weights of a model in training. They live on the engine only; `save` fetches them. */
export interface Parameters {
  readonly names: readonly string[];
  /** In the order of `names`; valid until the next `step` or `load`. */
  readonly tensors: readonly Tensor[];
  /** Valid until the next `step` or `load`. */
  get(name: string): Tensor;
  /** One step of Adam with the gradients in the order of `names`, which stay the caller's. */
  step(gradients: readonly Tensor[]): void;
  /** A copy of the values. */
  save(): Promise<Weights>;
  /** Replaces the values, not what Adam remembers. */
  load(weights: Weights): void;
  /** All that training needs to go on as if it had not stopped. */
  saveState(): Promise<ParametersState>;
  loadState(state: ParametersState): void;
  dispose(): void;
}

export interface ParametersState {
  readonly weights: Weights;
  /** Running averages of the gradients. */
  readonly first: Weights;
  /** Running averages of their squares. */
  readonly second: Weights;
  /** Steps done. */
  readonly steps: number;
}

/**
 * Parameters with Adam (Kingma and Ba 2015, in the form in which the bias correction is part of the step size and epsilon
 * is added to the uncorrected root: Keras, TensorFlow). The arrays given must not change while the parameters live: some
 * engines keep them.
 */
export function createParameters(engine: Engine, initial: Weights, settings: AdamSettings): Parameters {
  const {tf, ops} = engine;
  const {learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7} = settings;
  const names = [...initial.keys()];
  const shapes = [...initial.values()].map(({shape}) => [...shape]);
  let steps = 0;
  let values = make(initial);
  let first = zeros();
  let second = zeros();

  function make(weights: Weights): Tensor[] {
    return names.map((name, i) => {
      const array = weights.get(name);
      const shape = shapes[i] as number[];
      if (array === undefined) throw new Error(`no parameter is called ${name}`);
      if (String(array.shape) !== String(shape))
        throw new Error(`parameter ${name} is not of shape [${shape.join(', ')}]`);
      return tf.keep(tf.tensor(array.data, shape, 'float32'));
    });
  }

  function zeros(): Tensor[] {
    return shapes.map((shape) => tf.keep(tf.zeros(shape)));
  }

  async function fetch(tensors: readonly Tensor[]): Promise<Weights> {
    const arrays = new Map<string, NamedArray>();
    for (const [i, name] of names.entries()) {
      const data = await (tensors[i] as Tensor).data<'float32'>();
      arrays.set(name, {shape: shapes[i] as number[], data});
    }
    return arrays;
  }

  return {
    names,
    get tensors() {
      return values;
    },
    get(name) {
      const tensor = values[names.indexOf(name)];
      if (tensor === undefined) throw new Error(`no parameter is called ${name}`);
      return tensor;
    },
    step(gradients) {
      steps++;
      const rate = (learningRate * Math.sqrt(1 - beta2 ** steps)) / (1 - beta1 ** steps);
      for (const [i, gradient] of gradients.entries()) {
        const old = {values: values[i], first: first[i], second: second[i]} as AdamTensors;
        const next = ops.adam(old, gradient, {rate, beta1, beta2, epsilon});
        values[i] = tf.keep(next.values);
        first[i] = tf.keep(next.first);
        second[i] = tf.keep(next.second);
      }
    },
    save: () => fetch(values),
    load(weights) {
      const loaded = make(weights);
      tf.dispose(values);
      values = loaded;
    },
    saveState: async () => ({
      weights: await fetch(values),
      first: await fetch(first),
      second: await fetch(second),
      steps,
    }),
    loadState(state) {
      const loaded = [make(state.weights), make(state.first), make(state.second)] as const;
      tf.dispose([values, first, second]);
      [values, first, second] = loaded;
      ({steps} = state);
    },
    dispose() {
      tf.dispose([values, first, second]);
      values = first = second = [];
    },
  };
}
