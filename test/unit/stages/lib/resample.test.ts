import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {resample} from '../../../../stages/lib/resample.ts';
import {halfFilter} from '../../../../stages/lib/resampy.ts';
import golden from '../../../golden/audio/dsp.json' with {type: 'json'};

const sine = (hz: number, rate: number, length: number): Float64Array =>
  Float64Array.from({length}, (_, i) => Math.sin((2 * Math.PI * hz * i) / rate));

/** resampy 0.2, word for word, sample by sample. */
function reference(x: Float64Array, fromRate: number, toRate: number): Float64Array {
  const ratio = toRate / fromRate;
  const table = Float64Array.from({length: 64 * 512 + 1}, (_, i) => halfFilter(i / 512) * Math.min(1, ratio));
  const delta = table.map((value, i) => (i + 1 < table.length ? table[i + 1]! - value : 0));
  const scale = Math.min(1, ratio);
  const step = Math.trunc(scale * 512);
  const y = new Float64Array(Math.floor((x.length * toRate) / fromRate));
  let time = 0;
  for (let t = 0; t < y.length; t++, time += 1 / ratio) {
    const n = Math.trunc(time);
    let fraction = scale * (time - n);
    const wing = (count: number, sample: (i: number) => number): void => {
      const index = fraction * 512;
      const offset = Math.trunc(index);
      const eta = index - offset;
      for (let i = 0; i < Math.min(count, Math.floor((table.length - offset) / step)); i++) {
        y[t]! += (table[offset + i * step]! + eta * delta[offset + i * step]!) * sample(i);
      }
    };
    wing(n + 1, (i) => x[n - i]!);
    fraction = scale - fraction;
    wing(x.length - n - 1, (i) => x[n + 1 + i]!);
  }
  return y;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>, margin = 0): number {
  let worst = 0;
  for (let i = margin; i < a.length - margin; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

describe('resampy02', () => {
  test('has the reference filter', () => {
    const {first, last, len} = golden.kaiser_best_021;
    expect(len).toBe(64 * 512 + 1);
    const at = [0, 1, 2, len - 2, len - 1].map((i) => halfFilter(i / 512));
    expect(largestDifference(at, [...first, ...last])).toBeLessThan(1e-15);
  });

  test('gives the reference samples of a sine to 1e-10', () => {
    const expected = golden.sine440_44100_to_16000;
    const y = resample(sine(440, 44_100, 44_100), 44_100, 16_000, 'resampy02');
    expect(y.length).toBe(expected.n);
    // The reference clock gathers an error of 4e-10 s; a 440 Hz sine moves by 2765 per second.
    expect(
      largestDifference(
        [0, 1, 100, 1000, 5000].map((i) => y[i]!),
        expected.s,
      ),
    ).toBeLessThan(1e-10);
    expect(Math.sqrt(y.reduce((sum, v) => sum + v * v, 0) / y.length)).toBeCloseTo(expected.rms, 11);
    expect(y.reduce((peak, v) => Math.max(peak, Math.abs(v)), 0)).toBeCloseTo(expected.absmax, 10);
    expect(largestDifference(y, sine(440, 16_000, 16_000), 200)).toBeCloseTo(expected.max_err_vs_ideal_interior, 8);
  });

  test.each([
    [44_100, 16_000],
    [48_000, 16_000],
    [22_050, 16_000],
    [32_000, 16_000],
    [8000, 16_000],
    [11_025, 16_000],
    [44_101, 16_000],
    [16_000, 44_100],
  ])('agrees with a literal transcription, %i -> %i Hz', (fromRate, toRate) => {
    const x = Float64Array.from({length: 3000}, (_, i) => Math.sin(i * i * 0.001) + 0.3 * Math.cos(i * 1.7));
    const y = resample(x, fromRate, toRate, 'resampy02');
    const expected = reference(x, fromRate, toRate);
    expect(y.length).toBe(expected.length);
    expect(largestDifference(y, expected)).toBeLessThan(1e-9);
  });
});

describe('sinc', () => {
  test.each([
    [44_100, 16_000, 440, 1e-11],
    [44_100, 16_000, 7300, 1e-11],
    [8000, 16_000, 1000, 1e-11],
    [11_025, 16_000, 3000, 1e-11],
    [44_101, 16_000, 2000, 1e-11],
  ])('%i -> %i Hz leaves a sine of %i Hz as it is', (fromRate, toRate, hz, tolerance) => {
    const y = resample(sine(hz, fromRate, fromRate / 5), fromRate, toRate, 'sinc');
    expect(largestDifference(y, sine(hz, toRate, y.length), 1000)).toBeLessThan(tolerance);
  });

  test('removes what the lower rate cannot hold', () => {
    const y = resample(sine(12_000, 44_100, 8820), 44_100, 16_000, 'sinc');
    expect(largestDifference(y, new Float64Array(y.length), 300)).toBeLessThan(1e-6);
  });
});

describe('both', () => {
  const resampler = fc.constantFrom('resampy02' as const, 'sinc' as const);
  const rate = fc.constantFrom(8000, 11_025, 16_000, 22_050, 44_100, 48_000);

  test('give floor(length * ratio) finite samples, and scale with the input', () => {
    fc.assert(
      fc.property(fc.nat({max: 300}), rate, rate, resampler, (length, fromRate, toRate, kind) => {
        const x = Float64Array.from({length}, (_, i) => Math.cos(i * i));
        const y = resample(x, fromRate, toRate, kind);
        expect(y.length).toBe(Math.floor((length * toRate) / fromRate));
        expect(y.every(Number.isFinite)).toBe(true);
        const doubled = resample(
          x.map((v) => 2 * v),
          fromRate,
          toRate,
          kind,
        );
        expect(doubled).toEqual(y.map((v) => 2 * v));
      }),
      {numRuns: 40},
    );
  });

  test('leave a clip alone that has the rate already', () => {
    const x = sine(100, 16_000, 50);
    expect(resample(x, 16_000, 16_000, 'resampy02')).toEqual(x);
  });
});
