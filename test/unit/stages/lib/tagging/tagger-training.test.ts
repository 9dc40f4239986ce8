import {describe, expect, test} from 'vitest';
import type {Batch} from '../../../../../stages/lib/models/trainer.ts';
import {
  trainTagger,
  type TaggerHooks,
  type TaggerModel,
  type TaggerPlan,
  type TaggerSnapshot,
} from '../../../../../stages/lib/tagging/tagger-training.ts';

/** A model with one weight, which each step changes in a way that depends on its batch and on all steps before. */
function fakeModel(): TaggerModel {
  let weight = 0.5;
  const saved = (): Map<string, {shape: number[]; data: Float32Array}> =>
    new Map([['w', {shape: [1], data: Float32Array.of(weight)}]]);
  return {
    async step([batch]) {
      weight = Math.fround(Math.sin(weight * 7 + ((batch as Batch).targets.data[0] ?? 0)));
      return Math.abs(weight);
    },
    save: async () => saved(),
    saveState: async () => ({arrays: saved(), counters: {}}),
    loadState: ({arrays}) => void (weight = arrays.get('w')?.data[0] ?? NaN),
  };
}

/** Evaluations score what `precisions` says, one after the other, by the number of steps done. */
function planOf(precisions: readonly number[], rest: Partial<TaggerPlan> = {}): TaggerPlan {
  let done = 0;
  return {
    iterations: 3 * precisions.length,
    evaluateEvery: 3,
    patience: 2,
    snapshotEvery: 2,
    batches(from) {
      done = from;
      return () => {
        done++;
        return {inputs: {}, targets: {shape: [1, 1], data: Float32Array.of(done)}};
      };
    },
    evaluate: async () => ({
      meanPrecision: precisions[Math.ceil(done / 3) - 1] ?? NaN,
      meanArea: 0.5,
      classesWithout: 0,
    }),
    ...rest,
  };
}

interface Kept {
  readonly hooks: TaggerHooks;
  readonly snapshots: TaggerSnapshot[];
  readonly steps: number[];
  readonly best: boolean[];
}

function hooksOf(stopAt = Infinity): Kept {
  const abort = new AbortController();
  const kept: Omit<Kept, 'hooks'> = {snapshots: [], steps: [], best: []};
  const hooks: TaggerHooks = {
    signal: abort.signal,
    keep: (snapshot) => void kept.snapshots.push(snapshot),
    onStep: (done) => {
      kept.steps.push(done);
      if (done === stopAt) abort.abort(new Error('stop'));
    },
    onEvaluation: (_, isBest) => void kept.best.push(isBest),
  };
  return {...kept, hooks};
}

describe('training a tagger', () => {
  test('keeps the weights of the best evaluation and stops after those that were not better', async () => {
    const {hooks, best, steps} = hooksOf();
    const {curve, best: line} = await trainTagger(fakeModel(), planOf([0.1, 0.3, 0.3, 0.2, 0.9]), undefined, hooks);
    expect(curve.map(({iteration}) => iteration)).toEqual([3, 6, 9, 12]);
    expect(line).toMatchObject({iteration: 6, meanPrecision: 0.3});
    expect(best).toEqual([true, true, false, false]);
    expect(steps.length).toBe(12);
  });

  test('ends with an evaluation, however few steps are left', async () => {
    const plan = planOf([0.1, 0.2, 0.3], {iterations: 7});
    const {curve} = await trainTagger(fakeModel(), plan, undefined, hooksOf().hooks);
    expect(curve.map(({iteration}) => iteration)).toEqual([3, 6, 7]);
  });

  test('goes on from any snapshot as if it had not stopped', async () => {
    const scores = [0.1, 0.4, 0.3, 0.5, 0.2];
    const {hooks, snapshots} = hooksOf();
    const whole = await trainTagger(fakeModel(), planOf(scores), undefined, hooks);
    expect(snapshots.map(({done}) => done)).toEqual([2, 3, 4, 6, 8, 9, 10, 12, 14, 15]);
    for (const from of snapshots) {
      expect(await trainTagger(fakeModel(), planOf(scores), from, hooksOf().hooks)).toEqual(whole);
    }
  });

  test.each([1, 3, 8])('keeps a snapshot when it is told to stop after step %i', async (stopAt) => {
    const scores = [0.1, 0.4, 0.3, 0.5, 0.2];
    const whole = await trainTagger(fakeModel(), planOf(scores), undefined, hooksOf().hooks);
    const {hooks, snapshots} = hooksOf(stopAt);
    const plan = planOf(scores);
    const stopped: TaggerPlan = {
      ...plan,
      evaluate: async () => {
        hooks.signal.throwIfAborted();
        return plan.evaluate();
      },
    };
    await expect(trainTagger(fakeModel(), stopped, undefined, hooks)).rejects.toThrow('stop');
    expect(snapshots.at(-1)?.done).toBe(stopAt);
    expect(await trainTagger(fakeModel(), planOf(scores), snapshots.at(-1), hooksOf().hooks)).toEqual(whole);
  });

  test('fails when the loss is no longer a number', async () => {
    const model: TaggerModel = {...fakeModel(), step: async () => NaN};
    await expect(trainTagger(model, planOf([0.1]), undefined, hooksOf().hooks)).rejects.toThrow(
      'the loss of iteration 1 is NaN',
    );
  });
});
