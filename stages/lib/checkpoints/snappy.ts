/**
 * Unpacks a Snappy block; undefined for damaged data. The size that the data claims is believed only as far as so many bytes
 * can hold it: an element of 3 bytes makes at most 64. Source: format_description.txt of google/snappy.
 */
export function unpackSnappy(packed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const length = readLength(packed);
  if (length === undefined || length.value > packed.length * MOST_FOLD) return undefined;
  const out = new Uint8Array(length.value);
  let to = 0;
  for (let at = length.end; at < packed.length;) {
    const tag = packed[at++] as number;
    const extra = tag & 3 ? [1, 2, 4][(tag & 3) - 1] : (tag >>> 2) - 59;
    const word = littleEndian(packed, at, Math.max(0, extra ?? 0));
    if (word === undefined) return undefined;
    at += Math.max(0, extra ?? 0);
    if ((tag & 3) === 0) {
      const size = (tag >>> 2 < 60 ? tag >>> 2 : word) + 1;
      if (size > packed.length - at || size > out.length - to) return undefined;
      out.set(packed.subarray(at, at + size), to);
      at += size;
      to += size;
      continue;
    }
    const size = (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = (tag & 3) === 1 ? (tag >>> 5) * 256 + word : word;
    if (back === 0 || back > to || size > out.length - to) return undefined;
    // Byte by byte: a copy may read what it writes.
    for (const end = to + size; to < end; to++) out[to] = out[to - back] as number;
  }
  return to === out.length ? out : undefined;
}

const MOST_FOLD = 22;

/** A varint of at most 32 bits at the start. */
function readLength(packed: Uint8Array): {readonly value: number; readonly end: number} | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = packed[i];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return value < 2 ** 32 ? {value, end: i + 1} : undefined;
  }
  return undefined;
}

/** 0 for no bytes. */
function littleEndian(bytes: Uint8Array, at: number, count: number): number | undefined {
  if (count > bytes.length - at) return undefined;
  let value = 0;
  for (let i = 0; i < count; i++) value += (bytes[at + i] as number) * 2 ** (8 * i);
  return value;
}
