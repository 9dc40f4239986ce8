/**
 * CRC-32C (Castagnoli) of `bytes`, 0 ... 2^32-1, eight bytes a step: each of eight tables says what one byte does to the
 * checksum once the other seven have passed. Sources: RFC 3720, appendix B.4 (vectors); Kounavis and Berry 2005,
 * "A systematic approach to building high performance, software-based, CRC generators" (slicing by 8).
 */
export function crc32c(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slices = bytes.length - (bytes.length % 8);
  let crc = -1;
  let i = 0;
  for (; i < slices; i += 8) {
    const low = crc ^ view.getInt32(i, true);
    const high = view.getInt32(i + 4, true);
    crc =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, high) ^
      entry(2, high >>> 8) ^
      entry(1, high >>> 16) ^
      entry(0, high >>> 24);
  }
  for (; i < bytes.length; i++) crc = entry(0, crc ^ view.getUint8(i)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum as TFRecord files and checkpoints store it: rotated and shifted, because a checksum over data with its own is degenerate. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const POLYNOMIAL = 0x82f63b78;
const TABLES = makeTables();

/** Table `after`: what a byte does to the checksum when `after` more bytes, all zero, follow it. */
function entry(after: number, byte: number): number {
  return TABLES[after * 256 + (byte & 255)] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 255] as number);
  }
  return tables;
}
