import {FLOAT_BYTES, toFloat32, type FloatType} from '../formats/float-values.ts';
import type {WireReader} from '../formats/wire-reader.ts';
import type {NamedArray} from '../tensors/named-array.ts';

/** An initialiser; without an array when its values are no floating-point numbers. */
export interface ReadTensor {
  readonly name: string;
  /** Number of the type in onnx.proto. */
  readonly type: number;
  readonly array: NamedArray | undefined;
}

type Fail = (message: string, hint?: string) => Error;

/**
 * Reads the TensorProto that the reader's field holds. float32 is taken as it is, float64, float16 and bfloat16 are
 * converted. Throws what `fail` makes of a message when the values lie in another file or do not fit the shape.
 */
export function readTensor(reader: WireReader, fail: Fail): ReadTensor {
  const shape: number[] = [];
  const packed: Uint8Array[] = [];
  const single: number[] = [];
  let [name, type, external] = ['', 0, false];
  let raw: Uint8Array | undefined;
  const outer = reader.enter('an initialiser');
  while (reader.next()) {
    const what = `initialiser \`${name}\``;
    if (reader.field === 1) reader.integers(shape, what);
    else if (reader.field === 2) type = reader.integer(what);
    else if (reader.field === 8) name = reader.text('the name of an initialiser');
    else if (reader.field === 9) raw = reader.take(what);
    else if (reader.field === 14) external = reader.integer(what) === EXTERNAL;
    else if (reader.field === FLOAT_DATA && reader.wire === BYTES) packed.push(reader.take(what));
    else if (reader.field === FLOAT_DATA) reader.floats(single, what);
    else reader.skip();
  }
  reader.leave(outer);
  if (external) {
    throw fail(
      `the values of initialiser \`${name}\` lie in another file`,
      'save the model with its weights inside (onnx.save_model with save_as_external_data=False)',
    );
  }
  const format = FORMATS.get(type);
  if (format === undefined) return {name, type, array: undefined};
  const size = sizeOf(shape);
  if (size === undefined) throw fail(`initialiser \`${name}\` has shape [${shape.join(', ')}]`);
  const values = raw ?? (type === FLOAT ? joined(packed, single) : undefined);
  if (values === undefined) throw fail(`the values of initialiser \`${name}\` are not in raw_data`);
  const wanted = size * FLOAT_BYTES[format];
  if (values.length !== wanted) {
    throw fail(`initialiser \`${name}\` has ${values.length} bytes; its shape [${shape.join(', ')}] needs ${wanted}`);
  }
  return {name, type, array: {shape, data: toFloat32(format, new Uint8Array(values))}};
}

const EXTERNAL = 1;
const FLOAT = 1;
const FLOAT_DATA = 4;
const BYTES = 2;

const FORMATS: ReadonlyMap<number, FloatType> = new Map([
  [FLOAT, 'F32'],
  [10, 'F16'],
  [11, 'F64'],
  [16, 'BF16'],
]);

/** Undefined when an axis is negative or the product no exact number. */
function sizeOf(shape: readonly number[]): number | undefined {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return shape.every((axis) => axis >= 0) && Number.isSafeInteger(size) ? size : undefined;
}

/** The values of float_data, packed or one by one, as little-endian bytes. */
function joined(packed: readonly Uint8Array[], single: readonly number[]): Uint8Array {
  return Buffer.concat([...packed, new Uint8Array(Float32Array.from(single).buffer)]);
}
