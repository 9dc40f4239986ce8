import * as tf from '@tensorflow/tfjs-core';
import {beforeAll, expect, test} from 'vitest';
import {openHeap, type Heap} from '../../../../../stages/lib/onnx-blas/heap.ts';
import {installOnnxBlas} from '../../../../../stages/lib/onnx-blas/install.ts';
import {code} from '../../../../../stages/lib/kernels/tensors-wasm.ts';
import {expectClose, randomValues, startPlainWasm} from './support.ts';

let heap: Heap;

beforeAll(async () => {
  await startPlainWasm();
  await installOnnxBlas(tf, 1);
  heap = openHeap(tf);
});

test('the kernels bring no data that would overwrite the tensors, and import the memory', () => {
  const bytes = Buffer.from(code, 'base64');
  const sections: number[] = [];
  const readSize = (at: number): readonly [size: number, next: number] => {
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] as number;
      size += (byte & 127) * 2 ** shift;
      if (byte < 128) return [size, at];
    }
  };
  for (let at = 8; at < bytes.length;) {
    sections.push(bytes[at] as number);
    const [size, next] = readSize(at + 1);
    at = next + size;
  }
  // 2: imports, 5: memory, 6: globals, 8: a function to start with, 11: data.
  expect(sections).toContain(2);
  for (const section of [5, 6, 8, 11]) expect(sections).not.toContain(section);
});

test('results are right when the memory grows in the middle', () => {
  const size = (): number => (tf.backend() as unknown as {wasm: {HEAPU8: Uint8Array}}).wasm.HEAPU8.length;
  for (const side of [2600, 3600]) {
    const [a, b] = [1, 2].map((seed) => tf.tensor2d(randomValues(side * 40, seed), [40, side])) as [
      tf.Tensor2D,
      tf.Tensor2D,
    ];
    const before = size();
    const product = tf.matMul(a, b, true, false);
    expect(size()).toBeGreaterThan(before);
    const [left, right, got] = [a.dataSync(), b.dataSync(), product.dataSync()];
    const places = [0, 1, side - 1, side * 17 + 3, side * side - 1];
    const wanted = places.map((place) => {
      const [i, j] = [Math.floor(place / side), place % side];
      let sum = 0;
      for (let k = 0; k < 40; k++) sum += (left[k * side + i] as number) * (right[k * side + j] as number);
      return sum;
    });
    expectClose(
      places.map((place) => got[place] as number),
      wanted,
      1e-6,
    );
  }
});

test('a tensor for which there is no room is refused, and work goes on', () => {
  const large: tf.Tensor[] = [];
  expect(() => {
    for (let i = 0; i < 5; i++) large.push(heap.tensor([2 ** 28]));
  }).toThrow(
    expect.objectContaining({
      name: 'StageError',
      message: expect.stringMatching(/no room for 1024 MiB more: it holds \d+ MiB and can address 4096 MiB/),
      hint: expect.stringContaining('smaller batch'),
    }),
  );
  expect(large.length).toBeGreaterThan(0);
  expect([...tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()]).toEqual([11]);
  tf.dispose(large);
  const again = heap.tensor([2 ** 28]);
  expect(again.size).toBe(2 ** 28);
  again.dispose();
});

test('a tensor beyond all addresses is refused', () => {
  expect(() => heap.output([2 ** 31])).toThrow(/no room for 8192 MiB more/);
  // Nothing of the null page was written.
  expect([...tf.add(tf.tensor1d([1]), 2).dataSync()]).toEqual([3]);
});

test('values above the second gibibyte are computed with', () => {
  const low = heap.tensor([2 ** 29]);
  const [a, b] = [1, 2].map((seed) => tf.tensor2d(randomValues(6 * 7, seed), [6, 7])) as [tf.Tensor2D, tf.Tensor2D];
  const high = [a, b].map((tensor) => {
    const copy = heap.tensor([300_000]);
    expect(heap.addressOf(copy)).toBeGreaterThan(2 ** 31);
    return tf.slice(tf.concat([tf.reshape(tensor, [42]), tf.slice(copy, 0, 299_958)]), 0, 42);
  });
  const [left, right] = high.map((tensor) => tf.reshape(tensor, [6, 7])) as [tf.Tensor2D, tf.Tensor2D];
  expect(tf.matMul(left, right, true, false).dataSync()).toEqual(tf.matMul(a, b, true, false).dataSync());
  expect(tf.sum(left, 0).dataSync()).toEqual(tf.sum(a, 0).dataSync());
  low.dispose();
});

test('another backend than the expected one is named', async () => {
  const other = {...tf, backend: () => ({wasm: {}})} as unknown as typeof tf;
  expect(() => openHeap(other)).toThrow(/does not show the memory of its WebAssembly backend/);
  await Promise.resolve();
});
