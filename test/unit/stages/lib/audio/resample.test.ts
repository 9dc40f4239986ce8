import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {judge, sweepSignal} from '../../../../../bench/resample-quality.mjs';
import {resample} from '../../../../../stages/lib/audio/resample.ts';
import {halfFilter} from '../../../../../stages/lib/audio/resampy.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import golden from '../../../../golden/audio/dsp.json' with {type: 'json'};

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

/** The filter of `sinc` as it is defined: a sinc at 96 % of the lower rate, 404 of its samples long, Kaiser window for 240 dB. */
function bandFilter(t: number): number {
  const bessel0 = (x: number): number => {
    let term = 1;
    let sum = 1;
    for (let k = 1; k < 100; k++) sum += term *= (x / (2 * k)) ** 2;
    return sum;
  };
  if (Math.abs(t) > 202) return 0;
  const x = Math.PI * 0.96 * t;
  const window = bessel0(0.1102 * 231.3 * Math.sqrt(1 - (t / 202) ** 2)) / bessel0(0.1102 * 231.3);
  return 0.96 * (t === 0 ? 1 : Math.sin(x) / x) * window;
}

/** `sinc` at some output samples, by the sum that defines it. */
function direct(x: Float64Array, fromRate: number, toRate: number, places: readonly number[]): Float64Array {
  const band = Math.min(1, toRate / fromRate);
  return Float64Array.from(places, (n) => {
    const time = (n * fromRate) / toRate;
    let sum = 0;
    for (let m = Math.max(0, Math.ceil(time - 202 / band)); m <= time + 202 / band && m < x.length; m++) {
      sum += x[m]! * band * bandFilter(band * (time - m));
    }
    return sum;
  });
}

function noise(length: number): Float64Array {
  const rng = createRng(length);
  return Float64Array.from({length}, () => 2 * rng.uniform() - 1);
}

const RATES = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000];
/** 11024 = 16 * 13 * 53, 44056 = 8 * 5507: their blocks would have no fast transform. */
const ODD_RATES = [11_024, 37_800, 44_056, 44_101, 48_001, 15_999, 11_984];

describe('sinc', () => {
  test.each([...RATES, ...ODD_RATES].map((rate) => [rate]))('is its filter, at both ends too, %i Hz', (rate) => {
    for (const [fromRate, toRate] of [
      [rate, 16_000],
      [16_000, rate],
    ] as const) {
      if (fromRate === toRate) continue;
      const x = noise(5000);
      const y = resample(x, fromRate, toRate, 'sinc');
      expect(y.length).toBe(Math.floor((5000 * toRate) / fromRate));
      const last = y.length - 1;
      const places = [0, 1, 2, 100, 377, last >> 1, (last >> 1) + 1, last - 300, last - 1, last].filter((n) => n >= 0);
      const expected = direct(x, fromRate, toRate, places);
      expect(
        largestDifference(
          Float64Array.from(places, (n) => y[n]!),
          expected,
        ),
      ).toBeLessThan(2e-11);
    }
  });

  test.each([
    [44_100, 16_000],
    [48_000, 16_000],
    [22_050, 16_000],
    [8000, 16_000],
    [96_000, 16_000],
    [44_056, 16_000],
  ])('%i -> %i Hz: flat in the pass band, nothing else anywhere, measured on sweeps', (fromRate, toRate) => {
    const y = resample(sweepSignal(fromRate, toRate), fromRate, toRate, 'sinc');
    const {ripple, flat, half, alias, distortion} = judge(y, fromRate, toRate);
    expect(ripple).toBeLessThan(1e-9);
    expect(flat).toBeGreaterThan(93);
    expect(half).toBeGreaterThan(95);
    expect(alias).toBeLessThan(-225);
    expect(distortion).toBeLessThan(-225);
  });

  test.each([
    [44_100, 16_000, 441, 160],
    [48_000, 16_000, 3, 1],
    [8000, 16_000, 1, 2],
    [22_050, 48_000, 147, 320],
    [11_024, 16_000, 689, 1000],
  ])(
    '%i -> %i Hz: %i input samples later is %i output samples later, wherever a block begins',
    (from, to, down, up) => {
      const x = noise(7000);
      const y = resample(x, from, to, 'sinc');
      for (const steps of [1, 2, 5, 11]) {
        const moved = new Float64Array(7000 + steps * down);
        moved.set(x, steps * down);
        const late = resample(moved, from, to, 'sinc');
        // The last samples of y lack what the filter makes of the silence after them: they agree as well.
        expect(largestDifference(y, late.subarray(steps * up))).toBeLessThan(1e-12);
      }
    },
  );

  test.each([[44_100], [8000], [11_024]])('%i -> 16000 Hz: what is added before is added after', (rate) => {
    const a = noise(3000);
    const b = noise(3001).subarray(1);
    const [ya, yb] = [a, b].map((x) => resample(x, rate, 16_000, 'sinc'));
    const mixed = resample(
      a.map((v, i) => 0.5 * v - 3 * b[i]!),
      rate,
      16_000,
      'sinc',
    );
    expect(
      largestDifference(
        mixed,
        ya!.map((v, i) => 0.5 * v - 3 * yb![i]!),
      ),
    ).toBeLessThan(1e-13 * 30);
  });

  test.each([[44_100], [48_000], [8000], [22_050], [11_024], [44_101]])('%i -> 16000 Hz keeps a constant', (rate) => {
    const y = resample(new Float64Array(8000).fill(0.7), rate, 16_000, 'sinc');
    const margin = Math.ceil(210 * Math.max(1, 16_000 / rate));
    expect(largestDifference(y, new Float64Array(y.length).fill(0.7), margin)).toBeLessThan(1e-11);
  });

  test('does not depend on what was resampled before', () => {
    const x = noise(4000);
    const first = resample(x, 44_100, 16_000, 'sinc');
    // Each takes about 10 MiB of tables: all are dropped in between.
    for (const denominator of [14_406, 15_625, 16_384, 16_807, 17_496, 18_225, 19_208, 19_683]) {
      resample(x, denominator, 20_000, 'sinc');
    }
    expect(resample(x, 44_100, 16_000, 'sinc')).toEqual(first);
    expect(resample(x, 44_100, 16_000, 'resampy02').length).toBe(first.length);
  });

  test('takes a single sample', () => {
    expect(resample(Float64Array.of(1), 44_100, 16_000, 'sinc')).toEqual(new Float64Array());
    const y = resample(Float64Array.of(1), 8000, 16_000, 'sinc');
    expect(largestDifference(y, Float64Array.of(bandFilter(0), bandFilter(0.5)))).toBeLessThan(1e-12);
  });

  test('refuses rates that differ more than 512 times', () => {
    expect(() => resample(noise(10), 4_000_000_000, 16_000, 'sinc')).toThrow(
      'cannot resample 4000000000 Hz to 16000 Hz: the rates differ more than 512 times',
    );
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
