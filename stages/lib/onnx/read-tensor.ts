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
  const decode = DECODERS.get(type);
  if (decode === undefined) return {name, type, array: undefined};
  const size = sizeOf(shape);
  if (size === undefined) throw fail(`initialiser \`${name}\` has shape [${shape.join(', ')}]`);
  const values = raw ?? (type === FLOAT ? joined(packed, single) : undefined);
  if (values === undefined) throw fail(`the values of initialiser \`${name}\` are not in raw_data`);
  if (values.length !== size * decode.bytes) {
    throw fail(
      `initialiser \`${name}\` has ${values.length} bytes; its shape [${shape.join(', ')}] needs ${size * decode.bytes}`,
    );
  }
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  const data = new Float32Array(size);
  if (type === FLOAT) new Uint8Array(data.buffer).set(values);
  else for (let i = 0; i < size; i++) data[i] = decode.at(view, i * decode.bytes);
  return {name, type, array: {shape, data}};
}

const EXTERNAL = 1;
const FLOAT = 1;
const FLOAT_DATA = 4;
const BYTES = 2;

interface Decoder {
  readonly bytes: number;
  at(view: DataView, offset: number): number;
}

const DECODERS: ReadonlyMap<number, Decoder> = new Map([
  [FLOAT, {bytes: 4, at: (view, offset) => view.getFloat32(offset, true)}],
  [10, {bytes: 2, at: (view, offset) => halfToNumber(view.getUint16(offset, true))}],
  [11, {bytes: 8, at: (view, offset) => view.getFloat64(offset, true)}],
  [16, {bytes: 2, at: (view, offset) => bfloatToNumber(view, offset)}],
]);

/** Sign, five bits of exponent, ten of fraction (IEEE 754 binary16). */
function halfToNumber(bits: number): number {
  const sign = bits >>> 15 === 1 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** The upper half of a float32. */
function bfloatToNumber(view: DataView, offset: number): number {
  const whole = new DataView(new ArrayBuffer(4));
  whole.setUint32(0, view.getUint16(offset, true) * 2 ** 16);
  return whole.getFloat32(0);
}

/** Undefined when an axis is negative or the product no exact number. */
function sizeOf(shape: readonly number[]): number | undefined {
  const size = shape.reduce((product, axis) => product * axis, 1);
  return shape.every((axis) => axis >= 0) && Number.isSafeInteger(size) ? size : undefined;
}

/** The values of float_data, packed or one by one, as little-endian bytes. */
function joined(packed: readonly Uint8Array[], single: readonly number[]): Uint8Array {
  return Buffer.concat([...packed, new Uint8Array(Float32Array.from(single).buffer)]);
}
