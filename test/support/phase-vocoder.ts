/**
 * The pitch shift of librosa 0.6 as its text has it, with angles, complex spectra of whole sounds and a sinc evaluated wherever it is
 * needed: slow. `ratio` is that of the pitches, 2^(semitones/12). As long as `samples`.
 */
export function textbookPitchShift(samples: Float64Array, ratio: number): Float64Array {
  const spectra = analyse(samples);
  const stretched = synthesise(vocode(spectra, 1 / ratio), Math.ceil(samples.length * ratio));
  return samples.map((_, i) => sincAt(stretched, i * ratio, Math.min(1, 1 / ratio)));
}

interface Spectrum {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

const SIZE = 2048;
const HOP = 512;
const BINS = 1025;
const WINDOW = Float64Array.from({length: SIZE}, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SIZE));

function analyse(samples: Float64Array): Spectrum[] {
  const padded = reflectPad(samples, SIZE / 2);
  return Array.from({length: 1 + Math.floor(samples.length / HOP)}, (_, t) =>
    transform(
      WINDOW.map((weight, i) => weight * (padded[t * HOP + i] as number)),
      new Float64Array(SIZE),
      -1,
    ),
  );
}

/** As numpy.pad does it: by at most the length less one, then again around what that gave. */
function reflectPad(samples: Float64Array, width: number): Float64Array {
  let padded = [...samples];
  if (padded.length === 1) return new Float64Array(2 * width + 1).fill(padded[0] as number);
  for (let left = width; left > 0;) {
    const step = Math.min(left, padded.length - 1);
    const before = padded.slice(1, step + 1).toReversed();
    const after = padded.slice(padded.length - 1 - step, padded.length - 1).toReversed();
    padded = [...before, ...padded, ...after];
    left -= step;
  }
  return Float64Array.from(padded);
}

function vocode(spectra: readonly Spectrum[], rate: number): Spectrum[] {
  const zeros: Spectrum = {re: new Float64Array(SIZE), im: new Float64Array(SIZE)};
  const all = [...spectra, zeros, zeros];
  const angle = (frame: Spectrum, k: number): number => Math.atan2(frame.im[k] as number, frame.re[k] as number);
  const size = (frame: Spectrum, k: number): number => Math.hypot(frame.re[k] as number, frame.im[k] as number);
  const phases = Float64Array.from({length: BINS}, (_, k) => angle(all[0] as Spectrum, k));
  const stretched: Spectrum[] = [];
  for (let t = 0; t * rate < spectra.length; t++) {
    const i = Math.floor(t * rate);
    const alpha = t * rate - i;
    const [here, next] = [all[i] as Spectrum, all[i + 1] as Spectrum];
    const re = new Float64Array(BINS);
    const im = new Float64Array(BINS);
    for (let k = 0; k < BINS; k++) {
      const phase = phases[k] as number;
      const mixed = (1 - alpha) * size(here, k) + alpha * size(next, k);
      re[k] = mixed * Math.cos(phase);
      im[k] = mixed * Math.sin(phase);
      const advance = (Math.PI * HOP * k) / (BINS - 1);
      const deviation = angle(next, k) - angle(here, k) - advance;
      phases[k] = phase + advance + deviation - 2 * Math.PI * Math.round(deviation / (2 * Math.PI));
    }
    stretched.push({re, im});
  }
  return stretched;
}

function synthesise(spectra: readonly Spectrum[], length: number): Float64Array {
  const total = new Float64Array(SIZE + HOP * spectra.length);
  const weights = new Float64Array(total.length);
  for (const [t, {re, im}] of spectra.entries()) {
    const mirrored = (bins: Float64Array, sign: number): Float64Array =>
      Float64Array.from({length: SIZE}, (_, k) => (k < BINS ? bins[k] : sign * (bins[SIZE - k] as number)) as number);
    const frame = transform(mirrored(re, 1), mirrored(im, -1), 1).re;
    for (let i = 0; i < SIZE; i++) {
      const weight = WINDOW[i] as number;
      total[t * HOP + i]! += (weight * (frame[i] as number)) / SIZE;
      weights[t * HOP + i]! += weight * weight;
    }
  }
  return Float64Array.from({length}, (_, i) => (total[i + SIZE / 2] as number) / (weights[i + SIZE / 2] as number));
}

/** The Fourier transform (sign -1) or size times its inverse (1), radix 2, recursive. */
export function transform(re: Float64Array, im: Float64Array, sign: 1 | -1): Spectrum {
  const size = re.length;
  if (size === 1) return {re, im};
  const half = (values: Float64Array, odd: 0 | 1): Float64Array => {
    const picked = new Float64Array(size / 2);
    for (let i = 0; i < picked.length; i++) picked[i] = values[2 * i + odd] as number;
    return picked;
  };
  const even = transform(half(re, 0), half(im, 0), sign);
  const odd = transform(half(re, 1), half(im, 1), sign);
  const result = {re: new Float64Array(size), im: new Float64Array(size)};
  for (let k = 0; k < size / 2; k++) {
    const [c, s] = [Math.cos((2 * Math.PI * k) / size), sign * Math.sin((2 * Math.PI * k) / size)];
    const x = c * (odd.re[k] as number) - s * (odd.im[k] as number);
    const y = c * (odd.im[k] as number) + s * (odd.re[k] as number);
    result.re[k] = (even.re[k] as number) + x;
    result.im[k] = (even.im[k] as number) + y;
    result.re[k + size / 2] = (even.re[k] as number) - x;
    result.im[k + size / 2] = (even.im[k] as number) - y;
  }
  return result;
}

/** A sinc of 200 zero crossings under a Blackman window. */
function sincAt(samples: Float64Array, time: number, cutoff: number): number {
  const reach = 200 / cutoff;
  let sum = 0;
  for (let i = Math.max(0, Math.ceil(time - reach)); i < Math.min(samples.length, time + reach); i++) {
    const x = i - time;
    const u = Math.PI * (x / reach);
    const window = 0.42 + 0.5 * Math.cos(u) + 0.08 * Math.cos(2 * u);
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
    sum += (samples[i] as number) * cutoff * window * sinc;
  }
  return sum;
}
