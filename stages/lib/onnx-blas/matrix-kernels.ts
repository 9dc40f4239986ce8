import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {Heap} from './heap.ts';
import type {Product} from './products.ts';
import {sizeOf, type Kernel, type KernelCall} from './registry.ts';

/** Bias and rectification of a product's result. */
export interface Finish {
  /** Address of one value a column; 0: none. */
  readonly bias: number;
  readonly rectify: boolean;
}

/** Matrix products by `product`: operands may be transposed, and a single matrix goes with a batch of others. */
export function matrixKernels(tf: Tf, heap: Heap, product: Product): Readonly<Record<string, Kernel>> {
  function multiply({inputs, attrs}: KernelCall, finish: Finish): TensorInfo {
    const {a, b} = inputs as {a: TensorInfo; b: TensorInfo};
    const {transposeA, transposeB} = attrs as {transposeA: boolean; transposeB: boolean};
    const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
    const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
    const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
    const n = transposeB ? bRows : bColumns;
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const count = sizeOf(batch);
    const products = m * k * n === 0 ? 0 : count;
    const output = heap.output([...batch, m, n]);
    const y = heap.addressOf(output);
    if (k === 0) heap.floats(y, count * m * n).fill(0);
    const aStep = sizeOf(a.shape) === m * k ? 0 : 4 * m * k;
    const bStep = sizeOf(b.shape) === k * n ? 0 : 4 * k * n;
    for (let i = 0; i < products; i++) {
      const to = {y: y + 4 * i * m * n, m, k, n, transposeB};
      const left = heap.addressOf(a) + i * aStep;
      const right = heap.addressOf(b) + i * bStep;
      // A row or a column is its own transpose.
      if (!transposeA || m === 1 || k === 1) product({...to, a: left, b: right});
      else {
        heap.withScratch(4 * m * k, (turned) => {
          heap.kernels.transpose(left, turned, k, m);
          product({...to, a: turned, b: right});
        });
      }
    }
    if (finish.bias !== 0 || finish.rectify) heap.kernels.addBias(y, finish.bias, count * m, n, finish.rectify);
    return output;
  }

  return {
    BatchMatMul: (call) => (isOurs(call) ? multiply(call, {bias: 0, rectify: false}) : call.fallBack()),
    _FusedMatMul(call) {
      const {bias} = call.inputs;
      const {activation} = call.attrs as {activation?: string};
      if (!isOurs(call) || !isFinish(call)) return call.fallBack();
      return multiply(call, {bias: bias === undefined ? 0 : heap.addressOf(bias), rectify: activation === 'relu'});
    },
  };
}

function isOurs({inputs}: KernelCall): boolean {
  const {a, b} = inputs as {a: TensorInfo; b: TensorInfo};
  const [count, other] = [a, b].map(({shape}) => sizeOf(shape.slice(0, -2))) as [number, number];
  return a.dtype === 'float32' && b.dtype === 'float32' && (count === other || count === 1 || other === 1);
}

/** Whether what follows a product is a bias of one value a column and at most a rectification. */
export function isFinish({inputs, attrs}: KernelCall): boolean {
  const {bias, preluActivationWeights} = inputs as Readonly<Record<string, TensorInfo | undefined>>;
  const {activation = 'linear'} = attrs as {activation?: string};
  const isVector = bias === undefined || bias.shape.length === 1;
  return isVector && preluActivationWeights === undefined && (activation === 'linear' || activation === 'relu');
}
