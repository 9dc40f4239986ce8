import {StageError} from 'mixdown/stage';
import {BadClip} from './bad-clip.ts';
import {cutPatches, logMel, roundHalfEven, type LogMelOptions, type Patches} from './mel.ts';

export interface PatchOptions extends LogMelOptions {
  /** Frames of a patch. */
  readonly patchFrames: number;
  /** Frames from one patch to the next. */
  readonly patchHop: number;
}

/** Throws StageError for options that contradict each other. */
export function checkPatchOptions({sampleRate, windowSeconds, hopSeconds, lowHz, highHz}: PatchOptions): void {
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

/** Log-mel patches of a waveform, at least one. Throws BadClip when it is too short for one. */
export function makePatches(samples: Float64Array, options: PatchOptions): Patches {
  const {sampleRate, windowSeconds, hopSeconds, patchFrames, patchHop} = options;
  const made = cutPatches(logMel(samples, options), patchFrames, patchHop);
  if (made.patches > 0) return made;
  const window = roundHalfEven(windowSeconds * sampleRate);
  const needed = (patchFrames - 1) * roundHalfEven(hopSeconds * sampleRate) + window;
  throw new BadClip(
    `the waveform is too short for one patch: ${samples.length} samples (${seconds(samples.length, sampleRate)}), ` +
      `${patchFrames} frames need ${needed} (${seconds(needed, sampleRate)})`,
    `set minSeconds of stage resample-trim to ${needed / sampleRate} or more: it repeats short clips`,
  );
}

function seconds(samples: number, sampleRate: number): string {
  return `${(samples / sampleRate).toFixed(3)} s`;
}
