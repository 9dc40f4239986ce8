import * as tf from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {installOnnxBlas} from '../../../../../stages/lib/onnx-blas/install.ts';
import {sizeOf} from '../../../../../stages/lib/onnx-blas/registry.ts';
import {expectClose, randomValues, startPlainWasm} from './support.ts';

beforeAll(async () => {
  await startPlainWasm();
  await installOnnxBlas(tf, 1);
});

const run = (name: string, inputs: object, attrs: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attrs as never);

describe('matrix products', () => {
  test.each([
    [[3, 4], [4, 5], false, false],
    [[4, 3], [4, 5], true, false],
    [[3, 4], [5, 4], false, true],
    [[4, 3], [5, 4], true, true],
    [[1, 9], [9, 1], false, false],
    [[9, 1], [9, 1], true, false],
    [[2, 3, 4], [2, 4, 5], false, false],
    [[2, 4, 3], [1, 4, 5], true, false],
    [[1, 3, 4], [6, 5, 4], false, true],
    [[2, 3, 3, 4], [2, 3, 4, 5], false, false],
    [[0, 4], [4, 5], false, false],
    [[3, 0], [0, 5], false, false],
    [[700, 60], [700, 9], true, false],
  ])('[%s] by [%s], transposed: %s, %s', (aShape, bShape, transposeA, transposeB) => {
    const [a, b] = [random(aShape, 1), random(bShape, 2)];
    const got = run('BatchMatMul', {a, b}, {transposeA, transposeB});
    const at = (t: tf.Tensor, i: number, row: number, column: number, isTurned: boolean): number => {
      const [rows, columns] = t.shape.slice(-2) as [number, number];
      const batch = t.size === rows * columns ? 0 : i;
      const [r, c] = isTurned ? [column, row] : [row, column];
      return t.dataSync()[batch * rows * columns + r * columns + c] as number;
    };
    const [m, n] = got.shape.slice(-2) as [number, number];
    const k = aShape.at(transposeA ? -2 : -1) as number;
    const [left, right] = [cached(a), cached(b)];
    const wanted = Float64Array.from({length: got.size}, (_, index) => {
      const [i, row, column] = [Math.floor(index / (m * n)), Math.floor(index / n) % m, index % n];
      let sum = 0;
      for (let q = 0; q < k; q++) sum += at(left, i, row, q, transposeA) * at(right, i, q, column, transposeB);
      return sum;
    });
    expectClose(got.dataSync(), wanted, 1e-6, 1e-7);
  });

  test('with biases and rectification', () => {
    const [a, b, bias] = [random([3, 4], 1), random([4, 5], 2), random([5], 3)] as [
      tf.Tensor2D,
      tf.Tensor2D,
      tf.Tensor,
    ];
    const plain = tf.matMul(a, b).dataSync();
    const shifted = plain.map((value, i) => value + (bias.dataSync()[i % 5] as number));
    expect(tf.fused.matMul({a, b, bias}).dataSync()).toEqual(shifted);
    const rectified = tf.fused.matMul({a, b, bias, activation: 'relu'}).dataSync();
    expect(rectified).toEqual(shifted.map((value) => Math.max(0, value)));
    expect(rectified).toContain(0);
    const [batch, other] = [random([3, 2, 4], 4), random([3, 4, 5], 5)] as [tf.Tensor3D, tf.Tensor3D];
    const wanted = tf.relu(tf.add(tf.matMul(batch, other), bias)).dataSync();
    expect(tf.fused.matMul({a: batch, b: other, bias, activation: 'relu'}).dataSync()).toEqual(wanted);
    const squashed = tf.fused.matMul({a, b, bias, activation: 'relu6'}).dataSync();
    expectClose(
      squashed,
      shifted.map((value) => Math.min(6, Math.max(0, value))),
      1e-6,
    );
  });
});

describe.each([
  {name: '3 x 3', image: [2, 5, 7, 3], filter: [3, 3, 3, 4], strides: [1, 1], pad: 'same', dilations: [1, 1]},
  {name: '1 x 1', image: [2, 4, 3, 5], filter: [1, 1, 5, 6], strides: [1, 1], pad: 'same', dilations: [1, 1]},
  {name: 'one value', image: [1, 1, 1, 1], filter: [3, 3, 1, 1], strides: [1, 1], pad: 'same', dilations: [1, 1]},
  {name: 'stride 2', image: [2, 7, 6, 2], filter: [3, 3, 2, 3], strides: [2, 2], pad: 'same', dilations: [1, 1]},
  {
    name: 'stride 2 of 1 x 1',
    image: [1, 5, 5, 3],
    filter: [1, 1, 3, 2],
    strides: [2, 2],
    pad: 'same',
    dilations: [1, 1],
  },
  {name: 'uneven', image: [1, 9, 4, 1], filter: [4, 1, 1, 5], strides: [1, 2], pad: 'same', dilations: [1, 1]},
  {name: 'inside', image: [3, 6, 5, 2], filter: [2, 3, 2, 4], strides: [1, 1], pad: 'valid', dilations: [1, 1]},
  {name: 'dilated', image: [2, 9, 8, 3], filter: [3, 3, 3, 2], strides: [1, 1], pad: 'same', dilations: [2, 3]},
  {
    name: 'channels by the dozen',
    image: [1, 6, 5, 20],
    filter: [3, 3, 20, 17],
    strides: [1, 1],
    pad: 'same',
    dilations: [1, 1],
  },
  {
    name: 'more than a block',
    image: [3, 40, 40, 16],
    filter: [3, 3, 16, 2],
    strides: [1, 1],
    pad: 'same',
    dilations: [1, 1],
  },
] as const)('convolution: $name', ({image, filter, strides, pad, dilations}) => {
  const attrs = {strides, pad, dilations, dataFormat: 'NHWC'};
  const [xValues, wValues] = [randomValues(sizeOf(image), 1), randomValues(sizeOf(filter), 2)];
  const x = (): tf.Tensor4D => random(image, 1) as tf.Tensor4D;
  const w = (): tf.Tensor4D => random(filter, 2) as tf.Tensor4D;
  const info = tf.backend_util.computeConv2DInfo(
    [...image] as [number, number, number, number],
    [...filter] as [number, number, number, number],
    [...strides] as [number, number],
    [...dilations] as [number, number],
    pad,
  );

  test('forwards', () => {
    const wanted = new Float64Array(sizeOf(info.outShape));
    eachProduct(info, (i, j, k) => {
      wanted[k] = (wanted[k] as number) + (xValues[i] as number) * (wValues[j] as number);
    });
    const got = run('Conv2D', {x: x(), filter: w()}, attrs);
    expect(got.shape).toEqual(info.outShape);
    expectClose(got.dataSync(), wanted, 1e-6, 1e-7);
    const bias = random([info.outChannels], 3);
    const fused = run('FusedConv2D', {x: x(), filter: w(), bias}, {...attrs, activation: 'relu'});
    const finished = wanted.map((value, i) => Math.max(0, value + at(bias, i % info.outChannels)));
    expectClose(fused.dataSync(), finished, 1e-6, 1e-6);
  });

  test('gradient of the image', () => {
    const dy = random(info.outShape, 4);
    const wanted = new Float64Array(x().size);
    eachProduct(info, (i, j, k) => {
      wanted[i] = (wanted[i] as number) + at(dy, k) * (wValues[j] as number);
    });
    const got = run('Conv2DBackpropInput', {dy, filter: w()}, {...attrs, inputShape: [...image]});
    expectClose(got.dataSync(), wanted, 1e-6, 1e-7);
  });

  test('gradient of the filter', () => {
    const dy = random(info.outShape, 4);
    const wanted = new Float64Array(w().size);
    eachProduct(info, (i, j, k) => {
      wanted[j] = (wanted[j] as number) + at(dy, k) * (xValues[i] as number);
    });
    const got = run('Conv2DBackpropFilter', {x: x(), dy}, {...attrs, filterShape: [...filter]});
    expect(got.shape).toEqual([...filter]);
    expectClose(got.dataSync(), wanted, 1e-6, 1e-7);
  });
});

describe('gradient of maxima of 2 x 2', () => {
  test.each([[[1, 2, 2, 1]], [[2, 4, 6, 5]], [[1, 5, 7, 3]], [[2, 3, 4, 8]], [[1, 1, 1, 2]]])('[%s]', (shape) => {
    const input = random(shape, 1) as tf.Tensor4D;
    const output = tf.maxPool(input, 2, 2, 'same');
    const dy = random(output.shape, 2);
    const [images, height, width, channels] = shape as [number, number, number, number];
    const [, outHeight, outWidth] = output.shape;
    const wanted = new Float64Array(input.size);
    for (let k = 0; k < output.size; k++) {
      const [c, j, i, n] = places(k, [images, outHeight, outWidth, channels]) as [number, number, number, number];
      const seen = [0, 1, 2, 3]
        .map((q) => [2 * i + (q >> 1), 2 * j + (q & 1)] as const)
        .filter(([row, column]) => row < height && column < width)
        .map(([row, column]) => ((n * height + row) * width + column) * channels + c);
      const most = Math.max(...seen.map((place) => at(input, place)));
      wanted[seen.find((place) => at(input, place) === most) as number] = at(dy, k);
    }
    const attrs = {filterSize: [2, 2], strides: [2, 2], pad: 'same'};
    expectClose(run('MaxPoolGrad', {dy, input, output}, attrs).dataSync(), wanted, 0);
  });

  test('of equal maxima the first gets all', () => {
    const input = tf.tensor4d([1, 1, 1, 1], [1, 2, 2, 1]);
    const attrs = {filterSize: [2, 2], strides: [2, 2], pad: 'same'};
    const dy = tf.tensor4d([3], [1, 1, 1, 1]);
    expect([...run('MaxPoolGrad', {dy, input, output: dy}, attrs).dataSync()]).toEqual([3, 0, 0, 0]);
  });
});

describe('parts and copies', () => {
  test('a copy shares its values and outlives the first', () => {
    const x = random([5], 1);
    const values = x.dataSync().slice();
    const other = tf.clone(x);
    x.dispose();
    expect(other.dataSync()).toEqual(values);
    const buffers = tf.memory().numDataBuffers;
    other.dispose();
    expect(tf.memory().numDataBuffers).toBe(buffers - 1);
  });

  test.each([
    [
      [4, 3],
      [1, 2],
    ],
    [
      [4, 3],
      [3, 1],
    ],
    [
      [2, 1, 70],
      [1, 3, 1],
    ],
    [
      [2, 3],
      [2, 2],
    ],
    [[3], [5]],
    [
      [2, 2],
      [1, 1],
    ],
  ])('[%s] repeated [%s]', (shape, reps) => {
    const x = random(shape, 1);
    const got = tf.tile(x, reps);
    const wanted = Array.from({length: got.size}, (_, i) => {
      return at(
        x,
        indexOf(
          places(i, got.shape).map((place, axis, all) => place % (shape[all.length - 1 - axis] as number)),
          shape,
        ),
      );
    });
    expect([...got.dataSync()]).toEqual(wanted);
  });

  test.each([
    [
      [6, 4],
      [2, 0],
      [3, 4],
    ],
    [
      [6, 4],
      [2, 1],
      [3, 2],
    ],
    [
      [2, 3, 4, 5],
      [0, 1, 0, 2],
      [2, 2, 4, 3],
    ],
    [
      [2, 3, 4, 5],
      [1, 0, 3, 0],
      [1, 3, 1, 5],
    ],
    [
      [2, 3, 4],
      [0, 0, 0],
      [2, 3, 4],
    ],
    [
      [2, 3, 100],
      [0, 1, 20],
      [2, 1, 77],
    ],
    [[7], [3], [0]],
    [[7], [3], [-1]],
  ])('[%s] from [%s], [%s] of it', (shape, begin, size) => {
    const x = random(shape, 1);
    const got = tf.slice(x, begin, size);
    const wanted = Array.from({length: got.size}, (_, i) => {
      const place = places(i, got.shape).reverse();
      return at(x, indexOf(place.map((p, axis) => p + (begin[axis] as number)).reverse(), shape));
    });
    expect([...got.dataSync()]).toEqual(wanted);
  });

  test('of whole numbers and truth values', () => {
    const whole = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2], 'int32');
    expect([...tf.slice(whole, [1, 1], [2, 1]).dataSync()]).toEqual([4, 6]);
    const truths = tf.tensor2d([true, false, true, true, false, false], [3, 2]);
    expect([...tf.slice(truths, [0, 1], [3, 1]).dataSync()]).toEqual([0, 1, 0]);
    expect([...tf.tile(truths, [1, 2]).dataSync()]).toEqual([1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect([...tf.concat([truths, truths], 1).dataSync()]).toEqual([1, 0, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0]);
  });

  test.each([
    [[4, 6], [1, 2, 3], 1],
    [[6, 4], [3, 3], 0],
    [[2, 5, 3], [4, 1], 1],
    [[3, 40], [17, 23], -1],
  ])('[%s] in parts of %s along axis %i, and joined again', (shape, sizes, axis) => {
    const x = random(shape, 1);
    const along = (axis + shape.length) % shape.length;
    const parts = tf.split(x, sizes, axis);
    let start = 0;
    for (const [i, part] of parts.entries()) {
      const begin = shape.map((_, one) => (one === along ? start : 0));
      const size = shape.map((all, one) => (one === along ? (sizes[i] as number) : all));
      expect(part.shape).toEqual(size);
      expect(part.dataSync()).toEqual(tf.slice(x, begin, size).dataSync());
      start += sizes[i] as number;
    }
    expect(tf.concat(parts, axis).dataSync()).toEqual(x.dataSync());
  });
});

describe('sums and means', () => {
  test.each([
    [[5], 0],
    [[1], 0],
    [
      [1, 1],
      [0, 1],
    ],
    [[200, 3], 0],
    [[200, 3], 1],
    [[3, 2000], 1],
    [[4, 7, 20], 1],
    [
      [4, 7, 5],
      [0, 1],
    ],
    [
      [4, 7, 5],
      [1, 2],
    ],
    [
      [4, 7, 5],
      [0, 2],
    ],
    [
      [4, 7, 5],
      [0, 1, 2],
    ],
    [
      [2, 6, 5, 33],
      [1, 2],
    ],
  ])('of [%s] over %s', (shape, axis) => {
    const x = random(shape, 1);
    const axes = [axis].flat();
    const kept = shape.map((size, i) => (axes.includes(i) ? 1 : size));
    const sums = new Float64Array(sizeOf(kept));
    for (let i = 0; i < x.size; i++) {
      const place = places(i, shape).reverse();
      const to = indexOf(place.map((p, one) => (axes.includes(one) ? 0 : p)).reverse(), kept);
      sums[to] = (sums[to] as number) + at(x, i);
    }
    expectClose(tf.sum(x, axis).dataSync(), sums, 1e-6, 1e-6);
    expect(tf.sum(x, axis, true).shape).toEqual(kept);
    expect(tf.mean(x, axis).shape).toEqual(shape.filter((_, i) => !axes.includes(i)));
    const count = x.size / sums.length;
    expectClose(
      tf.mean(x, axis, true).dataSync(),
      sums.map((sum) => sum / count),
      1e-6,
      1e-7,
    );
  });

  test('of whole numbers', () => {
    expect([...tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0).dataSync()]).toEqual([4, 6]);
  });
});

describe('functions', () => {
  const values = [
    -1000, -104, -90, -87.4, -20, -7.95, -1, -0.3, -1e-3, -1e-20, 0, 1e-30, 1e-4, 0.7, 3, 7.9, 17, 88.7, 89, 1000,
  ];
  const grid = Float32Array.from({length: 200_001}, (_, i) => (i - 100_000) / 1000);

  test.each([
    ['Exp', Math.exp, 2],
    ['Tanh', Math.tanh, 5],
  ] as const)('%s, in units in the last place', (name, f, units) => {
    const x = Float32Array.from([...values, ...grid, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    const y = run(name, {x: tf.tensor1d(x)}, {}).dataSync();
    let worst = 0;
    for (const [i, value] of x.entries()) {
      const wanted = f(value);
      // The largest float32 is about 2^128; between the smallest ones lies 2^-149.
      if (wanted > 3.4028235e38) expect(y[i]).toBe(Number.POSITIVE_INFINITY);
      else {
        const unit = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(wanted))) - 23);
        const error = Math.abs((y[i] as number) - wanted);
        worst = Math.max(worst, wanted === 0 ? error / 2 ** -149 : error / unit);
      }
    }
    expect(worst).toBeLessThanOrEqual(units);
    expect(run(name, {x: tf.tensor1d([Number.NaN, 1])}, {}).dataSync()[0]).toBeNaN();
  });
});

function random(shape: readonly number[], seed: number): tf.Tensor {
  return tf.tensor(randomValues(sizeOf(shape), seed), [...shape], 'float32');
}

/** A tensor whose values are read once. */
function cached(x: tf.Tensor): tf.Tensor {
  const data = x.dataSync();
  return Object.assign(Object.create(x) as tf.Tensor, {dataSync: () => data});
}

const reads = new WeakMap<tf.Tensor, ArrayLike<number>>();

function at(x: tf.Tensor, i: number): number {
  let data = reads.get(x);
  if (data === undefined) reads.set(x, (data = x.dataSync()));
  return data[i] as number;
}

/** Of a value: its place along each axis, the last one first. */
function places(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return [...shape].reverse().map((size) => {
    const place = rest % size;
    rest = (rest - place) / size;
    return place;
  });
}

/** The other way round. */
function indexOf(places: readonly number[], shape: readonly number[]): number {
  return [...places].reverse().reduce((index, place, axis) => index * (shape[axis] as number) + place, 0);
}

/** Calls `use` with the places of the pixel, of the weight and of the result of every product of a convolution. */
function eachProduct(info: tf.backend_util.Conv2DInfo, use: (x: number, w: number, y: number) => void): void {
  const {inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth, padInfo} = info;
  for (let n = 0; n < info.batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let a = 0; a < filterHeight; a++) {
          for (let b = 0; b < filterWidth; b++) {
            const row = i * info.strideHeight + a * info.dilationHeight - padInfo.top;
            const column = j * info.strideWidth + b * info.dilationWidth - padInfo.left;
            if (row < 0 || row >= inHeight || column < 0 || column >= inWidth) continue;
            for (let c = 0; c < inChannels; c++) {
              for (let o = 0; o < outChannels; o++) {
                use(
                  ((n * inHeight + row) * inWidth + column) * inChannels + c,
                  ((a * filterWidth + b) * inChannels + c) * outChannels + o,
                  ((n * outHeight + i) * outWidth + j) * outChannels + o,
                );
              }
            }
          }
        }
      }
    }
  }
}
