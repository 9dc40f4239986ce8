/** A half-open range of samples. */
export interface SampleRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of a clip between its first and last frame that is louder than `trimDb` below the loudest one.
 * Frames of 2048 samples every 512, centred, the clip padded at both ends by reflection or zeros; a frame's level is
 * 10*log10(max(1e-10, mean square)). A silent clip is kept whole: all its frames are equally loud.
 * Source: librosa.effects.trim of version 0.6 (reflect) and from 0.10 on (zero).
 */
export function trimSilence(samples: Float64Array, trimDb: number, pad: 'reflect' | 'zero'): SampleRange {
  const levels = frameLevels(samples, pad);
  const loudest = levels.reduce((a, b) => Math.max(a, b), -Infinity);
  const isLoud = (level: number): boolean => level - loudest > -trimDb;
  const first = levels.findIndex(isLoud);
  if (first === -1) return {start: 0, end: 0};
  const last = levels.findLastIndex(isLoud);
  return {start: first * HOP, end: Math.min(samples.length, (last + 1) * HOP)};
}

const FRAME = 2048;
const HOP = 512;
const LOWEST_POWER = 1e-10;

/** dB of each frame. A frame is four blocks of one hop: each sample is squared once. */
function frameLevels(samples: Float64Array, pad: 'reflect' | 'zero'): Float64Array {
  const frames = 1 + Math.floor(samples.length / HOP);
  const blocksPerFrame = FRAME / HOP;
  const energies = new Float64Array(frames + blocksPerFrame - 1);
  for (let b = 0; b < energies.length; b++) {
    const start = b * HOP - FRAME / 2;
    const isInside = start >= 0 && start + HOP <= samples.length;
    energies[b] = isInside ? innerEnergy(samples, start) : edgeEnergy(samples, start, pad);
  }
  const levels = new Float64Array(frames);
  for (let f = 0; f < frames; f++) {
    let energy = 0;
    for (let b = 0; b < blocksPerFrame; b++) energy += energies[f + b] as number;
    levels[f] = 10 * Math.log10(Math.max(LOWEST_POWER, energy / FRAME));
  }
  return levels;
}

/** Four sums at once, because each addition would wait for the one before. */
function innerEnergy(samples: Float64Array, start: number): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = start; i < start + HOP; i += 4) {
    const [w, x, y, z] = [samples[i]!, samples[i + 1]!, samples[i + 2]!, samples[i + 3]!];
    a += w * w;
    b += x * x;
    c += y * y;
    d += z * z;
  }
  return a + b + (c + d);
}

function edgeEnergy(samples: Float64Array, start: number, pad: 'reflect' | 'zero'): number {
  let energy = 0;
  for (let i = start; i < start + HOP; i++) {
    const isInside = i >= 0 && i < samples.length;
    if (!isInside && pad === 'zero') continue;
    const sample = samples[isInside ? i : reflected(i, samples.length)] as number;
    energy += sample * sample;
  }
  return energy;
}

/** Index of the sample that stands at position i when a clip is mirrored at its first and last sample, again and again. */
function reflected(i: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const phase = ((i % period) + period) % period;
  return phase < length ? phase : period - phase;
}
