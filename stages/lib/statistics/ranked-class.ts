import type {ClassMembers} from '../learning/class-members.ts';
import {distinctPositives, lowerBound} from '../learning/ranking.ts';

/** The clips of one class by falling score, down to its lowest positive: those below it change neither AP nor AUC. */
export interface RankedClass {
  /** Clips. Those between two such groups, and those of one kind in a group, are in no order of score. */
  readonly order: Int32Array;
  /**
   * For each group of equal scores with positives, from the highest, the places in `order` where the negatives above it,
   * its own negatives, and its positives end. (groups, 3).
   */
  readonly ends: Int32Array;
}

/** Of each class that has members, one by one. `scores` is (clips, classes), none of them NaN. */
export function* rankedClasses(
  scores: Float32Array,
  {classes, rows, starts}: ClassMembers,
): Generator<RankedClass, void, undefined> {
  const clips = scores.length / classes;
  const isPositive = new Uint8Array(clips);
  const column = new Float32Array(clips);
  for (let c = 0; c < classes; c++) {
    const own = rows.subarray(starts[c], starts[c + 1]);
    if (own.length === 0) continue;
    for (let clip = 0; clip < clips; clip++) column[clip] = scores[clip * classes + c] as number;
    for (const clip of own) isPositive[clip] = 1;
    yield rankClips(column, isPositive);
    for (const clip of own) isPositive[clip] = 0;
  }
}

/** Sorts by counting: the positives alone have an order among the clips. */
function rankClips(column: Float32Array, isPositive: Uint8Array): RankedClass {
  const {values} = distinctPositives(column, isPositive);
  const groups = values.length;
  const binOf = new Int32Array(column.length).fill(-1);
  const ends = new Int32Array(3 * groups);
  const lowest = values[0] as number;
  for (let clip = 0; clip < column.length; clip++) {
    const score = column[clip] as number;
    if (score < lowest) continue;
    const place = lowerBound(values, score);
    const isEqual = values[place] === score;
    // The groups from the highest, each with the bins above, equal, own; what is not equal lies above the group before.
    const bin = 3 * (groups - 1 - (isEqual ? place : place - 1)) + (isEqual ? 1 + (isPositive[clip] as number) : 0);
    binOf[clip] = bin;
    ends[bin] = (ends[bin] as number) + 1;
  }
  for (let bin = 1; bin < ends.length; bin++) ends[bin] = (ends[bin] as number) + (ends[bin - 1] as number);
  const order = new Int32Array(ends.at(-1) ?? 0);
  const next = Int32Array.from(ends, (_, bin) => ends[bin - 1] ?? 0);
  for (const [clip, bin] of binOf.entries()) {
    if (bin < 0) continue;
    const place = next[bin] as number;
    order[place] = clip;
    next[bin] = place + 1;
  }
  return {order, ends};
}
