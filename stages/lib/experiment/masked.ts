import {vectorsLike, type Vectors} from './vectors.ts';

/**
 * All values of a masked vector: what a model takes for 0. A byte q counts as (q - 128) / 128, so it is 128. A model with a
 * mask leaves out vectors whose values are all 0, as Keras does behind Masking(0).
 */
export function maskedValue(data: Vectors): number {
  return data instanceof Uint8Array ? MASKED_BYTE : 0;
}

/**
 * Makes sure that no vector of the clip (n, width) counts as masked: one that does gets another last value, 129 for bytes,
 * 1e-20 else.
 *
 * Moved rather than refused, because nothing is wrong with the clip: a vector in the middle of the quantisation's scale (or
 * of zeros, as a network that ends in a ReLU makes it of silence) is a sound like others, and it must count as one, or the
 * clip would be shorter than it is, and one of silence without a vector at all. A byte more is the smallest change that there
 * is, 1/64 of the standard deviation of one whitened component; leaving the vector out would have cost all of it. 1e-20 is
 * lost as soon as anything is added to it.
 */
export function markReal(data: Vectors, width: number): Vectors {
  const masked = maskedValue(data);
  let moved: Vectors | undefined;
  for (let start = 0; start < data.length; start += width) {
    if (!data.subarray(start, start + width).every((value) => value === masked)) continue;
    if (moved === undefined) {
      moved = vectorsLike(data, data.length);
      moved.set(data);
    }
    moved[start + width - 1] = data instanceof Uint8Array ? MASKED_BYTE + 1 : 1e-20;
  }
  return moved ?? data;
}

const MASKED_BYTE = 128;
