import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createMagnitudeSpectrum} from '../../../../stages/lib/fft.ts';

/** The definition, O(n^2). */
function directMagnitudes(input: Float64Array): Float64Array {
  const n = input.length;
  return Float64Array.from({length: n / 2 + 1}, (_, k) => {
    let real = 0;
    let imaginary = 0;
    for (const [i, x] of input.entries()) {
      // The product is reduced first: the angle would lose digits.
      const angle = (2 * Math.PI * ((k * i) % n)) / n;
      real += x * Math.cos(angle);
      imaginary -= x * Math.sin(angle);
    }
    return Math.hypot(real, imaginary);
  });
}

function magnitudes(input: Float64Array): Float64Array {
  const output = new Float64Array(input.length / 2 + 1);
  createMagnitudeSpectrum(input.length)(input, output);
  return output;
}

const largestDifference = (a: Float64Array, b: Float64Array): number =>
  a.reduce((worst, x, i) => Math.max(worst, Math.abs(x - b[i]!)), 0);

const signal = fc
  .integer({min: 2, max: 10})
  .chain((bits) => fc.float64Array({minLength: 2 ** bits, maxLength: 2 ** bits, min: -1, max: 1, noNaN: true}));

describe('createMagnitudeSpectrum', () => {
  test('agrees with the definition for sizes 4 ... 1024', () => {
    fc.assert(
      fc.property(signal, (input) => {
        expect(largestDifference(magnitudes(input), directMagnitudes(input))).toBeLessThan(1e-11);
      }),
      {numRuns: 60},
    );
  });

  test('keeps the energy (Parseval)', () => {
    fc.assert(
      fc.property(signal, (input) => {
        const bins = magnitudes(input);
        const energy = input.reduce((sum, x) => sum + x * x, 0) * input.length;
        const spectral = bins.reduce((sum, x, k) => sum + (k === 0 || k === bins.length - 1 ? 1 : 2) * x * x, 0);
        expect(Math.abs(spectral - energy)).toBeLessThanOrEqual(1e-12 * Math.max(1, energy));
      }),
    );
  });

  test('finds a sine in its bin', () => {
    const bins = magnitudes(Float64Array.from({length: 512}, (_, i) => Math.sin((2 * Math.PI * 37 * i) / 512)));
    expect(bins[37]).toBeCloseTo(256, 10);
    expect(Math.max(...bins.filter((_, k) => k !== 37))).toBeLessThan(1e-10);
  });

  test('can be used again and again', () => {
    const spectrumOf = createMagnitudeSpectrum(8);
    const output = new Float64Array(5);
    spectrumOf(Float64Array.of(9, 8, 7, 6, 5, 4, 3, 2), output);
    spectrumOf(Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0), output);
    expect(output).toEqual(Float64Array.of(1, 1, 1, 1, 1));
  });

  test('takes powers of two only', () => {
    for (const size of [0, 1, 2, 3, 12, 400, Number.NaN]) {
      expect(() => createMagnitudeSpectrum(size)).toThrow(RangeError);
    }
  });
});
