import {markdownTable, type Table} from '../figures/table.ts';
import {count} from '../problems.ts';
import type {Comparison, Description} from './comparison.ts';
import {holm} from './holm.ts';

/** p-values corrected for the number of pairs: see `holm`. */
export interface CorrectedComparison extends Comparison {
  readonly holm: {
    readonly oneSided: number | undefined;
    readonly twoSided: number | undefined;
    readonly wilcoxonTwoSided: number | undefined;
    readonly signFlip: number | undefined;
  };
}

/** Each test of all pairs is one family. */
export function correctPairs(pairs: readonly Comparison[]): readonly CorrectedComparison[] {
  const oneSided = holm(pairs.map(({tTest}) => tTest?.oneSided));
  const twoSided = holm(pairs.map(({tTest}) => tTest?.twoSided));
  const wilcoxonTwoSided = holm(pairs.map(({wilcoxon}) => wilcoxon?.twoSided));
  const signFlip = holm(pairs.map((pair) => pair.signFlip));
  return pairs.map((pair, i) => ({
    ...pair,
    holm: {
      oneSided: oneSided[i],
      twoSided: twoSided[i],
      wilcoxonTwoSided: wilcoxonTwoSided[i],
      signFlip: signFlip[i],
    },
  }));
}

export const PAIR_COLUMNS = [
  ...['a', 'b', 'classes', 'meanA', 'meanB', 'difference', 'low', 'high'],
  ...['t', 'freedom', 'pOneSided', 'pTwoSided', 'holmOneSided', 'holmTwoSided'],
  ...['wilcoxon', 'wilcoxonPairs', 'wilcoxonOneSided', 'wilcoxonTwoSided', 'wilcoxonHolmTwoSided'],
  ...['signFlip', 'signFlipHolm'],
];

/** One row of the csv, as PAIR_COLUMNS. */
export function pairCells(pair: CorrectedComparison): readonly (string | number)[] {
  const {a, b, classes, meanA, meanB, interval, tTest, wilcoxon, signFlip, holm} = pair;
  const values = [
    ...[meanA, meanB, meanA - meanB, interval?.low, interval?.high],
    ...[tTest?.t, tTest?.freedom, tTest?.oneSided, tTest?.twoSided, holm.oneSided, holm.twoSided],
    ...[wilcoxon?.statistic, wilcoxon?.pairs, wilcoxon?.oneSided, wilcoxon?.twoSided, holm.wilcoxonTwoSided],
    ...[signFlip, holm.signFlip],
  ];
  return [a, b, classes, ...values.map((value) => value ?? '')];
}

export interface PairTableOptions {
  readonly title: string;
  /** Of the score, as people write it. */
  readonly scoreName: string;
  readonly sides: 1 | 2;
  readonly level: number;
}

/**
 * p-values of the paired t-tests: a row for each variant but the last, a column for each but the first. `pairs` as from
 * `pairsOf`.
 */
export function pairTable(
  variants: readonly string[],
  pairs: readonly CorrectedComparison[],
  {title, scoreName, sides, level}: PairTableOptions,
): Table {
  const cellOf = (a: string, b: string): string => {
    const pair = pairs.find((candidate) => candidate.a === a && candidate.b === b);
    if (pair === undefined) return '';
    const p = sides === 1 ? pair.tTest?.oneSided : pair.tTest?.twoSided;
    const corrected = sides === 1 ? pair.holm.oneSided : pair.holm.twoSided;
    if (p === undefined || corrected === undefined) return '-';
    const stars = corrected < level ? '**' : p < level ? '*' : '';
    return `${p < 0.0005 ? '<0.001' : p.toFixed(3)}${stars}`;
  };
  const columns = variants.slice(1);
  const hasUndefined = pairs.some(({tTest}) => tTest === undefined);
  return {
    title,
    head: ['', ...columns],
    rows: variants.slice(0, -1).map((a) => [{text: a}, ...columns.map((b) => ({text: cellOf(a, b)}))]),
    notes: [
      [
        `p-values of paired t-tests over the ${scoreName} of the classes, ${sides === 1 ? 'one-sided, P(T > |t|)' : 'two-sided'}. ` +
          `*: below ${level}; **: also when the ${count(pairs.length, 'pair')} are corrected for (Holm).`,
      ],
      ...(hasUndefined ? [['-: not defined, as the two differ in no class, or by the same everywhere.']] : []),
    ],
  };
}

/** The means of the variants with their intervals. */
export function meansMarkdown(means: readonly Description[], scoreName: string, confidence: number): string {
  const rows = means.map(({variant, classes, mean, interval}) =>
    [variant, ...[mean, interval?.low, interval?.high].map((value) => value?.toFixed(3) ?? '-'), String(classes)].map(
      (text) => ({text}),
    ),
  );
  const note = `Bootstrap intervals of ${Number((confidence * 100).toPrecision(10))} % over the classes.`;
  const head = ['Variant', scoreName, 'from', 'to', 'classes'];
  return markdownTable({title: `Mean ${scoreName} of the classes`, head, rows, notes: [[note]]});
}
