import {describe, expect, test} from 'vitest';
import {compileKernel} from '../../../../../stages/lib/kernels/build.mjs';
import {type Kernel, lazyKernel} from '../../../../../stages/lib/kernels/kernel.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

interface FftKernel extends Kernel {
  createFft(size: number): number;
  forward(fft: number, data: number): void;
  inverse(fft: number, data: number): void;
  orderOf(fft: number, k: number): number;
  splitPair(fft: number, data: number, spectra: number): void;
  joinPair(fft: number, spectra: number, data: number): void;
  rootRe(k: number, n: number): number;
  rootIm(k: number, n: number): number;
}

const text = await compileKernel('fft');
const kernel = (lazyKernel(/'(.*)'/.exec(text)![1]!) as () => FftKernel)();
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 16, 21, 32, 35, 48, 49, 64, 105, 210, 256, 441, 512, 640, 1764, 2048];

/** A fresh transform and its data, `size` points of two lanes: [re0, re1, im0, im1] each. */
function prepare(size: number) {
  kernel.release();
  const fft = kernel.createFft(size);
  const data = kernel.allocate(32 * size);
  const spectra = kernel.allocate(64 * (size / 2 + 1));
  return {
    fft,
    data,
    spectra,
    points: new Float64Array(kernel.memory.buffer, data, 4 * size),
    pairs: new Float64Array(kernel.memory.buffer, spectra, 8 * (Math.floor(size / 2) + 1)),
  };
}

function noise(length: number): Float64Array {
  const rng = createRng(length);
  return Float64Array.from({length}, () => 2 * rng.uniform() - 1);
}

/** Frequency k of one lane, by the definition. */
function direct(points: Float64Array, size: number, lane: number, k: number): readonly [number, number] {
  let re = 0;
  let im = 0;
  for (let j = 0; j < size; j++) {
    const angle = (-2 * Math.PI * ((j * k) % size)) / size;
    const x = points[4 * j + lane]!;
    const y = points[4 * j + 2 + lane]!;
    re += x * Math.cos(angle) - y * Math.sin(angle);
    im += x * Math.sin(angle) + y * Math.cos(angle);
  }
  return [re, im];
}

describe.each(SIZES)('%d points', (size) => {
  test('forward is the discrete transform of both lanes, at the places that orderOf tells', () => {
    const {fft, data, points} = prepare(size);
    const signal = noise(4 * size);
    points.set(signal);
    kernel.forward(fft, data);
    const places = new Set<number>();
    for (let k = 0; k < size; k += size > 300 ? 17 : 1) {
      const place = kernel.orderOf(fft, k) / 32;
      places.add(place);
      for (const lane of [0, 1]) {
        const [re, im] = direct(signal, size, lane, k);
        expect(Math.abs(points[4 * place + lane]! - re)).toBeLessThan(1e-15 * size + 1e-13);
        expect(Math.abs(points[4 * place + 2 + lane]! - im)).toBeLessThan(1e-15 * size + 1e-13);
      }
    }
    expect(places.size).toBe(Math.ceil(size / (size > 300 ? 17 : 1)));
  });

  test('inverse takes it back', () => {
    const {fft, data, points} = prepare(size);
    const signal = noise(4 * size);
    points.set(signal);
    kernel.forward(fft, data);
    kernel.inverse(fft, data);
    for (const [i, x] of signal.entries()) expect(Math.abs(points[i]! / size - x)).toBeLessThan(3e-15);
  });

  test('a pair of real signals is split into their spectra and joined again', () => {
    const {fft, data, spectra, points, pairs} = prepare(size);
    const signal = noise(4 * size);
    points.set(signal);
    kernel.forward(fft, data);
    kernel.splitPair(fft, data, spectra);
    for (let k = 0; k <= size / 2; k += size > 300 ? 17 : 1) {
      for (const lane of [0, 1]) {
        const parts = [0, 2].map((part) => {
          const alone = signal.map((_, i) => (i % 4 === lane ? signal[i - lane + part + lane]! : 0));
          return direct(alone, size, lane, k);
        });
        for (const [part, [re, im]] of parts.entries()) {
          expect(Math.abs(pairs[8 * k + 4 * part + lane]! - re)).toBeLessThan(1e-15 * size + 1e-13);
          expect(Math.abs(pairs[8 * k + 4 * part + 2 + lane]! - im)).toBeLessThan(1e-15 * size + 1e-13);
        }
      }
    }
    points.fill(Number.NaN);
    kernel.joinPair(fft, spectra, data);
    kernel.inverse(fft, data);
    for (const [i, x] of signal.entries()) expect(Math.abs(points[i]! / size - x)).toBeLessThan(3e-15);
  });
});

test('roots of one', () => {
  for (const n of [1, 2, 3, 7, 8, 12, 441, 2048]) {
    for (let k = 0; k < n; k++) {
      expect(Math.abs(kernel.rootRe(k, n) - Math.cos((2 * Math.PI * k) / n))).toBeLessThan(1e-15);
      expect(Math.abs(kernel.rootIm(k, n) + Math.sin((2 * Math.PI * k) / n))).toBeLessThan(1e-15);
    }
  }
  for (const [k, [re, im]] of [
    [1, 0],
    [0, -1],
    [-1, 0],
    [0, 1],
  ].entries()) {
    expect(kernel.rootRe(k, 4) === re && kernel.rootIm(k, 4) === im).toBe(true);
  }
});
