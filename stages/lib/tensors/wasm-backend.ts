import {StageError} from 'mixdown/stage';
import {importOrExplain} from './import-or-explain.ts';
import type {Ops} from './ops.ts';
import type {Tf} from './tf.ts';
import {wasmFolder} from './wasm-files.ts';

/**
 * The WebAssembly backend with kernels that make training fast: `onnx-blas` has the matrix products of onnxruntime on the
 * backend's own memory, `wasm` has its own in WebAssembly. The backend itself computes in one thread.
 */
export async function startWasm(tf: Tf, name: 'onnx-blas' | 'wasm', threads: number): Promise<Ops> {
  const wasm = await importOrExplain('@tensorflow/tfjs-backend-wasm', () => import('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(wasmFolder());
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) {
    throw new StageError('the WebAssembly tensor engine did not start', 'it needs a Node.js with WebAssembly SIMD');
  }
  const {installOnnxBlas, installWasmBlas} = await import('../onnx-blas/install.ts');
  return name === 'onnx-blas' ? installOnnxBlas(tf, threads) : installWasmBlas(tf);
}
