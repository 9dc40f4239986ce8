import {vectorsLike, type Vectors} from './vectors.ts';

/**
 * Vectors that tell of their surroundings too: for each of `scales`, in their order, the mean over that many consecutive
 * vectors around each one. A window of s vectors begins (s - 1) / 2 before the vector, rounded down, so that an even one
 * has one more after than before; what of it lies outside the clip does not count. A scale of 1 is the vector itself.
 *
 * Means of bytes are rounded to the nearest byte, halves up: what bytes stand for is a line, so that the mean of bytes is the
 * byte of the mean, whatever rule they are read by, and half a step is all that is lost.
 *
 * @param data - (n, width), of one clip
 * @returns (n, width times the number of scales)
 */
export function multiScale(data: Vectors, width: number, scales: readonly number[]): Vectors {
  if (scales.length === 1 && scales[0] === 1) return data;
  const count = data.length / width;
  const result = vectorsLike(data, data.length * scales.length);
  for (let v = 0; v < count; v++) {
    for (const [i, scale] of scales.entries()) {
      const before = Math.floor((scale - 1) / 2);
      const start = Math.max(0, v - before);
      const end = Math.min(count, v - before + scale);
      const to = (v * scales.length + i) * width;
      for (let k = 0; k < width; k++) {
        let sum = 0;
        for (let from = start; from < end; from++) sum += data[from * width + k] as number;
        const mean = sum / (end - start);
        result[to + k] = data instanceof Uint8Array ? Math.floor(mean + 0.5) : mean;
      }
    }
  }
  return result;
}
