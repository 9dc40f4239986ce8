import type {ParamSpec} from 'mixdown/stage';

type ParamSpecs = Readonly<Record<string, ParamSpec>>;

/** How a waveform is made of a clip: WaveformOptions, as params of the stages that need them. */
export const waveformParams = {
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
} as const satisfies ParamSpecs;

/** How log-mel patches are made of a waveform: PatchOptions without the sampling rate. */
export const patchParams = {
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
} as const satisfies ParamSpecs;
