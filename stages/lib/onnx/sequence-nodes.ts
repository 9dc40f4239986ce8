import type {AttentionNorm} from '../models/graph.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import type {GraphBuilder} from './graph-builder.ts';

/** Attention values are kept this far from 0 and 1 before they are divided by their sum over time, as in training. */
const CLIP = 1e-7;

/** The mask (batch, time) of a series: 0 for a vector of zeros, else 1. Returns `output`. */
export function maskNodes(builder: GraphBuilder, name: string, x: string, output: string): string {
  const sizes = builder.node('Abs', [x], `${name}:sizes`);
  const largest = builder.node('ReduceMax', [sizes], `${name}:largest`, {axes: {ints: [2]}, keepdims: {int: 0}});
  return builder.node('Sign', [largest], output);
}

/** The mean over the times that the mask (batch, time) has 1 at. Returns `output`. */
export function maskedMeanNodes(builder: GraphBuilder, name: string, x: string, mask: string, output: string): string {
  const time = builder.integers([1]);
  const own = builder.node('Mul', [x, realTimes(builder, name, mask)], `${name}:own`);
  const sum = builder.node('ReduceSum', [own, time], `${name}:sum`, {keepdims: {int: 0}});
  const real = builder.node('ReduceSum', [mask, time], `${name}:count`);
  return builder.node('Div', [sum, builder.node('Max', [real, builder.scalar(1)], `${name}:divisor`)], output);
}

/** A mask (batch, time) as (batch, time, 1). */
function realTimes(builder: GraphBuilder, name: string, mask: string): string {
  return builder.node('Unsqueeze', [mask, builder.integers([2])], `${name}:real`);
}

/**
 * Pools scores (batch, time, classes) over time with attention of sum 1; both are logits. Times that a mask has 0 at have no
 * weight. Returns `output`.
 */
export function attentionNodes(
  builder: GraphBuilder,
  name: string,
  [scores, logits, mask]: readonly [string, string, string?],
  output: string,
  norm: AttentionNorm,
): string {
  const time = builder.integers([1]);
  const real = mask === undefined ? undefined : realTimes(builder, name, mask);
  const masked = (value: string, part: string): string =>
    real === undefined ? value : builder.node('Mul', [value, real], `${name}:${part}`);
  const weigh = (activated: string): string => {
    const limits = [builder.scalar(CLIP), builder.scalar(1 - CLIP)];
    const kept = masked(builder.node('Clip', [activated, ...limits], `${name}:kept`), 'real/kept');
    const sum = builder.node('ReduceSum', [kept, time], `${name}:total`);
    const total = real === undefined ? sum : builder.node('Max', [sum, limits[0] as string], `${name}:divisor`);
    return builder.node('Div', [kept, total], `${name}:weights`);
  };
  const hidden = (): string => {
    if (real === undefined) return logits;
    const less = builder.node('Sub', [real, builder.scalar(1)], `${name}:less`);
    const far = builder.node('Mul', [less, builder.scalar(1e9)], `${name}:far`);
    return builder.node('Add', [masked(logits, 'real/logits'), far], `${name}:hidden`);
  };
  const attention = norm === 'time-softmax' ? hidden() : logits;
  const normalise = (): string => {
    switch (norm) {
      case 'time-softmax':
        return masked(builder.node('Softmax', [attention], `${name}:weights`, {axis: {int: 1}}), 'real/weights');
      case 'class-softmax+time-sum':
        return weigh(builder.node('Softmax', [attention], `${name}:attention`, {axis: {int: -1}}));
      case 'sigmoid+time-sum':
        return weigh(builder.node('Sigmoid', [attention], `${name}:attention`));
    }
  };
  const values = builder.node('Sigmoid', [scores], `${name}:values`);
  const weighted = builder.node('Mul', [normalise(), values], `${name}:weighted`);
  return builder.node('ReduceSum', [weighted, time], output, {keepdims: {int: 0}});
}

/**
 * The last output of an LSTM over x (batch, time, channels). ONNX has the time first, the gates in the order input, output,
 * forget, cell, and the matrices' rows by gate. With a mask (batch, time), what it has 1 at is moved to the front, and the
 * LSTM ends after as many steps. Returns `output`.
 */
export function lstmNodes(
  builder: GraphBuilder,
  name: string,
  [x, mask]: readonly [string, string?],
  output: string,
  part: (kind: string) => NamedArray,
): string {
  const {data: biases} = part('biases');
  const units = biases.length / 4;
  const bias = new Float32Array(2 * biases.length);
  bias.set(gatesFirst({shape: [1, biases.length], data: biases}).data);
  const parameters = [
    builder.array(`${name}/weights`, gatesFirst(part('weights'))),
    builder.array(`${name}/recurrent`, gatesFirst(part('recurrent'))),
    builder.array(`${name}/biases`, {shape: [1, bias.length], data: bias}),
  ];
  const {series, lengths} = mask === undefined ? {series: x, lengths: []} : realFirst(builder, name, x, mask);
  const steps = builder.node('Transpose', [series], `${name}:steps`, {perm: {ints: [1, 0, 2]}});
  // Its outputs: all hidden states, the last one, the last cell.
  const last = builder.node('LSTM', [steps, ...parameters, ...lengths], ['', `${name}:last`], {
    hidden_size: {int: units},
  });
  return builder.node('Squeeze', [last, builder.integers([0])], output);
}

/** What the mask has 1 at moved to the front, in its order, and how many these are: (batch), int32. */
function realFirst(
  builder: GraphBuilder,
  name: string,
  x: string,
  mask: string,
): {readonly series: string; readonly lengths: readonly [string]} {
  const [time, cumulated] = [builder.integers([1]), builder.integer(1)];
  const ones = builder.node('Max', [mask, builder.scalar(1)], `${name}:ones`);
  const from = builder.node('CumSum', [mask, cumulated], `${name}:number`);
  const to = builder.node('CumSum', [ones, cumulated], `${name}:place`);
  const rows = builder.node('Unsqueeze', [to, builder.integers([2])], `${name}:places`);
  const columns = builder.node('Unsqueeze', [from, time], `${name}:numbers`);
  const fits = builder.node('Equal', [rows, columns], `${name}:fits`);
  const chosen = builder.node('Cast', [fits], `${name}:chosen`, {to: {int: FLOAT}});
  const real = builder.node('Unsqueeze', [mask, time], `${name}:real`);
  const order = builder.node('Mul', [chosen, real], `${name}:order`);
  const series = builder.node('MatMul', [order, x], `${name}:series`);
  const count = builder.node('ReduceSum', [mask, time], `${name}:count`, {keepdims: {int: 0}});
  return {series, lengths: [builder.node('Cast', [count], `${name}:lengths`, {to: {int: INT32}})]};
}

/** Types of ONNX. */
const FLOAT = 1;
const INT32 = 6;

/** Place of ONNX's gates, in its order, among ours: input, forget, cell, output. */
const GATES = [0, 3, 1, 2] as const;

/** A matrix (rows, 4 units) as (1, 4 units, rows), gates in ONNX's order. */
function gatesFirst({shape, data}: NamedArray): NamedArray {
  const [rows = 0, columns = 0] = shape;
  const units = columns / 4;
  const turned = new Float32Array(data.length);
  for (const [to, from] of GATES.entries()) {
    for (let unit = 0; unit < units; unit++) {
      for (let row = 0; row < rows; row++) {
        turned[(to * units + unit) * rows + row] = data[row * columns + from * units + unit] as number;
      }
    }
  }
  return {shape: [1, columns, rows], data: turned};
}
