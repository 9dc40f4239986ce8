import {describe, expect, test} from 'vitest';
import {cutBatches, makeBatch, plainExamples, type PieceData} from '../../../../../stages/lib/learning/piece-data.ts';
import {trainOnPieces, type PieceModel, type TrainingPlan} from '../../../../../stages/lib/learning/piece-training.ts';
import {createRng} from '../../../../../stages/lib/rng.ts';
import type {Weights} from '../../../../../stages/lib/tensors/named-array.ts';

// Four rows of one piece with two values; the classes are 0, 1, 2, 0.
const data: PieceData = {
  features: Uint8Array.of(128, 0, 192, 255, 64, 128, 1, 2),
  pieces: 1,
  width: 2,
  labels: [0, 1, 2, 0],
  classes: 3,
};

/** A model whose scores of the true class of row 3, class 0, are scripted per step; its weights are the step's number. */
function scriptedModel(
  scores: readonly (readonly [number, number, number])[],
  loss = 1,
): PieceModel & {readonly done: () => number} {
  let steps = 0;
  return {
    done: () => steps,
    step: async () => {
      steps++;
      return loss;
    },
    predict: async ({features}) => {
      const rows = features?.shape[0] ?? 0;
      return Float32Array.from({length: 3 * rows}, (_, i) => scores[steps - 1]?.[i % 3] ?? 0);
    },
    save: async () => new Map([['step', {shape: [1], data: Float32Array.of(steps)}]]),
    load(weights: Weights) {
      steps = weights.get('step')?.data[0] ?? 0;
    },
  };
}

const plan: TrainingPlan = {
  order: [0, 1, 2],
  validation: [{key: 'v', classIndex: 0, rows: [3]}],
  epochs: 10,
  patience: 3,
  batchSize: 8,
  mixed: [],
};
const never = new AbortController().signal;

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
    const seen: number[] = [];
    const {curve, best} = await trainOnPieces(model, data, plan, createRng(1), never, ({epoch}) => seen.push(epoch));
    expect(curve.map(({validationMap3}) => validationMap3)).toEqual([1 / 3, 1, 1, 1, 1 / 2, 1 / 2]);
    expect(curve[2]?.validationLoss).toBeCloseTo(-Math.log(0.7), 5);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(best.epoch).toBe(3);
    expect(model.done()).toBe(3);
  });

  test('without validation clips it trains to the end and keeps the last weights', async () => {
    const model = scriptedModel([]);
    const {curve, best} = await trainOnPieces(model, data, {...plan, validation: []}, createRng(1), never, () => {});
    expect([curve.length, best.epoch, model.done()]).toEqual([10, 10, 10]);
    expect(curve[0]).toEqual({epoch: 1, trainLoss: 1, validationLoss: undefined, validationMap3: undefined});
  });

  test('a loss that is no number stops it', async () => {
    const model = scriptedModel([], Number.NaN);
    const run = trainOnPieces(model, data, plan, createRng(1), never, () => {});
    await expect(run).rejects.toThrow('training diverged: the loss of epoch 1 is NaN');
  });

  test('an abort between two epochs stops it', async () => {
    const stop = new AbortController();
    const model = scriptedModel([]);
    const run = trainOnPieces(model, data, plan, createRng(1), stop.signal, () => stop.abort(new Error('enough')));
    await expect(run).rejects.toThrow('enough');
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
