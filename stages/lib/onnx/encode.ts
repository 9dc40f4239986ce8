import {StageError} from 'mixdown/stage';
import {WireWriter} from '../formats/wire-writer.ts';

/** What an ONNX file holds: values are float32 throughout, but for the integers that some operators take as input. */
export interface OnnxModel {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** In an order in which each node reads only inputs, initialisers and outputs of nodes before it. */
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, OnnxArray>;
  /** Version of the operators; 17 unless said otherwise. */
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ValueInfo {
  readonly name: string;
  /** A word stands for a size that is known when the model runs. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Unless it is given, the first output's name. */
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
}

export type OnnxAttribute =
  | {readonly int: number}
  | {readonly float: number}
  | {readonly string: string}
  | {readonly ints: readonly number[]}
  | {readonly floats: readonly number[]};

/** A dense array in C order. */
export interface OnnxArray {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** Protobuf, and onnxruntime with it, reads no message of more bytes. */
export const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file (IR version 8). Equal content gives equal bytes: initialisers and metadata are written in the
 * order of their names. Throws StageError when the file would have 2 GB or more, RangeError when an array does not have the
 * size of its shape.
 */
export function encodeModel(model: OnnxModel): Uint8Array<ArrayBuffer> {
  const message = new WireWriter()
    .integer(1, IR_VERSION)
    .text(2, 'mixdown')
    .message(7, graphMessage(model))
    .message(8, new WireWriter().text(1, '').integer(2, model.opset ?? 17));
  for (const [key, value] of Object.entries(model.metadata ?? {}).sort(byName)) {
    message.message(14, new WireWriter().text(1, key).text(2, value));
  }
  if (message.size > MAX_MODEL_BYTES) {
    throw new StageError(
      `an ONNX file of this model would have ${message.size} bytes; the format ends at 2 GB`,
      'keep the model as .safetensors, or make it narrower',
    );
  }
  return message.concat();
}

/** Goes with opset 17: what onnx 1.12 and onnxruntime 1.12 read already. */
const IR_VERSION = 8;
const FLOAT = 1;
const INT64 = 7;

function graphMessage({nodes, initialisers, inputs, outputs}: OnnxModel): WireWriter {
  const graph = new WireWriter();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.text(2, 'model');
  for (const [name, array] of [...initialisers].sort(byName)) graph.message(5, tensorMessage(name, array));
  for (const info of inputs) graph.message(11, valueMessage(info));
  for (const info of outputs) graph.message(12, valueMessage(info));
  return graph;
}

function nodeMessage({op, inputs, outputs, name, attributes}: OnnxNode): WireWriter {
  const node = new WireWriter();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, name ?? outputs[0] ?? '').text(4, op);
  for (const [key, value] of Object.entries(attributes ?? {}).sort(byName))
    node.message(5, attributeMessage(key, value));
  return node;
}

function attributeMessage(name: string, value: OnnxAttribute): WireWriter {
  const attribute = new WireWriter().text(1, name);
  if ('float' in value) return attribute.float(2, value.float).integer(20, 1);
  if ('int' in value) return attribute.integer(3, value.int).integer(20, 2);
  if ('string' in value) return attribute.text(4, value.string).integer(20, 3);
  if ('floats' in value) {
    for (const one of value.floats) attribute.float(7, one);
    return attribute.integer(20, 6);
  }
  for (const one of value.ints) attribute.integer(8, one);
  return attribute.integer(20, 7);
}

function tensorMessage(name: string, {shape, data}: OnnxArray): WireWriter {
  if (shape.reduce((size, axis) => size * axis, 1) !== data.length) {
    throw new RangeError(`${name} has ${data.length} values for shape [${shape.join(', ')}]`);
  }
  const tensor = new WireWriter();
  for (const axis of shape) tensor.integer(1, axis);
  return tensor
    .integer(2, data instanceof Float32Array ? FLOAT : INT64)
    .text(8, name)
    .bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function valueMessage({name, shape}: ValueInfo): WireWriter {
  const sizes = new WireWriter();
  for (const size of shape) {
    const axis = new WireWriter();
    sizes.message(1, typeof size === 'number' ? axis.integer(1, size) : axis.text(2, size));
  }
  const tensor = new WireWriter().integer(1, FLOAT).message(2, sizes);
  return new WireWriter().text(1, name).message(2, new WireWriter().message(1, tensor));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
