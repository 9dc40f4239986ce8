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

/** What a decoder gave, as float64. Throws BadClip as checkSamples does. */
export function checkedSamples(channels: readonly Float32Array[], name: string): readonly Float64Array[] {
  const samples = channels.map((channel) => new Float64Array(channel));
  for (const [i, channel] of samples.entries()) checkSamples(channel, i, name);
  return samples;
}

/** Throws BadClip for a channel, counted from 0, of which a sample is no number, or so far from any sound that it is damage. */
export function checkSamples(samples: Float64Array, channel: number, name: string): void {
  if (sumOfSquares(samples) <= LARGEST_SAMPLE ** 2) return;
  const index = samples.findIndex((sample) => !(Math.abs(sample) <= LARGEST_SAMPLE));
  if (index === -1) return;
  const place = `sample ${index} of channel ${channel + 1}`;
  throw new BadClip(`${name} is damaged: ${place} is ${samples[index] as number}`);
}

/** Four sums at once, because each addition would wait for the one before. NaN and infinity stay what they are. */
function sumOfSquares(samples: Float64Array): number {
  const whole = samples.length - (samples.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const [w, x, y, z] = [samples[i]!, samples[i + 1]!, samples[i + 2]!, samples[i + 3]!];
    a += w * w;
    b += x * x;
    c += y * y;
    d += z * z;
  }
  for (let i = whole; i < samples.length; i++) a += samples[i]! * samples[i]!;
  return a + b + (c + d);
}

/** Beyond this the squares and sums of a clip may leave the range of float64. No sound file means it. */
const LARGEST_SAMPLE = 1e12;
const MOST_SAMPLES = 2 ** 28;
const SLOWEST_HZ = 1000;
const FASTEST_HZ = 1_000_000;
