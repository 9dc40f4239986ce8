import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {resample} from './lib/resample.ts';
import {trimSilence} from './lib/trim.ts';
import {encodeWav} from './lib/wav-write.ts';
import {decodeWav, mixToMono} from './lib/wav.ts';

export default defineStage({
  name: 'resample-trim',
  summary: 'One clip as mono sound at one sampling rate, silence at its ends cut off, peak at 1.',
  params: {
    sampleRate: {type: 'integer', minimum: 1000, maximum: 384_000, default: 16_000, about: 'Hz of the waveform'},
    trimDb: {
      type: 'number',
      exclusiveMinimum: 0,
      default: 60,
      about: 'dB below the loudest frame from which a frame at the ends counts as silent',
    },
    trimPad: {
      type: 'string',
      enum: ['reflect', 'zero'],
      default: 'reflect',
      about: 'what the frames at the ends see beyond the clip: librosa 0.6 reflects, 0.10 and later pad zeros',
    },
    normalize: {type: 'boolean', default: true, about: 'scale the trimmed clip so that its peak is 1'},
    minSeconds: {
      type: 'number',
      minimum: 0,
      maximum: 3600,
      default: 0.975,
      about: 'a shorter waveform is repeated up to this length; 0.975 s is one log-mel patch; 0 turns it off',
    },
    resampler: {
      type: 'string',
      enum: ['resampy02', 'sinc'],
      default: 'resampy02',
      about: 'resampy02: as resampy 0.2 kaiser_best, to the digit; sinc: the same filter without its table error',
    },
  },
  inputs: {clip: {kind: 'file', about: 'a WAV file: PCM of 8 to 32 bits or float, any rate and number of channels'}},
  outputs: {waveform: {kind: 'file', name: 'waveform.wav', about: 'mono, 32-bit float WAV'}},
  run({params, inputs, outputs, metric}) {
    const {sampleRate, trimDb, trimPad, normalize, minSeconds, resampler} = params;
    const sound = decodeWav(readFileSync(inputs.clip));
    const mono = mixToMono(sound);
    const {start, end} = trimSilence(mono, trimDb, trimPad);
    const trimmed = mono.slice(start, end);
    if (normalize) normalizePeak(trimmed);
    const resampled = resample(trimmed, sound.sampleRate, sampleRate, resampler);
    if (resampled.length === 0) {
      throw new StageError(
        `the clip is too short: ${trimmed.length} samples at ${sound.sampleRate} Hz leave none at ${sampleRate} Hz`,
        'remove it from the clips',
      );
    }
    const waveform = repeatTo(resampled, Math.round(minSeconds * sampleRate));
    writeFileSync(outputs.waveform, encodeWav({sampleRate, channels: [waveform]}, 'float32'));
    metric('trimmedSeconds', (mono.length - trimmed.length) / sound.sampleRate);
    metric('seconds', waveform.length / sampleRate);
  },
});

/** Divides by the largest absolute sample, in place, unless that is below the smallest normal float32. */
function normalizePeak(samples: Float64Array): void {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  if (peak < 2 ** -126) return;
  for (let i = 0; i < samples.length; i++) samples[i]! /= peak;
}

function repeatTo(samples: Float64Array, length: number): Float64Array {
  if (samples.length >= length) return samples;
  return Float64Array.from({length}, (_, i) => samples[i % samples.length] as number);
}
