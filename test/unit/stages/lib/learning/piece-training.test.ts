import {describe, expect, test} from 'vitest';
import {cutBatches, makeBatch, plainExamples, type PieceData} from '../../../../../stages/lib/learning/piece-data.ts';
import {
  trainOnPieces,
  type PieceModel,
  type TrainingHooks,
  type TrainingPlan,
  type TrainingSnapshot,
} from '../../../../../stages/lib/learning/piece-training.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import type {Weights} from '../../../../../stages/lib/tensors/named-array.ts';
import {stopAfter} from '../../../../support/stop-after.ts';

// Four rows of one piece with two values; the classes are 0, 1, 2, 0.
const data: PieceData = {
  features: Uint8Array.of(128, 0, 192, 255, 64, 128, 1, 2),
  pieces: 1,
  width: 2,
  labels: [0, 1, 2, 0],
  classes: 3,
};

/**
 * A model whose scores of row 3, whose class is 0, are scripted per step. Its weight depends on all batches before, in their
 * order; it remembers the number of steps besides.
 */
function scriptedModel(
  scores: readonly (readonly [number, number, number])[],
  loss = 1,
): PieceModel & {readonly done: () => number; readonly seen: readonly (readonly number[])[]} {
  let steps = 0;
  let weight = 0.5;
  const seen: (readonly number[])[] = [];
  const saved = (): Map<string, {shape: number[]; data: Float32Array}> =>
    new Map([['w', {shape: [2], data: Float32Array.of(weight, steps)}]]);
  const load = (weights: Weights): void => {
    [weight = Number.NaN, steps = Number.NaN] = weights.get('w')?.data ?? [];
  };
  return {
    done: () => steps,
    seen,
    async step([batch]) {
      const values = [...(batch?.inputs['features']?.data ?? [])];
      seen.push(values);
      for (const value of values) weight = Math.fround(Math.sin(weight * 7 + value));
      steps++;
      return loss + weight;
    },
    async predict({features}) {
      const rows = features?.shape[0] ?? 0;
      return Float32Array.from({length: 3 * rows}, (_, i) => scores[steps - 1]?.[i % 3] ?? 0);
    },
    save: async () => saved(),
    load,
    saveState: async () => ({arrays: saved(), counters: {}}),
    loadState: ({arrays}) => load(arrays),
  };
}

const plan: TrainingPlan = {
  order: [0, 1, 2],
  validation: [{key: 'v', classIndex: 0, rows: [3]}],
  epochs: 10,
  evaluateEvery: 0,
  patience: 3,
  batchSize: 8,
  mixed: [],
  labelSmoothing: 0,
  snapshotEvery: 1,
};

const right = [0.9, 0.1, 0] as const;
const second = [0.3, 0.4, 0.3] as const;
const surer = [0.95, 0.05, 0] as const;

function hooksOf(signal = new AbortController().signal): TrainingHooks & {
  readonly kept: TrainingSnapshot[];
  readonly seen: number[];
} {
  const kept: TrainingSnapshot[] = [];
  const seen: number[] = [];
  return {
    kept,
    seen,
    signal,
    // What a checkpoint makes of it.
    keep: ({trainer, best, ...rest}) =>
      void kept.push({...(JSON.parse(JSON.stringify(rest)) as typeof rest), trainer, best}),
    onStep: () => {},
    onEvaluation: ({epoch}) => void seen.push(epoch),
  };
}

type Model = ReturnType<typeof scriptedModel>;
const train = (
  model: Model,
  changed: Partial<TrainingPlan> = {},
  hooks = hooksOf(),
  from?: TrainingSnapshot,
): ReturnType<typeof trainOnPieces> => trainOnPieces(model, data, {...plan, ...changed}, createRng(1), from, hooks);

describe('trainOnPieces', () => {
  test('keeps the weights of the highest MAP@3, and of the lower loss among equal ones', async () => {
    const model = scriptedModel([
      [0.2, 0.5, 0.3],
      [0.5, 0.4, 0.1],
      [0.7, 0.2, 0.1],
      [0.6, 0.3, 0.1],
      [0.3, 0.4, 0.3],
      [0.3, 0.4, 0.3],
      [0.9, 0.1, 0],
    ]);
    const hooks = hooksOf();
    const {curve, best} = await train(model, {}, hooks);
    expect(curve.map(({validationMap3}) => validationMap3)).toEqual([1 / 3, 1, 1, 1, 1 / 2, 1 / 2]);
    expect(curve[2]?.validationLoss).toBeCloseTo(-Math.log(0.7), 5);
    expect(hooks.seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(best.epoch).toBe(3);
    expect(model.done()).toBe(3);
  });

  test('of equal evaluations the first is the best', async () => {
    const model = scriptedModel([second, right, right, right]);
    const {curve, best} = await train(model, {patience: 2});
    expect([curve.length, best.iteration, model.done()]).toEqual([4, 2, 2]);
  });

  test('without validation clips it trains to the end and keeps the last weights', async () => {
    const model = scriptedModel([]);
    const {curve, best} = await train(model, {validation: []});
    expect([curve.length, best.epoch, model.done()]).toEqual([10, 10, 10]);
    expect(curve[0]).toMatchObject({iteration: 1, epoch: 1, validationLoss: undefined, validationMap3: undefined});
  });

  test('an epoch is all examples once, in another order each time', async () => {
    const model = scriptedModel([]);
    await train(model, {validation: [], batchSize: 1, epochs: 4});
    const epochs = [0, 3, 6, 9].map((from) => model.seen.slice(from, from + 3));
    const all = [
      [0, -1],
      [0.5, 127 / 128],
      [-0.5, 0],
    ];
    for (const epoch of epochs) expect(epoch).toEqual(expect.arrayContaining(all));
    expect(new Set(epochs.map((epoch) => JSON.stringify(epoch))).size).toBeGreaterThan(1);
  });

  test('trains on smoothed targets and scores by plain ones', async () => {
    const model = scriptedModel([right]);
    const targets: (readonly number[])[] = [];
    const {step} = model;
    model.step = async (batches) => {
      targets.push([...(batches[0]?.targets.data ?? [])]);
      return step(batches);
    };
    const {curve} = await train(model, {order: [3], epochs: 1, labelSmoothing: 0.5});
    expect(targets).toEqual([[2 / 3, 1 / 6, 1 / 6].map(Math.fround)]);
    expect(curve[0]?.validationLoss).toBeCloseTo(-Math.log(0.9), 5);
  });

  test('evaluates after so many steps, however epochs lie, and after the last', async () => {
    const model = scriptedModel([]);
    const {curve} = await train(model, {validation: [], batchSize: 2, epochs: 5, evaluateEvery: 4});
    // Two batches an epoch, ten steps.
    expect(curve.map(({iteration, epoch}) => [iteration, epoch])).toEqual([
      [4, 2],
      [8, 4],
      [10, 5],
    ]);
    const odd = await train(scriptedModel([]), {validation: [], batchSize: 2, epochs: 5, evaluateEvery: 3});
    expect(odd.curve.map(({iteration, epoch}) => [iteration, epoch])).toEqual([
      [3, 2],
      [6, 3],
      [9, 5],
      [10, 5],
    ]);
  });

  test('patience counts evaluations, and the best weights are those of an evaluation in mid-epoch', async () => {
    const scores = [second, second, right, second, surer, second, second, second, second, second];
    const model = scriptedModel(scores);
    const {curve, best} = await train(model, {batchSize: 1, evaluateEvery: 1, patience: 2, epochs: 5});
    expect(curve.map(({iteration}) => iteration)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect([best.iteration, best.epoch, model.done()]).toEqual([5, 2, 5]);
  });

  test('the loss of an evaluation is the mean over the examples since the one before', async () => {
    const model = scriptedModel([]);
    const losses: number[] = [];
    const {step} = model;
    model.step = async (batches) => {
      const loss = await step(batches);
      losses.push(loss);
      return loss;
    };
    const {curve} = await train(model, {validation: [], batchSize: 2, epochs: 2, evaluateEvery: 3});
    // Batches of 2 and 1 rows, in this order as lengths are rounded.
    const [a = 0, b = 0, c = 0, d = 0] = losses;
    expect(curve[0]?.trainLoss).toBeCloseTo((2 * a + b + 2 * c) / 5, 12);
    expect(curve[1]?.trainLoss).toBeCloseTo(d, 12);
  });

  test.each([{}, {evaluateEvery: 2}, {evaluateEvery: 5, validation: []}])(
    'goes on from any snapshot as if it had not stopped, with %j',
    async (changed) => {
      const scores = [second, right, second, second, surer, second, right, second, second, second, second, second];
      const settings = {batchSize: 2, epochs: 6, patience: 2, ...changed};
      const model = scriptedModel(scores);
      const hooks = hooksOf();
      const whole = await train(model, settings, hooks);
      const weights = await model.save();
      expect(hooks.kept.map(({done}) => done)).toEqual(hooks.kept.map((_, i) => i + 1));
      expect(hooks.kept.length).toBeGreaterThan(5);
      for (const from of hooks.kept) {
        const other = scriptedModel(scores);
        expect(await train(other, settings, hooksOf(), from)).toEqual(whole);
        expect(await other.save()).toEqual(weights);
      }
    },
  );

  test.each([1, 4, 5, 9])('keeps a snapshot when it is told to stop, after look %i', async (looks) => {
    const scores = [second, right, second, second, surer, second, right, second, second, second, second, second];
    const settings = {batchSize: 2, epochs: 6, patience: 9, snapshotEvery: 100};
    const model = scriptedModel(scores);
    const whole = await train(model, settings);
    const hooks = hooksOf(stopAfter(looks));
    await expect(train(scriptedModel(scores), settings, hooks)).rejects.toThrow('stop');
    expect(hooks.kept).toHaveLength(1);
    const other = scriptedModel(scores);
    expect(await train(other, settings, hooksOf(), hooks.kept[0])).toEqual(whole);
    expect(await other.save()).toEqual(await model.save());
  });

  test('keeps a snapshot when it is told to stop while it scores', async () => {
    const scores = [second, right, second, surer];
    const settings = {epochs: 4, snapshotEvery: 100};
    const model = scriptedModel(scores);
    const whole = await train(model, settings);
    const stop = new AbortController();
    const hooks = {
      ...hooksOf(stop.signal),
      onStep: (fraction: number) => {
        if (fraction === 0.75) stop.abort(new Error('enough'));
      },
    };
    await expect(train(scriptedModel(scores), settings, hooks)).rejects.toThrow('enough');
    expect(hooks.kept.map(({done, curve}) => [done, curve.length])).toEqual([[3, 2]]);
    const other = scriptedModel(scores);
    expect(await train(other, settings, hooksOf(), hooks.kept[0])).toEqual(whole);
    expect(other.seen).toHaveLength(1);
  });

  test('a loss or a score that is no number stops it', async () => {
    await expect(train(scriptedModel([], Number.NaN))).rejects.toThrow(
      'training diverged: the loss of iteration 1 is NaN',
    );
    await expect(train(scriptedModel([[Number.NaN, 0, 0]]))).rejects.toThrow('a score of the validation clips');
  });

  test('an abort between two epochs stops it', async () => {
    const stop = new AbortController();
    const model = scriptedModel([]);
    const hooks = {...hooksOf(stop.signal), onEvaluation: () => stop.abort(new Error('enough'))};
    await expect(train(model, {}, hooks)).rejects.toThrow('enough');
    expect(model.done()).toBe(1);
  });
});

describe('batches', () => {
  test('hold (q - 128) / 128 and one-hot targets', () => {
    const {inputs, targets} = makeBatch(data, plainExamples([1, 3]));
    expect([...(inputs['features']?.data ?? [])]).toEqual([0.5, 127 / 128, -127 / 128, -126 / 128]);
    expect([...targets.data]).toEqual([0, 1, 0, 1, 0, 0]);
    expect([inputs['features']?.shape, targets.shape]).toEqual([
      [2, 1, 2],
      [2, 3],
    ]);
  });

  test('mix values and targets by the share', () => {
    const {inputs, targets} = makeBatch(data, [{first: 0, second: 2, share: 0.75}]);
    expect([...(inputs['features']?.data ?? [])]).toEqual([-0.5 * 0.25, -0.75]);
    expect([...targets.data]).toEqual([0.75, 0, 0.25]);
  });

  test('say what each row counts, a mixed one as much as its shares of both', () => {
    const weighted = {...data, weights: [1, 0.5, 3, 0]};
    const plain = makeBatch(weighted, plainExamples([1, 2, 3]));
    expect([...(plain.weights ?? [])]).toEqual([0.5, 3, 0]);
    expect([...plain.targets.data]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0]);
    // 3/4 of a row that counts 1, and 1/4 of one that counts 3: both labels have half of the 1.5.
    const mixed = makeBatch(weighted, [
      {first: 0, second: 2, share: 0.75},
      {first: 1, second: 3, share: 0.5},
    ]);
    expect([...(mixed.weights ?? [])]).toEqual([1.5, 0.25]);
    expect([...mixed.targets.data]).toEqual([0.5, 0, 0.5, 0, 1, 0]);
    expect(mixed.inputs).toEqual(
      makeBatch(data, [
        {first: 0, second: 2, share: 0.75},
        {first: 1, second: 3, share: 0.5},
      ]).inputs,
    );
    expect(makeBatch(data, plainExamples([0]))).not.toHaveProperty('weights');
    expect([...(makeBatch(weighted, [{first: 3, second: 3, share: 0.25}]).weights ?? [])]).toEqual([0]);
  });

  test('smooth targets over all classes', () => {
    const {targets} = makeBatch(data, [...plainExamples([1]), {first: 0, second: 2, share: 0.75}], 0.3);
    const expected = [0.1, 0.8, 0.1, 0.1 + 0.7 * 0.75, 0.1, 0.1 + 0.7 * 0.25];
    for (const [i, value] of targets.data.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6);
  });

  test('are of equal length within one and keep every example once, in order', () => {
    expect(cutBatches([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([
      [1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    expect(cutBatches([1, 2], 500)).toEqual([[1, 2]]);
    expect(cutBatches([], 3)).toEqual([]);
  });
});
