import {selectGreedily, type GreedyOptions} from './ensemble-greedy.ts';
import {weightedMean} from './ensemble-mean.ts';
import {scoreOf} from './ensemble-score.ts';
import type {Contest, Scoring, Validation} from './ensemble-validation.ts';

export type WeighingOptions =
  | {
      readonly method: 'weighted';
      /** The weight is the score to this power; 0 makes all equal. */ readonly power: number;
    }
  | ({readonly method: 'greedy'} & GreedyOptions);

/** The weight of a model and where it is from. */
export interface ModelWeight {
  /** Number of its variant, from 1. */
  readonly variant: number;
  /** Of its variant alone, on the clips of the contest. */
  readonly score: number;
  /** All of them have sum 1. */
  readonly weight: number;
}

/**
 * Weighs models by how their variants do in the contests. A contest shares out as much as it has models, so that no fold
 * counts more for being easier; a variant's weight is shared evenly by its models. Variants that all score 0 weigh the same
 * by method weighted.
 */
export function weighModels(contests: readonly Contest[], options: WeighingOptions): readonly ModelWeight[] {
  const weights: ModelWeight[] = [];
  const count = contests.flatMap(({variants}) => variants.flatMap(({models}) => models)).length;
  for (const {variants, score} of contests) {
    const alone = variants.map(({data}) => score(data));
    const best = Math.max(...alone);
    const raw =
      options.method === 'weighted'
        ? alone.map((value) => (best > 0 ? value / best : 1) ** options.power)
        : selectGreedily(
            variants.map(({data}) => data),
            score,
            options,
          ).picks;
    const total = raw.reduce((sum, value) => sum + value, 0);
    for (const [k, variant] of variants.entries()) {
      for (const model of variant.models) {
        const weight = ((raw[k] as number) / total) * (variants.length / count);
        weights[model] = {variant: k + 1, score: alone[k] as number, weight};
      }
    }
  }
  return weights;
}

/** Score of the combination on the validation clips of all folds together, each clip scored by the models of its own fold. */
export function validationScore(
  models: readonly Validation[],
  weights: readonly ModelWeight[],
  {score, classes}: Scoring,
): number {
  const folds = [...new Set(models.map(({fold}) => fold))];
  const parts = folds.map((fold) => {
    const own = models.flatMap((model, i) => (model.fold === fold ? [{model, weight: weights[i]?.weight ?? 0}] : []));
    return {
      truth: own[0]?.model.truth ?? [],
      data: weightedMean(
        own.map(({model}) => model.data),
        own.map(({weight}) => weight),
      ),
    };
  });
  const data = Float32Array.from(parts.flatMap((part) => [...part.data]));
  return scoreOf(
    score,
    data,
    parts.flatMap(({truth}) => truth),
    classes,
  );
}
