import type {DataId, KernelFunc, TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from './engine.ts';

/**
 * Kernels of the WebAssembly backend that are replaced because they dominate a training step as they are:
 * a matrix product with a transposed operand takes a scalar path (an explicit transpose first is 8 to 15 times faster),
 * and sums and means over leading axes transpose the whole tensor to reduce its last axis.
 * They work in place on the backend's heap. All other cases go to the kernel that was there. Call once a process.
 */
export function installWasmKernels(tf: Tf): void {
  replace(tf, 'BatchMatMul', (old) => ({inputs, attrs, backend}) => {
    const heap = backend as Heap;
    const {transposeA, transposeB} = attrs as unknown as {transposeA: boolean; transposeB: boolean};
    const a = transposeA ? transposed(heap, inputs['a'] as TensorInfo) : (inputs['a'] as TensorInfo);
    const b = transposeB ? transposed(heap, inputs['b'] as TensorInfo) : (inputs['b'] as TensorInfo);
    const product = old({inputs: {a, b}, attrs: {transposeA: false, transposeB: false}, backend});
    if (transposeA) heap.disposeData(a.dataId);
    if (transposeB) heap.disposeData(b.dataId);
    return product;
  });
  replace(tf, 'Sum', (old) => (call) => columnReduction(tf, call, false) ?? old(call));
  replace(tf, 'Mean', (old) => (call) => columnReduction(tf, call, true) ?? old(call));
}

/** What is used of the backend. A view of the heap is valid until the next allocation, which may move the heap. */
interface Heap {
  makeOutput(shape: readonly number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(tensor: TensorInfo): Float32Array;
  disposeData(id: DataId): boolean;
}

type KernelCall = Parameters<KernelFunc>[0];

function replace(tf: Tf, kernelName: string, wrap: (old: KernelFunc) => KernelFunc): void {
  const old = tf.getKernel(kernelName, 'wasm');
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({...old, kernelFunc: wrap(old.kernelFunc)});
}

/** The tensor with its last two axes exchanged, in new memory. */
function transposed(heap: Heap, tensor: TensorInfo): TensorInfo {
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  const output = heap.makeOutput([...tensor.shape.slice(0, -2), columns, rows], 'float32');
  const from = heap.typedArrayFromHeap(tensor);
  const to = heap.typedArrayFromHeap(output);
  const block = 16;
  for (let start = 0; start < from.length; start += rows * columns) {
    for (let top = 0; top < rows; top += block) {
      const bottom = Math.min(top + block, rows);
      for (let column = 0; column < columns; column++) {
        for (let row = top; row < bottom; row++) {
          to[start + column * rows + row] = from[start + row * columns + column] as number;
        }
      }
    }
  }
  return output;
}

/**
 * Sum or mean over one axis or adjoining axes that are not the last ones; undefined for any other case. Each sum is in
 * float64, in the order of the rows.
 */
function columnReduction(tf: Tf, {inputs, attrs, backend}: KernelCall, isMean: boolean): TensorInfo | undefined {
  const heap = backend as Heap;
  const x = inputs['x'] as TensorInfo;
  const {axis, keepDims} = attrs as unknown as {axis: number | number[]; keepDims: boolean};
  const axes = tf.util.parseAxisParam(axis, x.shape).sort((p, q) => p - q);
  const [first = 0] = axes;
  const last = axes.at(-1) ?? 0;
  const adjoining = axes.length > 0 && last - first === axes.length - 1;
  if (x.dtype !== 'float32' || !adjoining || last === x.shape.length - 1) return undefined;

  const outer = product(x.shape.slice(0, first));
  const rows = product(x.shape.slice(first, last + 1));
  const columns = product(x.shape.slice(last + 1));
  const shape = x.shape.flatMap((size, i) => (!axes.includes(i) ? [size] : keepDims ? [1] : []));
  const output = heap.makeOutput(shape, 'float32');
  const from = heap.typedArrayFromHeap(x);
  const to = heap.typedArrayFromHeap(output);
  const divisor = isMean ? rows : 1;
  for (let i = 0; i < outer; i++) {
    const start = i * rows * columns;
    const end = start + rows * columns;
    let column = 0;
    // Four running sums at a time stay in registers.
    for (; column + 3 < columns; column += 4) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let at = start + column; at < end; at += columns) {
        s0 += from[at] as number;
        s1 += from[at + 1] as number;
        s2 += from[at + 2] as number;
        s3 += from[at + 3] as number;
      }
      to.set([s0 / divisor, s1 / divisor, s2 / divisor, s3 / divisor], i * columns + column);
    }
    for (; column < columns; column++) {
      let sum = 0;
      for (let at = start + column; at < end; at += columns) sum += from[at] as number;
      to[i * columns + column] = sum / divisor;
    }
  }
  return output;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
