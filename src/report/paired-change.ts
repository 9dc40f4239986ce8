import {bootstrapInterval, type Interval} from './bootstrap.ts';
import {summarise} from './metric-pivot.ts';
import {signFlipP} from './sign-flip.ts';

/**
 * What pairs of measurements say about a change, at the 5 % level of the two-sided sign-flip test:
 * `too few`: fewer than six pairs. Even if all went the same way, chance would do as much in 2 of 2^n cases, 6 % for five.
 * `real`: six or more pairs, and chance alone gives so large a mean difference in at most 5 % of the cases.
 * `within noise`: six or more pairs, and it gives it more often.
 */
export type Verdict = 'real' | 'within noise' | 'too few';

export interface PairedChange {
  readonly pairs: number;
  /** Pairs whose number became larger, and smaller; the others stayed the same. */
  readonly up: number;
  readonly down: number;
  readonly before: number;
  readonly after: number;
  /** Mean of the differences, after - before. */
  readonly delta: number;
  /** Sample standard deviation of the differences, from two pairs on. */
  readonly sd?: number;
  /** 95 % bootstrap interval of the mean difference; absent when the pairs are too few: it would be much too narrow. */
  readonly interval?: Interval;
  /** Of the two-sided sign-flip test. It alone decides the verdict: with few pairs the interval is somewhat narrow. */
  readonly p: number;
  readonly verdict: Verdict;
}

const level = 0.05;

/** Compares pairs `[before, after]`, one at least. */
export function pairedChange(pairs: readonly (readonly [before: number, after: number])[]): PairedChange {
  const differences = pairs.map(([before, after]) => after - before);
  const {mean: delta = 0, sd} = summarise(differences);
  const p = signFlipP(differences);
  const few = 2 ** (1 - pairs.length) > level;
  return {
    pairs: pairs.length,
    up: differences.filter((each) => each > 0).length,
    down: differences.filter((each) => each < 0).length,
    before: summarise(pairs.map(([before]) => before)).mean ?? 0,
    after: summarise(pairs.map(([, after]) => after)).mean ?? 0,
    delta,
    ...(sd === undefined ? {} : {sd}),
    ...(few ? {} : {interval: bootstrapInterval(differences)}),
    p,
    verdict: few ? 'too few' : p <= level ? 'real' : 'within noise',
  };
}
