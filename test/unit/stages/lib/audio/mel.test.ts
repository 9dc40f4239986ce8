import {describe, expect, test} from 'vitest';
import {
  createMelFilters,
  cutPatches,
  frameCount,
  logMel,
  periodicHann,
  roundHalfEven,
  type LogMelOptions,
} from '../../../../../stages/lib/audio/mel.ts';
import golden from '../../../../golden/audio/vggish-log-mel.json' with {type: 'json'};
import {directLogMel} from '../../../../support/log-mel-reference.ts';

const VGGISH: LogMelOptions = {
  sampleRate: 16_000,
  windowSeconds: 0.025,
  hopSeconds: 0.01,
  bands: 64,
  lowHz: 125,
  highHz: 7500,
  logOffset: 0.01,
};

/** A sweep with a click and a silence: loud and silent frames side by side. */
const mixture = (length: number): Float64Array =>
  Float64Array.from({length}, (_, i) => {
    if (i > length / 2 && i < length / 2 + 1000) return 0;
    return i === 700 ? 1 : 0.7 * Math.sin(i * i * 2e-5);
  });

function largestDifference(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values.length).toBe(expected.length);
  return Array.from(values).reduce((worst, x, i) => Math.max(worst, Math.abs(x - expected[i]!)), 0);
}

/** The largest difference beyond what rounding to float32 makes. */
function largestError(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values.length).toBe(expected.length);
  return Array.from(expected).reduce((worst, x, i) => {
    const roundingError = Math.abs(x) * 2 ** -24;
    return Math.max(worst, Math.abs(values[i]! - x) - roundingError);
  }, 0);
}

/** The filters as a matrix: rows are bands, columns bins. */
function melMatrix(options: LogMelOptions, size: number): number[][] {
  const {starts, weights} = createMelFilters(options, size);
  const matrix = Array.from({length: options.bands}, () => new Array<number>(size / 2 + 1).fill(0));
  for (let i = 0; i <= options.bands; i++) {
    for (let bin = starts[i]!; bin < starts[i + 1]!; bin++) {
      const at = 2 * (bin - starts[0]!);
      if (i < options.bands) matrix[i]![bin]! += weights[at]!;
      if (i > 0) matrix[i - 1]![bin]! += weights[at + 1]!;
    }
  }
  return matrix;
}

describe('the VGGish front end', () => {
  const {smoke, melmat, hann} = golden;
  const sine = Float64Array.from({length: smoke.nsamples}, (_, k) => Math.sin(2 * Math.PI * 1000 * (k / 16_000)));
  const {frames, bands, values} = logMel(sine, VGGISH);
  const rowOf = (frame: number): Float32Array => values.subarray(frame * bands, (frame + 1) * bands);

  test('gives the reference log-mel of a sine to 1e-9 and the rounding to float32', () => {
    expect([frames, bands]).toEqual(smoke.logmel_shape);
    expect(largestError(rowOf(0), smoke.first_frame)).toBeLessThan(1e-9);
    expect(largestError(rowOf(96 + 50), smoke.ex1_frame50)).toBeLessThan(1e-9);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    expect(largestDifference([mean, std], [smoke.mean, smoke.std])).toBeLessThan(1e-7);
    expect(largestError([Math.min(...values), Math.max(...values)], [smoke.min, smoke.max])).toBeLessThan(1e-9);
  });

  test('has the reference mel matrix', () => {
    const matrix = melMatrix(VGGISH, 512);
    const sums = matrix.map((row) => row.reduce((a, b) => a + b, 0));
    expect(matrix.map((row) => row.filter((weight) => weight > 0).length)).toEqual(melmat.per_band_nonzero);
    expect(largestDifference(sums, melmat.per_band_sum)).toBeLessThan(1e-10);
    for (const [band, weight] of melmat.row10) expect(matrix[band!]![10]).toBeCloseTo(weight!, 12);
  });

  test('has the reference window', () => {
    const window = periodicHann(hann.n);
    expect(largestDifference(window.subarray(0, 4), hann.first)).toBeLessThan(1e-15);
    expect(window[200]).toBe(hann.mid);
    expect(window[399]).toBeCloseTo(hann.last, 15);
  });

  test('gives the log offset for silence', () => {
    const {values: silent} = logMel(new Float64Array(1600), VGGISH);
    expect(new Set(silent)).toEqual(new Set([Math.fround(Math.log(0.01))]));
  });

  test('drops an incomplete frame, and has none for less than a window', () => {
    const framesOf = (length: number): number => logMel(new Float64Array(length), VGGISH).frames;
    expect([0, 399, 400, 559, 560, 15_360, 15_599, 15_600].map(framesOf)).toEqual([0, 0, 1, 1, 2, 94, 95, 96]);
  });
});

describe('logMel agrees with the definition to 1e-9 and the rounding to float32', () => {
  test.each<[string, Partial<LogMelOptions>, number, number]>([
    ['as for VGGish', {}, 400, 160],
    ['as for YAMNet', {logOffset: 0.001}, 400, 160],
    ['an odd window', {windowSeconds: 333 / 16_000, hopSeconds: 77 / 16_000}, 333, 77],
    ['a window that is a power of two', {windowSeconds: 0.016, hopSeconds: 0.008}, 256, 128],
    ['one of three samples, a hop of one', {windowSeconds: 3 / 16_000, hopSeconds: 1 / 16_000, bands: 1}, 3, 1],
    ['a hop beyond the window', {hopSeconds: 0.05}, 400, 800],
    ['a hop beyond a block', {hopSeconds: 1.1, windowSeconds: 0.01}, 160, 17_600],
    ['a long window, many bands up to the end', {windowSeconds: 0.1, bands: 200, lowHz: 0, highHz: 8000}, 1600, 160],
    ['44.1 kHz', {sampleRate: 44_100, bands: 80, lowHz: 20, highHz: 22_050}, 1102, 441],
    ['a small offset', {logOffset: 1e-6}, 400, 160],
  ])('%s', (_, changes, window, hop) => {
    const options = {...VGGISH, ...changes};
    // 7 frames more than whole groups of four; enough for two blocks at the long hop.
    const samples = mixture(window + 18 * Math.min(hop, 400) + (hop > 16_384 ? 4 * hop : 0));
    const expected = directLogMel(samples, options, window, hop);
    const {frames, values} = logMel(samples, options);
    expect(frames).toBe(expected.length);
    expect(frames).toBeGreaterThan(4);
    expect(largestError(values, expected.flat())).toBeLessThan(1e-9);
  });

  test('over several blocks', () => {
    const samples = mixture(45_000);
    const {frames, bands, values} = logMel(samples, VGGISH);
    for (const frame of [0, 95, 96, 99, 100, 101, 102, 103, 104, 105, 200, 201, 202, 203, 204, frames - 1]) {
      const piece = samples.subarray(frame * 160, frame * 160 + 400);
      const [expected] = directLogMel(piece, VGGISH, 400, 160);
      expect(largestError(values.subarray(frame * bands, (frame + 1) * bands), expected!)).toBeLessThan(1e-9);
    }
  });
});

test('the same samples give the same bytes, whatever was made before', () => {
  const samples = mixture(20_000);
  const first = logMel(samples, VGGISH).values;
  logMel(mixture(3000), {...VGGISH, windowSeconds: 0.1, bands: 10});
  expect(logMel(samples, VGGISH).values).toEqual(first);
  expect(logMel(samples.slice(), VGGISH).values).toEqual(first);
  // One frame of a group of four: what the others find in the kernel's memory must not matter.
  const one = logMel(samples.subarray(0, 400), VGGISH).values;
  logMel(new Float64Array(20_000).fill(Number.NaN), VGGISH);
  expect(logMel(samples.subarray(0, 400), VGGISH).values).toEqual(one);
});

test('a sample that is no number spoils its group of four frames, not the others', () => {
  const samples = mixture(8000);
  const {values: clean} = logMel(samples, VGGISH);
  const damaged = samples.slice();
  damaged[8 * 160] = Number.NaN;
  const {values} = logMel(damaged, VGGISH);
  expect(values.subarray(8 * 64, 9 * 64).every(Number.isNaN)).toBe(true);
  expect(values.subarray(12 * 64)).toEqual(clean.subarray(12 * 64));
  expect(values.subarray(0, 4 * 64)).toEqual(clean.subarray(0, 4 * 64));
});

test('the DC bin has no weight, and a band between two bins stays empty', () => {
  const options = {...VGGISH, lowHz: 0, highHz: 8000};
  const matrix = melMatrix(options, 64);
  expect(matrix.every((row) => row[0] === 0)).toBe(true);
  expect(matrix.some((row) => row.every((weight) => weight === 0))).toBe(true);
  expect(createMelFilters(options, 64).starts.at(-1)).toBeLessThanOrEqual(33);
  const {values} = logMel(mixture(400), {...options, windowSeconds: 0.004});
  expect(values[0]).toBe(Math.fround(Math.log(0.01)));
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

test('cutPatches drops what does not fill a patch, and repeats what two patches share', () => {
  const mel = {frames: 5, bands: 2, values: Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41)};
  expect(cutPatches(mel, 2, 2)).toEqual({patches: 2, data: Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31)});
  expect(cutPatches(mel, 2, 3)).toEqual({patches: 2, data: Float32Array.of(0, 1, 10, 11, 30, 31, 40, 41)});
  expect(cutPatches(mel, 3, 1).patches).toBe(3);
  expect(cutPatches(mel, 3, 1).data.subarray(6, 12)).toEqual(Float32Array.of(10, 11, 20, 21, 30, 31));
  expect(cutPatches(mel, 6, 6)).toEqual({patches: 0, data: new Float32Array()});
});
