/** Recomputes the checksum of every page of an Ogg file, in place, so that a change to its content is not noticed. */
export function reseal(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = 0; start < bytes.length;) {
    const segments = bytes[start + 26]!;
    const body = bytes.subarray(start + 27, start + 27 + segments).reduce((sum, size) => sum + size, 0);
    const end = start + 27 + segments + body;
    view.setUint32(start + 22, 0);
    view.setUint32(start + 22, crc(bytes.subarray(start, end)), true);
    start = end;
  }
  return bytes;
}

/** RFC 3533, section 6, bit by bit. */
function crc(bytes: Uint8Array): number {
  let register = 0;
  for (const byte of bytes) {
    register ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) register = register < 0 ? (register << 1) ^ 0x04c11db7 : register << 1;
  }
  return register >>> 0;
}
