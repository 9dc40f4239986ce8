import {BadClip} from './bad-clip.ts';
import {peakOf} from './peak.ts';
import {resample, type Resampler} from './resample.ts';
import {trimSilence} from './trim.ts';
import {mixToMono, type Sound} from './wav.ts';

export interface WaveformOptions {
  /** Hz. */
  readonly sampleRate: number;
  readonly trimDb: number;
  readonly trimPad: 'reflect' | 'zero';
  readonly normalize: boolean;
  readonly minSeconds: number;
  readonly resampler: Resampler;
}

export interface Waveform {
  /** Mono, at the sampling rate asked for. */
  readonly samples: Float64Array;
  /** Of the sound before anything was cut off. */
  readonly seconds: number;
  readonly trimmedSeconds: number;
  /** Largest absolute sample of what was kept, before it was scaled. */
  readonly peak: number;
}

/**
 * The mean of the channels, silence at both ends cut off, resampled, scaled so that the peak was 1 before resampling,
 * repeated up to `minSeconds`. Throws BadClip when no sample is left.
 */
export function makeWaveform(sound: Sound, options: WaveformOptions): Waveform {
  const {sampleRate, trimDb, trimPad, normalize, minSeconds, resampler} = options;
  const mono = mixToMono(sound);
  const {start, end} = trimSilence(mono, trimDb, trimPad);
  const trimmed = mono.subarray(start, end);
  const peak = peakOf(trimmed);
  const resampled = resample(trimmed, sound.sampleRate, sampleRate, resampler);
  if (resampled.length === 0) {
    throw new BadClip(
      `the clip is too short: ${trimmed.length} samples at ${sound.sampleRate} Hz leave none at ${sampleRate} Hz`,
      'remove it from the clips',
    );
  }
  // Resampling is linear: there are fewer samples to scale after it than before.
  if (normalize && peak >= LOWEST_PEAK) for (let i = 0; i < resampled.length; i++) resampled[i]! /= peak;
  return {
    samples: repeatTo(resampled, Math.round(minSeconds * sampleRate)),
    seconds: mono.length / sound.sampleRate,
    trimmedSeconds: (mono.length - trimmed.length) / sound.sampleRate,
    peak,
  };
}

/** Whether nothing can be heard: -100 dB below full scale is less than half a step of 16 bits. */
export function isSilent({peak}: Pick<Waveform, 'peak'>): boolean {
  return peak < 1e-5;
}

/** Smallest normal float32: below it, librosa.util.normalize leaves a clip as it is. */
const LOWEST_PEAK = 2 ** -126;

function repeatTo(samples: Float64Array, length: number): Float64Array {
  if (samples.length >= length) return samples;
  const result = new Float64Array(length);
  for (let at = 0; at < length; at += samples.length) result.set(samples.subarray(0, length - at), at);
  return result;
}
