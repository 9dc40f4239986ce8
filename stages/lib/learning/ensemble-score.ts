import {averagePrecision, averagePrecisionAt3, meanOf} from './metrics.ts';

export const ENSEMBLE_SCORES = ['map3', 'map', 'accuracy'] as const;
export type EnsembleScore = (typeof ENSEMBLE_SCORES)[number];

/**
 * Score of class probabilities (N, classes) whose rows are of the classes `truth`, in 0 ... 1, more is better: MAP@3, MAP
 * over the classes that have clips, or the part whose true class comes first. All depend on the order of values only, so
 * that values may have any one scale. At least one row.
 */
export function scoreOf(
  kind: EnsembleScore,
  values: Float32Array | Float64Array,
  truth: readonly number[],
  classes: number,
): number {
  return meanOf(kind === 'map' ? classScores(values, truth, classes) : rowScores(kind, values, truth, classes)) ?? 0;
}

function rowScores(
  kind: 'map3' | 'accuracy',
  values: Float32Array | Float64Array,
  truth: readonly number[],
  classes: number,
): readonly number[] {
  return truth.map((own, row) => {
    const score = averagePrecisionAt3(values.subarray(row * classes, (row + 1) * classes), own);
    // 1 is for rank 1 only, with the same order among equals.
    return kind === 'map3' ? score : Math.floor(score);
  });
}

function classScores(
  values: Float32Array | Float64Array,
  truth: readonly number[],
  classes: number,
): readonly number[] {
  return Array.from({length: classes}, (_, c) => {
    const column = truth.map((_own, row) => values[row * classes + c] as number);
    return averagePrecision(
      column,
      truth.map((own) => own === c),
    );
  }).filter((score) => score !== undefined);
}
