import type {NamedArray} from '../tensors/named-array.ts';
import type {OnnxArray, OnnxAttribute, OnnxNode} from './encode.ts';

/** Nodes and initialisers of an ONNX graph in the making. */
export interface GraphBuilder {
  readonly nodes: readonly OnnxNode[];
  readonly initialisers: ReadonlyMap<string, OnnxArray>;
  /** Adds a node and returns the name of its last output. An output without a name is not computed. */
  node(
    op: string,
    inputs: readonly string[],
    output: string | readonly [...string[], string],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
  ): string;
  /** Adds an initialiser and returns its name. */
  array(name: string, array: NamedArray): string;
  /** A single float32, which nodes share. */
  scalar(value: number): string;
  /** A single integer, which nodes share. */
  integer(value: number): string;
  /** Integers, as some operators take their axes; nodes share them. */
  integers(values: readonly number[]): string;
}

/** An empty graph. */
export function graphBuilder(): GraphBuilder {
  const nodes: OnnxNode[] = [];
  const initialisers = new Map<string, OnnxArray>();
  const add = (name: string, array: OnnxArray): string => {
    initialisers.set(name, array);
    return name;
  };
  return {
    nodes,
    initialisers,
    node(op, inputs, output, attributes) {
      const outputs = typeof output === 'string' ? [output] : output;
      const name = outputs.at(-1) as string;
      nodes.push({op, inputs, outputs, name, ...(attributes === undefined ? {} : {attributes})});
      return name;
    },
    array: add,
    scalar: (value) => add(`float:${value}`, {shape: [], data: Float32Array.of(value)}),
    integer: (value) => add(`integer:${value}`, {shape: [], data: BigInt64Array.of(BigInt(value))}),
    integers: (values) =>
      add(`integers:${values.join()}`, {shape: [values.length], data: BigInt64Array.from(values, BigInt)}),
  };
}
