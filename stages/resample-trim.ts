import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';
import {BadClip} from './lib/bad-clip.ts';
import {writeClipReport, type ClipReport} from './lib/clip-report.ts';
import {decodeClip} from './lib/decode.ts';
import {resample} from './lib/resample.ts';
import {trimSilence} from './lib/trim.ts';
import {encodeWav} from './lib/wav-write.ts';
import {mixToMono} from './lib/wav.ts';

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
      enum: ['sinc', 'resampy02'],
      default: 'sinc',
      about: 'sinc: band-limited, of reference quality; resampy02: as resampy 0.2 kaiser_best, to the digit',
    },
    onBadClip: {
      type: 'string',
      enum: ['fail', 'skip'],
      default: 'fail',
      about: 'a damaged, truncated or empty clip: fail, or write the report only; stage clip-report names them all',
    },
  },
  inputs: {
    clip: {
      kind: 'file',
      about: 'a sound file, told by its content: WAV, FLAC, Ogg Vorbis, Opus, MP3; others need ffmpeg on the PATH',
    },
  },
  outputs: {
    waveform: {
      kind: 'file',
      name: 'waveform.wav',
      optional: true,
      about: 'mono, 32-bit float WAV; none for a clip that was skipped',
    },
    report: {kind: 'file', name: 'report.json', about: 'what the clip is and what was done to it, type clip-report/1'},
  },
  async run({params, inputs, outputs, metric, log, signal}) {
    try {
      const {samples, report} = await waveformOf(inputs.clip, params, {log, signal});
      writeFileSync(outputs.waveform, encodeWav({sampleRate: params.sampleRate, channels: [samples]}, 'float32'));
      writeClipReport(outputs.report, report);
      metric('trimmedSeconds', report.trimmedSeconds);
      metric('seconds', samples.length / params.sampleRate);
    } catch (error) {
      if (!(error instanceof BadClip) || params.onBadClip === 'fail') throw error;
      log(`skipped: ${error.message}`);
      writeClipReport(outputs.report, {type: 'clip-report/1', status: 'skipped', reason: error.message});
    }
  },
});

interface Params {
  readonly sampleRate: number;
  readonly trimDb: number;
  readonly trimPad: 'reflect' | 'zero';
  readonly normalize: boolean;
  readonly minSeconds: number;
  readonly resampler: 'sinc' | 'resampy02';
}

interface Waveform {
  readonly samples: Float64Array;
  readonly report: Extract<ClipReport, {status: 'ok'}>;
}

async function waveformOf(
  path: string,
  params: Params,
  {log, signal}: {log: (text: string) => void; signal: AbortSignal},
): Promise<Waveform> {
  const {sampleRate, trimDb, trimPad, normalize, minSeconds, resampler} = params;
  if (statSync(path).size > MOST_BYTES) throw new BadClip('the clip is larger than 2 GiB', 'cut it into shorter clips');
  const {container, codec, ...sound} = await decodeClip(readFileSync(path), 'the clip', {path, signal, log});
  const mono = mixToMono(sound);
  const {start, end} = trimSilence(mono, trimDb, trimPad);
  const peak = peakOf(mono, start, end);
  const trimmed = normalize ? scaled(mono, start, end, peak) : mono.slice(start, end);
  const resampled = resample(trimmed, sound.sampleRate, sampleRate, resampler);
  if (resampled.length === 0) {
    throw new BadClip(
      `the clip is too short: ${trimmed.length} samples at ${sound.sampleRate} Hz leave none at ${sampleRate} Hz`,
      'remove it from the clips',
    );
  }
  const silent = peak < SILENT_PEAK;
  if (silent) log('the clip is silent');
  return {
    samples: repeatTo(resampled, Math.round(minSeconds * sampleRate)),
    report: {
      type: 'clip-report/1',
      status: 'ok',
      container,
      codec,
      sampleRate: sound.sampleRate,
      channels: sound.channels.length,
      seconds: mono.length / sound.sampleRate,
      trimmedSeconds: (mono.length - trimmed.length) / sound.sampleRate,
      peak,
      silent,
    },
  };
}

/** What Node reads at once. */
const MOST_BYTES = 2 ** 31 - 1;
/** 100 dB below full scale: less than half a step of 16 bits. */
const SILENT_PEAK = 1e-5;
/** Smallest normal float32: below it, librosa.util.normalize leaves a clip as it is. */
const LOWEST_PEAK = 2 ** -126;

function peakOf(samples: Float64Array, start: number, end: number): number {
  let peak = 0;
  for (let i = start; i < end; i++) {
    const level = Math.abs(samples[i] as number);
    if (level > peak) peak = level;
  }
  return peak;
}

/** The range divided by its peak, unless that is next to nothing. */
function scaled(samples: Float64Array, start: number, end: number, peak: number): Float64Array {
  const divisor = peak < LOWEST_PEAK ? 1 : peak;
  const result = new Float64Array(end - start);
  for (let i = 0; i < result.length; i++) result[i] = (samples[start + i] as number) / divisor;
  return result;
}

function repeatTo(samples: Float64Array, length: number): Float64Array {
  if (samples.length >= length) return samples;
  const result = new Float64Array(length);
  for (let at = 0; at < length; at += samples.length) result.set(samples.subarray(0, length - at), at);
  return result;
}
