import type {ClassMembers} from './class-members.ts';

/** How well scores rank positives above negatives; see `averagePrecision` and `areaUnderRoc`. */
export interface Ranking {
  /** Undefined without a positive. */
  readonly averagePrecision: number | undefined;
  /** Undefined without a positive or without a negative. */
  readonly areaUnderRoc: number | undefined;
}

/**
 * Ranks the items of one class. `isPositive` is 1 or 0 for each of the scores, which must not be NaN. The positives
 * alone are sorted: they are few, and a negative only counts by the positives that it lies between or equals.
 */
export function rankScores(scores: Float32Array | Float64Array, isPositive: Uint8Array): Ranking {
  const {values, sizes} = distinctPositives(scores, isPositive);
  const groups = values.length;
  if (groups === 0) return {averagePrecision: undefined, areaUnderRoc: undefined};
  /** Negatives equal to each value; and below it, above the value before. The last are those above all. */
  const equal = new Float64Array(groups);
  const below = new Float64Array(groups + 1);
  const lowest = values[0] as number;
  for (let i = 0; i < scores.length; i++) {
    if (isPositive[i] === 1) continue;
    const score = scores[i] as number;
    // Most negatives score lower than every positive.
    const place = score < lowest ? 0 : lowerBound(values, score);
    if (values[place] === score) equal[place] = (equal[place] as number) + 1;
    else below[place] = (below[place] as number) + 1;
  }
  let positives = 0;
  let negatives = below[groups] as number;
  let precisions = 0;
  let lostTwice = 0;
  for (let g = groups - 1; g >= 0; g--) {
    const own = sizes[g] as number;
    const ties = equal[g] as number;
    lostTwice += own * (2 * negatives + ties);
    positives += own;
    negatives += ties;
    precisions += own * (positives / (positives + negatives));
    negatives += below[g] as number;
  }
  return {
    averagePrecision: precisions / positives,
    areaUnderRoc: negatives === 0 ? undefined : 1 - lostTwice / (2 * positives * negatives),
  };
}

/**
 * The ranking of each class by its column of `scores` (rows, classes). Time for 20 371 rows and 527 classes: well below
 * a second; memory besides the scores: 33 columns.
 */
export function rankClasses(
  scores: Float32Array | Float64Array,
  {classes, rows: members, starts}: ClassMembers,
): readonly Ranking[] {
  const rows = scores.length / classes;
  const rankings: Ranking[] = [];
  const block = new Float64Array(rows * COLUMNS_AT_ONCE);
  const isPositive = new Uint8Array(rows);
  for (let first = 0; first < classes; first += COLUMNS_AT_ONCE) {
    const width = Math.min(COLUMNS_AT_ONCE, classes - first);
    for (let row = 0; row < rows; row++) {
      const start = row * classes + first;
      for (let i = 0; i < width; i++) block[i * rows + row] = scores[start + i] as number;
    }
    for (let i = 0; i < width; i++) {
      const own = members.subarray(starts[first + i], starts[first + i + 1]);
      for (const row of own) isPositive[row] = 1;
      rankings.push(rankScores(block.subarray(i * rows, (i + 1) * rows), isPositive));
      for (const row of own) isPositive[row] = 0;
    }
  }
  return rankings;
}

/** The values of a cache line: columns read one by one would load each line once a column. */
const COLUMNS_AT_ONCE = 16;

/** The distinct scores of positives, rising, and how many positives have each. */
export function distinctPositives(
  scores: Float32Array | Float64Array,
  isPositive: Uint8Array,
): {readonly values: Float64Array; readonly sizes: Float64Array} {
  let count = 0;
  for (let i = 0; i < scores.length; i++) if (isPositive[i] === 1) count++;
  const values = new Float64Array(count);
  const sizes = new Float64Array(count);
  let filled = 0;
  for (let i = 0; i < scores.length; i++) if (isPositive[i] === 1) values[filled++] = scores[i] as number;
  values.sort();
  let groups = 0;
  for (const value of values) {
    if (groups === 0 || value !== values[groups - 1]) values[groups++] = value;
    sizes[groups - 1] = (sizes[groups - 1] as number) + 1;
  }
  return {values: values.subarray(0, groups), sizes: sizes.subarray(0, groups)};
}

/** The first place whose value is not below `score`. */
export function lowerBound(values: Float64Array, score: number): number {
  let from = 0;
  let to = values.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((values[middle] as number) < score) from = middle + 1;
    else to = middle;
  }
  return from;
}
