import {groupBy} from '../group-by.ts';
import {chanceAveragePrecisionAt3} from '../learning/metrics.ts';
import type {MetricsReport} from '../learning/report.ts';
import {firstOf} from '../problems.ts';
import type {Reference} from './reference.ts';
import {SCORE_NAMES, type Score} from './scores.ts';
import type {Cell, Table} from './table.ts';

/**
 * One row a report, one column a score; beside it, where the reference has the score, the reference's figure. Variants of the
 * reference that have no report follow, so that what was not done is seen.
 */
export function scoreTable(
  title: string,
  reports: readonly MetricsReport[],
  scores: readonly Score[],
  reference?: Reference,
): Table {
  const variants = reports.map(({variant}) => variant);
  const others = reference?.others(variants) ?? [];
  const columns = scores.flatMap((score): readonly Column[] => {
    const own = {
      heading: SCORE_NAMES[score],
      cells: [...reports.map((r) => text(r, score)), ...others.map(() => NONE)],
    };
    if (reference?.has(score) !== true) return [own];
    const figures = [...variants, ...others].map((variant) => reference.find(variant, score));
    return [
      own,
      {heading: `${SCORE_NAMES[score]} (published)`, cells: figures.map((value) => value?.toFixed(3) ?? NONE)},
    ];
  });
  const clips = [...reports.map((report) => String(report.clips)), ...others.map(() => NONE)];
  const best = columns.map(({cells}) => cells.reduce(higher));
  const rows = [...variants, ...others].map((variant, row): readonly Cell[] => [
    {text: variant},
    ...columns.map(({cells}, i): Cell => {
      const own = cells[row] ?? NONE;
      return {text: own, best: own === best[i] && own !== NONE && cells.length > 1};
    }),
    {text: clips[row] ?? NONE},
  ]);
  return {
    title,
    head: ['Variant', ...columns.map(({heading}) => heading), 'clips'],
    rows,
    notes: [...chanceLines(reports, scores), ...undefinedLines(reports, scores)],
  };
}

interface Column {
  readonly heading: string;
  readonly cells: readonly string[];
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
    const where = own.length === reports.length ? '' : ` (${firstOf(own.map(({variant}) => variant))})`;
    const why = means.length === 1 ? 'it is' : 'they are';
    return [`Classes left out of ${means.join(' and ')}, where ${why} not defined${where}: ${labels}`];
  });
}

const CHANCE: {readonly [S in Score]?: (classes: number) => number} = {
  map3: chanceAveragePrecisionAt3,
  accuracy: (classes) => 1 / classes,
};

const NONE = '-';

function text(report: MetricsReport, score: Score): string {
  const value = report[score];
  if (value !== null) return value.toFixed(3);
  return score === 'dPrime' && report.auc === 1 ? 'inf' : NONE;
}

/** Of two cells as printed, so that what reads as equal is bold together. */
function higher(a: string, b: string): string {
  const number = (cell: string): number => (cell === 'inf' ? Infinity : cell === NONE ? -Infinity : Number(cell));
  return number(b) > number(a) ? b : a;
}
