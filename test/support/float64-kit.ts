import type {AttentionNorm} from '../../stages/lib/models/graph.ts';
import {fillDropoutMask} from '../../stages/lib/tensors/counter-random.ts';
import type {LayerKit} from './layer-kit.ts';

/** A dense float64 array in C order. */
export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The layers by their definitions, one element after the other in float64: what engines are compared with. */
export const float64Kit: LayerKit<Array64> = {
  tensor: (shape, values) => ({shape, data: Float64Array.from(values)}),
  dense(x, weights, biases) {
    const product = matMul(x, weights);
    return mapped(product, (value, i) => value + at(biases, i % size(biases.shape)));
  },
  convolution,
  maxPool(x) {
    const [n = 0, height = 0, width = 0, channels = 0] = x.shape;
    const shape = [n, Math.ceil(height / 2), Math.ceil(width / 2), channels];
    return filled(shape, ([image = 0, row = 0, column = 0, channel = 0]) => {
      let largest = -Infinity;
      for (let y = 2 * row; y < Math.min(2 * row + 2, height); y++) {
        for (let z = 2 * column; z < Math.min(2 * column + 2, width); z++) {
          largest = Math.max(largest, at(x, ((image * height + y) * width + z) * channels + channel));
        }
      }
      return largest;
    });
  },
  imageMean(x) {
    const [n = 0, height = 0, width = 0, channels = 0] = x.shape;
    return timeMean({shape: [n, height * width, channels], data: x.data});
  },
  flatten: (x) => ({shape: [x.shape[0] ?? 0, size(x.shape.slice(1))], data: x.data}),
  reshape: (x, shape) => ({shape, data: x.data}),
  batchNorm(x, gamma, beta, epsilon, mask) {
    const [count = 0, width = 0] = x.shape;
    const isReal = (row: number): boolean => mask === undefined || at(mask, row) === 1;
    const rows = Array.from({length: count}, (_, row) => row).filter(isReal);
    const column = (i: number): readonly number[] => rows.map((row) => at(x, row * width + i));
    const moments = Array.from({length: width}, (_, i) => {
      const mean = total(column(i)) / rows.length;
      return {mean, variance: total(column(i).map((value) => (value - mean) ** 2)) / rows.length};
    });
    return mapped(x, (value, i) => {
      if (!isReal(Math.floor(i / width))) return 0;
      const {mean, variance} = moments[i % width] ?? {mean: 0, variance: 0};
      return ((value - mean) / Math.sqrt(variance + epsilon)) * at(gamma, i % width) + at(beta, i % width);
    });
  },
  dropout(x, rate, stream) {
    const mask = new Float32Array(x.data.length);
    fillDropoutMask(mask, rate, stream);
    return mapped(x, (value, i) => value * (mask[i] ?? 0));
  },
  relu: (x) => mapped(x, (value) => Math.max(0, value)),
  sigmoid: (x) => mapped(x, logistic),
  vectorMask(x) {
    const [rows = 0, steps = 0, width = 0] = x.shape;
    return filled([rows, steps], ([row = 0, t = 0]) =>
      Array.from({length: width}, (_, i) => at(x, (row * steps + t) * width + i)).some((value) => value !== 0) ? 1 : 0,
    );
  },
  timeMean: (x, mask) => timeMean(x, mask),
  concatColumns(parts) {
    const rows = parts[0]?.shape[0] ?? 0;
    const width = total(parts.map(({shape}) => shape[1] ?? 0));
    const values = Array.from({length: rows}, (_, row) => parts.flatMap((part) => rowOf(part, row))).flat();
    return {shape: [rows, width], data: Float64Array.from(values)};
  },
  sumOf: ([first, ...rest]) => mapped(first as Array64, (value, i) => value + total(rest.map((part) => at(part, i)))),
  meanOf: (parts) => mapped(float64Kit.sumOf(parts), (value) => value / parts.length),
  lstm(x, weights, recurrent, biases, mask) {
    const [rows = 0, steps = 0, width = 0] = x.shape;
    const units = recurrent.shape[0] ?? 0;
    return filledRows(rows, units, (row) => {
      let hidden: readonly number[] = Array.from({length: units}, () => 0);
      let cell = hidden;
      for (let t = 0; t < steps; t++) {
        if (mask !== undefined && at(mask, row * steps + t) === 0) continue;
        const z = Array.from({length: 4 * units}, (_, gate) => {
          let sum = at(biases, gate);
          for (let i = 0; i < width; i++) {
            sum += at(x, (row * steps + t) * width + i) * at(weights, i * 4 * units + gate);
          }
          for (const [i, value] of hidden.entries()) sum += value * at(recurrent, i * 4 * units + gate);
          return sum;
        });
        const gate = (k: number, unit: number): number => z[k * units + unit] ?? 0;
        cell = cell.map((value, i) => logistic(gate(1, i)) * value + logistic(gate(0, i)) * Math.tanh(gate(2, i)));
        hidden = cell.map((value, i) => logistic(gate(3, i)) * Math.tanh(value));
      }
      return hidden;
    });
  },
  attentionPool,
  softmaxCrossEntropy(logits, targets) {
    const [rows = 0] = logits.shape;
    const losses = Array.from({length: rows}, (_, row) => {
      const values = rowOf(logits, row);
      const largest = Math.max(...values);
      const log = largest + Math.log(total(values.map((value) => Math.exp(value - largest))));
      return total(rowOf(targets, row).map((target, i) => target * (log - (values[i] ?? 0))));
    });
    return scalar(total(losses) / rows);
  },
  sigmoidCrossEntropy(logits, targets) {
    const losses = [...logits.data].map(
      (x, i) => Math.max(x, 0) - x * at(targets, i) + Math.log1p(Math.exp(-Math.abs(x))),
    );
    return scalar(total(losses) / losses.length);
  },
  shareCrossEntropy(values, targets) {
    const [rows = 0] = values.shape;
    const losses = Array.from({length: rows}, (_, row) => {
      const kept = rowOf(values, row).map((value) => Math.max(value, 1e-7));
      return total(rowOf(targets, row).map((target, i) => -target * Math.log((kept[i] ?? 0) / total(kept))));
    });
    return scalar(total(losses) / rows);
  },
  rectifiedDense: (x, weights, biases) => float64Kit.relu(float64Kit.dense(x, weights, biases)),
  rectifiedConvolution: (x, filter, biases, stride) => rectified6(convolution(x, filter, biases, stride)),
  rectifiedDepthwise(x, filter, biases, stride) {
    // A filter over all channels that is 0 outside its own.
    const [height = 0, width = 0, channels = 0] = filter.shape;
    const whole = filled([height, width, channels, channels], ([row = 0, column = 0, input = 0, output = 0]) =>
      input === output ? at(filter, (row * width + column) * channels + input) : 0,
    );
    return rectified6(convolution(x, whole, biases, stride));
  },
  softmax: (x) => float64Kit.shares(mapped(x, Math.exp)),
  shares(x) {
    const [rows = 0, width = 0] = x.shape;
    return filledRows(rows, width, (row) => rowOf(x, row).map((value) => value / total(rowOf(x, row))));
  },
};

/** Slope of a scalar function along each of the given elements of an array, by central differences. */
export function slopes(array: Array64, elements: readonly number[], f: (moved: Array64) => number): readonly number[] {
  const step = 1e-5;
  return elements.map((element) => {
    const moved = (by: number): Array64 => ({
      shape: array.shape,
      data: array.data.map((value, i) => (i === element ? value + by : value)),
    });
    return (f(moved(step)) - f(moved(-step))) / (2 * step);
  });
}

function convolution(x: Array64, filter: Array64, biases: Array64, stride: number): Array64 {
  const [n = 0, height = 0, width = 0, inputs = 0] = x.shape;
  const [rows = 0, columns = 0, , outputs = 0] = filter.shape;
  const [outHeight, outWidth] = [Math.ceil(height / stride), Math.ceil(width / stride)];
  // SAME: what has to be padded is split, the odd one goes after.
  const before = (length: number, out: number, kernel: number): number =>
    Math.floor(Math.max((out - 1) * stride + kernel - length, 0) / 2);
  const top = before(height, outHeight, rows);
  const left = before(width, outWidth, columns);
  return filled([n, outHeight, outWidth, outputs], ([image = 0, row = 0, column = 0, output = 0]) => {
    let sum = at(biases, output);
    for (let i = 0; i < rows; i++) {
      const y = row * stride + i - top;
      if (y < 0 || y >= height) continue;
      for (let j = 0; j < columns; j++) {
        const z = column * stride + j - left;
        if (z < 0 || z >= width) continue;
        for (let k = 0; k < inputs; k++) {
          const value = at(x, ((image * height + y) * width + z) * inputs + k);
          sum += value * at(filter, ((i * columns + j) * inputs + k) * outputs + output);
        }
      }
    }
    return sum;
  });
}

function attentionPool(scores: Array64, attention: Array64, norm: AttentionNorm, mask?: Array64): Array64 {
  const [rows = 0, steps = 0, classes = 0] = scores.shape;
  return filledRows(rows, classes, (row) => {
    const raw = Array.from({length: steps}, (_, t) => {
      const logits = Array.from({length: classes}, (_, i) => at(attention, (row * steps + t) * classes + i));
      if (norm === 'sigmoid+time-sum') return logits.map(logistic);
      const exponentials = logits.map(Math.exp);
      return norm === 'time-softmax' ? exponentials : exponentials.map((value) => value / total(exponentials));
    });
    const kept = (t: number, i: number): number => {
      const value = raw[t]?.[i] ?? 0;
      return norm === 'time-softmax' ? value : Math.min(Math.max(value, 1e-7), 1 - 1e-7);
    };
    return Array.from({length: classes}, (_, i) => {
      const weights = times(row, steps, mask).map((t) => [t, kept(t, i)] as const);
      const weighted = weights.map(([t, weight]) => weight * logistic(at(scores, (row * steps + t) * classes + i)));
      return weights.length === 0 ? 0 : total(weighted) / total(weights.map(([, weight]) => weight));
    });
  });
}

function rectified6(x: Array64): Array64 {
  return mapped(x, (value) => Math.min(Math.max(0, value), 6));
}

function timeMean(x: Array64, mask?: Array64): Array64 {
  const [rows = 0, steps = 0, channels = 0] = x.shape;
  return filled([rows, channels], ([row = 0, channel = 0]) => {
    const own = times(row, steps, mask).map((t) => at(x, (row * steps + t) * channels + channel));
    return total(own) / Math.max(1, own.length);
  });
}

/** Of a row: those that the mask has 1 at. */
function times(row: number, steps: number, mask: Array64 | undefined): readonly number[] {
  const all = Array.from({length: steps}, (_, t) => t);
  return mask === undefined ? all : all.filter((t) => at(mask, row * steps + t) === 1);
}

function matMul(a: Array64, b: Array64): Array64 {
  const [rows = 0, inner = 0] = a.shape;
  const [, columns = 0] = b.shape;
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const value = at(a, i * inner + k);
      for (let j = 0; j < columns; j++) {
        data[i * columns + j] = (data[i * columns + j] ?? 0) + value * at(b, k * columns + j);
      }
    }
  }
  return {shape: [rows, columns], data};
}

function filledRows(rows: number, width: number, row: (index: number) => readonly number[]): Array64 {
  return {shape: [rows, width], data: Float64Array.from(Array.from({length: rows}, (_, i) => row(i)).flat())};
}

function filled(shape: readonly number[], value: (index: readonly number[]) => number): Array64 {
  const data = new Float64Array(size(shape));
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] ?? 1;
      index[axis] = rest % length;
      rest = Math.floor(rest / length);
    }
    data[i] = value(index);
  }
  return {shape, data};
}

function mapped({shape, data}: Array64, f: (value: number, index: number) => number): Array64 {
  return {shape, data: data.map(f)};
}

function rowOf({shape, data}: Array64, row: number): readonly number[] {
  const width = shape.at(-1) ?? 0;
  return [...data.subarray(row * width, (row + 1) * width)];
}

function at({data}: Array64, index: number): number {
  return data[index] ?? Number.NaN;
}

function scalar(value: number): Array64 {
  return {shape: [], data: Float64Array.of(value)};
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, axis) => product * axis, 1);
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
