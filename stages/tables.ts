import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/formats/csv.ts';
import {groupBy} from './lib/group-by.ts';
import {chanceAveragePrecisionAt3} from './lib/learning/metrics.ts';
import {firstOf} from './lib/problems.ts';
import {readReport, type MetricsReport} from './lib/learning/report.ts';

export default defineStage({
  name: 'tables',
  summary: 'One table of the scores of all variants, as Markdown, csv and JSON.',
  params: {
    title: {type: 'string', default: 'Results', about: 'heading of the table'},
    scores: {
      type: 'array',
      items: {type: 'string', enum: ['map3', 'map', 'auc', 'dPrime', 'accuracy']},
      default: ['map3', 'map', 'auc', 'dPrime'],
      minItems: 1,
      uniqueItems: true,
      about: 'columns of the table, in order',
    },
  },
  inputs: {metrics: {kind: 'file', many: true, about: 'reports of stage metrics, in the order of the rows'}},
  outputs: {
    markdown: {kind: 'file', name: 'results.md', display: true, about: 'the table, the best of each column in bold'},
    csv: {kind: 'file', name: 'results.csv', about: 'variant, the scores, clips, classes'},
    json: {kind: 'file', name: 'results.json', about: 'the reports, type results/1'},
  },
  run({params, inputs, outputs}) {
    const reports = inputs.metrics.map((path, i) => readReport(path, `report ${i + 1}`));
    if (reports.length === 0) throw new StageError('there are no reports to tabulate');
    const scores = params.scores as readonly Score[];
    writeFileSync(outputs.markdown, markdownOf(params.title, reports, scores));
    writeCsv(
      outputs.csv,
      ['variant', ...scores, 'clips', 'classes'],
      reports.map((report) => [
        report.variant,
        ...scores.map((score) => report[score] ?? ''),
        report.clips,
        report.classes,
      ]),
    );
    writeFileSync(outputs.json, `${JSON.stringify({type: 'results/1', title: params.title, reports}, null, 2)}\n`);
  },
});

const HEADINGS = {map3: 'MAP@3', map: 'MAP', auc: 'AUC', dPrime: "d'", accuracy: 'accuracy'} as const;
type Score = keyof typeof HEADINGS;

function markdownOf(title: string, reports: readonly MetricsReport[], scores: readonly Score[]): string {
  const best = Object.fromEntries(
    scores.map((score) => [score, reports.map((report) => text(report, score)).reduce(higher)]),
  );
  const rows = reports.map((report) => {
    const cells = scores.map((score) => {
      const own = text(report, score);
      return own === best[score] && own !== '-' && reports.length > 1 ? `**${own}**` : own;
    });
    return [escaped(report.variant), ...cells, String(report.clips)];
  });
  const table = [['Variant', ...scores.map((score) => HEADINGS[score]), 'clips'], ...rows];
  const widths = table
    .map((row) => row.map((cell) => cell.length))
    .reduce((a, b) => a.map((w, i) => Math.max(w, b[i] ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const notes = [...chanceLines(reports, scores), ...undefinedLines(reports, scores)];
  const [head = [], ...body] = table;
  return [`# ${title}`, '', line(head), line(rule), ...body.map(line), ...notes, ''].join('\n');
}

/** One line per score and number of classes, which is one line a score for the variants of one data set. */
function chanceLines(reports: readonly MetricsReport[], scores: readonly Score[]): readonly string[] {
  const counts = [...new Set(reports.map(({classes}) => classes))].sort((a, b) => a - b);
  const lines = scores.flatMap((score) => {
    const chance = CHANCE[score];
    if (chance === undefined) return [];
    return counts.map(
      (classes) => `Chance level of ${HEADINGS[score]} with ${classes} classes: ${chance(classes).toFixed(3)}`,
    );
  });
  return lines.length === 0 ? [] : ['', ...lines];
}

/** The means are over fewer classes than the table is about: that must not be overlooked. */
function undefinedLines(reports: readonly MetricsReport[], scores: readonly Score[]): readonly string[] {
  const means = scores.flatMap((score) => (score === 'map' || score === 'auc' ? [HEADINGS[score]] : []));
  const lists = groupBy(
    reports.filter((report) => report.undefined.length > 0),
    (report) => firstOf(report.undefined),
  );
  if (means.length === 0) return [];
  return [...lists].flatMap(([labels, own]) => {
    const where = own.length === reports.length ? '' : ` (${firstOf(own.map(({variant}) => variant))})`;
    const why = means.length === 1 ? 'it is' : 'they are';
    return ['', `Classes left out of ${means.join(' and ')}, where ${why} not defined${where}: ${escaped(labels)}`];
  });
}

const CHANCE: {readonly [S in Score]?: (classes: number) => number} = {
  map3: chanceAveragePrecisionAt3,
  accuracy: (classes) => 1 / classes,
};

function text(report: MetricsReport, score: Score): string {
  const value = report[score];
  if (value !== null) return value.toFixed(3);
  return score === 'dPrime' && report.auc === 1 ? 'inf' : '-';
}

/** Of two cells as printed, so that what reads as equal is bold together. */
function higher(a: string, b: string): string {
  const number = (cell: string): number => (cell === 'inf' ? Infinity : cell === '-' ? -Infinity : Number(cell));
  return number(b) > number(a) ? b : a;
}

function escaped(variant: string): string {
  return variant.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
