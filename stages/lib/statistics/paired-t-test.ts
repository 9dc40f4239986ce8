import {studentTail} from './tails.ts';

export interface PairedTTest {
  /** Mean difference over its standard error. */
  readonly t: number;
  /** Degrees of freedom: pairs - 1. */
  readonly freedom: number;
  /** P(T > |t|): that the better one is better, by chance. The direction is that of the data. */
  readonly oneSided: number;
  /** P(|T| > |t|). */
  readonly twoSided: number;
}

/**
 * Student's t-test of paired differences of scores in 0 ... 1. Undefined for fewer than two, and where all are equal
 * but for rounding: they do not spread, and any mean would be infinitely far from 0.
 */
export function pairedTTest(differences: Float64Array): PairedTTest | undefined {
  const n = differences.length;
  if (n < 2) return undefined;
  const mean = sumOf(differences, (d) => d) / n;
  const variance = sumOf(differences, (d) => (d - mean) ** 2) / (n - 1);
  if (!(Math.sqrt(variance) > ROUNDING)) return undefined;
  const t = mean / Math.sqrt(variance / n);
  const oneSided = studentTail(Math.abs(t), n - 1);
  return {t, freedom: n - 1, oneSided, twoSided: 2 * oneSided};
}

/** Such differences carry an error of about 1e-16. */
const ROUNDING = 1e-15;

function sumOf(values: Float64Array, of: (value: number) => number): number {
  let sum = 0;
  for (const value of values) sum += of(value);
  return sum;
}
