import type {Rng} from '../rng.ts';

/** A value that may change over time: a constant, or a function of the time in seconds. */
export type Control = number | ((seconds: number) => number);

/** One partial of a tone: its frequency as a multiple of the fundamental, its amplitude, its decay (1/s). */
export interface Partial {
  readonly ratio: number;
  readonly amplitude: number;
  readonly decay?: number;
}

/** Full length of an array at this rate. */
export function silence(seconds: number, sampleRate: number): Float64Array {
  return new Float64Array(Math.max(1, Math.round(seconds * sampleRate)));
}

/** Adds `from` to `to`, starting at a time in seconds; what does not fit is cut. */
export function mixInto(to: Float64Array, from: Float64Array, atSeconds: number, sampleRate: number, gain = 1): void {
  const start = Math.round(atSeconds * sampleRate);
  const end = Math.min(to.length, start + from.length);
  for (let i = Math.max(0, start); i < end; i++) to[i]! += gain * from[i - start]!;
}

/**
 * A tone of harmonic or inharmonic partials with a frequency that may move. A partial is silent while it is above 45 % of
 * the sampling rate: no aliases.
 */
export function tone(
  seconds: number,
  sampleRate: number,
  hz: Control,
  partials: readonly Partial[] = [{ratio: 1, amplitude: 1}],
): Float64Array {
  const samples = silence(seconds, sampleRate);
  let cycles = 0;
  for (let i = 0; i < samples.length; i++) {
    const time = i / sampleRate;
    const frequency = typeof hz === 'number' ? hz : hz(time);
    let sum = 0;
    for (const {ratio, amplitude, decay} of partials) {
      if (frequency * ratio > 0.45 * sampleRate) continue;
      const level = decay === undefined ? amplitude : amplitude * Math.exp(-decay * time);
      sum += level * Math.sin(2 * Math.PI * cycles * ratio);
    }
    samples[i] = sum;
    cycles += frequency / sampleRate;
  }
  return samples;
}

export function whiteNoise(seconds: number, sampleRate: number, rng: Rng): Float64Array {
  return silence(seconds, sampleRate).map(() => 2 * rng.uniform() - 1);
}

/** Multiplies by a gain over time, in place, and returns the same array. */
export function shape(samples: Float64Array, sampleRate: number, gain: (seconds: number) => number): Float64Array {
  for (let i = 0; i < samples.length; i++) samples[i]! *= gain(i / sampleRate);
  return samples;
}

/** A gain that rises from 0 within `attack` seconds and falls to 0 in the last `release` seconds. */
export function fade(seconds: number, attack: number, release: number): (time: number) => number {
  return (time) => Math.max(0, Math.min(1, time / attack, (seconds - time) / release));
}

/** A gain that jumps to 1 and falls by a factor e every 1/rate seconds. */
export function decaying(rate: number): (time: number) => number {
  return (time) => Math.exp(-rate * time);
}

/**
 * A state-variable filter whose frequency may move; `q` is the sharpness. Source: the trapezoidal form of A. Simper,
 * stable for any frequency below half of the sampling rate.
 */
export function filter(
  samples: Float64Array,
  sampleRate: number,
  kind: 'low' | 'band' | 'high',
  hz: Control,
  q: number,
): Float64Array {
  const output = new Float64Array(samples.length);
  let first = 0;
  let second = 0;
  for (let i = 0; i < samples.length; i++) {
    const frequency = Math.min(typeof hz === 'number' ? hz : hz(i / sampleRate), 0.45 * sampleRate);
    const g = Math.tan((Math.PI * frequency) / sampleRate);
    const a = 1 / (1 + g * (g + 1 / q));
    const input = samples[i] as number;
    const v3 = input - second;
    const band = a * first + a * g * v3;
    const low = second + g * band;
    first = 2 * band - first;
    second = 2 * low - second;
    output[i] = kind === 'low' ? low : kind === 'band' ? band / q : input - band / q - low;
  }
  return output;
}

/** A plucked string: a burst of noise in a delay line with a low pass. Source: Karplus and Strong, 1983. */
export function pluckedString(
  seconds: number,
  sampleRate: number,
  hz: number,
  damping: number,
  rng: Rng,
): Float64Array {
  const samples = silence(seconds, sampleRate);
  const period = Math.max(2, Math.round(sampleRate / hz));
  const line = Float64Array.from({length: period}, () => 2 * rng.uniform() - 1);
  for (let i = 0; i < samples.length; i++) {
    const at = i % period;
    const value = line[at] as number;
    samples[i] = value;
    line[at] = damping * 0.5 * (value + (line[(at + 1) % period] as number));
  }
  return samples;
}

/** Times of repeated events: a first one at once, then one every `period` seconds, each off by up to `jitter` periods. */
export function eventTimes(seconds: number, period: number, jitter: number, rng: Rng): readonly number[] {
  const times: number[] = [];
  for (let n = 0; n * period < seconds; n++) times.push(Math.max(0, (n + jitter * (2 * rng.uniform() - 1)) * period));
  return times;
}

/** Evenly drawn between two values. */
export function between(rng: Rng, low: number, high: number): number {
  return low + (high - low) * rng.uniform();
}

/** Drawn between two positive values so that each factor is as likely as the next: for frequencies and times. */
export function betweenRatios(rng: Rng, low: number, high: number): number {
  return low * Math.exp(Math.log(high / low) * rng.uniform());
}
