import type {Tensor, Tensor2D, Tensor3D, Tensor4D} from '@tensorflow/tfjs-core';
import type {Engine} from '../tensors/engine.ts';
import {constant} from '../tensors/gradient.ts';
import {reshape} from '../tensors/layers.ts';
import type {NamedArray} from '../tensors/named-array.ts';
import type {ModelGraph} from './graph.ts';

/**
 * A value between two layers. The tensor holds its elements in C order, in any shape: layers that act on the last axis leave
 * a series as a matrix, so that it is not reshaped for each of them.
 */
export interface Value {
  /** Examples first. */
  readonly shape: readonly number[];
  readonly tensor: Tensor;
}

/** Values by name, as arrays with the examples on the first axis. */
export type Arrays = Readonly<Record<string, NamedArray>>;

export function asMatrix(engine: Engine, {shape, tensor}: Value): Tensor2D {
  const width = shape.at(-1) ?? 1;
  return shaped(engine, tensor, [tensor.size / width, width]) as Tensor2D;
}

export function asSeries(engine: Engine, {shape, tensor}: Value): Tensor3D {
  return shaped(engine, tensor, shape) as Tensor3D;
}

/** A mask (N, T). */
export function asMask(engine: Engine, {shape, tensor}: Value): Tensor2D {
  return shaped(engine, tensor, shape) as Tensor2D;
}

/** A mask (N, T) as a matrix (N T, 1): a value for each row of the series' matrix. */
export function asColumn(engine: Engine, {tensor}: Value): Tensor2D {
  return shaped(engine, tensor, [tensor.size, 1]) as Tensor2D;
}

export function asImage(engine: Engine, {shape, tensor}: Value): Tensor4D {
  return shaped(engine, tensor, shape) as Tensor4D;
}

/** Number of examples. Throws RangeError when arrays do not fit the graph's inputs or each other. */
export function rowsOf(graph: ModelGraph, arrays: Arrays): number {
  let rows: number | undefined;
  for (const {name, shape} of graph.inputs) {
    const array = arrays[name];
    if (array === undefined) throw new RangeError(`the model's input \`${name}\` is missing`);
    const [count = 0, ...example] = array.shape;
    const fits = example.length === shape.length && shape.every((size, i) => size === null || size === example[i]);
    if (!fits) throw new RangeError(`input \`${name}\` has shape [${array.shape.join(', ')}], which does not fit`);
    if (array.data.length !== array.shape.reduce((size, axis) => size * axis, 1)) {
      throw new RangeError(`input \`${name}\` has ${array.data.length} values for shape [${array.shape.join(', ')}]`);
    }
    if (rows !== undefined && rows !== count) throw new RangeError('the inputs have different numbers of examples');
    rows = count;
  }
  return rows ?? 0;
}

/** The inputs on the engine; nobody asks for their gradient. */
export function inputValues({inputs}: ModelGraph, engine: Engine, arrays: Arrays): ReadonlyMap<string, Value> {
  const {tf} = engine;
  return new Map(
    inputs.map(({name}) => {
      const {shape, data} = arrays[name] as NamedArray;
      return [name, {shape, tensor: constant(engine, tf.tensor(data, [...shape], 'float32'))}] as const;
    }),
  );
}

function shaped(engine: Engine, tensor: Tensor, shape: readonly number[]): Tensor {
  const fits = tensor.shape.length === shape.length && tensor.shape.every((size, i) => size === shape[i]);
  return fits ? tensor : reshape(engine, tensor, shape);
}
