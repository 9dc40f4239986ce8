import type {Layer, ModelGraph} from '../../stages/lib/models/graph.ts';
import type {NamedArray, Weights} from '../../stages/lib/tensors/named-array.ts';
import {float64Kit, type Array64} from './float64-kit.ts';

/** All values of a graph in inference, by name, by the definitions of its layers in float64. */
export function float64Values(
  graph: ModelGraph,
  weights: Weights,
  inputs: Readonly<Record<string, NamedArray>>,
): ReadonlyMap<string, Array64> {
  const values = new Map(Object.entries(inputs).map(([name, {shape, data}]) => [name, float64Kit.tensor(shape, data)]));
  for (const layer of graph.layers) {
    const own = layer.inputs.map((name) => values.get(name) as Array64);
    const parameter = (part: string): Array64 => {
      const array = weights.get(`${layer.name}/${part}`);
      if (array === undefined) throw new Error(`no ${layer.name}/${part}`);
      return float64Kit.tensor(array.shape, array.data);
    };
    values.set(layer.name, valueOf(layer, own, parameter));
  }
  return values;
}

function valueOf(layer: Layer, inputs: readonly Array64[], parameter: (part: string) => Array64): Array64 {
  const [x, other, third] = inputs as [Array64, Array64 | undefined, Array64 | undefined];
  const width = x.shape.at(-1) ?? 1;
  const mapped = (f: (value: number, i: number) => number): Array64 => ({shape: x.shape, data: x.data.map(f)});
  const onRows = (f: (row: Float64Array) => readonly number[]): Array64 => {
    const rows = Array.from({length: x.data.length / width}, (_, i) => f(x.data.subarray(i * width, (i + 1) * width)));
    return {shape: x.shape, data: Float64Array.from(rows.flat())};
  };
  const asRows = ({shape, data}: Array64): Array64 => {
    const columns = shape.at(-1) ?? 1;
    return {shape: [data.length / columns, columns], data};
  };
  switch (layer.op) {
    case 'expand':
      return {shape: [...x.shape, 1], data: x.data};
    case 'convolution':
      return float64Kit.convolution(x, parameter('weights'), parameter('biases'), layer.stride);
    case 'depthwise-convolution':
      return depthwise(x, parameter('weights'), parameter('biases'), layer.stride);
    case 'max-pool':
      return float64Kit.maxPool(x);
    case 'image-mean':
      return float64Kit.imageMean(x);
    case 'flatten':
      return float64Kit.flatten(x);
    case 'dense': {
      const {data} = float64Kit.dense(asRows(x), parameter('weights'), parameter('biases'));
      return {shape: [...x.shape.slice(0, -1), layer.units], data};
    }
    case 'batch-norm': {
      const [gamma, beta, mean, variance] = ['gamma', 'beta', 'mean', 'variance'].map((part) => parameter(part).data);
      const at = (values: Float64Array | undefined, i: number): number => values?.[i % width] ?? Number.NaN;
      return mapped(
        (value, i) => ((value - at(mean, i)) / Math.sqrt(at(variance, i) + layer.epsilon)) * at(gamma, i) + at(beta, i),
      );
    }
    case 'dropout':
      return x;
    case 'relu':
      return float64Kit.relu(x);
    case 'relu6':
      return mapped((value) => Math.min(6, Math.max(0, value)));
    case 'sigmoid':
      return float64Kit.sigmoid(x);
    case 'softmax':
      return onRows((row) => {
        const powers = [...row].map((value) => Math.exp(value - Math.max(...row)));
        const total = powers.reduce((a, b) => a + b, 0);
        return powers.map((power) => power / total);
      });
    case 'mask':
      return float64Kit.vectorMask(x);
    case 'series':
      return {shape: [x.shape[0] ?? 0, 1, width], data: x.data};
    case 'time-mean':
      return float64Kit.timeMean(x, other);
    case 'attention-pool':
      return float64Kit.attentionPool(x, other as Array64, layer.norm, third);
    case 'lstm':
      return float64Kit.lstm(x, parameter('weights'), parameter('recurrent'), parameter('biases'), other);
    case 'concat': {
      const {shape, data} = float64Kit.concatColumns(inputs.map(asRows));
      return {shape: [...x.shape.slice(0, -1), shape[1] ?? 0], data};
    }
    case 'sum':
      return float64Kit.sumOf(inputs);
    case 'mean':
      return float64Kit.meanOf(inputs);
    case 'normalise':
      return onRows((row) => {
        const total = row.reduce((a, b) => a + b, 0);
        return [...row].map((value) => value / total);
      });
  }
}

/** SAME padding as TensorFlow has it: what cannot be split evenly is added below and to the right. */
function depthwise(x: Array64, kernel: Array64, biases: Array64, stride: number): Array64 {
  const [n = 0, height = 0, width = 0, channels = 0] = x.shape;
  const [rows = 0, columns = 0] = kernel.shape;
  const outHeight = Math.ceil(height / stride);
  const outWidth = Math.ceil(width / stride);
  const top = Math.floor(Math.max((outHeight - 1) * stride + rows - height, 0) / 2);
  const left = Math.floor(Math.max((outWidth - 1) * stride + columns - width, 0) / 2);
  const data: number[] = [];
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < outHeight; y++) {
      for (let z = 0; z < outWidth; z++) {
        for (let c = 0; c < channels; c++) {
          let sum = biases.data[c] ?? 0;
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < columns; j++) {
              const row = y * stride - top + i;
              const column = z * stride - left + j;
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const value = x.data[((image * height + row) * width + column) * channels + c] ?? 0;
              sum += value * (kernel.data[(i * columns + j) * channels + c] ?? 0);
            }
          }
          data.push(sum);
        }
      }
    }
  }
  return {shape: [n, outHeight, outWidth, channels], data: Float64Array.from(data)};
}
