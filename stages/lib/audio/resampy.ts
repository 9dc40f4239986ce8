import type {Taps} from './resample-taps.ts';

/** kaiser_best of resampy 0.2. */
const CROSSINGS = 64;
const STEPS_PER_CROSSING = 512;
const BETA = 14.769656459379492;
const ROLL_OFF = 0.9475937167399596;
const WINDOW_PEAK = bessel0(BETA);
const TABLE_LENGTH = CROSSINGS * STEPS_PER_CROSSING + 1;

/**
 * What resampy 0.2 does with `kaiser_best`: 64 zero crossings of a sinc under a Kaiser window, from a table of 512 steps a
 * crossing with linear interpolation, truncated step and accumulated time included (440 Hz, 44.1 -> 16 kHz: error 2.7e-3).
 * The ratio is phases / step in lowest terms; `increment` is the time that the reference adds for each of `length` samples.
 * Source: J. O. Smith, "Digital Audio Resampling"; resampy 0.2.
 */
export function resampyTaps(phases: number, step: number, increment: number, length: number): Taps {
  const scale = Math.min(1, phases / step);
  // Both wings are longest where they start at the table's start.
  const longest = Math.floor((TABLE_LENGTH - 1) / stepOf(scale)) + 1;
  const early = earlySamples(phases, step, increment, length);
  let table: Float64Array | undefined;
  return {
    key: `resampy02 ${phases}/${step}`,
    phases,
    step,
    taps: 4 * Math.ceil(longest / 2),
    before: longest - 1,
    assign: (row, target) => {
      table ??= tableOf(scale);
      const fraction = scale * (row / phases);
      const left = wing(table, scale, fraction);
      target.fill(0);
      target.set(left.toReversed(), longest - left.length);
      target.set(wing(table, scale, scale - fraction), longest);
    },
    early,
  };
}

/** One half of the filter at u zero crossings from its middle: a sinc under a Kaiser window. 0 outside 0 ... 64. */
export function halfFilter(u: number): number {
  if (u > CROSSINGS) return 0;
  const x = Math.PI * ROLL_OFF * u;
  const sinc = u === 0 ? 1 : Math.sin(x) / x;
  return (ROLL_OFF * sinc * bessel0(BETA * Math.sqrt(1 - (u / CROSSINGS) ** 2))) / WINDOW_PEAK;
}

/**
 * 1 for each sample that the reference counts to the input sample before its own: it adds up its time, so a whole number may
 * come out just below itself. Its filter is a little different on the two sides, which shows in the fourth digit.
 */
function earlySamples(phases: number, step: number, increment: number, length: number): Uint8Array {
  const early = new Uint8Array(length);
  let time = 0;
  for (let t = 0; t < length; t++) {
    if ((t * step) % phases === 0 && Math.floor(time) < (t * step) / phases) early[t] = 1;
    time += increment;
  }
  return early;
}

function tableOf(scale: number): Float64Array {
  return Float64Array.from({length: TABLE_LENGTH}, (_, i) => scale * halfFilter(i / STEPS_PER_CROSSING));
}

const stepOf = (scale: number): number => Math.floor(scale * STEPS_PER_CROSSING);

/** Weights of one wing, from the middle outwards, for an output sample that lies `fraction` samples of the lower rate off. */
function wing(table: Float64Array, scale: number, fraction: number): Float64Array {
  const step = stepOf(scale);
  const index = fraction * STEPS_PER_CROSSING;
  const offset = Math.floor(index);
  const eta = index - offset;
  const weights = new Float64Array(Math.floor((TABLE_LENGTH - offset) / step));
  for (let i = 0; i < weights.length; i++) {
    const at = offset + i * step;
    const value = table[at] as number;
    weights[i] = value + eta * ((table[at + 1] ?? value) - value);
  }
  return weights;
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
