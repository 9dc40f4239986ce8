import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import type {CounterStream} from './counter-random.ts';

/**
 * Operations of which a training step consists and that the tensor library would put together from many of its own. They
 * know nothing of gradients: layers.ts gives them theirs. `composed-ops.ts` has them for any engine.
 */
export interface Ops {
  /** Mean and variance (division by N) of each column of x (N, D). */
  moments(x: Tensor2D): {readonly mean: Tensor1D; readonly variance: Tensor1D};
  /** x (N, D) times scale (D) plus shift (D). */
  affine(x: Tensor2D, scale: Tensor1D, shift: Tensor1D): Tensor2D;
  /** Sums over the rows of dy (N, D), and of dy times x. */
  pairSums(dy: Tensor2D, x: Tensor2D): {readonly dy: Tensor1D; readonly dyx: Tensor1D};
  /** dy (N, D) times a (D) plus x (N, D) times b (D) plus c (D). */
  blend(dy: Tensor2D, x: Tensor2D, a: Tensor1D, b: Tensor1D, c: Tensor1D): Tensor2D;
  /** 0 with probability `rate`, else 1 / (1 - rate); element i by word i of the stream. */
  dropoutMask(shape: readonly number[], rate: number, stream: CounterStream): Tensor;
  /** One step of an LSTM from its pre-activations z (B, 4 U), gates in the order input, forget, cell, output. */
  lstmCell(z: Tensor2D, cell: Tensor2D | undefined): LstmStep;
  /** From the gradients of the step's hidden state and cell, those of z and of the cell before it. */
  lstmCellGradient(
    step: LstmStep,
    before: Tensor2D | undefined,
    dHidden: Tensor2D,
    dCell: Tensor2D | undefined,
  ): {readonly dz: Tensor2D; readonly dBefore: Tensor2D};
  /**
   * One step of Adam: new values, averages of the gradient and of its square from the old ones. The old tensors are freed
   * or reused; the caller keeps the new ones. `rate` is the step size with the bias correction in it.
   */
  adam(old: AdamTensors, gradient: Tensor, settings: AdamStep): AdamTensors;
}

export interface LstmStep {
  /** (B, 4 U), after their activations. */
  readonly gates: Tensor2D;
  readonly cell: Tensor2D;
  /** tanh of the cell. */
  readonly squashed: Tensor2D;
  readonly hidden: Tensor2D;
}

export interface AdamTensors {
  readonly values: Tensor;
  readonly first: Tensor;
  readonly second: Tensor;
}

export interface AdamStep {
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}
