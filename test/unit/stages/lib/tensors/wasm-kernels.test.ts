import fc from 'fast-check';
import {beforeAll, describe, expect, test} from 'vitest';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {Tf} from '../../../../../stages/lib/tensors/tf.ts';
import {wasmFolder} from '../../../../../stages/lib/tensors/wasm-files.ts';

let tf: Tf;
beforeAll(async () => {
  ({tf} = await loadEngine());
});

function ramp(size: number): Float32Array {
  return Float32Array.from({length: size}, (_, i) => ((i * 7) % 11) - 5);
}

describe('the replaced matrix product', () => {
  test('with transposed operands equals the sums by hand', () => {
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

  test('transposes batches of matrices one by one', () => {
    const product = tf.tidy(() => {
      const a = tf.tensor3d([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
      return tf.matMul(a, a, true, false).dataSync<'float32'>();
    });
    expect([...product]).toEqual([10, 14, 14, 20, 74, 86, 86, 100]);
  });

  test('leaves no tensors behind', () => {
    const before = tf.engine().backend.numDataIds();
    tf.tidy(() => {
      tf.matMul(tf.ones([30, 20]), tf.ones([30, 20]), true, false);
      tf.matMul(tf.ones([30, 20]), tf.ones([30, 20]), false, true);
    });
    expect(tf.engine().backend.numDataIds()).toBe(before);
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
