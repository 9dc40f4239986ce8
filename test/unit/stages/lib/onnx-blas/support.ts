import * as tf from '@tensorflow/tfjs-core';
import * as wasm from '@tensorflow/tfjs-backend-wasm';
import {expect} from 'vitest';
import type {Heap} from '../../../../../stages/lib/onnx-blas/heap.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {wasmFolder} from '../../../../../stages/lib/tensors/wasm-files.ts';

/** The tensor library on its plain WebAssembly backend. */
export async function startPlainWasm(): Promise<typeof tf> {
  wasm.setWasmPaths(wasmFolder());
  wasm.setThreadsCount(1);
  expect(await tf.setBackend('wasm')).toBe(true);
  return tf;
}

/** Values around 0, the same for the same seed. */
export function randomValues(count: number, seed: number): Float32Array<ArrayBuffer> {
  const rng = createRng(seed);
  return Float32Array.from({length: count}, () => 2 * rng.uniform() - 1);
}

/** Puts arrays on the heap and gives their addresses; what lies there is not freed. */
export function place(heap: Heap, ...arrays: readonly Float32Array[]): number[] {
  return arrays.map((array) => {
    const address = heap.addressOf(heap.output([array.length]));
    heap.floats(address, array.length).set(array);
    return address;
  });
}

/** Expects each value within `relative` of the size of the largest, beside `absolute`. */
export function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, relative: number, absolute = 0): void {
  expect(got.length).toBe(wanted.length);
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) largest = Math.max(largest, Math.abs(wanted[i] as number));
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs((got[i] as number) - (wanted[i] as number));
    // Not a number is worst of all.
    worst = error <= worst ? worst : error;
  }
  expect(worst).toBeLessThanOrEqual(relative * largest + absolute);
}
