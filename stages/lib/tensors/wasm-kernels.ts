import type {DataId, TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from './tf.ts';

/**
 * Replaces the one kernel of the WebAssembly backend that decides the time of a training step: a matrix product with a
 * transposed operand, of which gradients consist, takes a scalar path there. Transposing first took a third off a step of
 * 96 x 6 x 64 units, and made one of 100 x 10 x 600 units 5 times faster. Its sums over leading axes were tried as well: a
 * loop in JavaScript is faster for small tensors and slower for large ones. Call once a process.
 */
export function installWasmKernels(tf: Tf): void {
  const product = tf.getKernel('BatchMatMul', 'wasm');
  const transpose = tf.getKernel('Transpose', 'wasm');
  tf.unregisterKernel('BatchMatMul', 'wasm');
  tf.registerKernel({
    ...product,
    kernelFunc({inputs, attrs, backend}) {
      const {a, b} = inputs as {a: TensorInfo; b: TensorInfo};
      const {transposeA, transposeB} = attrs as unknown as {transposeA: boolean; transposeB: boolean};
      const swapped = (x: TensorInfo): TensorInfo => {
        const axes = x.shape.map((_, i) => i);
        const perm = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
        return transpose.kernelFunc({inputs: {x}, attrs: {perm}, backend}) as TensorInfo;
      };
      const left = transposeA ? swapped(a) : a;
      const right = transposeB ? swapped(b) : b;
      const plain = {transposeA: false, transposeB: false};
      const output = product.kernelFunc({inputs: {a: left, b: right}, attrs: plain, backend});
      const {disposeData} = backend as {disposeData: (this: unknown, id: DataId) => boolean};
      if (transposeA) disposeData.call(backend, left.dataId);
      if (transposeB) disposeData.call(backend, right.dataId);
      return output;
    },
  });
}
