// Tones in, figures out: what a resampler does to each frequency.

/** Of each tone: this long, of which the middle half counts, so that no filter sees where it starts or ends. */
const TONE_SECONDS = 0.4;
const AMPLITUDE = 0.5;

/**
 * Frequencies of the sweep in parts of the lower rate's Nyquist frequency: the pass band, its edge, and what must vanish.
 *
 * @param {number} fromRate
 * @param {number} toRate
 */
export function sweep(fromRate, toRate) {
  const nyquist = Math.min(fromRate, toRate) / 2;
  const highest = fromRate / 2 / nyquist;
  const pass = Array.from({length: 90}, (_, i) => (i + 0.37) / 100);
  const edge = Array.from({length: 100}, (_, i) => 0.9 + i / 1000);
  const stop = Array.from({length: 120}, (_, i) => 1 + ((i + 0.2) / 120) * (highest - 1)).filter((f) => f < highest);
  return {nyquist, pass, edge, stop: highest > 1 ? [1.0005, 1.005, 1.02, 1.05, ...stop] : []};
}

/**
 * The tones one after the other, then a second of 1 kHz.
 *
 * @param {number} fromRate
 * @param {number} toRate
 */
export function sweepSignal(fromRate, toRate) {
  const {nyquist, pass, edge, stop} = sweep(fromRate, toRate);
  const hertz = [...pass, ...edge, ...stop].map((f) => f * nyquist);
  const length = Math.round(TONE_SECONDS * fromRate);
  const signal = new Float64Array(length * hertz.length + fromRate);
  for (const [tone, hz] of hertz.entries()) {
    for (let i = 0; i < length; i++)
      signal[tone * length + i] = AMPLITUDE * Math.sin((2 * Math.PI * hz * i) / fromRate);
  }
  for (let i = 0; i < fromRate; i++) {
    signal[length * hertz.length + i] = 0.9 * Math.sin((2 * Math.PI * 1000 * i) / fromRate);
  }
  return signal;
}

/**
 * What became of `sweepSignal`. dB. Ripple: largest deviation from 0 dB up to 91 % of the lower Nyquist frequency. `flat`,
 * `half`: where it has fallen by 0.01 and by 3 dB, in percent of that. `alias`: the strongest thing that is not the tone
 * itself, against the tone, over the pass band and all beyond 100 %. `distortion`: all that is not the 1 kHz tone, against it.
 *
 * @param {Float64Array} output
 * @param {number} fromRate
 * @param {number} toRate
 */
export function judge(output, fromRate, toRate) {
  const {nyquist, pass, edge, stop} = sweep(fromRate, toRate);
  const inputLength = Math.round(TONE_SECONDS * fromRate);
  /** @type {(tone: number) => Float64Array} */
  const middle = (tone) => {
    const at = (part) => Math.round(((tone + part) * inputLength * toRate) / fromRate);
    return output.subarray(at(0.25), at(0.75));
  };
  const found = [...pass, ...edge].map((f, tone) => ({f, ...fitTone(middle(tone), (f * nyquist) / toRate)}));
  const decibels = found.map(({f, amplitude, rest}) => ({
    f,
    gain: dB(amplitude / AMPLITUDE),
    rest: dB(rest / AMPLITUDE),
  }));
  const left = stop.map((_, i) => dB((rms(middle(found.length + i)) * Math.SQRT2) / AMPLITUDE));
  const tones = found.length + stop.length;
  const last = Math.round(((tones * inputLength + fromRate / 4) * toRate) / fromRate);
  const kilohertz = fitTone(output.subarray(last, last + toRate / 2), 1000 / toRate);
  return {
    ripple: Math.max(...decibels.filter(({f}) => f <= 0.91).map(({gain}) => Math.abs(gain))),
    flat: 100 * (decibels.filter(({f}) => f >= 0.9).find(({gain}) => gain < -0.01)?.f ?? 1),
    half: 100 * (decibels.filter(({f}) => f >= 0.9).find(({gain}) => gain < -3)?.f ?? 1),
    alias: Math.max(...left, ...decibels.filter(({f}) => f < 0.9).map(({rest}) => rest)),
    distortion: dB(kilohertz.rest / kilohertz.amplitude),
  };
}

/**
 * The sine of a known frequency (parts of the rate) that is closest to the samples, and the amplitude that a sine of the same
 * power as the rest has.
 *
 * @param {Float64Array} samples
 * @param {number} frequency
 */
function fitTone(samples, frequency) {
  let [cc, cs, ss, xc, xs] = [0, 0, 0, 0, 0];
  for (const [i, x] of samples.entries()) {
    const c = Math.cos(2 * Math.PI * frequency * i);
    const s = Math.sin(2 * Math.PI * frequency * i);
    cc += c * c;
    cs += c * s;
    ss += s * s;
    xc += x * c;
    xs += x * s;
  }
  const determinant = cc * ss - cs * cs;
  const a = (xc * ss - xs * cs) / determinant;
  const b = (xs * cc - xc * cs) / determinant;
  const rest = samples.map(
    (x, i) => x - a * Math.cos(2 * Math.PI * frequency * i) - b * Math.sin(2 * Math.PI * frequency * i),
  );
  return {amplitude: Math.hypot(a, b), rest: rms(rest) * Math.SQRT2};
}

/** @param {Float64Array} samples */
function rms(samples) {
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}

/** @param {number} ratio */
function dB(ratio) {
  return 20 * Math.log10(ratio);
}
