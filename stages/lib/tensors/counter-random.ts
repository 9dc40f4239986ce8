/**
 * Random numbers addressed by (stream, index), for initialisers and dropout masks: the values do not depend on the order
 * of the calls, and a value costs a few nanoseconds. For shuffles and draws use ../rng.ts, whose quality is higher.
 */
export interface CounterStream {
  readonly key0: number;
  readonly key1: number;
}

/** A stream for a seed and a name, for instance of a tensor. FNV-1a over the name, then two rounds of mixing. */
export function counterStream(seed: number, name: string): CounterStream {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  const key0 = mix(mix(seed ^ 0x5bd1e995) + hash);
  return {key0, key1: mix(key0 ^ mix(hash + 0x9e3779b9))};
}

/** The 32-bit word at `index`, 0 ... 2^32-1. Two keyed rounds of Wellons' lowbias32. */
export function counterWord({key0, key1}: CounterStream, index: number): number {
  return mix(mix(Math.imul(index, 0x9e3779b9) + key0) ^ key1) >>> 0;
}

/** (0, 1), both ends excluded. */
export function counterUniform(stream: CounterStream, index: number): number {
  return (counterWord(stream, index) + 0.5) / 2 ** 32;
}

/**
 * Inverted dropout: `out[i]` is 0 with probability `rate`, else 1 / (1 - rate). `rate` is 0 ... 1, both excluded.
 */
export function fillDropoutMask(out: Float32Array, rate: number, stream: CounterStream): void {
  const {key0, key1} = stream;
  // Signed words shifted by 2^31: comparing them stays in 32-bit integers.
  const threshold = Math.round((rate - 0.5) * 2 ** 32) | 0;
  const keep = 1 / (1 - rate);
  for (let i = 0; i < out.length; i++) {
    out[i] = mix(mix(Math.imul(i, 0x9e3779b9) + key0) ^ key1) >= threshold ? keep : 0;
  }
}

/** Uniform in [-limit, limit) with limit = sqrt(6 / (fanIn + fanOut)): Glorot and Bengio 2010. */
export function glorotUniform(size: number, fanIn: number, fanOut: number, stream: CounterStream): Float32Array {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return Float32Array.from({length: size}, (_, i) => (2 * counterUniform(stream, i) - 1) * limit);
}

function mix(word: number): number {
  let z = word | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}
