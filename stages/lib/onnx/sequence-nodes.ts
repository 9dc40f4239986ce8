import type {AttentionNorm} from '../models/graph.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import type {GraphBuilder} from './graph-builder.ts';

/** Attention values are kept this far from 0 and 1 before they are divided by their sum over time, as in training. */
const CLIP = 1e-7;

/** Pools scores (batch, time, classes) over time with attention of sum 1; both inputs are logits. Returns `output`. */
export function attentionNodes(
  builder: GraphBuilder,
  name: string,
  [scores, attention]: readonly [string, string],
  output: string,
  norm: AttentionNorm,
): string {
  const time = builder.integers([1]);
  const weigh = (activated: string): string => {
    const limits = [builder.scalar(CLIP), builder.scalar(1 - CLIP)];
    const kept = builder.node('Clip', [activated, ...limits], `${name}:kept`);
    return builder.node('Div', [kept, builder.node('ReduceSum', [kept, time], `${name}:total`)], `${name}:weights`);
  };
  const normalise = (): string => {
    switch (norm) {
      case 'time-softmax':
        return builder.node('Softmax', [attention], `${name}:weights`, {axis: {int: 1}});
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
 * forget, cell, and the matrices' rows by gate. Returns `output`.
 */
export function lstmNodes(
  builder: GraphBuilder,
  name: string,
  x: string,
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
  const steps = builder.node('Transpose', [x], `${name}:steps`, {perm: {ints: [1, 0, 2]}});
  // Its outputs: all hidden states, the last one, the last cell.
  const last = builder.node('LSTM', [steps, ...parameters], ['', `${name}:last`], {hidden_size: {int: units}});
  return builder.node('Squeeze', [last, builder.integers([0])], output);
}

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
