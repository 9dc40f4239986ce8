import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';
import {drawBeta} from '../../../../../stages/lib/learning/beta.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

interface Golden {
  /** Points in 0 ... 1/2. */
  readonly points: readonly number[];
  readonly curves: readonly {readonly a: number; readonly cdf: readonly number[]; readonly variance: number}[];
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../golden/learning/beta.json', import.meta.url), 'utf8'),
) as Golden;
const DRAWS = 40_000;

function draw(a: number): Float64Array {
  const rng = createRng(8);
  return Float64Array.from({length: DRAWS}, () => drawBeta(rng, a)).sort();
}

/** Part of the sorted draws that is at most x. */
function share(sorted: Float64Array, x: number): number {
  const above = sorted.findIndex((value) => value > x);
  return (above < 0 ? sorted.length : above) / sorted.length;
}

test.each(golden.curves)('draws from Beta($a, $a) are distributed as SciPy says', ({a, cdf, variance}) => {
  const draws = draw(a);
  const mean = draws.reduce((sum, value) => sum + value, 0) / DRAWS;
  const second = draws.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / DRAWS;
  expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(variance / DRAWS));
  expect(Math.abs(second / variance - 1)).toBeLessThan(0.03);
  // Kolmogorov and Smirnov: the largest difference exceeds 1.95 / sqrt(n) once in a thousand samples. The upper half of the
  // distribution mirrors the lower.
  const bound = 1.95 / Math.sqrt(DRAWS);
  const mirrored = draws.map((value) => 1 - value).sort();
  for (const [i, x] of golden.points.entries()) {
    expect(Math.abs(share(draws, x) - (cdf[i] as number))).toBeLessThan(bound);
    expect(Math.abs(share(mirrored, x) - (cdf[i] as number))).toBeLessThan(bound);
  }
});

test.each([0.001, 0.01, 0.1])('draws from Beta(%d, a) are never 0 or 1, near which they lie', (a) => {
  const draws = draw(a);
  expect(draws[0]).toBeGreaterThan(0);
  expect(draws.at(-1)).toBeLessThan(1);
  expect(draws.at(-1)).toBe(1 - 2 ** -53);
});
