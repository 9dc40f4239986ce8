import {StageError} from 'mixdown/stage';
import type {Tf} from './tf.ts';
import {installWasmKernels} from './wasm-kernels.ts';
import {wasmFolder} from './wasm-files.ts';

/** A tensor library that is ready to compute. Model code uses `tf` only, and never asks which engine it is. */
export interface Engine {
  readonly name: 'wasm';
  readonly tf: Tf;
}

/**
 * Loads the tensor library and its WebAssembly backend on the first call of a process; later calls return the same
 * engine. One thread, so the sums have one order and a result repeats bit for bit. Throws StageError when it cannot load.
 */
export async function loadEngine(): Promise<Engine> {
  const tf = await importOrExplain('@tensorflow/tfjs-core', () => import('@tensorflow/tfjs-core'));
  if (tf.engine().backendName === 'wasm') return {name: 'wasm', tf};
  const wasm = await importOrExplain('@tensorflow/tfjs-backend-wasm', () => import('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(wasmFolder());
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm'))) {
    throw new StageError('the WebAssembly tensor engine did not start', 'it needs a Node.js with WebAssembly SIMD');
  }
  await tf.ready();
  installWasmKernels(tf);
  return {name: 'wasm', tf};
}

async function importOrExplain<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StageError(
      `the tensor package ${name} cannot be loaded: ${reason}`,
      'install the packages again (npm ci)',
    );
  }
}
