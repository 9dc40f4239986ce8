import {readFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {cutPatches, logMel, roundHalfEven} from './lib/audio/mel.ts';
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
    const {sampleRate, windowSeconds, hopSeconds, bands, patchFrames, patchHop} = params;
    checkParams(params);
    const sound = decodeWav(readFileSync(inputs.waveform), 'the waveform');
    if (sound.sampleRate !== sampleRate) {
      throw new StageError(
        `the waveform has ${sound.sampleRate} Hz; ${sampleRate} Hz is needed`,
        'let stage resample-trim make it, with the same sampleRate',
      );
    }
    const samples = mixToMono(sound);
    const {patches, data} = cutPatches(logMel(samples, params), patchFrames, patchHop);
    if (patches === 0) {
      const window = roundHalfEven(windowSeconds * sampleRate);
      const needed = (patchFrames - 1) * roundHalfEven(hopSeconds * sampleRate) + window;
      throw new StageError(
        `the waveform is too short for one patch: ${samples.length} samples (${seconds(samples.length, sampleRate)}), ` +
          `${patchFrames} frames need ${needed} (${seconds(needed, sampleRate)})`,
        `set minSeconds of stage resample-trim to ${needed / sampleRate} or more: it repeats short clips`,
      );
    }
    writeNpy(outputs.patches, {shape: [patches, patchFrames, bands], data});
    metric('patches', patches);
  },
});

function checkParams(params: {
  readonly sampleRate: number;
  readonly windowSeconds: number;
  readonly hopSeconds: number;
  readonly lowHz: number;
  readonly highHz: number;
}): void {
  const {sampleRate, windowSeconds, hopSeconds, lowHz, highHz} = params;
  if (lowHz >= highHz) throw new StageError(`lowHz is ${lowHz}, highHz is ${highHz}: lowHz must be the smaller one`);
  if (highHz > sampleRate / 2) {
    throw new StageError(`highHz is ${highHz}; sound at ${sampleRate} Hz ends at ${sampleRate / 2} Hz`);
  }
  if (roundHalfEven(hopSeconds * sampleRate) < 1) {
    throw new StageError(`hopSeconds ${hopSeconds} is less than one sample at ${sampleRate} Hz`);
  }
  if (roundHalfEven(windowSeconds * sampleRate) < 3) {
    throw new StageError(`windowSeconds ${windowSeconds} is less than three samples at ${sampleRate} Hz`);
  }
}

function seconds(samples: number, sampleRate: number): string {
  return `${(samples / sampleRate).toFixed(3)} s`;
}
