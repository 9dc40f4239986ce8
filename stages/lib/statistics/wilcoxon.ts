import {normalTail} from './tails.ts';

export interface WilcoxonTest {
  /** Pairs that differ; the others are left out, as Wilcoxon does. */
  readonly pairs: number;
  /** The smaller of the two sums of ranks. */
  readonly statistic: number;
  /** In the direction of the data. */
  readonly oneSided: number;
  readonly twoSided: number;
  /** From all assignments of signs to the ranks, or from the normal distribution. */
  readonly isExact: boolean;
}

/**
 * Wilcoxon's signed-rank test of paired differences, equal ones with their mean rank. Exact up to 50 pairs, ties
 * included; beyond, the normal approximation with the variance corrected for ties and no correction for continuity, as
 * SciPy's. Undefined when no pair differs.
 */
export function wilcoxonTest(differences: Float64Array): WilcoxonTest | undefined {
  const {twiceRanks, positive, tieSum} = signedRanks(differences);
  const n = twiceRanks.length;
  if (n === 0) return undefined;
  // Twice a mean rank is a whole number, so that sums are exact.
  const total = n * (n + 1);
  const smaller = Math.min(positive, total - positive);
  const isExact = n <= MOST_EXACT;
  const oneSided = isExact
    ? exactLowerTail(twiceRanks, smaller)
    : normalTail((total / 2 - smaller) / 2 / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24 - tieSum / 48));
  return {pairs: n, statistic: smaller / 2, oneSided, twoSided: Math.min(1, 2 * oneSided), isExact};
}

const MOST_EXACT = 50;

interface SignedRanks {
  /** Twice the rank of each difference that is not 0, from the smallest by size. */
  readonly twiceRanks: readonly number[];
  /** Sum of `twiceRanks` over the positive differences. */
  readonly positive: number;
  /** Sum of size^3 - size over the groups of ties. */
  readonly tieSum: number;
}

function signedRanks(differences: Float64Array): SignedRanks {
  const sorted = differences.filter((d) => d !== 0).sort((a, b) => Math.abs(a) - Math.abs(b));
  const twiceRanks: number[] = [];
  let positive = 0;
  let tieSum = 0;
  for (let start = 0; start < sorted.length;) {
    let end = start;
    while (end < sorted.length && Math.abs(sorted[end] as number) === Math.abs(sorted[start] as number)) end++;
    const twice = start + end + 1;
    for (let i = start; i < end; i++) {
      twiceRanks.push(twice);
      if ((sorted[i] as number) > 0) positive += twice;
    }
    tieSum += (end - start) ** 3 - (end - start);
    start = end;
  }
  return {twiceRanks, positive, tieSum};
}

/** The part of the 2^n assignments of signs whose positive ranks sum to `limit` or less. */
function exactLowerTail(twiceRanks: readonly number[], limit: number): number {
  const chance = new Float64Array(limit + 1);
  chance[0] = 1;
  for (const rank of twiceRanks) {
    for (let sum = limit; sum >= 0; sum--) {
      chance[sum] = ((chance[sum] as number) + (sum >= rank ? (chance[sum - rank] as number) : 0)) / 2;
    }
  }
  return chance.reduce((sum, value) => sum + value, 0);
}
