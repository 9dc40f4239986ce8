import {writeFileSync} from 'node:fs';
import type {Tensor, Tensor1D, Tensor2D} from '@tensorflow/tfjs-core';
import {defineStage, StageError} from 'mixdown/stage';
import {counterStream, counterUniform} from './lib/tensors/counter-random.ts';
import {ENGINE_NAMES, loadEngine, type Engine} from './lib/tensors/engine.ts';
import {convolution} from './lib/tensors/image-layers.ts';
import {dense} from './lib/tensors/layers.ts';
import {softmaxCrossEntropy} from './lib/tensors/losses.ts';
import {createParameters} from './lib/tensors/parameters.ts';

/** Largest error allowed, as a part of the largest value: some GPUs multiply with fewer bits than float32 has. */
const TOLERANCE = 2e-3;

/** Side of the matrices whose product is timed, and how long it is repeated for. */
const SIDE = 512;
const TIMED_MS = 100;

export default defineStage({
  name: 'engine-check',
  summary: 'Tries a tensor engine: a product, a convolution and a step of training against sums in double precision.',
  params: {
    engine: {type: 'string', enum: ENGINE_NAMES, about: 'the engine to try'},
  },
  inputs: {},
  outputs: {
    report: {
      kind: 'file',
      name: 'report.json',
      about: 'errors of what was computed as parts of the largest value, speed, and the adapter of a GPU',
    },
  },
  deterministic: false,
  async run({params, outputs, threads}) {
    const engine = await loadEngine({engine: params.engine, threads});
    const errors = {
      product: await productError(engine),
      convolution: await convolutionError(engine),
      training: await trainingError(engine),
    };
    for (const [what, error] of Object.entries(errors)) {
      if (error <= TOLERANCE) continue;
      throw new StageError(
        `it computes wrong numbers: ${what} is off by ${error.toPrecision(2)} of the largest value`,
        'its library or the driver may not suit this machine',
      );
    }
    const gflops = await productSpeed(engine);
    const report = {type: 'engine-check/1', engine: params.engine, ...adapterOf(engine), gflops, errors};
    writeFileSync(outputs.report, JSON.stringify(report));
  },
});

/** What WebGPU says of the device that computes. */
interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter?: boolean;
}

/** Name of the adapter that WebGPU has chosen, and whether it is one in name only. Other engines have none. */
function adapterOf({name, tf}: Engine): {readonly adapter?: string; readonly software?: boolean} {
  if (name !== 'webgpu') return {};
  const {adapterInfo} = (tf.backend() as unknown as {readonly device: {readonly adapterInfo: AdapterInfo}}).device;
  const {vendor, architecture, device, description, isFallbackAdapter = false} = adapterInfo;
  const adapter = description || device || [vendor, architecture].filter((word) => word !== '').join(' ');
  return {
    ...(adapter === '' ? {} : {adapter}),
    software:
      isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(JSON.stringify(adapterInfo)),
  };
}

/** Numbers in -1 ... 1, the same for the same name. */
function numbers(name: string, size: number): Float32Array {
  const stream = counterStream(1, `engine-check/${name}`);
  return Float32Array.from({length: size}, (_, i) => 2 * counterUniform(stream, i) - 1);
}

/** x (37, 53) times w (53, 29) plus b: sizes that fill no block of a kernel. */
async function productError(engine: Engine): Promise<number> {
  const [rows, inner, columns] = [37, 53, 29];
  const [x, w, b] = [numbers('x', rows * inner), numbers('w', inner * columns), numbers('b', columns)];
  const {tf} = engine;
  const y = tf.tidy(() =>
    dense(engine, tf.tensor2d(x, [rows, inner]), tf.tensor2d(w, [inner, columns]), tf.tensor1d(b)),
  );
  return errorOf(await read(y), product(x, w, rows, inner, columns, b));
}

/** A 3 x 3 kernel over an image of 7 x 6 with 3 channels, 4 filters, SAME padding. */
async function convolutionError(engine: Engine): Promise<number> {
  const [height, width, channels, filters] = [7, 6, 3, 4];
  const image = numbers('image', height * width * channels);
  const kernel = numbers('kernel', 9 * channels * filters);
  const {tf} = engine;
  const y = tf.tidy(() =>
    convolution(
      engine,
      tf.tensor4d(image, [1, height, width, channels]),
      tf.tensor4d(kernel, [3, 3, channels, filters]),
      tf.zeros([filters]),
      1,
    ),
  );
  const expected = new Float64Array(height * width * filters);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let tap = 0; tap < 9; tap++) {
        const [from, at] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
        if (from < 0 || from >= height || at < 0 || at >= width) continue;
        for (let channel = 0; channel < channels; channel++) {
          const value = image[(from * width + at) * channels + channel] ?? 0;
          for (let filter = 0; filter < filters; filter++) {
            const weight = kernel[(tap * channels + channel) * filters + filter] ?? 0;
            const index = (row * width + column) * filters + filter;
            expected[index] = (expected[index] ?? 0) + value * weight;
          }
        }
      }
    }
  }
  return errorOf(await read(y), expected);
}

/** One step of Adam on a softmax regression from zero weights, whose gradient is (softmax - targets) x / rows. */
async function trainingError(engine: Engine): Promise<number> {
  const [rows, inputs, classes] = [16, 12, 5];
  const x = numbers('examples', rows * inputs);
  const targets = Float32Array.from({length: rows * classes}, (_, i) =>
    i % classes === Math.floor(i / classes) % classes ? 1 : 0,
  );
  const [learningRate, epsilon] = [0.1, 0.01];
  const {tf} = engine;
  const initial = new Map([
    ['weights', {shape: [inputs, classes], data: new Float32Array(inputs * classes)}],
    ['biases', {shape: [classes], data: new Float32Array(classes)}],
  ]);
  const parameters = createParameters(engine, initial, {learningRate, epsilon});
  const [x2, targets2] = [tf.tensor2d(x, [rows, inputs]), tf.tensor2d(targets, [rows, classes])];
  const {value, grads} = tf.valueAndGrads((weights: Tensor, biases: Tensor) =>
    softmaxCrossEntropy(engine, dense(engine, x2, weights as Tensor2D, biases as Tensor1D), targets2),
  )([...parameters.tensors]);
  parameters.step(grads);
  const after = (await parameters.save()).get('weights')?.data ?? new Float32Array(0);
  for (const tensor of [x2, targets2, value, ...grads]) tensor.dispose();
  parameters.dispose();
  const residuals = targets.map((target) => (1 / classes - target) / rows);
  const gradient = product(transpose(x, rows, inputs), residuals, inputs, rows, classes);
  // The first step: both averages, corrected, are the gradient and its square; epsilon joins the uncorrected root.
  const scaled = epsilon / Math.sqrt(1 - 0.999);
  const expected = gradient.map((slope) => (-learningRate * slope) / (Math.abs(slope) + scaled));
  return errorOf(after, expected);
}

/** 10^9 multiplications and additions a second. */
async function productSpeed(engine: Engine): Promise<number> {
  const {tf} = engine;
  const side = [SIDE, SIDE] as [number, number];
  const [a, b] = [tf.tensor2d(numbers('a', SIDE * SIDE), side), tf.tensor2d(numbers('b', SIDE * SIDE), side)];
  await read(tf.matMul(a, b));
  let count = 0;
  const startedAt = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < TIMED_MS) {
    // The mean is small to fetch, and cannot be had before the product is.
    await read(tf.tidy(() => tf.mean(tf.matMul(a, b))));
    count++;
    elapsedMs = performance.now() - startedAt;
  }
  tf.dispose([a, b]);
  return (2 * SIDE ** 3 * count) / elapsedMs / 1e6;
}

async function read(tensor: Tensor): Promise<Float32Array> {
  const values = (await tensor.data()) as Float32Array;
  const copy = values.slice();
  tensor.dispose();
  return copy;
}

/** a (rows, inner) times b (inner, columns) plus a row of biases. */
function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
  biases: ArrayLike<number> = new Float32Array(columns),
): Float64Array {
  const sums = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = biases[column] ?? 0;
      for (let i = 0; i < inner; i++) sum += (a[row * inner + i] ?? 0) * (b[i * columns + column] ?? 0);
      sums[row * columns + column] = sum;
    }
  }
  return sums;
}

function transpose(a: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({length: a.length}, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)] ?? 0);
}

/** The largest difference as a part of the largest value; infinite when a number is missing or is none. */
function errorOf(actual: ArrayLike<number>, expected: Float64Array): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  let worst = 0;
  expected.forEach((value, i) => {
    const difference = Math.abs((actual[i] ?? NaN) - value);
    worst = Number.isNaN(difference) ? Infinity : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(value));
  });
  return worst / largest;
}
