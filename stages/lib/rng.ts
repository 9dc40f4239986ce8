import {createHash} from 'node:crypto';

/** A stream of random numbers. Streams of different seeds or labels are independent of each other's use. */
export interface Rng {
  /** [0, 1), 53 bits. */
  uniform(): number;
  /** 0 ... below-1, each equally likely. `below` is 1 ... 2^32. */
  integer(below: number): number;
  /** Mean 0, variance 1. */
  normal(): number;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
  /** A stream that depends on this stream's seed and the label only, not on how much was drawn from this one. */
  fork(label: string | number): Rng;
}

/**
 * A counter-based generator: block n of a stream is Philox4x32-10 of the counter n under the stream's key.
 * `seed` is a whole number, 0 ... 2^53-1.
 */
export function createRng(seed: number): Rng {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`a seed is a whole number from 0, not ${seed}`);
  return stream(seed >>> 0, Math.floor(seed / 2 ** 32));
}

/**
 * One block of Philox4x32-10: four 32-bit words from a counter of four and a key of two.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export function philox4x32(counter: Words, key0: number, key1: number): Words {
  let [a, b, c, d] = counter;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const highA = multiplyHigh(a, MULTIPLIER_A);
    const lowA = Math.imul(a, MULTIPLIER_A);
    const highC = multiplyHigh(c, MULTIPLIER_C);
    const lowC = Math.imul(c, MULTIPLIER_C);
    a = (highC ^ b ^ k0) >>> 0;
    b = lowC >>> 0;
    c = (highA ^ d ^ k1) >>> 0;
    d = lowA >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [a, b, c, d];
}

export type Words = readonly [number, number, number, number];

const MULTIPLIER_A = 0xd2511f53;
const MULTIPLIER_C = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

function stream(key0: number, key1: number): Rng {
  let block = 0;
  let words: Words = [0, 0, 0, 0];
  let used = 4;
  let spare: number | undefined;

  function word(): number {
    if (used === 4) {
      words = philox4x32([block >>> 0, Math.floor(block / 2 ** 32), 0, 0], key0, key1);
      block++;
      used = 0;
    }
    return words[used++] as number;
  }

  function uniform(): number {
    return ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  }

  function integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) {
      throw new RangeError(`cannot draw a whole number below ${below}`);
    }
    // Words above the largest multiple of `below` would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % below);
    for (;;) {
      const value = word();
      if (value < limit) return value % below;
    }
  }

  /** Marsaglia's polar method. */
  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  }

  function shuffle<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let i = result.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  function fork(label: string | number): Rng {
    const text = JSON.stringify(['stream/1', key0, key1, label]);
    const digest = createHash('sha256').update(text).digest();
    return stream(digest.readUInt32LE(0), digest.readUInt32LE(4));
  }

  return {uniform, integer, normal, shuffle, fork};
}

/** Upper 32 bits of the product of two 32-bit words, by 16-bit halves: the whole product exceeds 53 bits. */
function multiplyHigh(x: number, y: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const yLow = y & 0xffff;
  const yHigh = y >>> 16;
  const low = xLow * yLow;
  const middle = xHigh * yLow + (low >>> 16);
  const middleLow = (middle & 0xffff) + xLow * yHigh;
  return (xHigh * yHigh + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000)) >>> 0;
}
