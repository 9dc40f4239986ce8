import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe, expect, test} from 'vitest';
import {fitPca, projectPca, readPca} from '../../../../../stages/lib/learning/pca.ts';
import {quantize} from '../../../../../stages/lib/learning/quantize.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';

const folder = new URL('../../../../golden/learning/', import.meta.url);

/** Rows (count, 3) with standard deviations 3, 1 and 0 along the axes (1, 1, 0), (1, -1, 0) and (0, 0, 1). */
function knownData(count: number): Float64Array {
  const rng = createRng(5);
  const x = new Float64Array(count * 3);
  for (let row = 0; row < count; row++) {
    const [a, b] = [3 * rng.normal(), rng.normal()];
    x.set([(a + b) / Math.SQRT2 + 10, (a - b) / Math.SQRT2, 7], row * 3);
  }
  return x;
}

describe('fitPca', () => {
  test('finds the axes of a known distribution and whitens them', () => {
    const x = knownData(4000);
    const pca = fitPca([x], 3, {whiten: true, components: 3});
    const z = projectPca(pca, Float32Array.from(x));
    const variance = (column: number): number => {
      let sum = 0;
      for (let row = 0; row < 4000; row++) sum += (z[row * 3 + column] as number) ** 2;
      return sum / 3999;
    };
    expect(variance(0)).toBeCloseTo(1, 3);
    expect(variance(1)).toBeCloseTo(1, 3);
    expect(variance(2)).toBe(0);
    expect(Math.abs((pca.rows[0] as number) / (pca.rows[1] as number))).toBeCloseTo(1, 1);
    expect([...pca.rows.subarray(6)]).toEqual([0, 0, 0]);
  });

  test('without whitening the rows are unit vectors, and unused components are zero', () => {
    const {rows} = fitPca([knownData(100)], 3, {whiten: false, components: 1});
    expect(Math.hypot(...rows.subarray(0, 3))).toBeCloseTo(1, 12);
    expect([...rows.subarray(3)]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('one vector, or equal ones, give zeros instead of infinities', () => {
    const pca = fitPca([Float64Array.of(1, 2, 3, 1, 2, 3)], 3, {whiten: true, components: 3});
    expect([...pca.rows]).toEqual(new Array(9).fill(0));
    expect([...quantize(projectPca(pca, Float32Array.of(9, 9, 9)))]).toEqual([127, 127, 127]);
  });
});

test('the released parameters give the bytes that NumPy gives', () => {
  const golden = JSON.parse(readFileSync(new URL('quantized.json', folder), 'utf8')) as {
    readonly quantized: readonly (readonly number[])[];
  };
  const pca = readPca(fileURLToPath(new URL('vggish_pca_params.npz', folder)));
  const embeddings = Float32Array.from({length: 6 * 128}, (_, n) => {
    const [i, k] = [Math.floor(n / 128), n % 128];
    return ((i * 31 + k * 17) % 101) / 101 - 0.5;
  });
  expect([...quantize(projectPca(pca, embeddings))]).toEqual(golden.quantized.flat());
});
