import {groupBy} from '../group-by.ts';
import {chanceAveragePrecisionAt3} from '../learning/metrics.ts';
import type {MetricsReport} from '../learning/report.ts';
import {firstOf} from '../problems.ts';
import {variantKey, type Reference} from './reference.ts';
import type {VariantRow} from './score-rows.ts';
import {decimals, NONE, summarize, summaryText} from './score-summary.ts';
import {SCORE_NAMES, type Score} from './scores.ts';
import type {Cell, Table} from './table.ts';

export interface ScoreTableOptions {
  readonly title: string;
  readonly scores: readonly Score[];
  /** What variants are, by name; rows of the reference bring theirs. */
  readonly about: ReadonlyMap<string, string>;
  readonly reference: Reference | undefined;
}

/** A row a variant, a column a score; beside it, where the reference has the score, the reference's figure. */
export function scoreTable(rows: readonly VariantRow[], {title, scores, about, reference}: ScoreTableOptions): Table {
  const columns = scores.flatMap((score): readonly Column[] => {
    const own = {heading: SCORE_NAMES[score], cells: rows.map((row) => ownCell(row, score))};
    if (reference?.has(score) !== true) return [own];
    const figures = rows.map(({published}) => publishedCell(published?.scores[score]));
    return [own, {heading: `${SCORE_NAMES[score]} (published)`, cells: figures}];
  });
  const best = columns.map(({cells}) => Math.max(...cells.map(({rank}) => rank)));
  const reports = rows.flatMap(({own}) => own?.reports ?? []);
  const isDescribed = rows.some((row) => aboutOf(row, about) !== '');
  const isRepeated = rows.some(({own}) => (own?.reports.length ?? 0) > 1);
  return {
    title,
    head: [
      'Variant',
      ...(isDescribed ? ['Model'] : []),
      ...columns.map(({heading}) => heading),
      ...(isRepeated ? ['repeats'] : []),
      'clips',
    ],
    textColumns: isDescribed ? [0, 1] : [0],
    rows: rows.map((row, i): readonly Cell[] => [
      {text: row.variant},
      ...(isDescribed ? [{text: aboutOf(row, about)}] : []),
      ...columns.map(({cells}, c): Cell => {
        const {text, rank} = cells[i] ?? NO_FIGURE;
        return {text, best: rank === best[c] && rank > -Infinity && rows.length > 1};
      }),
      ...(isRepeated ? [{text: row.own === undefined ? NONE : String(row.own.reports.length)}] : []),
      {text: row.own === undefined ? NONE : String(row.own.reports[0].clips)},
    ]),
    notes: [
      ...(isRepeated
        ? [['±: standard deviation (n - 1) over the repeats of the training, each with another seed.']]
        : []),
      ...intervalLines(rows),
      ...partLines(rows),
      ...chanceLines(reports, scores),
      ...undefinedLines(reports, scores),
      ...(reference?.notes ?? []).map((note) => [note]),
    ],
  };
}

/** What a row's variant is, or which row of the reference, where its name does not tell; else empty. */
export function aboutOf({variant, published}: VariantRow, about: ReadonlyMap<string, string>): string {
  const isNamed = published === undefined || variantKey(published.variant) === variantKey(variant);
  return about.get(variant) ?? published?.about ?? (isNamed ? '' : published.variant);
}

interface Column {
  readonly heading: string;
  readonly cells: readonly Figure[];
}

interface Figure {
  readonly text: string;
  /** What is compared to find the best: the figure as printed, so that what reads as equal is bold together. */
  readonly rank: number;
}

const NO_FIGURE: Figure = {text: NONE, rank: -Infinity};

function ownCell({own}: VariantRow, score: Score): Figure {
  if (own === undefined) return NO_FIGURE;
  const summary = summarize(own, score);
  const {mean} = summary;
  return mean === null
    ? NO_FIGURE
    : {text: summaryText(summary), rank: mean === Infinity ? mean : Number(decimals(mean))};
}

function publishedCell(value: number | undefined): Figure {
  return value === undefined ? NO_FIGURE : {text: decimals(value), rank: Number(decimals(value))};
}

function intervalLines(rows: readonly VariantRow[]): readonly (readonly string[])[] {
  const intervals = rows.flatMap(({own}) => (own?.reports.length === 1 ? (own.reports[0].intervals ?? []) : []));
  const kinds = new Set(
    intervals.map(({confidence, resamples}) => `${percent(confidence)} of ${resamples} bootstrap samples of the clips`),
  );
  return kinds.size === 0 ? [] : [[`In brackets: intervals of ${[...kinds].join('; ')}.`]];
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(10))} %`;
}

function partLines(rows: readonly VariantRow[]): readonly (readonly string[])[] {
  const parts = groupBy(
    rows.filter(({own}) => own?.reports[0].part !== undefined),
    ({own}) => own?.reports[0].part,
  );
  return [...parts].map(([part, own]) => {
    const who = own.length === rows.length ? '' : ` (${firstOf(own.map(({variant}) => variant))})`;
    return [`Scored on ${part === 'verified' ? 'verified clips' : `the ${part} test clips`} only${who}.`];
  });
}

/**
 * One line per score and number of classes, which is one line a score for the variants of one data set. Where clips have
 * several classes the level depends on how many.
 */
function chanceLines(reports: readonly MetricsReport[], scores: readonly Score[]): readonly (readonly string[])[] {
  const single = reports.filter(({multiLabel}) => multiLabel !== true);
  const counts = [...new Set(single.map(({classes}) => classes))].sort((a, b) => a - b);
  const lines = scores.flatMap((score) => {
    const chance = CHANCE[score];
    if (chance === undefined) return [];
    return counts.map(
      (classes) => `Chance level of ${SCORE_NAMES[score]} with ${classes} classes: ${chance(classes).toFixed(3)}`,
    );
  });
  return lines.length === 0 ? [] : [lines];
}

/** The means are over fewer classes than the table is about: that must not be overlooked. */
function undefinedLines(reports: readonly MetricsReport[], scores: readonly Score[]): readonly (readonly string[])[] {
  const means = scores.flatMap((score) => (score === 'map' || score === 'auc' ? [SCORE_NAMES[score]] : []));
  const lists = groupBy(
    reports.filter((report) => report.undefined.length > 0),
    (report) => firstOf(report.undefined),
  );
  if (means.length === 0) return [];
  return [...lists].map(([labels, own]) => {
    const variants = [...new Set(own.map(({variant}) => variant))];
    const where = own.length === reports.length ? '' : ` (${firstOf(variants)})`;
    const why = means.length === 1 ? 'it is' : 'they are';
    return [`Classes left out of ${means.join(' and ')}, where ${why} not defined${where}: ${labels}`];
  });
}

const CHANCE: {readonly [S in Score]?: (classes: number) => number} = {
  map3: chanceAveragePrecisionAt3,
  accuracy: (classes) => 1 / classes,
};
