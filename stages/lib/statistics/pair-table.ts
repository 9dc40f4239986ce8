import {StageError} from 'mixdown/stage';
import type {PairP} from '../figures/pair-matrix.ts';
import {markdownTable} from '../figures/table.ts';
import {readCsvTable, type CsvRow} from '../formats/csv.ts';
import type {ClassScore} from '../learning/report.ts';
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
  ...['signFlip', 'signFlipHolm', 'score'],
];

/** One row of the csv, as PAIR_COLUMNS. `score` is what was compared. */
export function pairCells(pair: CorrectedComparison, score: ClassScore): readonly (string | number)[] {
  const {a, b, classes, meanA, meanB, interval, tTest, wilcoxon, signFlip, holm} = pair;
  const values = [
    ...[meanA, meanB, meanA - meanB, interval?.low, interval?.high],
    ...[tTest?.t, tTest?.freedom, tTest?.oneSided, tTest?.twoSided, holm.oneSided, holm.twoSided],
    ...[wilcoxon?.statistic, wilcoxon?.pairs, wilcoxon?.oneSided, wilcoxon?.twoSided, holm.wilcoxonTwoSided],
    ...[signFlip, holm.signFlip],
  ];
  return [a, b, classes, ...values.map((value) => value ?? ''), score];
}

/** What a table of p-values shows of the pairs. */
export function pValues(pairs: readonly CorrectedComparison[], sides: 1 | 2): readonly PairP[] {
  return pairs.map(({a, b, tTest, holm: corrected}) => ({
    a,
    b,
    p: sides === 1 ? tTest?.oneSided : tTest?.twoSided,
    corrected: sides === 1 ? corrected.oneSided : corrected.twoSided,
  }));
}

export interface TestedPairs {
  readonly pairs: readonly PairP[];
  readonly score: ClassScore;
}

/** Reads a csv of `pairCells`. Throws StageError with the line of what is none. `name` stands for the file in messages. */
export function readPairs(path: string, sides: 1 | 2, name: string): TestedPairs {
  const [bare, corrected] = sides === 1 ? ['pOneSided', 'holmOneSided'] : ['pTwoSided', 'holmTwoSided'];
  const {rows} = readCsvTable(path, ['a', 'b', bare, corrected, 'score'], name);
  const wrong = ({line, record}: CsvRow, column: string, wanted: string): StageError =>
    new StageError(`${name}, line ${line}: ${column} is \`${record[column]}\`; ${wanted} is needed`);
  const read = (row: CsvRow, column: string): number | undefined => {
    const text = row.record[column] ?? '';
    const value = text === '' ? undefined : Number(text);
    if (value !== undefined && !(value >= 0 && value <= 1)) throw wrong(row, column, 'a number in 0 ... 1');
    return value;
  };
  const [first] = rows;
  if (first === undefined) throw new StageError(`${name} have no rows`);
  const score = CLASS_SCORES.find((known) => known === first.record['score']);
  if (score === undefined) throw wrong(first, 'score', CLASS_SCORES.join(' or '));
  const pairs = rows.map((row) => ({
    a: row.record['a'] ?? '',
    b: row.record['b'] ?? '',
    p: read(row, bare),
    corrected: read(row, corrected),
  }));
  return {pairs, score};
}

const CLASS_SCORES = ['ap', 'auc', 'ap3'] as const;

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
