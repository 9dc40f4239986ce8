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
import type {NamedArray, Weights} from '../../../../../stages/lib/tensors/named-array.ts';
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

/** Nothing here depends on how a batch is cut: no batch normalisation, no dropout. */
const independent: ModelGraph = {
  inputs: [{name: 'features', shape: [null, 5]}],
  layers: [
    {name: 'h', inputs: ['features'], op: 'dense', units: 6},
    {name: 'h/relu', inputs: ['h'], op: 'relu'},
    {name: 'scores', inputs: ['h/relu'], op: 'dense', units: CLASSES},
    {name: 'attention', inputs: ['h/relu'], op: 'dense', units: CLASSES},
    {name: 'pool', inputs: ['scores', 'attention'], op: 'attention-pool', norm: 'sigmoid+time-sum'},
    {name: 'lstm', inputs: ['h/relu'], op: 'lstm', units: 4},
    {name: 'both', inputs: ['pool', 'lstm'], op: 'concat'},
    {name: 'output', inputs: ['both'], op: 'dense', units: CLASSES},
    {name: 'probabilities', inputs: ['output'], op: 'softmax'},
  ],
  outputs: ['probabilities'],
};

const vggish = withHead(vggishGraph({width: 0.02}), {hidden: 6, classes: CLASSES});

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

/** The batch in parts of so many rows. */
function cut({inputs, targets}: Batch, ...sizes: readonly number[]): readonly Batch[] {
  const part = ({shape, data}: NamedArray, from: number, to: number): NamedArray => {
    const width = data.length / (shape[0] ?? 0);
    return {shape: [to - from, ...shape.slice(1)], data: data.slice(from * width, to * width)};
  };
  let start = 0;
  return sizes.map((size) => {
    const [from, to] = [start, start + size];
    start = to;
    const parts = Object.entries(inputs).map(([name, array]) => [name, part(array, from, to)] as const);
    return {inputs: Object.fromEntries(parts), targets: part(targets, from, to)};
  });
}

function patchBatch(rows: number): Batch {
  const rng = createRng(rows);
  return {
    inputs: {
      patches: {shape: [rows, 96, 64], data: Float32Array.from({length: rows * 96 * 64}, () => rng.normal() - 2)},
    },
    targets: batchOf(rows).targets,
  };
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

/** Largest difference of arrays of the same names, each by its own largest value. */
function largestDifference(a: Weights, b: Weights): number {
  let largest = 0;
  expect([...a.keys()]).toEqual([...b.keys()]);
  for (const [name, {data}] of a) {
    const scale = data.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-12);
    const other = b.get(name)?.data ?? new Float32Array(0);
    for (const [i, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(value - (other[i] ?? Number.NaN)) / scale);
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
        const losses = [await trainer.step([batchOf(8)]), await trainer.step(cut(batchOf(8, 2), 4, 4))];
        return [losses, bytesOf(await trainer.save())];
      });
    expect(await run()).toEqual(await run());
  });

  test.each(MODELS)('%s: a training broken in two goes on bit for bit', async (_, graph) => {
    const batches = [1, 2, 3, 4, 5].map((seed) => batchOf(9, seed));
    const whole = await withTrainer(graph, async (trainer) => {
      for (const batch of batches) await trainer.step(cut(batch, 3, 3, 3));
      return bytesOf(await trainer.save());
    });
    const half = await withTrainer(graph, async (trainer) => {
      for (const batch of batches.slice(0, 2)) await trainer.step(cut(batch, 3, 3, 3));
      return trainer.saveState();
    });
    // As it comes back from a disk.
    const counters = JSON.parse(JSON.stringify(half.counters)) as Record<string, number>;
    const state = {counters, arrays: new Map([...half.arrays].toReversed())};
    const resumed = await withTrainer(graph, async (trainer) => {
      await trainer.step([batchOf(6, 9)]);
      trainer.loadState(state);
      for (const batch of batches.slice(2)) await trainer.step(cut(batch, 3, 3, 3));
      return bytesOf(await trainer.save());
    });
    expect(resumed).toBe(whole);
  });
});

describe('a batch in parts', () => {
  test.each([
    ['series', independent, batchOf(12)],
    ['VGGish', vggish, patchBatch(12)],
  ] as const)(
    '%s: gives the gradient and the loss of the whole, to 1e-5 of its largest value',
    async (_, graph, batch) => {
      // After one step, Adam's average of the gradient is 0.1 of the gradient.
      const run = (parts: readonly Batch[]) =>
        withTrainer(graph, async (trainer) => {
          const loss = await trainer.step(parts);
          const {arrays} = await trainer.saveState();
          return {loss, gradients: new Map([...arrays].filter(([name]) => name.startsWith('first/')))};
        });
      const whole = await run([batch]);
      for (const sizes of [
        [4, 4, 4],
        [7, 5],
        [1, 10, 1],
      ]) {
        const parts = await run(cut(batch, ...sizes));
        expect(largestDifference(whole.gradients, parts.gradients)).toBeLessThan(1e-5);
        expect(Math.abs(whole.loss - parts.loss)).toBeLessThan(1e-6 * whole.loss);
      }
    },
  );

  test('moves the running moments as much as a whole batch does', async () => {
    const graph = attentionGraph({...small, dropout: 0});
    const equalRows = batchOf(4);
    const double = (array: NamedArray): NamedArray => ({
      shape: [8, ...array.shape.slice(1)],
      data: Float32Array.from([...array.data, ...array.data]),
    });
    const twice = {
      inputs: {features: double(equalRows.inputs['features'] as NamedArray)},
      targets: double(equalRows.targets),
    };
    const moments = (parts: readonly Batch[]) =>
      withTrainer(graph, async (trainer) => {
        for (let step = 0; step < 3; step++) await trainer.step([batchOf(5, 9)]);
        await trainer.step(parts);
        return new Map([...(await trainer.save())].filter(([name]) => /^features\/norm\/(mean|variance)$/.test(name)));
      });
    const expected = await moments([twice]);
    expect(largestDifference(expected, await moments([equalRows, equalRows]))).toBeLessThan(1e-5);
  });

  test('has dropout masks of its own in each part and step', async () => {
    const rate = attentionGraph({...small, headBatchNorm: false, levels: [1]});
    const loss = (trainer: Trainer) => trainer.step([batchOf(6)]);
    await withTrainer(rate, async (trainer) => {
      const parts = await trainer.step([batchOf(6), batchOf(6)]);
      expect(parts).not.toBe(await withTrainer(rate, loss));
    });
    // With a step size of nearly nothing only the masks differ from step to step.
    await withTrainer(rate, async (trainer) => expect(await loss(trainer)).not.toBeCloseTo(await loss(trainer), 4), {
      learningRate: 1e-12,
    });
  });

  test('without rows, or with targets for other rows, is refused', async () => {
    await withTrainer(independent, async (trainer) => {
      await expect(trainer.step([batchOf(0)])).rejects.toThrow('a batch needs rows');
      await expect(trainer.step([])).rejects.toThrow('a step needs a batch');
      const batch = {inputs: batchOf(3).inputs, targets: batchOf(2).targets};
      await expect(trainer.step([batch])).rejects.toThrow('the targets have shape [2, 3]; [3, 3] is expected');
    });
  });
});

describe('weights of rows', () => {
  const outputs = (layers: ModelGraph['layers'], output: string): ModelGraph => ({
    ...independent,
    layers: [...independent.layers.slice(0, -2), ...layers],
    outputs: [output],
  });
  const LOSSES: readonly (readonly [string, ModelGraph])[] = [
    ['softmax', independent],
    ['sigmoid', outputs([...independent.layers.slice(-2, -1), {name: 's', inputs: ['output'], op: 'sigmoid'}], 's')],
    ['shares of their total', outputs([{name: 'n', inputs: ['pool'], op: 'normalise'}], 'n')],
    ['probabilities', outputs([], 'pool')],
  ];

  /** The loss, and its gradients: after one step, Adam's average is 0.1 of them. */
  const derive = (graph: ModelGraph, batch: Batch, weights?: readonly number[]) =>
    withTrainer(graph, async (trainer) => {
      const loss = await trainer.step([
        weights === undefined ? batch : {...batch, weights: Float32Array.from(weights)},
      ]);
      const {arrays} = await trainer.saveState();
      return {loss, gradients: new Map([...arrays].filter(([name]) => name.startsWith('first/')))};
    });
  const rowsOf = ({inputs, targets}: Batch, rows: readonly number[]): Batch => {
    const pick = ({shape, data}: NamedArray): NamedArray => {
      const width = data.length / (shape[0] ?? 1);
      const picked = rows.flatMap((row) => [...data.slice(row * width, (row + 1) * width)]);
      return {shape: [rows.length, ...shape.slice(1)], data: Float32Array.from(picked)};
    };
    return {inputs: {features: pick(inputs['features'] as NamedArray)}, targets: pick(targets)};
  };
  const times = (arrays: Weights, factor: number): Weights =>
    new Map([...arrays].map(([name, {shape, data}]) => [name, {shape, data: data.map((value) => factor * value)}]));

  test.each(LOSSES)('%s: a row of weight 2 is the row twice, one of weight 0 is not there', async (_, graph) => {
    const batch = batchOf(4);
    const weighted = await derive(graph, batch, [2, 1, 0, 1]);
    const repeated = await derive(graph, rowsOf(batch, [0, 0, 1, 3]));
    expect(weighted.loss).toBeCloseTo(repeated.loss, 5);
    expect(largestDifference(weighted.gradients, repeated.gradients)).toBeLessThan(1e-5);
  });

  test.each(LOSSES)('%s: the mean is over all rows, whatever they count', async (_, graph) => {
    const batch = batchOf(5);
    const plain = await derive(graph, batch);
    const half = await derive(graph, batch, [0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(half.loss).toBeCloseTo(plain.loss / 2, 5);
    expect(largestDifference(half.gradients, times(plain.gradients, 0.5))).toBeLessThan(1e-5);
    expect(await derive(graph, batch, [1, 1, 1, 1, 1])).toEqual(plain);
  });

  test('reach the parts of a batch', async () => {
    const batch = batchOf(4);
    const whole = await derive(independent, batch, [2, 1, 0.25, 0]);
    const parts = cut(batch, 1, 3).map((part, i) => ({
      ...part,
      weights: Float32Array.from(i === 0 ? [2] : [1, 0.25, 0]),
    }));
    await withTrainer(independent, async (trainer) => expect(await trainer.step(parts)).toBeCloseTo(whole.loss, 5));
  });

  test('for other rows are refused', async () => {
    await expect(derive(independent, batchOf(3), [1, 1])).rejects.toThrow('there are 2 weights for 3 rows');
  });
});

describe('frozen layers', () => {
  const kernelsOf = async (trainable: (layer: string) => boolean): Promise<readonly string[]> =>
    withTrainer(
      vggish,
      async (trainer) => {
        const {kernels} = await engine.tf.profile(async () => {
          await trainer.step([patchBatch(2)]);
          return engine.tf.scalar(0);
        });
        return kernels.map(({name}) => name);
      },
      {trainable},
    );
  const count = (kernels: readonly string[], name: string): number =>
    kernels.filter((kernel) => kernel === name).length;

  test('cost no gradient', async () => {
    const head = await kernelsOf((layer) => layer.startsWith('head/'));
    expect(head.filter((name) => name.includes('Backprop') || name === 'MaxPoolGrad')).toEqual([]);
    // Weights of two layers, and what goes from the one to the other.
    expect(count(head, 'BatchMatMul')).toBe(3);
    const dense = await kernelsOf((layer) => !layer.includes('conv'));
    expect(dense.filter((name) => name.includes('Backprop'))).toEqual([]);
    expect(count(dense, 'BatchMatMul')).toBe(9);
    const all = await kernelsOf(() => true);
    expect(count(all, 'Conv2DBackpropFilter')).toBe(6);
    // The patches have no gradient.
    expect(count(all, 'Conv2DBackpropInput')).toBe(5);
  });

  test('are not in Adam, keep their weights and come back with the others', async () => {
    const weights = initialWeights(vggish, 7);
    await withTrainer(
      vggish,
      async (trainer) => {
        await trainer.step([patchBatch(4)]);
        const after = await trainer.save();
        expect([...after.keys()]).toEqual([...weights.keys()]);
        const moved = [...after].filter(([name, {data}]) => data.some((v, i) => v !== weights.get(name)?.data[i]));
        const head = ['head/hidden/weights', 'head/hidden/biases', 'head/output/weights', 'head/output/biases'];
        expect(moved.map(([name]) => name)).toEqual(head);
        const {arrays} = await trainer.saveState();
        expect([...arrays.keys()]).toEqual(
          ['weights', 'first', 'second'].flatMap((kind) => head.map((name) => `${kind}/${name}`)),
        );
      },
      {trainable: (layer) => layer.startsWith('head/')},
      weights,
    );
  });

  test('batch normalisations keep their moments and use them', async () => {
    const graph = attentionGraph({...small, dropout: 0, levels: [1]});
    const trained = await withTrainer(graph, async (trainer) => {
      for (let step = 0; step < 5; step++) await trainer.step([batchOf(12)]);
      return trainer.save();
    });
    await withTrainer(
      graph,
      async (trainer) => {
        const {inputs, targets} = batchOf(6, 2);
        const scores = await trainer.predict(inputs);
        const expected = targets.data.reduce((sum, target, i) => sum - target * Math.log(scores[i] ?? 0), 0) / 6;
        expect(await trainer.step([{inputs, targets}])).toBeCloseTo(expected, 5);
        const after = await trainer.save();
        for (const part of ['mean', 'variance', 'gamma']) {
          expect(after.get(`h1/norm/${part}`)).toEqual(trained.get(`h1/norm/${part}`));
        }
        expect(after.get('h1/weights')).not.toEqual(trained.get('h1/weights'));
      },
      {trainable: (layer) => !layer.endsWith('/norm')},
      trained,
    );
  });

  test('may be of kinds that pass no gradient on; those before which something learns are named', async () => {
    const graph = withHead({...yamnetGraph(), outputs: ['embeddings']}, {hidden: 4, classes: CLASSES});
    const weights = initialWeights(graph, 1, {initialiser: 'he'});
    const create = (trainable: (layer: string) => boolean) =>
      createTrainer(engine, graph, {learningRate: 0.01, trainable}, weights, 1);
    expect(() => create(() => true)).toThrow(/layer `layer1\/relu6` \(relu6\) passes no gradient on/);
    expect(() => create((layer) => layer === 'layer2')).toThrow('layer `layer2` (depthwise-convolution) passes no');
    expect(() => create((layer) => layer === 'layer28')).toThrow('none of the layers that the loss depends on');
    await withTrainer(
      graph,
      async (trainer) => {
        const batch = patchBatch(3);
        const first = await trainer.step([batch]);
        for (let step = 0; step < 5; step++) await trainer.step([batch]);
        expect(await trainer.step([batch])).toBeLessThan(first);
      },
      {trainable: (layer) => layer.startsWith('head/')},
      weights,
    );
  });
});

describe('a trainer', () => {
  test('leaves no tensor behind, whatever happens', async () => {
    const before = engine.tf.memory().numTensors;
    await withTrainer(attentionGraph(small), async (trainer) => {
      const own = engine.tf.memory().numTensors;
      await trainer.step(cut(batchOf(8), 4, 4));
      await trainer.predict(batchOf(2).inputs);
      const broken = {inputs: batchOf(2).inputs, targets: {shape: [2, 7], data: new Float32Array(14)}};
      await expect(trainer.step([batchOf(2), broken])).rejects.toThrow('the targets have shape [2, 7]');
      trainer.load(await trainer.save());
      trainer.loadState(await trainer.saveState());
      expect(engine.tf.memory().numTensors).toBe(own);
    });
    await withTrainer(vggish, (trainer) => trainer.step([patchBatch(2)]), {
      trainable: (layer) => layer.startsWith('head/'),
    });
    expect(engine.tf.memory().numTensors).toBe(before);
  });

  test.each(MODELS)('%s: predicts as a predictor with its weights does, bit for bit', async (_, graph) => {
    await withTrainer(graph, async (trainer) => {
      const {inputs} = batchOf(5);
      await trainer.step([batchOf(9)]);
      const predictor = createPredictor(engine, graph, await trainer.save());
      const outputs = await predictor.run(inputs);
      predictor.dispose();
      expect(outputs[graph.outputs[0] ?? '']?.data).toEqual(await trainer.predict(inputs));
    });
  });

  test('goes back to weights it is given', async () => {
    await withTrainer(attentionGraph(small), async (trainer) => {
      await trainer.step([batchOf(9)]);
      const saved = await trainer.save();
      await trainer.step([batchOf(9, 2)]);
      expect(bytesOf(await trainer.save())).not.toBe(bytesOf(saved));
      trainer.load(saved);
      expect(bytesOf(await trainer.save())).toBe(bytesOf(saved));
    });
  });

  test('starts from the moments of a trained model, but gives none to those that no batch has touched', async () => {
    const graph = attentionGraph({...small, dropout: 0});
    const fresh = initialWeights(graph, 7);
    const trained = new Map(fresh).set('features/norm/mean', {shape: [5], data: new Float32Array(5).fill(100)});
    const meanAfter = (weights: Weights) =>
      withTrainer(
        graph,
        async (trainer) => {
          await trainer.step([batchOf(9)]);
          return (await trainer.save()).get('features/norm/mean')?.data[4] ?? Number.NaN;
        },
        {},
        weights,
      );
    expect(Math.abs(await meanAfter(fresh))).toBeLessThan(1);
    expect(await meanAfter(trained)).toBeCloseTo(90 + 0.1 * (await meanAfter(fresh)), 3);
  });

  test('a state of another training is refused and changes nothing', async () => {
    const other = await withTrainer(independent, (trainer) => trainer.saveState());
    const wider = await withTrainer(attentionGraph({...small, units: 9}), (trainer) => trainer.saveState());
    await withTrainer(attentionGraph(small), async (trainer) => {
      const state = await trainer.saveState();
      expect(() => trainer.loadState(other)).toThrow('has no array `weights/features/norm/gamma`');
      expect(() => trainer.loadState(wider)).toThrow('state has shape [5, 9]; [5, 8] is expected');
      expect(() => trainer.loadState({...state, counters: {steps: 3}})).toThrow('has no counter `adam`');
      expect(await trainer.saveState()).toEqual(state);
    });
  });

  test('models that end in no probabilities cannot be trained', () => {
    const create = (graph: ModelGraph) => createTrainer(engine, graph, {learningRate: 1}, initialWeights(graph, 1), 1);
    expect(() => create(vggishGraph({width: 0.02}))).toThrow('output `vggish/fc2` cannot be trained: no loss goes');
    const frames: ModelGraph = {
      inputs: [{name: 'x', shape: [null, 2]}],
      layers: [
        {name: 'd', inputs: ['x'], op: 'dense', units: 2},
        {name: 's', inputs: ['d'], op: 'sigmoid'},
      ],
      outputs: ['s'],
    };
    expect(() => create(frames)).toThrow('it is not one row of classes an example');
  });
});
