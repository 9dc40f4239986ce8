import type {Heap} from './heap.ts';
import {value, type OpenSession, type SyncSession} from './onnxruntime.ts';

/** A product of matrices on the heap: y (m, n) = a (m, k) times b. None of the sizes is 0; y is no operand. */
export interface ProductCall {
  readonly a: number;
  /** (k, n), or (n, k) when it is transposed. */
  readonly b: number;
  readonly y: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeB: boolean;
}

export type Product = (call: ProductCall) => void;

/**
 * Bytes of a block of results that go through onnxruntime at once: its own blocks suit a cache that is not shared with the
 * operands, so it is faster by a third on rows that fit.
 */
const BLOCK_BYTES = 1_200_000;
/** Bounds for the rows of a block: the right matrix is packed for each. */
const LEAST_ROWS = 256;
const MOST_ROWS = 512;

/** Products by onnxruntime, in one thread. */
export function onnxProduct(heap: Heap, open: OpenSession): Product {
  const session = (transB: 0 | 1): SyncSession =>
    open(
      [{op: 'Gemm', inputs: ['a', 'b'], outputs: ['y'], attributes: {transB: {int: transB}}}],
      [
        {name: 'a', shape: ['m', 'k']},
        {name: 'b', shape: ['p', 'q']},
      ],
    );
  const [plain, transposed] = [session(0), session(1)];
  return ({a, b, y, m, k, n, transposeB}) => {
    const right = value(heap.floats(b, k * n), ...(transposeB ? [n, k] : [k, n]));
    for (const {from, rows} of blocks(m, n)) {
      const left = value(heap.floats(a + 4 * from * k, rows * k), rows, k);
      const result = value(heap.floats(y + 4 * from * n, rows * n), rows, n);
      (transposeB ? transposed : plain).run({a: left, b: right}, {y: result}, {});
    }
  };
}

/** Products by our own kernel: no native code, half as fast. */
export function wasmProduct(heap: Heap): Product {
  return ({a, b, y, m, k, n, transposeB}) =>
    heap.withScratch(4 * Math.min(k, 256) * (n + 7), (panels) =>
      heap.kernels.product(a, b, y, m, k, n, transposeB, panels),
    );
}

/** Equal parts of m rows. */
function blocks(m: number, n: number): readonly {readonly from: number; readonly rows: number}[] {
  const wanted = Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.floor(BLOCK_BYTES / (4 * n))));
  const rows = Math.ceil(m / Math.max(1, Math.round(m / wanted)));
  return Array.from({length: Math.ceil(m / rows)}, (_, i) => ({from: i * rows, rows: Math.min(rows, m - i * rows)}));
}
