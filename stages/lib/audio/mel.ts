import {lazyKernel, type Kernel} from '../kernels/kernel.ts';
import {code} from '../kernels/log-mel-wasm.ts';

export interface LogMelOptions {
  /** Hz. */
  readonly sampleRate: number;
  /** At least three samples. */
  readonly windowSeconds: number;
  /** At least one sample. */
  readonly hopSeconds: number;
  readonly bands: number;
  readonly lowHz: number;
  /** At most half of sampleRate. */
  readonly highHz: number;
  /** At least the smallest normal number, 2^-1022. */
  readonly logOffset: number;
}

/** Frames in time order, each of `bands` values: C order, shape (frames, bands). */
export interface LogMel {
  readonly frames: number;
  readonly bands: number;
  readonly values: Float32Array;
}

/**
 * The natural logarithm of (mel magnitudes + offset): periodic Hann window, zero padded to the next power of two, magnitude
 * spectrum, triangular mel bands; in float64 up to the rounding at the end. No padding at the ends: an incomplete last frame
 * is dropped, so a clip shorter than one window has 0 frames. Samples must be finite: one that is not makes its frame, and
 * up to three beside it, NaN.
 * Source: the VGGish front end (tensorflow/models, mel_features.py).
 */
export function logMel(samples: Float64Array, options: LogMelOptions): LogMel {
  const {sampleRate, windowSeconds, hopSeconds, bands, logOffset} = options;
  const window = periodicHann(roundHalfEven(windowSeconds * sampleRate));
  const hop = roundHalfEven(hopSeconds * sampleRate);
  const size = 2 ** Math.ceil(Math.log2(window.length));
  const {starts, weights} = createMelFilters(options, size);
  const kernel = logMelKernel();
  kernel.release();
  const plan = kernel.createPlan(size, window.length, hop, bands, weights.length / 2, logOffset);
  const frames = frameCount(samples.length, window.length, hop);
  // A block is a whole number of groups, with room for the last one's missing frames and the sample it reads beyond them.
  const groups = Math.min(Math.ceil(frames / GROUP), Math.max(1, Math.floor(BLOCK_SAMPLES / (GROUP * hop))));
  const room = (groups * GROUP - 1) * hop + window.length + 1;
  const input = kernel.allocate(room * Float64Array.BYTES_PER_ELEMENT);
  const output = kernel.allocate(groups * GROUP * bands * Float32Array.BYTES_PER_ELEMENT);
  const {buffer} = kernel.memory;
  new Float64Array(buffer, kernel.windowOf(plan), window.length + 1).fill(0).set(window);
  new Int32Array(buffer, kernel.startsOf(plan), starts.length).set(starts);
  // The kernel adds both halves of the spectrum up: twice the magnitude.
  new Float64Array(buffer, kernel.weightsOf(plan), weights.length).set(weights.map((weight) => weight / 2));
  const block = new Float64Array(buffer, input, room);
  const values = new Float32Array(frames * bands);
  for (let f = 0; f < frames; f += groups * GROUP) {
    const piece = samples.subarray(f * hop, f * hop + room);
    block.set(piece);
    block.fill(0, piece.length);
    const count = Math.min(groups * GROUP, frames - f);
    kernel.logMel(plan, input, output, Math.ceil(count / GROUP));
    values.set(new Float32Array(buffer, output, count * bands), f * bands);
  }
  return {frames, bands, values};
}

/** Shape (patches, patchFrames, bands), C order. */
export interface Patches {
  readonly patches: number;
  readonly data: Float32Array;
}

/** Cuts frames into patches of `patchFrames`, one every `patchHop` frames. What does not fill a patch is dropped. */
export function cutPatches({frames, bands, values}: LogMel, patchFrames: number, patchHop: number): Patches {
  const patches = frameCount(frames, patchFrames, patchHop);
  const size = patchFrames * bands;
  if (patchHop === patchFrames) return {patches, data: values.subarray(0, patches * size)};
  const data = new Float32Array(patches * size);
  for (let p = 0; p < patches; p++) {
    const start = p * patchHop * bands;
    data.set(values.subarray(start, start + size), p * size);
  }
  return {patches, data};
}

/** Frames that the kernel makes at once. */
const GROUP = 4;
/** Samples copied to the kernel at once: their frames stay in a cache of the second level. */
const BLOCK_SAMPLES = 2 ** 14;

interface LogMelKernel extends Kernel {
  createPlan(size: number, window: number, hop: number, bands: number, bins: number, logOffset: number): number;
  windowOf(plan: number): number;
  startsOf(plan: number): number;
  weightsOf(plan: number): number;
  logMel(plan: number, samples: number, values: number, groups: number): void;
}

const logMelKernel = lazyKernel(code) as () => LogMelKernel;

/** Sparse mel filters: between two neighbouring edges one band rises and the one below it falls. */
export interface MelFilters {
  /** Interval i reaches from edge i to edge i + 1 and holds the bins from starts[i] up to starts[i + 1]: bands + 2 numbers. */
  readonly starts: Int32Array;
  /** Of each bin from starts[0] on, its weight in band i, then in band i - 1, of its interval i; two are of no band. */
  readonly weights: Float64Array;
}

/**
 * Triangles with a peak of 1, equally spaced and linear in mel (HTK: 1127 * ln(1 + f/700)), between lowHz and highHz. Bin k
 * of the FFT lies at k * sampleRate / fftSize; the bin at 0 Hz has no weight.
 */
export function createMelFilters(
  {sampleRate, bands, lowHz, highHz}: Pick<LogMelOptions, 'sampleRate' | 'bands' | 'lowHz' | 'highHz'>,
  fftSize: number,
): MelFilters {
  const low = hzToMel(lowHz);
  const high = hzToMel(highHz);
  const edge = (i: number): number => (i === bands + 1 ? high : low + (i * (high - low)) / (bands + 1));
  const melOf = (bin: number): number => hzToMel((bin * sampleRate) / fftSize);
  const starts = new Int32Array(bands + 2);
  const weights: number[] = [];
  let bin = 1;
  while (bin <= fftSize / 2 && melOf(bin) < low) bin++;
  for (let i = 0; i <= bands; i++) {
    starts[i] = bin;
    const [left, right] = [edge(i), edge(i + 1)];
    for (; bin <= fftSize / 2 && melOf(bin) < right; bin++) {
      const rising = (melOf(bin) - left) / (right - left);
      const falling = (right - melOf(bin)) / (right - left);
      weights.push(rising, falling);
    }
  }
  starts[bands + 1] = bin;
  return {starts, weights: Float64Array.from(weights)};
}

/** 0.5 - 0.5 * cos(2 pi n / length): the period is the length, so the last sample is not 0. */
export function periodicHann(length: number): Float64Array {
  return Float64Array.from({length}, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / length));
}

/** How many windows fit, the first at 0, one every hop. */
export function frameCount(length: number, window: number, hop: number): number {
  return length < window ? 0 : 1 + Math.floor((length - window) / hop);
}

/** Half goes to the even neighbour, as in Python: 25 ms at 44.1 kHz are 1102 samples. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function hzToMel(hz: number): number {
  return 1127 * Math.log1p(hz / 700);
}
