import type {KernelFunc, NamedAttrMap, TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';

/** What a kernel is given. An operand that is not there is undefined. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
  /** Computes the same with the backend's own kernel. Throws where it has none. */
  readonly fallBack: () => TensorInfo | TensorInfo[];
}

export type Kernel = (call: KernelCall) => TensorInfo | TensorInfo[];

/** Replaces kernels of the `wasm` backend, or adds them. */
export function replaceKernels(tf: Tf, kernels: Readonly<Record<string, Kernel>>): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const old = tf.getKernel(kernelName, 'wasm') as ReturnType<Tf['getKernel']> | undefined;
    const kernelFunc: KernelFunc = (call) =>
      kernel({
        inputs: call.inputs as Readonly<Record<string, TensorInfo>>,
        attrs: call.attrs ?? {},
        fallBack() {
          if (old === undefined) throw new Error(`the wasm engine has no ${kernelName} for these operands`);
          return old.kernelFunc(call);
        },
      });
    if (old !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({...old, kernelName, backendName: 'wasm', kernelFunc});
  }
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}
