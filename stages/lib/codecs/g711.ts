/** The 256 values of an A-law byte, full scale at 1: 13-bit samples as 16-bit ones / 2^15. Source: ITU-T G.711, table 1. */
export function aLawTable(): Float64Array {
  return Float64Array.from({length: 256}, (_, byte) => {
    const code = byte ^ 0x55;
    const exponent = (code >> 4) & 7;
    const mantissa = ((code & 15) << 4) + 8;
    const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
    return ((code & 0x80) === 0 ? -magnitude : magnitude) / 2 ** 15;
  });
}

/** The 256 values of a mu-law byte, full scale at 1: 14-bit samples as 16-bit ones / 2^15. Source: ITU-T G.711, table 2. */
export function muLawTable(): Float64Array {
  return Float64Array.from({length: 256}, (_, byte) => {
    const code = ~byte & 0xff;
    const magnitude = ((((code & 15) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
    return ((code & 0x80) === 0 ? magnitude : 0 - magnitude) / 2 ** 15;
  });
}

const BIAS = 0x84;
