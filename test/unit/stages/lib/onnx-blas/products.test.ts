import * as tf from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {openHeap, type Heap} from '../../../../../stages/lib/onnx-blas/heap.ts';
import {loadOnnxRuntime} from '../../../../../stages/lib/onnx-blas/onnxruntime.ts';
import {onnxProduct, wasmProduct, type Product} from '../../../../../stages/lib/onnx-blas/products.ts';
import {expectClose, place, randomValues, startPlainWasm} from './support.ts';

let heap: Heap;
const products = new Map<string, Product>();

beforeAll(async () => {
  await startPlainWasm();
  heap = openHeap(tf);
  const open = await loadOnnxRuntime();
  if (typeof open === 'string') throw new Error(open);
  products.set('onnxruntime', onnxProduct(heap, open, 1));
  products.set('our kernel', wasmProduct(heap));
});

const shapes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 5, 1],
  [1, 300, 17],
  [17, 300, 1],
  [2, 3, 5],
  [3, 1, 9],
  [4, 4, 4],
  [5, 7, 8],
  [33, 257, 13],
  [97, 64, 31],
  [101, 513, 40],
  [700, 30, 70],
  [1100, 11, 600],
];

describe.each(['onnxruntime', 'our kernel'])('matrix products by %s', (name) => {
  test.each(shapes)('%i x %i times a matrix of %i columns', (m, k, n) => {
    const a = randomValues(m * k, 1);
    const b = randomValues(k * n, 2);
    const wanted = reference(a, b, m, k, n);
    const [left = 0, right = 0, turned = 0] = place(heap, a, b, transposed(b, k, n));
    for (const transposeB of [false, true]) {
      const [y = 0, behind = 0] = place(heap, new Float32Array(m * n).fill(Number.NaN), Float32Array.of(42));
      products.get(name)?.({a: left, b: transposeB ? turned : right, y, m, k, n, transposeB});
      expectClose(heap.floats(y, m * n), wanted, 2e-6);
      expect(heap.floats(behind, 1)[0]).toBe(42);
    }
    expect(heap.floats(left, m * k)).toEqual(a);
    expect(heap.floats(right, k * n)).toEqual(b);
  });

  test('a matrix times itself', () => {
    const a = randomValues(49, 3);
    const [x = 0, y = 0] = place(heap, a, new Float32Array(49));
    products.get(name)?.({a: x, b: x, y, m: 7, k: 7, n: 7, transposeB: true});
    expectClose(heap.floats(y, 49), reference(a, transposed(a, 7, 7), 7, 7, 7), 1e-6);
  });

  test('not a number and infinity stay in their row', () => {
    const a = Float32Array.of(1, Number.NaN, 1, 2, Number.POSITIVE_INFINITY, 1);
    const [x = 0, b = 0, y = 0] = place(heap, a, Float32Array.of(1, 1), new Float32Array(3));
    products.get(name)?.({a: x, b, y, m: 3, k: 2, n: 1, transposeB: false});
    expect([...heap.floats(y, 3)]).toEqual([Number.NaN, 3, Number.POSITIVE_INFINITY]);
  });
});

test.each([2, 3, 4])('the bytes with %i threads are those with one', async (threads) => {
  const open = await loadOnnxRuntime();
  if (typeof open === 'string') throw new Error(open);
  const shared = onnxProduct(heap, open, threads);
  const alone = products.get('onnxruntime') as Product;
  const [a = 0, b = 0, y = 0, other = 0] = place(
    heap,
    randomValues(1_500_000, 4),
    randomValues(1_500_000, 5),
    ...[0, 1].map(() => new Float32Array(1_500_000)),
  );
  let compared = 0;
  for (const m of [2, 3, 5, 8, 17, 32, 33, 47, 64, 65, 100, 129, 257, 500, 513, 1000, 2500]) {
    for (const k of [1, 3, 64, 129, 300, 600, 2400, 250_000]) {
      for (const n of [1, 2, 16, 17, 64, 127, 128, 129, 527, 600, 2400]) {
        if (Math.max(m * k, k * n, m * n) > 1_500_000) continue;
        for (const transposeB of [false, true]) {
          alone({a, b, y, m, k, n, transposeB});
          shared({a, b, y: other, m, k, n, transposeB});
          const [one, two] = [y, other].map((address) => Buffer.from(heap.bytes(address, 4 * m * n)));
          if (!(one as Buffer).equals(two as Buffer)) expect.fail(`${m} x ${k} x ${n}, transposed: ${transposeB}`);
          compared++;
        }
      }
    }
  }
  expect(compared).toBeGreaterThan(1000);
});

/** In float64. */
function reference(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float64Array {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let q = 0; q < k; q++) {
      const left = a[i * k + q] as number;
      for (let j = 0; j < n; j++) y[i * n + j] = (y[i * n + j] as number) + left * (b[q * n + j] as number);
    }
  }
  return y;
}

function transposed(x: Float32Array, rows: number, columns: number): Float32Array {
  return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)] as number);
}
