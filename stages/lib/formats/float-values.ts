/** Types of floating-point numbers, as safetensors calls them: IEEE 754 of 16, 32 and 64 bits, and bfloat16. */
export type FloatType = 'F16' | 'BF16' | 'F32' | 'F64';

/** Bytes of a number. */
export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = {F16: 2, BF16: 2, F32: 4, F64: 8};

/**
 * Numbers, little endian, as float32: F16 and BF16 exactly, F64 rounded to the nearest. The result of F32 lies in the buffer
 * of `bytes`, and what stands in that buffer before them may be written over: the buffer must be the caller's own.
 */
export function toFloat32(type: FloatType, bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const size = bytes.length / FLOAT_BYTES[type];
  if (!Number.isInteger(size)) throw new RangeError(`${bytes.length} bytes are no whole number of ${type}`);
  if (type === 'F32') return alignedView(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(size);
  if (type === 'F64') for (let i = 0; i < size; i++) values[i] = view.getFloat64(8 * i, true);
  else if (type === 'F16') for (let i = 0; i < size; i++) values[i] = halfValue(view.getUint16(2 * i, true));
  else {
    const words = new Uint32Array(values.buffer);
    // The upper half of a float32.
    for (let i = 0; i < size; i++) words[i] = view.getUint16(2 * i, true) << 16;
  }
  return values;
}

/** The number that the 16 bits of an IEEE 754 binary16 stand for: sign, five bits of exponent, ten of fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** A float32 view must start at a multiple of 4 of its buffer; moving the bytes there needs no second buffer. */
function alignedView(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const start = bytes.byteOffset - (bytes.byteOffset % 4);
  if (start !== bytes.byteOffset) {
    new Uint8Array(bytes.buffer).copyWithin(start, bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
  return new Float32Array(bytes.buffer, start, bytes.length / 4);
}
