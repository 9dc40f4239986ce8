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
 * Rows of the left matrix that a thread gets at once: with all 5000 of a batch, onnxruntime's own blocks do not suit the
 * cache and it takes a quarter longer.
 */
const BLOCK_ROWS = 256;
/** Least rows and columns a thread for which onnxruntime's sums do not depend on the threads: see `isSafe`. */
const ROWS_A_THREAD = 16;
const COLUMNS_A_THREAD = 128;

/** Products by onnxruntime. The bytes do not depend on the threads. */
export function onnxProduct(heap: Heap, open: OpenSession, threads: number): Product {
  const alone = openGemm(heap, open, 1);
  if (threads === 1) return (call) => inBlocks(call, BLOCK_ROWS, alone);
  const shared = openGemm(heap, open, threads);
  const maySplitColumns = splitsColumnsSafely(heap, alone, shared, threads);

  /**
   * onnxruntime shares a product out by rows when it has as many rows as columns, else by columns. By rows no sum changes, as
   * long as nobody gets a single row: that, as a single column, is computed in another way. By columns the sums of a thread with 64 columns or
   * fewer are broken up elsewhere.
   */
  function isSafe(m: number, n: number): boolean {
    if (n === 1) return false;
    if (m >= n) return m >= ROWS_A_THREAD * threads;
    return maySplitColumns && m >= ROWS_A_THREAD && n >= COLUMNS_A_THREAD * threads;
  }

  return (call) => {
    const {m, n} = call;
    const rows = BLOCK_ROWS * threads;
    const least = Math.floor(m / Math.ceil(m / rows));
    if (isSafe(least, n) && isSafe(least + 1, n)) inBlocks(call, rows, shared);
    else if (isSafe(m, n)) shared(call);
    else inBlocks(call, BLOCK_ROWS, alone);
  };
}

function openGemm(heap: Heap, open: OpenSession, threads: number): Product {
  const inputs = [
    {name: 'a', shape: ['m', 'k']},
    {name: 'b', shape: ['p', 'q']},
  ];
  const [plain, transposed] = [0, 1].map((int) => {
    const node = {op: 'Gemm', inputs: ['a', 'b'], outputs: ['y'], attributes: {transB: {int}}};
    return open({node, inputs, y: ['m', 'n'], threads});
  }) as [SyncSession, SyncSession];
  return ({a, b, y, m, k, n, transposeB}) => {
    const left = value(heap.floats(a, m * k), m, k);
    const right = value(heap.floats(b, k * n), ...(transposeB ? [n, k] : [k, n]));
    (transposeB ? transposed : plain).run({a: left, b: right}, {y: value(heap.floats(y, m * n), m, n)}, {});
  };
}

/** Equal blocks of about so many rows, one after the other. */
function inBlocks(call: ProductCall, rows: number, product: Product): void {
  const {a, y, m, k, n} = call;
  const count = Math.ceil(m / rows);
  for (let i = 0; i < count; i++) {
    const [from, end] = [i, i + 1].map((edge) => Math.floor((edge * m) / count)) as [number, number];
    product({...call, a: a + 4 * from * k, y: y + 4 * from * n, m: end - from});
  }
}

/** Tries it: on processors with two kinds of cores there are more parts than threads, and they may be too narrow. */
function splitsColumnsSafely(heap: Heap, alone: Product, shared: Product, threads: number): boolean {
  const [m, k, n] = [ROWS_A_THREAD, 1024, COLUMNS_A_THREAD * threads];
  return heap.withScratch(4 * (m * k + k * n + 2 * m * n), (a) => {
    const b = a + 4 * m * k;
    const y = b + 4 * k * n;
    const values = heap.floats(a, m * k + k * n);
    for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 2003) / 1001 - 1;
    const [one, other] = [alone, shared].map((product, i) => {
      const to = y + 4 * i * m * n;
      product({a, b, y: to, m, k, n, transposeB: false});
      return Buffer.from(heap.bytes(to, 4 * m * n));
    }) as [Buffer, Buffer];
    return one.equals(other);
  });
}

/** Products by our own kernel, without native code: a half to a third as fast. */
export function wasmProduct(heap: Heap): Product {
  return ({a, b, y, m, k, n, transposeB}) =>
    heap.withScratch(4 * Math.min(k, 256) * (n + 7), (panels) =>
      heap.kernels.product(a, b, y, m, k, n, transposeB, panels),
    );
}
