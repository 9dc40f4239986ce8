import type {Extent} from './slices.ts';

/**
 * The key under which TensorFlow stores a part of a tensor, as latin1 text: 0, the name, the number of axes, and start and
 * length of each axis, in a code whose bytes sort as the values do. An axis taken whole has start 0 and length -1. Sources:
 * tensorflow/core/util/saved_tensor_slice_util.cc, tensorflow/core/lib/strings/ordered_code.cc.
 */
export function sliceKey(name: string, extents: readonly Extent[]): string {
  const axes = extents.map((extent) =>
    extent === 'all' ? signed(0) + signed(-1) : signed(extent.start) + signed(extent.length),
  );
  return unsigned(0) + text(name) + unsigned(extents.length) + axes.join('');
}

/** UTF-8 with 0 and 255 escaped, and an end mark. */
function text(value: string): string {
  const escaped = Buffer.from(value)
    .toString('latin1')
    .replace(/[\0\xff]/g, (byte) => (byte === '\0' ? '\0\xff' : '\xff\0'));
  return `${escaped}\0\x01`;
}

/** The number of bytes, then the bytes, the highest first, without leading zeros. */
function unsigned(value: number): string {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return String.fromCharCode(bytes.length, ...bytes);
}

/**
 * Two's complement, the highest byte first. The first bits are as many as there are bytes, ones for 0 and above, zeros below,
 * and seven bits a byte are left for the value and its sign.
 */
function signed(value: number): string {
  const number = BigInt(value);
  const magnitude = number < 0n ? ~number : number;
  let count = 1;
  while (magnitude >= 1n << BigInt(7 * count - 1)) count++;
  const bits = BigInt(8 * count);
  // `count` ones at the top: flips the sign bits of a number of at least 0 to ones, and those of a negative one to zeros.
  const header = ((1n << BigInt(count)) - 1n) << (bits - BigInt(count));
  let rest = BigInt.asUintN(8 * count, number) ^ header;
  const bytes: number[] = [];
  for (; bytes.length < count; rest >>= 8n) bytes.unshift(Number(rest & 255n));
  return String.fromCharCode(...bytes);
}
