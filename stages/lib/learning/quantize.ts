/**
 * Values to bytes: clipped to -2 ... 2, mapped to 0 ... 255 and truncated, not rounded. Values must not be NaN.
 * Source: VGGish, vggish_postprocess.py.
 */
export function quantize(z: Float64Array): Uint8Array {
  return Uint8Array.from(z, (value) => Math.floor((Math.min(2, Math.max(-2, value)) + 2) * STEPS_PER_UNIT));
}

/**
 * What a byte stands for.
 *
 * - `unit`: (q - 128) / 128, in -1 ... 0.992; what the classifiers are trained on (Kong et al. 2018, and the reference).
 * - `whitened`: q * 4 / 255 - 2 + 4 / 512, in -1.992 ... 2.008: back in the units of the PCA, near the middle of the values
 *   that give q, so that `quantize` gives q again. Source: YouTube-8M, utils.Dequantize.
 */
export type DequantizationRule = 'unit' | 'whitened';

/** The value of each byte 0 ... 255. */
export function dequantizationTable(rule: DequantizationRule): Float64Array {
  return Float64Array.from({length: 256}, (_, q) => (rule === 'unit' ? (q - 128) / 128 : (q * 4) / 255 - 2 + 4 / 512));
}

/** The values of bytes, rounded to float32. */
export function dequantize(bytes: Uint8Array, rule: DequantizationRule): Float32Array {
  const table = dequantizationTable(rule);
  return Float32Array.from(bytes, (q) => table[q] as number);
}

/** 255 / 4. */
const STEPS_PER_UNIT = 63.75;
