import type {Rng} from '../rng.ts';

/**
 * How often each clip is in each bootstrap sample. The numbers of several samples share a float64, as digits to `base`: a sum
 * over clips adds all of them at once, and stays exact, because a sample has `clips` draws in all, which is below the base.
 * The words of a clip lie side by side, WORDS in a block, so that they are one line of the processor's cache.
 */
export interface PackedSamples {
  readonly clips: number;
  readonly resamples: number;
  /** Samples in a word. */
  readonly lanes: number;
  readonly base: number;
  /** Each (clips, WORDS); sample r is digit r % lanes of word floor(r / lanes). */
  readonly blocks: readonly Float64Array[];
}

export const WORDS = 8;

/** `clips` is 1 ... 2^26. */
export function packSamples(rng: Rng, clips: number, resamples: number): PackedSamples {
  const bits = Math.ceil(Math.log2(clips + 1));
  const lanes = Math.max(1, Math.floor(53 / bits));
  const base = 2 ** bits;
  const blocks = Array.from({length: Math.ceil(resamples / (lanes * WORDS))}, () => new Float64Array(clips * WORDS));
  const own = rng.fork('clips').fork(clips);
  for (let sample = 0; sample < resamples; sample++) {
    const stream = own.fork(sample);
    const word = Math.floor(sample / lanes);
    const block = blocks[Math.floor(word / WORDS)] as Float64Array;
    const unit = base ** (sample % lanes);
    for (let draw = 0; draw < clips; draw++) {
      const place = stream.integer(clips) * WORDS + (word % WORDS);
      block[place] = (block[place] as number) + unit;
    }
  }
  return {clips, resamples, lanes, base, blocks};
}

/** The sums over the clips `order[from]` to `order[end - 1]`, to the WORDS values of `sums` from `place`. */
export function sumWords(
  block: Float64Array,
  order: Int32Array,
  [from, end]: readonly [number, number],
  sums: Float64Array,
  place: number,
): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  for (let i = from; i < end; i++) {
    const at = (order[i] as number) * WORDS;
    a += block[at] as number;
    b += block[at + 1] as number;
    c += block[at + 2] as number;
    d += block[at + 3] as number;
    e += block[at + 4] as number;
    f += block[at + 5] as number;
    g += block[at + 6] as number;
    h += block[at + 7] as number;
  }
  sums[place] = a;
  sums[place + 1] = b;
  sums[place + 2] = c;
  sums[place + 3] = d;
  sums[place + 4] = e;
  sums[place + 5] = f;
  sums[place + 6] = g;
  sums[place + 7] = h;
}

/** The digit of a word whose place has the value `unit`. */
export function laneOf(word: number, unit: number, base: number): number {
  return Math.floor(word / unit) % base;
}
