import {describe, expect, test} from 'vitest';
import {contestsOf, type Validation} from '../../../../../stages/lib/learning/ensemble-validation.ts';
import {validationScore, weighModels} from '../../../../../stages/lib/learning/ensemble-weights.ts';

/** A model whose row for each clip has the true class on the rank given, among four classes. */
function model(fold: number, ranks: readonly number[]): Validation {
  const data = ranks.flatMap(
    (rank) =>
      [
        [0.7, 0.3, 0.2, 0.1],
        [0.3, 0.7, 0.2, 0.1],
        [0.2, 0.7, 0.3, 0.1],
      ][rank - 1] ?? [],
  );
  return {
    fold,
    clips: ranks.map((_, i) => `${fold}-${i}`),
    truth: ranks.map(() => 0),
    data: Float32Array.from(data),
  };
}

const scoring = {score: 'map3', classes: 4} as const;
const weighted = {method: 'weighted', power: 1} as const;
const greedy = {method: 'greedy', initial: 1, size: 20} as const;

describe('contestsOf and weighModels', () => {
  // Fold 2 is easy. Variant 1 has MAP@3 1/2 and 1, over both folds (1/2 + 1 + 1) / 3; variant 2 has 1/3 and 1.
  const models = [model(2, [1, 1]), model(1, [2]), model(2, [1, 1]), model(1, [3])];

  test('over all folds, variants are compared on the clips of all', () => {
    const contests = contestsOf(models, 'all-folds', scoring);
    expect(contests.map(({variants}) => variants.map((variant) => variant.models))).toEqual([
      [
        [1, 0],
        [3, 2],
      ],
    ]);
    const [a, b] = [5 / 6, 7 / 9];
    const weights = weighModels(contests, weighted);
    expect(weights.map(({variant}) => variant)).toEqual([1, 1, 2, 2]);
    const expected = [a, a, b, b];
    for (const [i, {score, weight}] of weights.entries()) {
      expect(score).toBeCloseTo(expected[i] as number, 12);
      expect(weight).toBeCloseTo((expected[i] as number) / (a + b) / 2, 12);
    }
  });

  test('in each fold, models are compared on its clips, and an easy fold counts no more', () => {
    const weights = weighModels(contestsOf(models, 'each-fold', scoring), weighted);
    const shares = weights.map(({weight}) => weight);
    for (const [i, share] of [1 / 4, (1 / 2) * (3 / 5), 1 / 4, (1 / 2) * (2 / 5)].entries()) {
      expect(shares[i]).toBeCloseTo(share, 12);
    }
    const scores = weights.map(({score}) => score);
    for (const [i, score] of [1, 1 / 2, 1, 1 / 3].entries()) expect(scores[i]).toBeCloseTo(score, 12);
  });

  test('one variant weighs the same in all folds, however easy they are', () => {
    const folds = [model(1, [3, 3]), model(2, [1]), model(3, [2, 1])];
    for (const how of ['all-folds', 'each-fold'] as const) {
      for (const options of [weighted, greedy]) {
        const weights = weighModels(contestsOf(folds, how, scoring), options);
        expect(weights.map(({weight}) => weight)).toEqual([1 / 3, 1 / 3, 1 / 3]);
      }
    }
  });

  test('equal scores and power 0 weigh the same, and so do scores of 0', () => {
    const shares = (all: readonly Validation[], power: number) =>
      weighModels(contestsOf(all, 'all-folds', scoring), {...weighted, power}).map(({weight}) => weight);
    expect(shares([model(1, [1, 2]), model(1, [2, 1])], 3)).toEqual([1 / 2, 1 / 2]);
    expect(shares(models, 0)).toEqual([1 / 4, 1 / 4, 1 / 4, 1 / 4]);
    const lost = {...model(1, [3]), truth: [3]};
    expect(shares([lost, lost], 1)).toEqual([1 / 2, 1 / 2]);
    const [winner, loser] = shares([model(1, [1]), model(1, [2])], 1000);
    expect(winner).toBe(1);
    expect(loser).toBeLessThan(1e-300);
  });

  test('the order of the folds in the list does not matter', () => {
    const shuffled = [1, 0, 3, 2].map((i) => models[i] as Validation);
    for (const how of ['all-folds', 'each-fold'] as const) {
      for (const options of [weighted, greedy]) {
        const there = weighModels(contestsOf(models, how, scoring), options);
        const back = weighModels(contestsOf(shuffled, how, scoring), options);
        expect(back).toEqual([1, 0, 3, 2].map((i) => there[i]));
      }
    }
  });

  test('greedy takes the variant that is best over all folds where no other helps', () => {
    const weights = weighModels(contestsOf(models, 'all-folds', scoring), greedy);
    expect(weights.map(({weight}) => weight)).toEqual([1 / 2, 1 / 2, 0, 0]);
    expect(validationScore(models, weights, scoring)).toBeCloseTo(5 / 6, 12);
  });

  test('models of one fold on other clips, and folds with other variants, are refused', () => {
    const other = {...model(1, [1]), clips: ['x']};
    expect(() => contestsOf([model(1, [1]), other], 'each-fold', scoring)).toThrow(
      'models 1 and 2 validate in fold 1, but not on the same clips',
    );
    const uneven = [model(1, [1]), model(2, [1]), model(2, [2])];
    expect(() => contestsOf(uneven, 'all-folds', scoring)).toThrow('there are 1 models of fold 1 and 2 of fold 2');
    const weights = weighModels(contestsOf(uneven, 'each-fold', scoring), weighted).map(({weight}) => weight);
    for (const [i, share] of [1 / 3, (2 / 3) * (2 / 3), (2 / 3) * (1 / 3)].entries()) {
      expect(weights[i]).toBeCloseTo(share, 12);
    }
  });
});
