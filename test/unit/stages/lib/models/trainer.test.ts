import {describe, expect, test} from 'vitest';
import {attentionGraph, type AttentionConfig} from '../../../../../stages/lib/models/attention.ts';
import {dnnGraph} from '../../../../../stages/lib/models/dnn.ts';
import type {ModelGraph} from '../../../../../stages/lib/models/graph.ts';
import {initialWeights} from '../../../../../stages/lib/models/initial-weights.ts';
import {createPredictor} from '../../../../../stages/lib/models/predictor.ts';
import {recurrentGraph} from '../../../../../stages/lib/models/recurrent.ts';
import {
  createTrainer,
  type Batch,
  type Trainer,
  type TrainerSettings,
} from '../../../../../stages/lib/models/trainer.ts';
import {vggishGraph, withHead} from '../../../../../stages/lib/models/vggish.ts';
import {yamnetGraph} from '../../../../../stages/lib/models/yamnet.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import {loadEngine} from '../../../../../stages/lib/tensors/engine.ts';
import type {Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {testEngine} from '../../../../support/stage-harness.ts';

const engine = await loadEngine({engine: testEngine(), threads: 1});
const CLASSES = 3;

const small: AttentionConfig = {
  features: 5,
  classes: CLASSES,
  levels: [1, 2],
  units: 8,
  dropout: 0.4,
  headBatchNorm: true,
  finalDense: true,
  attentionNorm: 'class-softmax+time-sum',
  momentum: 0.9,
  labels: 'single',
};

/** Without what depends on how a batch is cut. */
const plain: AttentionConfig = {...small, dropout: 0, headBatchNorm: false};

const MODELS: readonly (readonly [string, ModelGraph])[] = [
  ['attention', attentionGraph(small)],
  ['attention without a final dense layer', attentionGraph({...small, finalDense: false})],
  ['attention for several labels', attentionGraph({...small, labels: 'multi'})],
  ['plain network', dnnGraph({...small, blocks: 2})],
  ['plain network for several labels', dnnGraph({...small, blocks: 1, labels: 'multi'})],
  ['recurrent', recurrentGraph(small)],
];

/** Rows whose class shows in their first values. */
function batchOf(rows: number, seed = 1): Batch {
  const rng = createRng(seed);
  const features = new Float32Array(rows * 4 * 5);
  const targets = new Float32Array(rows * CLASSES);
  for (let row = 0; row < rows; row++) {
    const label = row % CLASSES;
    targets[row * CLASSES + label] = 1;
    for (let i = 0; i < 20; i++) features[row * 20 + i] = rng.normal() + (i % 5 === label ? 2 : 0);
  }
  return {
    inputs: {features: {shape: [rows, 4, 5], data: features}},
    targets: {shape: [rows, CLASSES], data: targets},
  };
}

/** The batch in parts of `size` rows. */
function cut({inputs, targets}: Batch, size: number): readonly Batch[] {
  const {shape, data} = inputs['features'] as {shape: readonly number[]; data: Float32Array};
  const [rows = 0, ...example] = shape;
  const width = data.length / rows;
  return Array.from({length: rows / size}, (_, i) => ({
    inputs: {features: {shape: [size, ...example], data: data.slice(i * size * width, (i + 1) * size * width)}},
    targets: {shape: [size, CLASSES], data: targets.data.slice(i * size * CLASSES, (i + 1) * size * CLASSES)},
  }));
}

async function withTrainer<T>(
  graph: ModelGraph,
  use: (trainer: Trainer) => Promise<T>,
  settings: Partial<TrainerSettings> = {},
  weights: Weights = initialWeights(graph, 7),
): Promise<T> {
  const trainer = createTrainer(engine, graph, {learningRate: 0.01, ...settings}, weights, 7);
  try {
    return await use(trainer);
  } finally {
    trainer.dispose();
  }
}

function bytesOf(weights: Weights): string {
  return JSON.stringify([...weights].map(([name, {data}]) => [name, Buffer.from(data.slice().buffer).toString('hex')]));
}

function largestDifference(a: Weights, b: Weights): number {
  let largest = 0;
  for (const [name, {data}] of a) {
    for (const [i, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(value - (b.get(name)?.data[i] ?? Number.NaN)));
    }
  }
  return largest;
}

describe('training', () => {
  test.each(MODELS)('%s: the loss falls, and the classes of the batch are learnt', async (_, graph) => {
    await withTrainer(graph, async (trainer) => {
      const batch = batchOf(24);
      const first = await trainer.step([batch]);
      let last = first;
      for (let step = 0; step < 60; step++) last = await trainer.step([batch]);
      expect(last).toBeLessThan(0.7 * first);
      const scores = await trainer.predict(batch.inputs);
      const right = Array.from({length: 24}, (_, row) => {
        const own = [...scores.subarray(row * CLASSES, (row + 1) * CLASSES)];
        return own.indexOf(Math.max(...own)) === row % CLASSES;
      });
      expect(right.filter(Boolean).length).toBeGreaterThan(20);
    });
  });

  test.each(MODELS)('%s: equal seeds and batches give equal bytes', async (_, graph) => {
    const run = () =>
      withTrainer(graph, async (trainer) => {
        const losses = [await trainer.step([batchOf(8)]), await trainer.step(cut(batchOf(8, 2), 4))];
        return [losses, bytesOf(await trainer.save())];
      });
    expect(await run()).toEqual(await run());
  });

  test.each(MODELS)('%s: a training broken in two goes on bit for bit', async (_, graph) => {
    const batches = [1, 2, 3, 4, 5].map((seed) => batchOf(9, seed));
    const whole = await withTrainer(graph, async (trainer) => {
      for (const batch of batches) await trainer.step(cut(batch, 3));
      return bytesOf(await trainer.save());
    });
    const half = await withTrainer(graph, async (trainer) => {
      for (const batch of batches.slice(0, 2)) await trainer.step(cut(batch, 3));
      return trainer.saveState();
    });
    // As it comes back from a disk.
    const counters = JSON.parse(JSON.stringify(half.counters)) as Record<string, number>;
    const state = {counters, arrays: new Map([...half.arrays].toReversed())};
    const resumed = await withTrainer(graph, async (trainer) => {
      await trainer.step([batchOf(6, 9)]);
      trainer.loadState(state);
      for (const batch of batches.slice(2)) await trainer.step(cut(batch, 3));
      return bytesOf(await trainer.save());
    });
    expect(resumed).toBe(whole);
  });
});
