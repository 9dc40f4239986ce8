import {describe, expect, test} from 'vitest';
import {createMelBands, frameCount, logMel, periodicHann, roundHalfEven} from '../../../../stages/lib/mel.ts';
import golden from '../../../golden/audio/vggish-log-mel.json' with {type: 'json'};

const VGGISH = {
  sampleRate: 16_000,
  windowSeconds: 0.025,
  hopSeconds: 0.01,
  bands: 64,
  lowHz: 125,
  highHz: 7500,
  logOffset: 0.01,
};

function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values.length).toBe(expected.length);
  return Array.from(values).reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0);
}

describe('the VGGish front end', () => {
  const {smoke, melmat, hann} = golden;
  const sine = Float64Array.from({length: smoke.nsamples}, (_, k) => Math.sin(2 * Math.PI * 1000 * (k / 16_000)));
  const {frames, bands, values} = logMel(sine, VGGISH);
  const rowOf = (frame: number): Float64Array => values.subarray(frame * bands, (frame + 1) * bands);

  test('gives the reference log-mel of a sine to 1e-8', () => {
    expect([frames, bands]).toEqual(smoke.logmel_shape);
    expect(largestDifference(rowOf(0), smoke.first_frame)).toBeLessThan(1e-8);
    expect(largestDifference(rowOf(96 + 50), smoke.ex1_frame50)).toBeLessThan(1e-8);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    const extremes = [mean, std, Math.min(...values), Math.max(...values)];
    expect(largestDifference(extremes, [smoke.mean, smoke.std, smoke.min, smoke.max])).toBeLessThan(1e-8);
  });

  test('has the reference mel matrix', () => {
    const matrix = createMelBands(VGGISH, 512);
    const sums = matrix.map(({weights}) => weights.reduce((a, b) => a + b, 0));
    expect(matrix.map(({weights}) => weights.length)).toEqual(melmat.per_band_nonzero);
    expect(largestDifference(sums, melmat.per_band_sum)).toBeLessThan(1e-10);
    for (const [band, weight] of melmat.row10) {
      const {firstBin, weights} = matrix[band!]!;
      expect(weights[10 - firstBin]).toBeCloseTo(weight!, 12);
    }
  });

  test('has the reference window', () => {
    const window = periodicHann(hann.n);
    expect(largestDifference(window.subarray(0, 4), hann.first)).toBeLessThan(1e-15);
    expect(window[200]).toBe(hann.mid);
    expect(window[399]).toBeCloseTo(hann.last, 15);
  });

  test('gives the log offset for silence', () => {
    const {values: silent} = logMel(new Float64Array(1600), VGGISH);
    expect(new Set(silent)).toEqual(new Set([Math.log(0.01)]));
  });

  test('drops an incomplete frame, and has none for less than a window', () => {
    const framesOf = (length: number): number => logMel(new Float64Array(length), VGGISH).frames;
    expect([399, 400, 559, 560, 15_360, 15_599, 15_600].map(framesOf)).toEqual([0, 1, 1, 2, 94, 95, 96]);
  });
});

test('the DC bin has no weight, and a band between two bins stays empty', () => {
  const bands = createMelBands({sampleRate: 16_000, bands: 64, lowHz: 0, highHz: 8000}, 64);
  expect(bands.every(({firstBin}) => firstBin >= 1)).toBe(true);
  expect(bands.some(({weights}) => weights.length === 0)).toBe(true);
  expect(bands.every(({firstBin, weights}) => weights.length === 0 || firstBin + weights.length <= 33)).toBe(true);
});

test('half rounds to even: 1102 samples are 25 ms at 44.1 kHz', () => {
  expect([0.025 * 44_100, 0.5, 1.5, 2.5, 2.4999, 399.99999].map(roundHalfEven)).toEqual([1102, 0, 2, 2, 2, 400]);
});

test('frameCount counts what fits', () => {
  expect(frameCount(95, 96, 96)).toBe(0);
  expect(frameCount(96, 96, 96)).toBe(1);
  expect(frameCount(998, 96, 96)).toBe(10);
  expect(frameCount(144, 96, 48)).toBe(2);
});
