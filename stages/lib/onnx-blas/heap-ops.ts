import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import type {AdamTensors, LstmStep, Ops} from '../tensors/ops.ts';
import type {Heap} from './heap.ts';

/** Operations of a training step, each one pass of a kernel over the heap. */
export function heapOps(heap: Heap): Ops {
  const {kernels, tensor} = heap;
  const at = (x: Tensor | undefined): number => (x === undefined ? 0 : heap.addressOf(x));
  const vector = (size: number): Tensor1D => tensor([size]) as Tensor1D;
  const matrix = (rows: number, columns: number): Tensor2D => tensor([rows, columns]) as Tensor2D;

  return {
    moments(x) {
      const [rows, columns] = x.shape;
      const [mean, variance] = [vector(columns), vector(columns)];
      heap.withScratch(8 * columns, (totals) =>
        kernels.columnMoments(at(x), rows, columns, totals, at(mean), at(variance)),
      );
      return {mean, variance};
    },
    affine(x, scale, shift) {
      const y = matrix(...x.shape);
      kernels.affine(at(x), at(scale), at(shift), at(y), ...x.shape);
      return y;
    },
    pairSums(dy, x) {
      const [rows, columns] = x.shape;
      const [sums, products] = [vector(columns), vector(columns)];
      heap.withScratch(16 * columns, (totals) =>
        kernels.columnPairSums(at(dy), at(x), rows, columns, totals, at(sums), at(products)),
      );
      return {dy: sums, dyx: products};
    },
    blend(dy, x, a, b, c) {
      const out = matrix(...x.shape);
      kernels.blend(at(dy), at(x), at(a), at(b), at(c), at(out), ...x.shape);
      return out;
    },
    dropoutMask(shape, rate, {key0, key1}) {
      const mask = tensor(shape);
      // As fillDropoutMask has it: signed words, and a threshold that is moved with them.
      const threshold = Math.round((rate - 0.5) * 2 ** 32) | 0;
      kernels.dropoutMask(at(mask), mask.size, threshold, 1 / (1 - rate), key0, key1);
      return mask;
    },
    lstmCell(z, before) {
      const [rows, width] = z.shape;
      const units = width / 4;
      const step: LstmStep = {
        gates: matrix(rows, width),
        cell: matrix(rows, units),
        squashed: matrix(rows, units),
        hidden: matrix(rows, units),
      };
      const {gates, cell, squashed, hidden} = step;
      kernels.lstmCell(at(z), at(before), at(gates), at(cell), at(squashed), at(hidden), rows, units);
      return step;
    },
    lstmCellGradient({gates, squashed}, before, dHidden, dCell) {
      const [rows, units] = dHidden.shape;
      const [dz, dBefore] = [matrix(...gates.shape), matrix(rows, units)];
      kernels.lstmCellGradient(
        at(gates),
        at(squashed),
        at(before),
        at(dHidden),
        at(dCell),
        at(dz),
        at(dBefore),
        rows,
        units,
      );
      return {dz, dBefore};
    },
    adam(old, gradient, {rate, beta1, beta2, epsilon}) {
      const {values, first, second} = writable(heap, old);
      kernels.adam(at(values), at(gradient), at(first), at(second), values.size, rate, beta1, beta2, epsilon);
      return {values, first, second};
    },
  };
}

/** Tensors to write to: those given, but for one whose values another tensor shares, of which a copy takes the place. */
function writable(heap: Heap, {values, first, second}: AdamTensors): AdamTensors {
  const own = (x: Tensor): Tensor => {
    if (heap.ownersOf(x) === 1) return x;
    const copy = heap.tensor(x.shape);
    heap.floats(heap.addressOf(copy), x.size).set(heap.floats(heap.addressOf(x), x.size));
    x.dispose();
    return copy;
  };
  return {values: own(values), first: own(first), second: own(second)};
}
