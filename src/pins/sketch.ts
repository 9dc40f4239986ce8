/** Products of a sketch. */
const sketchSize = 16;

/** Fixed for ever: the sketches in locks were made with it. */
const seed = 0x6d697864;

/**
 * Sums of the numbers with fixed signs, as many as `sketchSize`: what is needed to tell how far two long lists of numbers are
 * apart when only one of them is at hand.
 *
 * The sign of number i in sum j is bit j of a hash of i (the finalizer of MurmurHash3 over i and a fixed seed), +1 for 1 and
 * -1 for 0, so the signs are as good as independent Rademacher variables. For two lists with difference d, each difference of
 * sums is a sum of d with random signs, and its square has the mean ||d||² (Johnson and Lindenstrauss, 1984; Achlioptas,
 * 2003; Alon, Matias and Szegedy, 1996).
 */
export class Sketch {
  readonly #sums = new Float64Array(sketchSize);
  #count = 0;

  /** How many numbers were added. */
  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    const bits = signBits(this.#count++);
    if (value === 0) return;
    const sums = this.#sums;
    for (let j = 0; j < sketchSize; j++) sums[j]! += ((bits >>> j) & 1) === 1 ? value : -value;
  }

  sums(): readonly number[] {
    return [...this.#sums];
  }
}

/**
 * Estimate of the root mean square of a list, or of the difference of two, from its sums.
 *
 * Its square is unbiased, with a relative standard error of sqrt(2 / 16) = 35 % at most. So the estimate itself lies between
 * 0.6 and 1.4 times the truth for 98 of 100 differences, and between 0.5 and 1.6 times for 998 of 1000; when a single number
 * differs it is exact.
 *
 * @param count - how many numbers there are
 */
export function rootMeanSquare(sums: readonly number[], count: number): number {
  if (count === 0 || sums.length === 0) return 0;
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  return Math.sqrt(squares / sums.length / count);
}

function signBits(index: number): number {
  let low = (index >>> 0) ^ seed;
  // Beyond 2^32 numbers the upper part of the index moves the seed.
  if (index > 0xffffffff) low ^= mix(Math.floor(index / 2 ** 32));
  return mix(low);
}

/** Finalizer of MurmurHash3 (Appleby, public domain): a bijection of 32 bits that changes half of them with each one. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
