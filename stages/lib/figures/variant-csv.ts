import type {PairP} from './pair-matrix.ts';
import type {PublishedP} from './published.ts';
import type {VariantRow} from './score-rows.ts';
import {aboutOf, type ScoreTableOptions} from './score-table.ts';
import {summarize} from './score-summary.ts';

export interface CsvTableContent {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/**
 * All that the tables of variants say, unrounded, a row a variant: `map3`, with repeats `map3Deviation`, with intervals
 * `map3Low` and `map3High`, and `map3Published`, for each score; then for each variant of `pairs` the column `p(variant)`
 * and `p(variant)Published`. Columns that would be empty are not there.
 */
export function variantCsv(
  rows: readonly VariantRow[],
  pairs: readonly PairP[],
  published: (a: string, b: string) => PublishedP | undefined,
  {scores, about, reference}: ScoreTableOptions,
): CsvTableContent {
  const reports = rows.flatMap(({own}) => own ?? []);
  const isScored = reports.length > 0;
  const columns: Column[] = [{name: 'variant', of: ({variant}) => variant}];
  if (rows.some((row) => aboutOf(row, about) !== '')) columns.push({name: 'about', of: (row) => aboutOf(row, about)});
  for (const score of isScored ? scores : []) {
    const summaries = new Map(reports.map((own) => [own, summarize(own, score)]));
    const ofSummary = (name: string, of: (row: NonNullable<ReturnType<typeof summaries.get>>) => Value): Column => ({
      name,
      of: ({own}) => {
        const summary = own && summaries.get(own);
        return summary && of(summary);
      },
    });
    const all = [...summaries.values()];
    columns.push(ofSummary(score, ({mean}) => (mean === Infinity ? undefined : mean)));
    if (all.some(({deviation}) => deviation !== undefined)) {
      columns.push(ofSummary(`${score}Deviation`, ({deviation}) => deviation));
    }
    if (all.some(({interval}) => interval !== undefined)) {
      columns.push(ofSummary(`${score}Low`, ({interval}) => interval?.low));
      columns.push(ofSummary(`${score}High`, ({interval}) => interval?.high));
    }
    if (reference?.has(score) === true) {
      columns.push({name: `${score}Published`, of: ({published: theirs}) => theirs?.scores[score]});
    }
  }
  if (reports.some((own) => own.reports.length > 1)) {
    columns.push({name: 'repeats', of: ({own}) => own?.reports.length});
  }
  if (isScored) {
    columns.push({name: 'clips', of: ({own}) => own?.reports[0].clips});
    columns.push({name: 'classes', of: ({own}) => own?.reports[0].classes});
  }
  for (const {variant: b} of pairs.length === 0 ? [] : rows) {
    const find = (a: string): PairP | undefined =>
      pairs.find((pair) => (pair.a === a && pair.b === b) || (pair.a === b && pair.b === a));
    if (rows.some(({variant: a}) => find(a) !== undefined)) {
      columns.push({name: `p(${b})`, of: ({variant: a}) => find(a)?.p});
    }
    if (rows.some(({variant: a}) => published(a, b) !== undefined)) {
      columns.push({name: `p(${b})Published`, of: ({variant: a}) => published(a, b)});
    }
  }
  return {
    columns: columns.map(({name}) => name),
    rows: rows.map((row) => columns.map(({of}) => of(row) ?? '')),
  };
}

type Value = string | number | null | undefined;

interface Column {
  readonly name: string;
  readonly of: (row: VariantRow) => Value;
}
