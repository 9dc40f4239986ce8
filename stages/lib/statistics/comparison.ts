import type {Rng} from '../rng.ts';
import {pairedTTest, type PairedTTest} from './paired-t-test.ts';
import {bootstrapInterval, bootstrapSamples, signFlipTest, signSamples, type Interval} from './resampling.ts';
import {wilcoxonTest, type WilcoxonTest} from './wilcoxon.ts';

/** What a variant scored in each class, all variants with the same classes in one order. */
export interface VariantScores {
  readonly variant: string;
  /** Null where the score is not defined. */
  readonly values: readonly (number | null)[];
}

export interface Description {
  readonly variant: string;
  /** Classes whose score is defined; at least one. */
  readonly classes: number;
  readonly mean: number;
  readonly interval: Interval | undefined;
}

/** Two variants by the classes in which both have a score. Undefined is what these classes do not allow to say. */
export interface Comparison {
  readonly a: string;
  readonly b: string;
  readonly classes: number;
  readonly meanA: number;
  readonly meanB: number;
  /** Of `meanA - meanB`. */
  readonly interval: Interval | undefined;
  readonly tTest: PairedTTest | undefined;
  readonly wilcoxon: WilcoxonTest | undefined;
  /** Two-sided p-value. */
  readonly signFlip: number | undefined;
}

export interface Comparer {
  describe(this: void, scores: VariantScores): Description;
  compare(this: void, a: VariantScores, b: VariantScores): Comparison;
}

/**
 * The units of all tests and intervals are the classes: they tell how far a result would hold for other classes like
 * these, and not how it depends on the clips or on the seeds of the trainings.
 */
export function createComparer(
  rng: Rng,
  {resamples, confidence}: {readonly resamples: number; readonly confidence: number},
): Comparer {
  const drawsOf = lastOf((n) => bootstrapSamples(rng, n, resamples));
  const signsOf = lastOf((n) => signSamples(rng, n, resamples));
  const intervalOf = (values: Float64Array): Interval | undefined =>
    bootstrapInterval(values, drawsOf(values.length), confidence);
  return {
    describe({variant, values}) {
      const own = Float64Array.from(values.filter((value) => value !== null));
      return {variant, classes: own.length, mean: meanOf(own), interval: intervalOf(own)};
    },
    compare(a, b) {
      const both = a.values.flatMap((x, c) => {
        const y = b.values[c] ?? null;
        return x === null || y === null ? [] : [{x, y}];
      });
      const differences = Float64Array.from(both, ({x, y}) => x - y);
      return {
        a: a.variant,
        b: b.variant,
        classes: both.length,
        meanA: meanOf(both.map(({x}) => x)),
        meanB: meanOf(both.map(({y}) => y)),
        interval: intervalOf(differences),
        tTest: pairedTTest(differences),
        wilcoxon: wilcoxonTest(differences),
        signFlip: signFlipTest(differences, signsOf(differences.length)),
      };
    },
  };
}

/** Keeps what was made last: most variants have the same number of classes, and samples take many MiB. */
function lastOf<T>(make: (n: number) => T): (n: number) => T {
  let last: {readonly n: number; readonly value: T} | undefined;
  return (n) => {
    if (last?.n !== n) last = {n, value: make(n)};
    return last.value;
  };
}

function meanOf(values: Float64Array | readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
