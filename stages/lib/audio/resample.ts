import {StageError} from 'mixdown/stage';
import {type BandLimitedRatio, fitsBlocks, resampleBlocks} from './resample-blocks.ts';
import {applyTaps} from './resample-taps.ts';
import {resampleKernel} from './resample-kernel.ts';
import {resampyTaps} from './resampy.ts';

export type Resampler = 'resampy02' | 'sinc';

/** Beyond this the filter would be longer than any clip. */
const LARGEST_RATIO = 512;

/**
 * Resamples to floor(length * toRate / fromRate) samples, all silence before the first and after the last. The rates are whole
 * numbers of hertz.
 *
 * `sinc` is the band-limited resampling of reference quality, in float64: linear phase, no delay, a sinc of 404 samples of the
 * lower rate under a Kaiser window. Flat to 92 % of the lower rate's Nyquist frequency, -3 dB at 95.6 %, nothing from 100 % on:
 * ripple and stop band lie 240 dB down. `resampy02` does what resampy 0.2 does with `kaiser_best`.
 */
export function resample(samples: Float64Array, fromRate: number, toRate: number, resampler: Resampler): Float64Array {
  if (fromRate === toRate) return samples;
  if (Math.max(fromRate / toRate, toRate / fromRate) > LARGEST_RATIO) {
    throw new StageError(
      `cannot resample ${fromRate} Hz to ${toRate} Hz: the rates differ more than ${LARGEST_RATIO} times`,
    );
  }
  const {up, down} = lowestTerms(toRate, fromRate);
  const length = Math.floor((samples.length * up) / down);
  if (length === 0) return new Float64Array();
  if (resampler === 'resampy02') {
    return applyTaps(samples, resampyTaps(up, down, 1 / (toRate / fromRate), length), length);
  }
  const ratio = {up, down, band: Math.min(1, up / down)};
  return fitsBlocks(ratio) ? resampleBlocks(samples, ratio, 0, length) : interpolate(samples, ratio, length);
}

/**
 * Half the taps of a sinc under a Kaiser window of 240 dB whose transition is 1 - u of the sampling rate, times 1 - u: its
 * length is (A - 7.95) / (2.285 * 2 pi (1 - u)). Source: Kaiser's formula.
 */
const TRANSITION_TAPS = 8.09;
/**
 * Any ratio in two steps: the band filter at a rate of at least twice the lower one that blocks fit, then a short sinc for
 * each output sample, which can be short as the band leaves half of that rate empty.
 */
function interpolate(samples: Float64Array, {up, down, band}: BandLimitedRatio, length: number): Float64Array {
  const {p, q} = middleRatio(band);
  const taps = 4 * Math.ceil(TRANSITION_TAPS / (1 - (band * q) / p) / 2);
  const before = taps / 2 - 1;
  const {up: phases, down: step} = lowestTerms(up * q, down * p);
  const reach = Math.floor(((length - 1) * step) / phases) + taps;
  const middle = resampleBlocks(samples, {up: p, down: q, band}, -before, reach);
  const key = `sinc ${phases}/${step} ${taps}`;
  const assign = (row: number, _target: unknown, weights: number): void =>
    resampleKernel().assignTaps(weights, taps, row / phases);
  // `middle` starts at the first sample's first tap.
  return applyTaps(middle, {key, phases, step, taps, before: 0, assign}, length);
}

/** The least p / q from 2 * band on, with small terms. */
function middleRatio(band: number): {readonly p: number; readonly q: number} {
  let least = {p: 2, q: 1};
  for (let q = 1; 2 * band * q <= 4; q++) {
    const p = Math.ceil(2 * band * q);
    if (isSmooth(q) && p / q < least.p / least.q) least = {p, q};
  }
  return least;
}

function lowestTerms(up: number, down: number): {readonly up: number; readonly down: number} {
  const common = gcd(up, down);
  return {up: up / common, down: down / common};
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function isSmooth(value: number): boolean {
  let rest = value;
  for (const prime of [2, 3, 5, 7]) while (rest % prime === 0) rest /= prime;
  return rest === 1;
}
