import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {Heap} from './heap.ts';
import {ELEMENT_FUNCTIONS} from './kernels.ts';
import {sizeOf, type Kernel} from './registry.ts';

/** Functions of each value, and sums and means over axes that lie beside each other. */
export function elementKernels(tf: Tf, heap: Heap): Readonly<Record<string, Kernel>> {
  const {kernels, addressOf} = heap;

  function each(f: (typeof ELEMENT_FUNCTIONS)[keyof typeof ELEMENT_FUNCTIONS]): Kernel {
    return ({inputs, fallBack}) => {
      const {x} = inputs as {x: TensorInfo};
      if (x.dtype !== 'float32') return fallBack();
      const y = heap.output(x.shape);
      kernels.apply(f, addressOf(x), addressOf(y), sizeOf(x.shape));
      return y;
    };
  }

  function reduce(isMean: boolean): Kernel {
    return ({inputs, attrs, fallBack}) => {
      const {x} = inputs as {x: TensorInfo};
      const {axis, keepDims} = attrs as {axis: number | number[] | null; keepDims?: boolean};
      const axes = tf.util.parseAxisParam(axis as number[], x.shape).sort((a, b) => a - b);
      const [first = 0] = axes;
      const after = first + axes.length;
      const isOne = axes.every((one, i) => one === first + i);
      if (x.dtype !== 'float32' || !isOne || axes.length === 0) return fallBack();
      const kept = x.shape.map((size, i) => (i >= first && i < after ? 1 : size));
      const output = heap.output(keepDims === true ? kept : kept.filter((_, i) => i < first || i >= after));
      const outer = sizeOf(x.shape.slice(0, first));
      const count = sizeOf(x.shape.slice(first, after));
      const inner = sizeOf(x.shape.slice(after));
      const scale = isMean ? 1 / count : 1;
      const [from, to] = [addressOf(x), addressOf(output)];
      if (inner === 1) kernels.rowSums(from, outer, count, scale, to);
      else {
        heap.withScratch(8 * inner, (totals) => {
          for (let i = 0; i < outer; i++) {
            kernels.columnSums(from + 4 * i * count * inner, count, inner, scale, totals, to + 4 * i * inner);
          }
        });
      }
      return output;
    };
  }

  return {
    Exp: each(ELEMENT_FUNCTIONS.exp),
    Tanh: each(ELEMENT_FUNCTIONS.tanh),
    Sum: reduce(false),
    Mean: reduce(true),
  };
}
