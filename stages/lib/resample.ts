export type Resampler = 'resampy02' | 'sinc';

/**
 * Resamples by a windowed sinc (64 zero crossings, Kaiser window): floor(length * toRate / fromRate) samples, no padding at
 * the ends. `resampy02` does what resampy 0.2 does with `kaiser_best`, its table of 512 steps per crossing, linear
 * interpolation, truncated step and accumulated time included (440 Hz, 44.1 -> 16 kHz: error 2.7e-3). `sinc` evaluates the
 * same filter where it is needed.
 * Source: J. O. Smith, "Digital Audio Resampling"; resampy 0.2.
 */
export function resample(samples: Float64Array, fromRate: number, toRate: number, resampler: Resampler): Float64Array {
  if (fromRate === toRate) return samples;
  const common = gcd(fromRate, toRate);
  const step = fromRate / common;
  const phases = toRate / common;
  const filter = resampler === 'sinc' ? exactFilter(fromRate, toRate) : resampyFilter(fromRate, toRate);
  const output = new Float64Array(Math.floor((samples.length * phases) / step));
  const filterOf = filterBank(filter, phases, output.length);
  const increment = 1 / (toRate / fromRate);
  let time = 0;
  for (let t = 0; t < output.length; t++) {
    let center = Math.floor((t * step) / phases);
    let phase = (t * step) % phases;
    // The reference adds up its time, so a whole number may come out just below itself. Its filter is a little different
    // on the two sides, which shows in the fourth digit.
    if (resampler === 'resampy02' && phase === 0 && Math.floor(time) < center) {
      center--;
      phase = phases;
    }
    output[t] = apply(filterOf(phase), samples, center);
    time += increment;
  }
  return output;
}

/** Weights of the samples around a centre: `weights[i]` belongs to sample `center - before + i`. */
interface Taps {
  readonly before: number;
  readonly weights: Float64Array;
}

/** Taps for an output sample that lies `fraction`, 0 ... 1, of an input sample after the centre. */
type Filter = (fraction: number) => Taps;

/** kaiser_best of resampy 0.2. */
const CROSSINGS = 64;
const STEPS_PER_CROSSING = 512;
const BETA = 14.769656459379492;
const ROLL_OFF = 0.9475937167399596;
const WINDOW_PEAK = bessel0(BETA);
/** 32 MiB of weights. */
const LARGEST_BANK = 2 ** 22;

/** One half of the filter at u zero crossings from its middle: a sinc under a Kaiser window. 0 outside 0 ... 64. */
export function halfFilter(u: number): number {
  if (u > CROSSINGS) return 0;
  const x = Math.PI * ROLL_OFF * u;
  const sinc = u === 0 ? 1 : Math.sin(x) / x;
  return (ROLL_OFF * sinc * bessel0(BETA * Math.sqrt(1 - (u / CROSSINGS) ** 2))) / WINDOW_PEAK;
}

function exactFilter(fromRate: number, toRate: number): Filter {
  const scale = Math.min(1, toRate / fromRate);
  const reach = CROSSINGS / scale;
  return (fraction) => {
    const before = Math.floor(reach - fraction) + 1;
    const after = Math.floor(reach + fraction);
    const weights = new Float64Array(before + after + 1);
    for (let i = 0; i < weights.length; i++) {
      weights[i] = scale * halfFilter(scale * Math.abs(fraction + before - i));
    }
    return {before, weights};
  };
}

function resampyFilter(fromRate: number, toRate: number): Filter {
  const ratio = toRate / fromRate;
  const scale = Math.min(1, ratio);
  const table = new Float64Array(CROSSINGS * STEPS_PER_CROSSING + 1);
  for (let i = 0; i < table.length; i++) table[i] = scale * halfFilter(i / STEPS_PER_CROSSING);
  const step = Math.floor(scale * STEPS_PER_CROSSING);
  /** Weights of one wing, from the middle outwards. */
  const wing = (fraction: number): Float64Array => {
    const index = fraction * STEPS_PER_CROSSING;
    const offset = Math.floor(index);
    const eta = index - offset;
    const weights = new Float64Array(Math.floor((table.length - offset) / step));
    for (let i = 0; i < weights.length; i++) {
      const at = offset + i * step;
      const value = table[at] as number;
      weights[i] = value + eta * ((table[at + 1] ?? value) - value);
    }
    return weights;
  };
  return (fraction) => {
    const left = wing(scale * fraction);
    const right = wing(scale - scale * fraction);
    const weights = new Float64Array(left.length + right.length);
    weights.set(left.toReversed());
    weights.set(right, left.length);
    return {before: left.length - 1, weights};
  };
}

/** Computes each phase's taps once where that pays and fits, else each time. */
function filterBank(filter: Filter, phases: number, uses: number): (phase: number) => Taps {
  const pays = uses > phases && phases * filter(0).weights.length <= LARGEST_BANK;
  if (!pays) return (phase) => filter(phase / phases);
  const bank: (Taps | undefined)[] = Array.from({length: phases + 1});
  return (phase) => (bank[phase] ??= filter(phase / phases));
}

function apply({before, weights}: Taps, samples: Float64Array, center: number): number {
  const shift = center - before;
  const start = Math.max(0, -shift);
  const end = Math.min(weights.length, samples.length - shift);
  // Four sums at a time: one alone would wait for each addition before it starts the next.
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    const at = shift + i;
    sum0 += (weights[i] as number) * (samples[at] as number);
    sum1 += (weights[i + 1] as number) * (samples[at + 1] as number);
    sum2 += (weights[i + 2] as number) * (samples[at + 2] as number);
    sum3 += (weights[i + 3] as number) * (samples[at + 3] as number);
  }
  for (; i < end; i++) sum0 += (weights[i] as number) * (samples[shift + i] as number);
  return sum0 + sum1 + (sum2 + sum3);
}

/** Modified Bessel function of the first kind, order 0: sum of (x^2/4)^k / (k!)^2. All terms are positive. */
function bessel0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
