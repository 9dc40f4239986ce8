import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {clipBatches} from '../../../../../stages/lib/experiment/fine-tune-batches.ts';
import type {ClipPieces} from '../../../../../stages/lib/experiment/fine-tune-data.ts';
import {
  fineTune,
  type FineTuned,
  type FineTuneHooks,
  type FineTunePlan,
  type Snapshot,
  type TunedModel,
} from '../../../../../stages/lib/experiment/fine-tune-training.ts';

const pieces = (counts: readonly number[]): ClipPieces => ({
  input: {name: 'x', shape: [1]},
  classOf: counts.map((_, clip) => clip % 2),
  classes: 2,
  counts,
  read: (clip) => new Float32Array(counts[clip] ?? 0).fill(clip),
});

const batches = clipBatches([0, 1, 0, 1, 0], 2, {strategy: 'unbalanced', clipsPerBatch: 2, seed: 1});
const plan: FineTunePlan = {
  training: pieces([1, 2, 3, 1, 2]),
  validation: pieces([2, 1]),
  batches,
  epochs: 6,
  patience: 2,
  microBatch: 2,
  snapshotEvery: 2,
};

interface Fake extends TunedModel {
  readonly steps: readonly string[];
}

/**
 * A model with one weight, which each step changes in a way that depends on its data and on all steps before. The loss of
 * the validation clips follows `losses`, one an epoch.
 */
function fakeModel(losses: readonly number[] = [5, 4, 3, 2, 1, 0]): Fake {
  let weight = 0.5;
  let count = 0;
  const steps: string[] = [];
  return {
    steps,
    async step(parts) {
      const values = parts.map(({inputs}) => [...(inputs['x']?.data ?? [])].join(' '));
      steps.push(values.join(' | '));
      for (const part of parts) for (const value of part.inputs['x']?.data ?? []) weight = Math.sin(weight * 7 + value);
      count++;
      return Math.abs(weight);
    },
    async predict({x}) {
      const epoch = count / batches.perEpoch - 1;
      const right = Math.exp(-(losses[epoch] ?? 9));
      return Float32Array.from({length: 2 * (x?.data.length ?? 0)}, (_, i) =>
        (x?.data[Math.floor(i / 2)] ?? 0) % 2 === i % 2 ? right : 1 - right,
      );
    },
    save: async () => new Map([['w', {shape: [1], data: Float32Array.of(weight)}]]),
    saveState: async () => ({
      arrays: new Map([['w', {shape: [2], data: Float32Array.from(new Float32Array(Float64Array.of(weight).buffer))}]]),
      counters: {count},
    }),
    loadState({arrays, counters}) {
      [weight = 0] = new Float64Array((arrays.get('w')?.data ?? new Float32Array(2)).slice().buffer);
      count = counters['count'] ?? 0;
    },
  };
}

const quiet: FineTuneHooks = {
  signal: new AbortController().signal,
  keep: () => {},
  onBatch: () => {},
  onEpoch: () => {},
};

describe('fineTune', () => {
  test('stops when no epoch was better for as long as patience says, with the weights of the best', async () => {
    const saved: Float32Array[] = [];
    const model = fakeModel([3, 1, 2, 1, 0]);
    const save = async () => {
      const weights = await fakeSave();
      saved.push(weights.get('w')!.data);
      return weights;
    };
    const fakeSave = model.save;
    const best: number[] = [];
    const hooks = {...quiet, onEpoch: ({epoch}: {epoch: number}, isBest: boolean) => void (isBest && best.push(epoch))};
    const result = await fineTune({...model, save}, plan, undefined, hooks);
    expect(result.curve.map(({epoch}) => epoch)).toEqual([1, 2, 3, 4]);
    expect(result.curve.map(({validationLoss}) => Math.round(validationLoss))).toEqual([3, 1, 2, 1]);
    expect(result.best.epoch).toBe(2);
    expect(best).toEqual([1, 2]);
    expect(result.weights.get('w')?.data).toBe(saved[1]);
  });

  test('ends after the most epochs', async () => {
    expect((await fineTune(fakeModel(), {...plan, epochs: 3}, undefined, quiet)).curve).toHaveLength(3);
  });

  test('gives the mean loss over the pieces of an epoch', async () => {
    const model = fakeModel();
    const losses: [number, number][] = [];
    const step: TunedModel['step'] = async (parts) => {
      const rows = parts.reduce((sum, {targets}) => sum + (targets.shape[0] ?? 0), 0);
      const loss = await model.step(parts);
      losses.push([rows, loss]);
      return loss;
    };
    const {curve} = await fineTune({...model, step}, {...plan, epochs: 1}, undefined, quiet);
    const rows = losses.reduce((sum, [count]) => sum + count, 0);
    const sum = losses.reduce((total, [count, loss]) => total + count * loss, 0);
    expect(curve[0]?.trainLoss).toBe(sum / rows);
  });

  test('counts a clip right by all its pieces', async () => {
    const {curve} = await fineTune(fakeModel([0.1, 5]), {...plan, epochs: 2}, undefined, quiet);
    expect(curve.map(({validationAccuracy}) => validationAccuracy)).toEqual([1, 0]);
  });

  test('refuses to go on when a loss is no number', async () => {
    const model = fakeModel();
    const diverged = fineTune({...model, step: async () => NaN}, plan, undefined, quiet);
    await expect(diverged).rejects.toThrow('fine-tuning diverged: a loss of epoch 1 is NaN');
    const lost = fineTune({...model, predict: async (x) => (await model.predict(x)).fill(NaN)}, plan, undefined, quiet);
    await expect(lost).rejects.toThrow('fine-tuning diverged: a loss of epoch 1 is NaN');
  });

  test('keeps a snapshot every so many batches and at the end of each epoch', async () => {
    const kept: string[] = [];
    const keep = ({curve, batch}: Snapshot): void => void kept.push(`${curve.length}.${batch}`);
    await fineTune(fakeModel(), {...plan, epochs: 2}, undefined, {...quiet, keep});
    expect(kept).toEqual(['0.2', '1.0', '1.2', '2.0']);
  });

  test('from any snapshot it goes on to the same end, with the same batches', async () => {
    const whole = fakeModel([3, 1, 2, 1, 0]);
    const snapshots: [Snapshot, number][] = [];
    const keep = (snapshot: Snapshot): void => void snapshots.push([snapshot, whole.steps.length]);
    const end = await fineTune(whole, {...plan, snapshotEvery: 1}, undefined, {...quiet, keep});
    expect(snapshots.length).toBe(whole.steps.length);
    for (const [snapshot, done] of snapshots) {
      const model = fakeModel([3, 1, 2, 1, 0]);
      expect(await fineTune(model, plan, snapshot, quiet)).toEqual(end);
      expect(model.steps).toEqual(whole.steps.slice(done));
    }
  });

  test('told to stop at any moments, it keeps what was done and ends the same', async () => {
    const end = await fineTune(fakeModel([3, 1, 2, 1, 0]), plan, undefined, quiet);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({min: 1, max: 12}), {maxLength: 4}), async (stops) => {
        let last: Snapshot | undefined;
        let steps = 0;
        let result: FineTuned | undefined;
        for (const stop of [...stops, Infinity]) {
          const model = fakeModel([3, 1, 2, 1, 0]);
          const abort = new AbortController();
          const keep = (snapshot: Snapshot): void => void (last = snapshot);
          let own = 0;
          const onBatch = (): void => {
            if (++own === stop) abort.abort(new Error('stop'));
          };
          const run = fineTune(model, plan, last, {...quiet, signal: abort.signal, keep, onBatch});
          result = await run.catch(() => undefined);
          steps += model.steps.length;
          if (result !== undefined) break;
        }
        expect(result).toEqual(end);
        expect(steps).toBe(end.curve.length * batches.perEpoch);
      }),
      {numRuns: 40},
    );
  });
});
