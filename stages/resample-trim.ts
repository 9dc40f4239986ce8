import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';
import {BadClip} from './lib/audio/bad-clip.ts';
import {writeClipReport} from './lib/audio/clip-report.ts';
import {readClip} from './lib/audio/read-clip.ts';
import {encodeWav} from './lib/audio/wav-write.ts';
import {isSilent, makeWaveform} from './lib/audio/waveform.ts';

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
      const {container, codec, ...sound} = await readClip(inputs.clip, {signal, log});
      const {samples, ...made} = makeWaveform(sound, params);
      const silent = isSilent(made);
      if (silent) log('the clip is silent');
      writeFileSync(outputs.waveform, encodeWav({sampleRate: params.sampleRate, channels: [samples]}, 'float32'));
      writeClipReport(outputs.report, {
        type: 'clip-report/1',
        status: 'ok',
        container,
        codec,
        sampleRate: sound.sampleRate,
        channels: sound.channels.length,
        ...made,
        silent,
      });
      metric('trimmedSeconds', made.trimmedSeconds);
      metric('seconds', samples.length / params.sampleRate);
    } catch (error) {
      if (!(error instanceof BadClip) || params.onBadClip === 'fail') throw error;
      log(`skipped: ${error.message}`);
      writeClipReport(outputs.report, {type: 'clip-report/1', status: 'skipped', reason: error.message});
    }
  },
});
