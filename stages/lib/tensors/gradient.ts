import type {GradSaveFunc, Tensor} from '@tensorflow/tfjs-core';
import type {Engine} from './engine.ts';

/** A value with the way back from it. */
export interface Differentiable<Y extends Tensor> {
  readonly value: Y;
  /**
   * From the gradient of the value and the saved tensors, the gradients of the inputs, in order. Each is computed only when
   * it is asked for, and must be a tensor of its own: the tape may free it.
   */
  readonly gradient: (dy: Y, saved: never) => readonly (() => Tensor)[];
}

/**
 * One node of the tape: `forward` may use any op, none of which is recorded, and saves what its gradient needs. The
 * library's own gradients are not part of its package for Node, and one for a whole layer takes a fraction of the ops.
 * Without an input that asks for a gradient nothing is saved, and nobody asks for one of the result.
 */
export function withGradient<Y extends Tensor>(
  engine: Engine,
  inputs: readonly Tensor[],
  forward: (save: GradSaveFunc) => Differentiable<Y>,
): Y {
  const {tf, constants} = engine;
  const wanted = inputs.map((input) => !constants.has(input));
  const isWanted = wanted.includes(true);
  const operation = tf.customGrad<Tensor>((...args) => {
    const {value, gradient} = forward(isWanted ? (args.at(-1) as unknown as GradSaveFunc) : () => {});
    return {
      value,
      gradFunc: (dy, saved) =>
        tf.tidy(() => gradient(dy as Y, saved as never).map((make, i) => (wanted[i] === true ? make() : tf.scalar(0)))),
    };
  });
  const value = operation(...inputs) as Y;
  return isWanted ? value : constant(engine, value);
}

/** Says that nobody will ask for the gradient of a tensor, such as data or a frozen weight: none is computed. */
export function constant<T extends Tensor>({constants}: Engine, tensor: T): T {
  constants.add(tensor);
  return tensor;
}
