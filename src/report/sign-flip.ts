import {twoSidedNormal} from './normal.ts';

/**
 * Two-sided p-value of the sum (so of the mean) of paired differences under random signs: how many of the 2^n ways to
 * choose their signs give a sum at least as far from 0. Assumes only that, were there no effect, each difference could as
 * well have had the other sign. Exact up to 32 differences, by sorting the sums of two halves; beyond, from the normal
 * distribution with the variance that random signs have, the sum of squares.
 *
 * @returns 1 when nothing differs, and for no differences
 */
export function signFlipP(differences: readonly number[]): number {
  const total = differences.reduce((sum, each) => sum + each, 0);
  const size = differences.reduce((sum, each) => sum + Math.abs(each), 0);
  // Sums of the same values in another order differ by rounding: those within it are equal.
  const limit = Math.abs(total) - size * 1e-13;
  if (limit <= 0) return 1;
  if (differences.length > mostExact) {
    const squares = differences.reduce((sum, each) => sum + each * each, 0);
    return twoSidedNormal(Math.abs(total) / Math.sqrt(squares));
  }
  const half = differences.length >> 1;
  const left = signedSums(differences.slice(0, half));
  const right = signedSums(differences.slice(half));
  let reached = 0;
  let from = right.length;
  // As the one sum grows, ever smaller other ones reach the limit with it.
  for (const sum of left) {
    while (from > 0 && sum + right[from - 1]! >= limit) from--;
    reached += right.length - from;
  }
  // Every sum has its mirror image.
  return Math.min(1, (2 * reached) / (left.length * right.length));
}

const mostExact = 32;

/** The sums of the values under all choices of signs, smallest first. */
function signedSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(2 ** values.length);
  values.forEach((value, index) => {
    const known = 2 ** index;
    for (let at = 0; at < known; at++) {
      sums[at + known] = sums[at]! + value;
      sums[at]! -= value;
    }
  });
  return sums.sort();
}
