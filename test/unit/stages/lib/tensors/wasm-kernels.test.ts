import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {loadEngine, type Tf} from '../../../../../stages/lib/tensors/engine.ts';
import {wasmFolder} from '../../../../../stages/lib/tensors/wasm-files.ts';

let tf: Tf;
beforeAll(async () => {
  ({tf} = await loadEngine());
});

function ramp(size: number): Float32Array {
  return Float32Array.from({length: size}, (_, i) => ((i * 7) % 11) - 5);
}

describe('the replaced kernels', () => {
  test('a matrix product with transposed operands equals the sums by hand', () => {
    const sizes = fc.integer({min: 1, max: 20});
    fc.assert(
      fc.property(sizes, sizes, sizes, fc.boolean(), fc.boolean(), (n, k, m, transposeA, transposeB) => {
        const [a, b] = [ramp(n * k), ramp(k * m)];
        const product = tf.tidy(() =>
          tf
            .matMul(
              tf.tensor2d(a, transposeA ? [k, n] : [n, k]),
              tf.tensor2d(b, transposeB ? [m, k] : [k, m]),
              transposeA,
              transposeB,
            )
            .dataSync<'float32'>(),
        );
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < m; j++) {
            let sum = 0;
            for (let q = 0; q < k; q++) {
              sum += (a[transposeA ? q * n + i : i * k + q] ?? 0) * (b[transposeB ? j * k + q : q * m + j] ?? 0);
            }
            // Small whole numbers: exact in float32.
            expect(product[i * m + j]).toBe(sum);
          }
        }
      }),
      {numRuns: 60},
    );
  });

  test('batches of matrices are transposed one by one', () => {
    const product = tf.tidy(() => {
      const a = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
      return tf.matMul(a, a, true, false).dataSync<'float32'>();
    });
    expect([...product]).toEqual([10, 14, 14, 20, 74, 86, 86, 100]);
  });

  test.each([
    [[5, 3], [0], false],
    [[5, 3], [1], false],
    [[2, 3, 4], [1], true],
    [[2, 3, 9], [0, 1], false],
    [[2, 3, 4], [0, 2], false],
    [[2, 3, 4], [0, 1, 2], true],
    [[7], [0], false],
  ])('sums and means of shape %j over axes %j, kept: %j', (shape, axes, keepDims) => {
    const x = ramp(shape.reduce((a, b) => a * b, 1));
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
    const sums = new Map<string, number>();
    for (const [n, value] of x.entries()) {
      const at = shape.map((size, i) => Math.floor(n / (strides[i] ?? 1)) % size).filter((_, i) => !axes.includes(i));
      sums.set(at.join(), (sums.get(at.join()) ?? 0) + value);
    }
    const wanted = shape.flatMap((size, i) => (!axes.includes(i) ? [size] : keepDims ? [1] : []));
    const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
    tf.tidy(() => {
      const sum = tf.sum(tf.tensor(x, shape), axes, keepDims);
      expect(sum.shape).toEqual(wanted);
      expect([...sum.dataSync<'float32'>()]).toEqual([...sums.values()]);
      const mean = tf.mean(tf.tensor(x, shape), axes, keepDims);
      expect(mean.shape).toEqual(wanted);
      for (const [i, value] of [...sums.values()].entries()) {
        expect(mean.dataSync<'float32'>()[i]).toBeCloseTo(value / count, 5);
      }
    });
  });

  test('leave no tensors behind', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      tf.matMul(tf.ones([30, 20]), tf.ones([30, 20]), true, false);
      tf.sum(tf.ones([30, 20]), 0);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('loadEngine', () => {
  test('gives the same engine each time', async () => {
    expect((await loadEngine()).tf).toBe(tf);
  });

  test('says what is missing when the wasm files cannot be found', () => {
    expect(() => wasmFolder(['/'])).toThrow(/tfjs-backend-wasm-simd.wasm was not found above/);
  });
});
