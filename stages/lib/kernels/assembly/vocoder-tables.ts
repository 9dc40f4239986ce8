// What phase-vocoder.ts computes once: windows, and the filter that reads a sound between its samples.
import {rootRe} from './fft';

/** Samples that the filter takes, and the shape of its window. Images below -112 dB, ripple 2e-5 dB, up to 1/3 of the rate. */
export const TAPS = 24;
const SHAPE = 12;

/** A periodic Hann window of `size` points, times `scale`. */
export function createWindow(size: i32, scale: f64): usize {
  const window = heap.alloc(<usize>size << 3);
  for (let i = 0; i < size; i++) store<f64>(window + (<usize>i << 3), scale * (0.5 - 0.5 * rootRe(i, size)));
  return window;
}

/**
 * For each of `phases` places between two samples, the weights of the TAPS samples around it: a sinc under an exponential of
 * semicircle, which falls as fast as Kaiser's window without its Bessel function. Their sum is 1.
 * Source: A. Barnett et al., "A parallel nonuniform fast Fourier transform library based on an exponential of semicircle
 * kernel", 2019.
 */
export function createTaps(phases: i32): usize {
  const taps = heap.alloc(<usize>(phases * TAPS) << 3);
  let to = taps;
  for (let p = 0; p < phases; p++) {
    const fraction = <f64>p / <f64>phases;
    const sine = Math.sin(Math.PI * fraction) / Math.PI;
    let sum: f64 = 0;
    for (let i = 0; i < TAPS; i++) {
      const x = <f64>(i - (TAPS / 2 - 1)) - fraction;
      const u = x / <f64>(TAPS / 2);
      const sinc = x === 0 ? 1 : (i & 1 ? -sine : sine) / x;
      const weight = sinc * Math.exp(SHAPE * (Math.sqrt(1 - u * u) - 1));
      store<f64>(to + (<usize>i << 3), weight);
      sum += weight;
    }
    for (let i = 0; i < TAPS; i++) {
      store<f64>(to, load<f64>(to) / sum);
      to += 8;
    }
  }
  return taps;
}
