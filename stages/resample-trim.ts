import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';
import {BadClip} from './lib/audio/bad-clip.ts';
import {writeClipReport} from './lib/audio/clip-report.ts';
import {readClip} from './lib/audio/read-clip.ts';
import {waveformParams} from './lib/audio/front-end-params.ts';
import {encodeWav} from './lib/audio/wav-write.ts';
import {isSilent, makeWaveform} from './lib/audio/waveform.ts';

export default defineStage({
  name: 'resample-trim',
  summary: 'One clip as mono sound at one sampling rate, silence at its ends cut off, peak at 1.',
  params: {
    ...waveformParams,
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
