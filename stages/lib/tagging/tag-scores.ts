import {setImmediate} from 'node:timers/promises';
import {areaUnderRoc, averagePrecision, meanOf} from '../learning/metrics.ts';

/** How well scores rank the clips of each class. */
export interface TagScores {
  /** Mean average precision over the classes that have a positive clip. */
  readonly meanPrecision: number;
  /** Mean area under the ROC curve over the classes that have a positive and a negative clip. */
  readonly meanArea: number;
  /** Classes without a positive clip, which count in neither. */
  readonly classesWithout: number;
}

/**
 * Of scores and targets (N, classes), class by class; the event loop turns between classes. Both means are NaN when no class
 * has one.
 */
export async function tagScores(
  scores: Float32Array,
  targets: Float32Array,
  classes: number,
  signal: AbortSignal,
): Promise<TagScores> {
  const count = scores.length / classes;
  const own = new Float32Array(count);
  const positive = new Array<boolean>(count).fill(false);
  const precisions: number[] = [];
  const areas: number[] = [];
  for (let c = 0; c < classes; c++) {
    if (c % CLASSES_A_TURN === 0) {
      await setImmediate();
      signal.throwIfAborted();
    }
    for (let i = 0; i < count; i++) {
      own[i] = scores[i * classes + c] as number;
      positive[i] = targets[i * classes + c] === 1;
    }
    const precision = averagePrecision(own, positive);
    if (precision !== undefined) precisions.push(precision);
    const area = areaUnderRoc(own, positive);
    if (area !== undefined) areas.push(area);
  }
  return {
    meanPrecision: meanOf(precisions) ?? NaN,
    meanArea: meanOf(areas) ?? NaN,
    classesWithout: classes - precisions.length,
  };
}

const CLASSES_A_TURN = 8;
