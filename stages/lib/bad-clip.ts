import {StageError} from 'mixdown/stage';

/**
 * The clip itself is at fault: damaged, cut off, empty, or no sound at all. It is so on every machine, so a stage may skip
 * the clip and keep that as its result. What this machine lacks is a plain StageError.
 */
export class BadClip extends StageError {}

/**
 * Throws BadClip for sound of more samples, over all channels, than a stage may hold in memory at once (2 GiB of float64;
 * 100 minutes of mono at 44.1 kHz), before any decoder allocates them, and for none.
 */
export function checkLength(frames: number, channels: number, name: string): void {
  if (frames <= 0) throw new BadClip(`${name} has no samples`, 'remove it from the clips');
  if (frames * channels > MOST_SAMPLES) {
    throw new BadClip(
      `${name} is too long for a clip: ${frames} samples in ${channels} channels; ${MOST_SAMPLES} together are the most`,
      'cut it into shorter clips',
    );
  }
}

/** Throws BadClip for a sampling rate that no recording has, in Hz. */
export function checkRate(sampleRate: number, name: string): void {
  if (sampleRate < SLOWEST_HZ || sampleRate > FASTEST_HZ) {
    throw new BadClip(`${name} has a sampling rate of ${sampleRate} Hz; ${SLOWEST_HZ} ... ${FASTEST_HZ} is audio`);
  }
}

/** Decoded samples as float64. Throws BadClip for samples that are no numbers, or far from any sound. */
export function checkedSamples(channels: readonly Float32Array[], name: string): readonly Float64Array[] {
  return channels.map((source, c) => {
    const samples = new Float64Array(source.length);
    for (let i = 0; i < samples.length; i++) {
      const sample = source[i] as number;
      samples[i] = sample;
      if (!(Math.abs(sample) <= LARGEST_SAMPLE)) throw badSample(sample, i, c, name);
    }
    return samples;
  });
}

export function badSample(sample: number, index: number, channel: number, name: string): BadClip {
  return new BadClip(`${name} is damaged: sample ${index} of channel ${channel + 1} is ${sample}`);
}

/** Beyond this the squares and sums of a clip may leave the range of float64. No sound file means it. */
export const LARGEST_SAMPLE = 1e12;

const MOST_SAMPLES = 2 ** 28;
const SLOWEST_HZ = 1000;
const FASTEST_HZ = 1_000_000;
