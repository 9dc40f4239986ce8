import {createMagnitudeSpectrum} from './fft.ts';

/** The weights of one mel band: consecutive FFT bins from `firstBin`. */
export interface MelBand {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

export interface LogMelOptions {
  /** Hz. */
  readonly sampleRate: number;
  readonly windowSeconds: number;
  readonly hopSeconds: number;
  readonly bands: number;
  readonly lowHz: number;
  /** At most half of sampleRate. */
  readonly highHz: number;
  readonly logOffset: number;
}

/** Frames in time order, each of `bands` values: C order, shape (frames, bands). */
export interface LogMel {
  readonly frames: number;
  readonly bands: number;
  readonly values: Float64Array;
}

/**
 * The natural logarithm of (mel magnitudes + offset): periodic Hann window, zero padded to the next power of two, magnitude
 * spectrum, triangular mel bands. No padding at the ends: an incomplete last frame is dropped, so a clip shorter than one
 * window has 0 frames. Source: the VGGish front end (tensorflow/models, mel_features.py).
 */
export function logMel(samples: Float64Array, options: LogMelOptions): LogMel {
  const {sampleRate, windowSeconds, hopSeconds, bands, logOffset} = options;
  const window = periodicHann(roundHalfEven(windowSeconds * sampleRate));
  const hop = roundHalfEven(hopSeconds * sampleRate);
  const size = 2 ** Math.ceil(Math.log2(window.length));
  const spectrumOf = createMagnitudeSpectrum(size);
  const melBands = createMelBands(options, size);
  const frames = frameCount(samples.length, window.length, hop);
  const values = new Float64Array(frames * bands);
  const frame = new Float64Array(size);
  const spectrum = new Float64Array(size / 2 + 1);
  for (let f = 0; f < frames; f++) {
    const start = f * hop;
    for (let i = 0; i < window.length; i++) frame[i] = (samples[start + i] as number) * (window[i] as number);
    spectrumOf(frame, spectrum);
    for (let b = 0; b < bands; b++) {
      const {firstBin, weights} = melBands[b] as MelBand;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (spectrum[firstBin + k] as number);
      values[f * bands + b] = Math.log(sum + logOffset);
    }
  }
  return {frames, bands, values};
}

/**
 * Triangles with a peak of 1, equally spaced and linear in mel (HTK: 1127 * ln(1 + f/700)), between lowHz and highHz. Bin k
 * of the FFT lies at k * sampleRate / fftSize; the bin at 0 Hz has no weight.
 */
export function createMelBands(
  {sampleRate, bands, lowHz, highHz}: Pick<LogMelOptions, 'sampleRate' | 'bands' | 'lowHz' | 'highHz'>,
  fftSize: number,
): readonly MelBand[] {
  const low = hzToMel(lowHz);
  const high = hzToMel(highHz);
  const edge = (i: number): number => (i === bands + 1 ? high : low + (i * (high - low)) / (bands + 1));
  return Array.from({length: bands}, (_, b) => {
    const [left, peak, right] = [edge(b), edge(b + 1), edge(b + 2)];
    const weightOf = (bin: number): number => {
      const mel = hzToMel((bin * sampleRate) / fftSize);
      return Math.max(0, Math.min((mel - left) / (peak - left), (right - mel) / (right - peak)));
    };
    let firstBin = 1;
    while (firstBin <= fftSize / 2 && weightOf(firstBin) === 0) firstBin++;
    let end = firstBin;
    while (end <= fftSize / 2 && weightOf(end) > 0) end++;
    return {firstBin, weights: Float64Array.from({length: end - firstBin}, (__, k) => weightOf(firstBin + k))};
  });
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
