import {StageError} from 'mixdown/stage';
import type {Ops} from '../tensors/ops.ts';
import type {Tf} from '../tensors/tf.ts';
import {convolutionKernels} from './convolution-kernels.ts';
import {elementKernels} from './element-kernels.ts';
import {heapOps} from './heap-ops.ts';
import {openHeap, type Heap} from './heap.ts';
import {matrixKernels} from './matrix-kernels.ts';
import {moveKernels} from './move-kernels.ts';
import {loadOnnxRuntime} from './onnxruntime.ts';
import {poolKernels} from './pool-kernels.ts';
import {onnxProduct, wasmProduct, type Product} from './products.ts';
import {replaceKernels} from './registry.ts';

/**
 * Makes the `wasm` backend, which must be the one in use, multiply matrices by onnxruntime. Throws StageError when its
 * synchronous binding cannot be had; the backend is then as it was. Call once a process.
 *
 * @param threads - cores that a product may use; the results do not depend on it
 */
export async function installOnnxBlas(tf: Tf, threads: number): Promise<Ops> {
  const open = await loadOnnxRuntime();
  if (typeof open === 'string') {
    throw new StageError(
      open,
      'install the packages again (npm ci), or choose the engine wasm, which takes two to three times as long',
    );
  }
  const heap = openHeap(tf);
  return install(tf, heap, onnxProduct(heap, open, threads));
}

/** The same without native code: matrix products by a kernel in WebAssembly. Call once a process. */
export function installWasmBlas(tf: Tf): Ops {
  const heap = openHeap(tf);
  return install(tf, heap, wasmProduct(heap));
}

function install(tf: Tf, heap: Heap, product: Product): Ops {
  replaceKernels(tf, {
    ...matrixKernels(tf, heap, product),
    ...convolutionKernels(tf, heap, product),
    ...poolKernels(tf, heap),
    ...moveKernels(tf, heap),
    ...elementKernels(tf, heap),
  });
  return heapOps(heap);
}
