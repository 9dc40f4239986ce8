import type {Rng} from '../rng.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Bootstrap samples of n items: n draws with replacement each, (samples, n) indices. Sample r depends on the
 * generator's seed, n and r only, so that all that is computed from n items sees the same samples, whatever else is
 * computed.
 */
export function bootstrapSamples(rng: Rng, n: number, samples: number): Uint32Array {
  const draws = new Uint32Array(samples * n);
  const own = rng.fork('bootstrap').fork(n);
  for (let r = 0; r < samples; r++) {
    const stream = own.fork(r);
    for (let i = r * n; i < (r + 1) * n; i++) draws[i] = stream.integer(n);
  }
  return draws;
}

/**
 * Percentile interval of the mean of `values` (for paired values: of their differences) over bootstrap samples as from
 * `bootstrapSamples`. `confidence` is above 0 and below 1. Undefined for fewer than two values.
 */
export function bootstrapInterval(values: Float64Array, draws: Uint32Array, confidence: number): Interval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const means = new Float64Array(draws.length / n);
  for (let r = 0; r < means.length; r++) {
    let sum = 0;
    for (let i = r * n; i < (r + 1) * n; i++) sum += values[draws[i] as number] as number;
    means[r] = sum / n;
  }
  return percentileInterval(means, confidence);
}

/** Between the quantiles of what samples gave that leave out the same part at both ends. Undefined for no samples. */
export function percentileInterval(values: Float64Array, confidence: number): Interval | undefined {
  const sorted = values.toSorted();
  if (sorted.length === 0) return undefined;
  return {low: quantile(sorted, (1 - confidence) / 2), high: quantile(sorted, (1 + confidence) / 2)};
}

/** Random signs for n values: (samples, ceil(n / 32)) words of 32 bits, addressed as bootstrap samples are. */
export function signSamples(rng: Rng, n: number, samples: number): Uint32Array {
  const width = Math.ceil(n / 32);
  const words = new Uint32Array(samples * width);
  const own = rng.fork('signs').fork(n);
  for (let r = 0; r < samples; r++) {
    const stream = own.fork(r);
    for (let i = r * width; i < (r + 1) * width; i++) words[i] = stream.integer(2 ** 32);
  }
  return words;
}

/**
 * Two-sided p-value of the mean of paired differences under random signs, which asks for no distribution. All 2^n signs
 * up to 16 differences; beyond, those of `signs` as from `signSamples`, with one added for the data themselves, so that
 * it is never 0. Undefined when no pair differs.
 */
export function signFlipTest(differences: Float64Array, signs: Uint32Array): number | undefined {
  const n = differences.length;
  if (differences.every((d) => d === 0)) return undefined;
  const isExact = n <= MOST_ENUMERATED;
  const words = isExact ? Uint32Array.from({length: 2 ** n}, (_, i) => i) : signs;
  const width = Math.ceil(n / 32);
  const samples = words.length / width;
  let size = 0;
  let total = 0;
  for (const d of differences) {
    size += Math.abs(d);
    total += d;
  }
  // Sums of the same values in another order differ by rounding: those within it are equal.
  const limit = Math.abs(total) - size * ROUNDING;
  let reached = 0;
  for (let r = 0; r < samples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const isFlipped = ((words[r * width + (i >>> 5)] as number) >>> (i & 31)) & 1;
      sum += isFlipped === 1 ? -(differences[i] as number) : (differences[i] as number);
    }
    if (Math.abs(sum) >= limit) reached++;
  }
  return isExact ? reached / samples : (reached + 1) / (samples + 1);
}

const MOST_ENUMERATED = 16;
const ROUNDING = 1e-13;

/** Linear between sorted values, as NumPy's default. */
function quantile(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (place - below);
}
