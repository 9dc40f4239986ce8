/** x^8 + x^2 + x + 1: the header of a FLAC frame. Source: RFC 9639, section 9.1.8. */
export const CRC_8 = crcTable(8, 0x07);
/** x^16 + x^15 + x^2 + 1: a FLAC frame. Source: RFC 9639, section 9.3. */
export const CRC_16 = crcTable(16, 0x8005);
/** The polynomial of Ethernet, not reflected, start and end 0: an Ogg page. Source: RFC 3533, section 6. */
export const CRC_32 = crcTable(32, 0x04c11db7);

/** CRC of each byte value. `bits` 8, 16 or 32; the polynomial without its highest term, most significant bit first. */
function crcTable(bits: 8 | 16 | 32, polynomial: number): Uint32Array {
  const top = 2 ** (bits - 1);
  const mask = 2 ** bits - 1;
  return Uint32Array.from({length: 256}, (_, byte) => {
    let crc = (byte << (bits - 8)) >>> 0;
    for (let i = 0; i < 8; i++) crc = ((crc & top) === 0 ? crc << 1 : (crc << 1) ^ polynomial) >>> 0;
    return (crc & mask) >>> 0;
  });
}
