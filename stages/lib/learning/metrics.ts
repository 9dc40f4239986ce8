import {normalQuantile} from './normal.ts';
import {rankScores, type Ranking} from './ranking.ts';

/**
 * Average precision: the sum over distinct scores, from the highest, of (recall gained there) x (precision there), without
 * interpolation; equal scores are one group. Undefined without a positive. Scores must not be NaN.
 * Source: scikit-learn's average_precision_score.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<boolean>): number | undefined {
  return rankingOf(scores, positive).averagePrecision;
}

/**
 * Area under the ROC curve: the chance that a positive scores above a negative, a tie counting one half (Mann-Whitney with
 * mid-ranks). Undefined without a positive or without a negative. Scores must not be NaN.
 */
export function areaUnderRoc(scores: ArrayLike<number>, positive: ArrayLike<boolean>): number | undefined {
  return rankingOf(scores, positive).areaUnderRoc;
}

/** Separation of two normal distributions of variance 1 that gives this area: sqrt(2) x quantile. Infinity for 1. */
export function dPrime(area: number): number {
  return Math.SQRT2 * normalQuantile(area);
}

/**
 * Average precision at 3 of one item with one true class: 1, 1/2 or 1/3 when it has rank 1, 2 or 3, else 0. Among equal
 * scores the lower class index comes first.
 */
export function averagePrecisionAt3(scores: ArrayLike<number>, trueClass: number): number {
  const own = scores[trueClass] as number;
  let rank = 1;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (score > own || (score === own && i < trueClass)) rank++;
  }
  return rank <= 3 ? 1 / rank : 0;
}

/** The class of the highest score; among equal scores the lowest. */
export function topClass(scores: ArrayLike<number>): number {
  let top = 0;
  for (let i = 1; i < scores.length; i++) if ((scores[i] as number) > (scores[top] as number)) top = i;
  return top;
}

/** MAP@3: the mean of `averagePrecisionAt3` over rows of `scores` (N, classes). Undefined without rows. */
export function meanAveragePrecisionAt3(
  scores: Float32Array,
  classes: number,
  trueClasses: readonly number[],
): number | undefined {
  return meanOf(trueClasses.map((trueClass, i) => averagePrecisionAt3(rowOf(scores, classes, i), trueClass)));
}

/** MAP@3 of a random order of `classes` classes: (1 + 1/2 + 1/3) / classes, with fewer terms for fewer classes. */
export function chanceAveragePrecisionAt3(classes: number): number {
  let sum = 0;
  for (let rank = 1; rank <= Math.min(3, classes); rank++) sum += 1 / rank;
  return sum / classes;
}

export function rowOf(values: Float32Array, width: number, row: number): Float32Array {
  return values.subarray(row * width, (row + 1) * width);
}

/** Undefined for an empty list. */
export function meanOf(values: readonly number[] | Float64Array | Uint8Array): number | undefined {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? undefined : sum / values.length;
}

function rankingOf(scores: ArrayLike<number>, positive: ArrayLike<boolean>): Ranking {
  const isPositive = Uint8Array.from({length: scores.length}, (_, i) => (positive[i] === true ? 1 : 0));
  return rankScores(Float64Array.from(scores), isPositive);
}
