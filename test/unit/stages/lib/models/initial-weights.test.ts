import {describe, expect, test} from 'vitest';
import type {ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import type {Weights} from '../../../../../stages/lib/tensors/named-array.ts';

const graph: ModelGraph = {
  inputs: [{name: 'image', shape: [8, 8]}],
  layers: [
    {name: 'x', inputs: ['image'], op: 'expand'},
    {name: 'conv', inputs: ['x'], op: 'convolution', filters: 40, kernel: [3, 3], stride: 1},
    {name: 'deep', inputs: ['conv'], op: 'depthwise-convolution', kernel: [5, 5], stride: 1},
    {name: 'one', inputs: ['deep'], op: 'convolution', filters: 1, kernel: [3, 3], stride: 1},
    {name: 'flat', inputs: ['deep'], op: 'flatten'},
    {name: 'dense', inputs: ['flat'], op: 'dense', units: 20},
    {name: 'norm', inputs: ['dense'], op: 'batch-norm', epsilon: 1e-3, momentum: 0.9},
  ],
  outputs: ['norm'],
};

const series: ModelGraph = {
  inputs: [{name: 'x', shape: [null, 6]}],
  layers: [{name: 'lstm', inputs: ['x'], op: 'lstm', units: 12}],
  outputs: ['lstm'],
};

function valuesOf(weights: Weights, name: string): readonly number[] {
  return [...(weights.get(name)?.data ?? [])];
}

function largest(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
}

describe('weights to start from', () => {
  test('are Glorot uniform unless said otherwise: limits by what goes in and out of a value', () => {
    const weights = initialWeights(graph, 1);
    // A limit is sqrt(6 / (in + out)); with hundreds of values the largest comes close to it.
    for (const [name, inputs, outputs] of [
      ['conv/weights', 9, 360],
      ['deep/weights', 25, 25],
      ['one/weights', 360, 9],
      ['dense/weights', 2560, 20],
    ] as const) {
      const ratio = largest(valuesOf(weights, name)) / Math.sqrt(6 / (inputs + outputs));
      expect(ratio).toBeLessThanOrEqual(1);
      expect(ratio).toBeGreaterThan(0.97);
    }
  });

  test.each([
    ['he', Math.sqrt(2 / 2560)],
    ['release', 0.01 * 0.87962566],
  ] as const)('%s: the deviation is as stated, cut at two deviations', (initialiser, expected) => {
    const data = valuesOf(initialWeights(graph, 5, {initialiser}), 'dense/weights');
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    expect(deviation / expected).toBeCloseTo(1, 2);
    expect(largest(data) / expected).toBeLessThan(2 / 0.87962566 + 1e-6);
    expect(largest(data) / expected).toBeGreaterThan(2.25);
  });

  test('come from a stream for each name: other layers do not matter', () => {
    const whole = initialWeights(graph, 3);
    const more: ModelGraph = {
      ...graph,
      layers: [{name: 'first', inputs: ['image'], op: 'dense', units: 3}, ...graph.layers],
    };
    expect(initialWeights(more, 3).get('dense/weights')).toEqual(whole.get('dense/weights'));
    expect(initialWeights(graph, 4).get('dense/weights')).not.toEqual(whole.get('dense/weights'));
    expect(valuesOf(whole, 'conv/weights').slice(0, 5)).not.toEqual(valuesOf(whole, 'dense/weights').slice(0, 5));
  });

  test('have biases and moments of a new layer, and a start where one is given', () => {
    const starts = new Map([
      ['norm/beta', -3],
      ['dense/biases', 0.5],
    ]);
    const weights = initialWeights(graph, 1, {starts});
    const only = (name: string): readonly number[] => [...new Set(valuesOf(weights, name))];
    expect(['conv/biases', 'norm/mean'].map(only)).toEqual([[0], [0]]);
    expect(['norm/gamma', 'norm/variance'].map(only)).toEqual([[1], [1]]);
    expect(['norm/beta', 'dense/biases'].map(only)).toEqual([[-3], [0.5]]);
  });

  test('of an LSTM: orthonormal recurrent rows, and a forget gate that remembers', () => {
    const weights = initialWeights(series, 2);
    const recurrent = valuesOf(weights, 'lstm/recurrent');
    const row = (i: number): readonly number[] => recurrent.slice(i * 48, (i + 1) * 48);
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j <= i; j++) {
        const product = row(i).reduce((sum, value, k) => sum + value * (row(j)[k] ?? 0), 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 6);
      }
    }
    expect(valuesOf(weights, 'lstm/biases')).toEqual(Array.from({length: 48}, (_, i) => (i >= 12 && i < 24 ? 1 : 0)));
    expect(weights.get('lstm/weights')?.shape).toEqual([6, 48]);
  });
});
