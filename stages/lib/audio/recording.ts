import type {Rng} from '../rng.ts';
import {peakOf} from './peak.ts';
import {between} from './synth.ts';
import {SAMPLE_BYTES, type WavEncoding} from './wav-write.ts';
import type {Sound} from './wav.ts';

/** How a clip was recorded. */
export interface RecordingFormat {
  /** Hz. */
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  readonly encoding: WavEncoding;
}

/**
 * Draws a format with a rate of at least `lowestRate` Hz: one of studio quality for some of the short sounds, else one that
 * keeps the file small.
 */
export function drawFormat(seconds: number, lowestRate: number, rng: Rng): RecordingFormat {
  const isStudio = seconds < LONGEST_STUDIO_SECONDS && rng.uniform() < STUDIO_SHARE;
  const possible = (isStudio ? STUDIO_FORMATS : SMALL_FORMATS).filter(({sampleRate}) => sampleRate >= lowestRate);
  const small = possible.filter((format) => isStudio || seconds * bytesPerSecond(format) <= MOST_BYTES);
  const choice = small.length > 0 ? small : possible.slice(0, 1);
  return choice[rng.integer(choice.length)] as RecordingFormat;
}

/**
 * Plays a sound into a microphone: noise at 10 to 40 dB below it, some level, up to 0.4 s of near silence at both
 * ends, and for two channels a place between them.
 */
export function recordClip(dry: Float64Array, {sampleRate, channels}: RecordingFormat, rng: Rng): Sound {
  const before = Math.round(sampleRate * drawGap(rng));
  const after = Math.round(sampleRate * drawGap(rng));
  const peak = Math.max(peakOf(dry), QUIETEST_PEAK);
  const level = between(rng, 0.1, 0.9) / peak;
  const noise = level * rootMeanSquare(dry) * 10 ** (-between(rng, 10, 40) / 20);
  const floor = rng.uniform() < 0.5 ? 0 : level * peak * 10 ** (-between(rng, 65, 90) / 20);
  const pan = between(rng, 0.2, 0.8);
  const gains = channels === 1 ? [1] : [pan, 1 - pan];
  return {
    sampleRate,
    channels: gains.map((gain) => {
      const samples = new Float64Array(before + dry.length + after);
      for (let i = 0; i < samples.length; i++) {
        const isPlaying = i >= before && i < before + dry.length;
        samples[i] = isPlaying
          ? gain * level * (dry[i - before] as number) + noise * (2 * rng.uniform() - 1)
          : floor * (2 * rng.uniform() - 1);
      }
      return samples;
    }),
  };
}

/** The first one that is fast enough takes what is too long for the others. */
const SMALL_FORMATS: readonly RecordingFormat[] = [
  {sampleRate: 8000, channels: 1, encoding: 'pcm8'},
  {sampleRate: 8000, channels: 1, encoding: 'pcm16'},
  {sampleRate: 11_025, channels: 1, encoding: 'pcm16'},
  {sampleRate: 11_025, channels: 2, encoding: 'pcm8'},
  {sampleRate: 16_000, channels: 1, encoding: 'pcm16'},
  {sampleRate: 16_000, channels: 1, encoding: 'pcm24'},
  {sampleRate: 22_050, channels: 1, encoding: 'pcm8'},
  {sampleRate: 22_050, channels: 1, encoding: 'pcm16'},
];

const STUDIO_FORMATS: readonly RecordingFormat[] = [
  {sampleRate: 32_000, channels: 1, encoding: 'pcm16'},
  {sampleRate: 32_000, channels: 1, encoding: 'float32'},
  {sampleRate: 44_100, channels: 1, encoding: 'pcm16'},
  {sampleRate: 44_100, channels: 2, encoding: 'pcm16'},
  {sampleRate: 48_000, channels: 1, encoding: 'pcm24'},
  {sampleRate: 48_000, channels: 1, encoding: 'float32'},
];

/** Nothing is divided by zero for a sound that is silent. */
const QUIETEST_PEAK = 1e-9;
const STUDIO_SHARE = 0.2;
const LONGEST_STUDIO_SECONDS = 0.7;
const MOST_BYTES = 20_000;

function bytesPerSecond({sampleRate, channels, encoding}: RecordingFormat): number {
  return sampleRate * channels * SAMPLE_BYTES[encoding];
}

/** Seconds of near silence: often none or little. */
function drawGap(rng: Rng): number {
  return rng.uniform() < 0.3 ? 0 : 0.4 * rng.uniform() ** 2;
}

function rootMeanSquare(samples: Float64Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}
