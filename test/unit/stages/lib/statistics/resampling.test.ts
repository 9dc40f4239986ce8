import {describe, expect, test} from 'vitest';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {
  bootstrapInterval,
  bootstrapSamples,
  signFlipTest,
  signSamples,
} from '../../../../../stages/lib/statistics/resampling.ts';
import {normalTail} from '../../../../../stages/lib/statistics/tails.ts';

const rng = createRng(7);

describe('bootstrap', () => {
  test('samples are addressed: more of them begin with the same ones', () => {
    const few = bootstrapSamples(rng, 11, 5);
    expect([...bootstrapSamples(rng, 11, 9).subarray(0, 55)]).toEqual([...few]);
    expect([...bootstrapSamples(createRng(8), 11, 5)]).not.toEqual([...few]);
    expect(Math.max(...few)).toBeLessThan(11);
  });

  test('the interval of many values is that of the normal distribution', () => {
    const source = createRng(3);
    const values = Float64Array.from({length: 400}, () => 0.4 + 0.1 * source.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / 400;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 400);
    const interval = bootstrapInterval(values, bootstrapSamples(rng, 400, 4000), 0.95);
    const half = (1.959964 * deviation) / 20;
    expect(interval?.low).toBeCloseTo(mean - half, 3);
    expect(interval?.high).toBeCloseTo(mean + half, 3);
  });

  test('quantiles lie between the means of the samples', () => {
    // Means 1, 2, 3, 4 of four samples of two.
    const draws = Uint32Array.of(0, 0, 0, 1, 1, 0, 1, 1);
    expect(bootstrapInterval(Float64Array.of(1, 3), draws, 0.5)).toEqual({low: 1.75, high: 2.25});
    expect(bootstrapInterval(Float64Array.of(1), draws, 0.5)).toBeUndefined();
  });
});

describe('sign flip', () => {
  test('counts all signs of a few differences', () => {
    // 8 signs of 1, 2, 3: sums of size 6 twice, 4 twice, 2 twice, 0 twice.
    expect(signFlipTest(Float64Array.of(1, 2, 3), new Uint32Array(0))).toBe(2 / 8);
    expect(signFlipTest(Float64Array.of(1, -2, 3), new Uint32Array(0))).toBe(6 / 8);
    expect(signFlipTest(Float64Array.of(0.1, 0.2, -0.3), new Uint32Array(0))).toBe(1);
    // Exactly 0.4 in size for two sets of signs, but not so in floating point.
    expect(signFlipTest(Float64Array.of(0.1, 0.2, -0.3, 0.4), new Uint32Array(0))).toBe(10 / 16);
    expect(signFlipTest(Float64Array.of(0, 0), new Uint32Array(0))).toBeUndefined();
    expect(signFlipTest(new Float64Array(0), new Uint32Array(0))).toBeUndefined();
  });

  test('draws signs for many, and agrees with the normal distribution', () => {
    const values = Float64Array.from({length: 100}, (_, i) => (i % 10 < 6 ? 1 : -1) * (1 + (i % 7)));
    const total = values.reduce((sum, value) => sum + value, 0);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const p = signFlipTest(values, signSamples(rng, 100, 20_000));
    expect(p).toBeGreaterThan(0);
    expect(Math.abs((p ?? 0) - 2 * normalTail((total - 0.5) / deviation))).toBeLessThan(0.01);
  });

  test('is never 0', () => {
    const signs = signSamples(rng, 60, 999);
    expect(signFlipTest(new Float64Array(60).fill(1), signs)).toBe(1 / 1000);
  });
});
