import {readFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {checkPatchOptions, makePatches} from './lib/audio/make-patches.ts';
import {writeNpy} from './lib/formats/npy.ts';
import {decodeWav, mixToMono} from './lib/audio/wav.ts';

export default defineStage({
  name: 'log-mel',
  summary: 'Log-mel patches of one waveform, as for VGGish: float32 (patches, frames, bands), ln(magnitude + offset).',
  params: {
    sampleRate: {type: 'integer', minimum: 1000, default: 16_000, about: 'Hz; the waveform must have this rate'},
    windowSeconds: {type: 'number', exclusiveMinimum: 0, maximum: 10, default: 0.025, about: 'length of a frame'},
    hopSeconds: {type: 'number', exclusiveMinimum: 0, maximum: 10, default: 0.01, about: 'from one frame to the next'},
    bands: {type: 'integer', minimum: 1, maximum: 1024, default: 64, about: 'mel bands'},
    lowHz: {type: 'number', minimum: 0, default: 125, about: 'lower edge of the lowest band'},
    highHz: {type: 'number', exclusiveMinimum: 0, default: 7500, about: 'upper edge of the highest band'},
    logOffset: {
      type: 'number',
      minimum: 1e-300,
      default: 0.01,
      about: 'added before the logarithm; 0.001 for YAMNet',
    },
    patchFrames: {type: 'integer', minimum: 1, default: 96, about: 'frames of a patch'},
    patchHop: {type: 'integer', minimum: 1, default: 96, about: 'frames from one patch to the next; 48 for YAMNet'},
  },
  inputs: {waveform: {kind: 'file', about: 'WAV at sampleRate, as resample-trim makes it'}},
  outputs: {
    patches: {
      kind: 'file',
      name: 'patches.npy',
      about:
        'float32, shape (patches, patchFrames, bands): natural log of (DFT magnitude in the mel band + logOffset), ' +
        'of samples with full scale 1',
    },
  },
  run({params, inputs, outputs, metric}) {
    const {sampleRate, bands, patchFrames} = params;
    checkPatchOptions(params);
    const sound = decodeWav(readFileSync(inputs.waveform), 'the waveform');
    if (sound.sampleRate !== sampleRate) {
      throw new StageError(
        `the waveform has ${sound.sampleRate} Hz; ${sampleRate} Hz is needed`,
        'let stage resample-trim make it, with the same sampleRate',
      );
    }
    const {patches, data} = makePatches(mixToMono(sound), params);
    writeNpy(outputs.patches, {shape: [patches, patchFrames, bands], data});
    metric('patches', patches);
  },
});
