import * as tf from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, test} from 'vitest';
import {heapOps} from '../../../../../stages/lib/onnx-blas/heap-ops.ts';
import {openHeap} from '../../../../../stages/lib/onnx-blas/heap.ts';
import {composedOps} from '../../../../../stages/lib/tensors/composed-ops.ts';
import {counterStream, counterWord, fillDropoutMask} from '../../../../../stages/lib/tensors/counter-random.ts';
import type {LstmStep, Ops} from '../../../../../stages/lib/tensors/ops.ts';
import {expectClose, randomValues, startPlainWasm} from './support.ts';

let ops: Ops;

beforeAll(async () => {
  await startPlainWasm();
  ops = heapOps(openHeap(tf));
});

const shapes: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 4],
  [5, 3],
  [64, 16],
  [65, 7],
  [130, 21],
  [3, 65],
  [300, 66],
];

describe.each(shapes)('%i rows of %i columns', (rows, columns) => {
  const x = randomValues(rows * columns, 1).map((value) => value + 3);
  const dy = randomValues(rows * columns, 2);
  const [a, b, c] = [3, 4, 5].map((seed) => randomValues(columns, seed)) as [Float32Array, Float32Array, Float32Array];
  const x2 = (): tf.Tensor2D => tf.tensor2d(x, [rows, columns]);
  const dy2 = (): tf.Tensor2D => tf.tensor2d(dy, [rows, columns]);

  test('moments', () => {
    const mean = sums(x, columns).map((sum) => sum / rows);
    const squares = Float64Array.from(x, (value, i) => (value - (mean[i % columns] as number)) ** 2);
    const moments = ops.moments(x2());
    expectClose(moments.mean.dataSync(), mean, 5e-7);
    expectClose(
      moments.variance.dataSync(),
      sums(squares, columns).map((sum) => sum / rows),
      1e-6,
      1e-13,
    );
  });

  test('sums over rows of a gradient, and of it times values', () => {
    const pair = ops.pairSums(dy2(), x2());
    expectClose(pair.dy.dataSync(), sums(dy, columns), 1e-6, 1e-5);
    const products = Float64Array.from(x, (value, i) => value * (dy[i] as number));
    expectClose(pair.dyx.dataSync(), sums(products, columns), 1e-6, 1e-5);
  });

  test('scale and shift', () => {
    const wanted = Float64Array.from(x, (v, i) => v * (a[i % columns] as number) + (b[i % columns] as number));
    expectClose(ops.affine(x2(), tf.tensor1d(a), tf.tensor1d(b)).dataSync(), wanted, 2e-7);
  });

  test('a gradient and values, each with a factor a column', () => {
    const wanted = Float64Array.from(x, (v, i) => {
      const [fa, fb, fc] = [a[i % columns], b[i % columns], c[i % columns]] as [number, number, number];
      return (dy[i] as number) * fa + v * fb + fc;
    });
    const [ta, tb, tc] = [tf.tensor1d(a), tf.tensor1d(b), tf.tensor1d(c)];
    expectClose(ops.blend(dy2(), x2(), ta, tb, tc).dataSync(), wanted, 4e-7);
  });

  test('operands stay as they are', () => {
    const [t, d] = [x2(), dy2()];
    ops.moments(t);
    ops.pairSums(d, t);
    ops.blend(d, d, tf.tensor1d(a), tf.tensor1d(b), tf.tensor1d(c));
    expect(t.dataSync()).toEqual(x);
    expect(d.dataSync()).toEqual(dy);
  });
});

test('moments of a hundred thousand values far from 0', () => {
  const x = randomValues(100_001, 6).map((value) => value + 1000);
  const mean = (sums(x, 1)[0] as number) / x.length;
  const squares = Float64Array.from(x, (value) => (value - mean) ** 2);
  const moments = ops.moments(tf.tensor2d(x, [x.length, 1]));
  expectClose(moments.mean.dataSync(), [mean], 1e-7);
  expectClose(moments.variance.dataSync(), [(sums(squares, 1)[0] as number) / x.length], 1e-6);
});

test.each([1, 2, 3, 4, 5, 1023])('a dropout mask of %i values is the one of the generator, bit for bit', (count) => {
  for (const rate of [0, 0.1, 0.4, 0.5, 0.999]) {
    for (const seed of [0, 1, 987654321]) {
      const stream = counterStream(seed, 'dropout');
      const wanted = new Float32Array(count);
      fillDropoutMask(wanted, rate, stream);
      expect(bits(ops.dropoutMask([count], rate, stream).dataSync())).toEqual(bits(wanted));
    }
  }
});

test('a word at the edge is kept', () => {
  const stream = counterStream(7, 'dropout');
  // The words are compared as signed ones.
  const rate = (counterWord(stream, 0) | 0) / 2 ** 32 + 0.5;
  expect(ops.dropoutMask([1], rate, stream).dataSync()[0]).toBe(Math.fround(1 / (1 - rate)));
});

describe.each([
  [1, 1],
  [3, 4],
  [2, 7],
  [5, 18],
])('the cell of an LSTM, %i rows of %i units', (rows, units) => {
  const z = (): tf.Tensor2D =>
    tf.tensor2d(
      randomValues(rows * 4 * units, 1).map((v) => 4 * v),
      [rows, 4 * units],
    );
  const state = (seed: number): tf.Tensor2D => tf.tensor2d(randomValues(rows * units, seed), [rows, units]);

  test.each([true, false])('forwards, with a cell before: %s', (hasBefore) => {
    const before = hasBefore ? state(2) : undefined;
    const step = ops.lstmCell(z(), before);
    const wanted = referenceStep(z().dataSync(), before?.dataSync(), units);
    for (const part of ['gates', 'cell', 'squashed', 'hidden'] as const) {
      expectClose(step[part].dataSync(), wanted[part], 5e-7);
    }
    expect(step.gates.shape).toEqual([rows, 4 * units]);
    expect(step.hidden.shape).toEqual([rows, units]);
  });

  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('backwards, with a cell before: %s, with a gradient of the cell: %s', (hasBefore, hasCell) => {
    const before = hasBefore ? state(2) : undefined;
    const dCell = hasCell ? state(4) : undefined;
    const step = composedOps(tf).lstmCell(z(), before);
    const {dz, dBefore} = ops.lstmCellGradient(step, before, state(3), dCell);
    const wanted = numericalGradient(z().dataSync(), before?.dataSync(), state(3).dataSync(), dCell?.dataSync(), units);
    expectClose(dz.dataSync(), wanted.dz, 1e-5, 1e-6);
    expectClose(dBefore.dataSync(), wanted.dBefore, 1e-5, 1e-6);
  });
});

test('the gates of an LSTM keep their accuracy over all their range, in units in the last place', () => {
  const units = 100_001;
  const values = Float32Array.from({length: units}, (_, i) => (i - 50_000) / 400);
  const z = new Float32Array(4 * units);
  for (let gate = 0; gate < 4; gate++) z.set(values, gate * units);
  const gates = ops.lstmCell(tf.tensor2d(z, [1, 4 * units]), undefined).gates.dataSync();
  const wanted = referenceStep(z, undefined, units).gates;
  const worst = [0, 0];
  for (const [i, value] of wanted.entries()) {
    const unit = 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(value))) - 23);
    const isTanh = Math.floor(i / units) === 2;
    const error = Math.abs((gates[i] as number) - value);
    if (Math.abs(value) < 2e-38) expect(error).toBeLessThan(2e-38);
    else worst[isTanh ? 1 : 0] = Math.max(worst[isTanh ? 1 : 0] as number, error / unit);
  }
  expect(worst[0]).toBeLessThanOrEqual(3);
  expect(worst[1]).toBeLessThanOrEqual(5);
});

describe.each([[1], [6], [1001]])('Adam on %i values', (count) => {
  const settings = {rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-7};

  test('is the formula, in place', () => {
    const [value, gradient] = [randomValues(count, 1), randomValues(count, 2)];
    const [first, second] = [randomValues(count, 3), randomValues(count, 4).map(Math.abs)];
    const old = {values: tf.tensor1d(value), first: tf.tensor1d(first), second: tf.tensor1d(second)};
    const next = ops.adam(old, tf.tensor1d(gradient), settings);
    expect(next).toEqual(old);
    const m = Float64Array.from(gradient, (g, i) => 0.9 * (first[i] as number) + 0.1 * g);
    const v = Float64Array.from(gradient, (g, i) => 0.999 * (second[i] as number) + 0.001 * g * g);
    expectClose(next.first.dataSync(), m, 2e-7);
    expectClose(next.second.dataSync(), v, 2e-7);
    const wanted = m.map((average, i) => {
      return (value[i] as number) - (0.01 * average) / (Math.sqrt(v[i] as number) + 1e-7);
    });
    expectClose(next.values.dataSync(), wanted, 1e-6);
  });

  test('leaves values alone that another tensor shares', () => {
    const values = tf.tensor1d(randomValues(count, 1));
    const other = tf.reshape(values, [1, count]);
    const before = other.dataSync().slice();
    const old = {values, first: tf.zeros([count]), second: tf.zeros([count])};
    const next = ops.adam(old, tf.ones([count]), settings);
    expect(other.dataSync()).toEqual(before);
    expect(next.values.dataSync()).not.toEqual(before);
    expect(values.isDisposed).toBe(true);
  });
});

function sums(x: ArrayLike<number>, columns: number): Float64Array {
  const totals = new Float64Array(columns);
  for (let i = 0; i < x.length; i++) totals[i % columns] = (totals[i % columns] as number) + (x[i] as number);
  return totals;
}

function bits(values: ArrayLike<number>): Uint32Array {
  return new Uint32Array(Float32Array.from(values).buffer);
}

type ReferenceStep = {readonly [K in keyof LstmStep]: Float64Array};

function referenceStep(z: ArrayLike<number>, before: ArrayLike<number> | undefined, units: number): ReferenceStep {
  const rows = z.length / units / 4;
  const [cell, squashed, hidden] = [0, 0, 0].map(() => new Float64Array(rows * units)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const gates = Float64Array.from(z, (value, i) => {
    return Math.floor(i / units) % 4 === 2 ? Math.tanh(value) : 1 / (1 + Math.exp(-value));
  });
  for (let i = 0; i < cell.length; i++) {
    const at = Math.floor(i / units) * 4 * units + (i % units);
    const [input, forget, candidate, output] = [0, 1, 2, 3].map((gate) => gates[at + gate * units]) as [
      number,
      number,
      number,
      number,
    ];
    cell[i] = input * candidate + forget * (before?.[i] ?? 0);
    squashed[i] = Math.tanh(cell[i] as number);
    hidden[i] = output * (squashed[i] as number);
  }
  return {gates, cell, squashed, hidden};
}

/** By differences, in float64. */
function numericalGradient(
  z: ArrayLike<number>,
  before: ArrayLike<number> | undefined,
  dHidden: ArrayLike<number>,
  dCell: ArrayLike<number> | undefined,
  units: number,
): {readonly dz: Float64Array; readonly dBefore: Float64Array} {
  const z64 = Float64Array.from(z);
  const before64 = Float64Array.from({length: dHidden.length}, (_, i) => before?.[i] ?? 0);
  const loss = (): number => {
    const {hidden, cell} = referenceStep(z64, before64, units);
    let sum = 0;
    for (let i = 0; i < hidden.length; i++) {
      sum += (hidden[i] as number) * (dHidden[i] as number) + (cell[i] as number) * (dCell?.[i] ?? 0);
    }
    return sum;
  };
  const slopes = (x: Float64Array): Float64Array =>
    x.map((value, i) => {
      const ends = [value + 1e-6, value - 1e-6].map((moved) => {
        x[i] = moved;
        return loss();
      }) as [number, number];
      x[i] = value;
      return (ends[0] - ends[1]) / 2e-6;
    });
  return {dz: slopes(z64), dBefore: slopes(before64)};
}
