import type {ClassMembers} from '../learning/class-members.ts';
import {meanOf} from '../learning/metrics.ts';
import {rankClasses} from '../learning/ranking.ts';

/** How well scores rank the clips of each class. */
export interface TagScores {
  /** Mean average precision over the classes that have a positive clip. */
  readonly meanPrecision: number;
  /** Mean area under the ROC curve over the classes that have a positive and a negative clip. */
  readonly meanArea: number;
  /** Classes without a positive clip, which count in neither. */
  readonly classesWithout: number;
}

/** Of scores (N, classes), of which `members` says what is true. Both means are NaN when no class has one. */
export function tagScores(scores: Float32Array | Float64Array, members: ClassMembers): TagScores {
  const rankings = rankClasses(scores, members);
  const precisions = rankings.flatMap(({averagePrecision: value}) => (value === undefined ? [] : [value]));
  const areas = rankings.flatMap(({areaUnderRoc: value}) => (value === undefined ? [] : [value]));
  return {
    meanPrecision: meanOf(precisions) ?? NaN,
    meanArea: meanOf(areas) ?? NaN,
    classesWithout: members.classes - precisions.length,
  };
}
