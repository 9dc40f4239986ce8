import {StageError} from 'mixdown/stage';
import {count, firstOf} from '../problems.ts';
import {isTraining, type PieceRow} from './piece-rows.ts';

/** What is made of the label of a clip that nobody has confirmed. */
export interface Decision {
  readonly key: string;
  /** The label that it has. */
  readonly label: string;
  /** Index of the class that scores best. */
  readonly predicted: number;
  /** Score of that class. */
  readonly probability: number;
  /** `kept`: the model agrees; `relabelled`: it is sure of another class; `doubted`: it prefers another, and is not sure. */
  readonly decision: 'kept' | 'relabelled' | 'doubted';
}

/**
 * Decides on each clip by its scores, (clips, classes), rows of sum 1: a model that gives another class a probability of
 * `confidence` or more is believed.
 */
export function decideLabels(
  clips: readonly {readonly key: string; readonly classIndex: number}[],
  scores: Float32Array,
  classes: readonly string[],
  confidence: number,
): readonly Decision[] {
  return clips.map(({key, classIndex}, i): Decision => {
    const own = scores.subarray(i * classes.length, (i + 1) * classes.length);
    const predicted = own.reduce((best, value, k) => (value > (own[best] as number) ? k : best), 0);
    const probability = own[predicted] as number;
    const other = probability >= confidence ? 'relabelled' : 'doubted';
    const decision = predicted === classIndex ? 'kept' : other;
    return {key, label: classes[classIndex] as string, predicted, probability, decision};
  });
}

/**
 * The rows table after the decisions: a clip that is relabelled has the class that scored best, one that is doubted its weight
 * times `doubtfulWeight`. A copy is what its recording is. All other rows stay.
 */
export function applyLabels(
  rows: readonly PieceRow[],
  decisions: readonly Decision[],
  classes: readonly string[],
  doubtfulWeight: number,
): readonly PieceRow[] {
  const decisionOf = new Map(decisions.map((decision) => [decision.key, decision]));
  return rows.map((row): PieceRow => {
    const found = decisionOf.get(row.parent === '' ? row.key : row.parent);
    switch (found?.decision) {
      case 'relabelled':
        return {...row, classIndex: found.predicted, label: classes[found.predicted] as string};
      case 'doubted':
        return {...row, weight: row.weight * doubtfulWeight};
      case 'kept':
      case undefined:
        return row;
    }
  });
}

/** Throws StageError when a class has rows to train fold `fold` on before, and none after. */
export function checkClasses(before: readonly PieceRow[], after: readonly PieceRow[], fold: number): void {
  const isUsed = (row: PieceRow): boolean => isTraining(row, fold) && row.weight > 0;
  const left = new Set(after.filter(isUsed).map(({classIndex}) => classIndex));
  const lost = new Map(
    before.flatMap((row) => (isUsed(row) && !left.has(row.classIndex) ? [[row.classIndex, row.label]] : [])),
  );
  if (lost.size === 0) return;
  const names = [...lost].sort(([a], [b]) => a - b).map(([, label]) => `\`${label}\``);
  throw new StageError(
    `${count(names.length, 'label')} would lose all training clips: ${firstOf(names)}`,
    'raise `confidence` or `doubtfulWeight`, or verify some clips',
  );
}
