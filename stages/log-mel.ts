import {readFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {patchParams} from './lib/audio/front-end-params.ts';
import {checkPatchOptions, makePatches} from './lib/audio/make-patches.ts';
import {writeNpy} from './lib/formats/npy.ts';
import {decodeWav, mixToMono} from './lib/audio/wav.ts';

export default defineStage({
  name: 'log-mel',
  summary: 'Log-mel patches of one waveform, as for VGGish: float32 (patches, frames, bands), ln(magnitude + offset).',
  params: {
    sampleRate: {type: 'integer', minimum: 1000, default: 16_000, about: 'Hz; the waveform must have this rate'},
    ...patchParams,
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
