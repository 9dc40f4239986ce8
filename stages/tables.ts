import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/csv.ts';
import {chanceAveragePrecisionAt3} from './lib/metrics.ts';
import {readReport, type MetricsReport} from './lib/report.ts';

export default defineStage({
  name: 'tables',
  summary: 'One table of the scores of all variants, as Markdown, csv and JSON.',
  params: {title: {type: 'string', default: 'Results', about: 'heading of the table'}},
  inputs: {metrics: {kind: 'file', many: true, about: 'reports of stage metrics, in the order of the rows'}},
  outputs: {
    markdown: {kind: 'file', name: 'results.md', display: true, about: 'the table, the best of each column in bold'},
    csv: {kind: 'file', name: 'results.csv', about: 'variant, map3, map, auc, dPrime, clips, classes'},
    json: {kind: 'file', name: 'results.json', about: 'the reports, type results/1'},
  },
  run({params, inputs, outputs}) {
    const reports = inputs.metrics.map((path, i) => readReport(path, `report ${i + 1}`));
    if (reports.length === 0) throw new StageError('there are no reports to tabulate');
    writeFileSync(outputs.markdown, markdownOf(params.title, reports));
    writeCsv(
      outputs.csv,
      ['variant', ...SCORES, 'clips', 'classes'],
      reports.map((report) => [
        report.variant,
        ...SCORES.map((score) => report[score] ?? ''),
        report.clips,
        report.classes,
      ]),
    );
    writeFileSync(outputs.json, `${JSON.stringify({type: 'results/1', title: params.title, reports}, null, 2)}\n`);
  },
});

const SCORES = ['map3', 'map', 'auc', 'dPrime'] as const;
type Score = (typeof SCORES)[number];

function markdownOf(title: string, reports: readonly MetricsReport[]): string {
  const best = Object.fromEntries(
    SCORES.map((score) => [score, reports.map((report) => text(report, score)).reduce(higher)]),
  );
  const rows = reports.map((report) => {
    const cells = SCORES.map((score) => {
      const own = text(report, score);
      return own === best[score] && own !== '-' && reports.length > 1 ? `**${own}**` : own;
    });
    return [escaped(report.variant), ...cells, String(report.clips)];
  });
  const table = [['Variant', 'MAP@3', 'MAP', 'AUC', "d'", 'clips'], ...rows];
  const widths = table
    .map((row) => row.map((cell) => cell.length))
    .reduce((a, b) => a.map((w, i) => Math.max(w, b[i] ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [head = [], ...body] = table;
  return [`# ${title}`, '', line(head), line(rule), ...body.map(line), '', chanceLine(reports), ''].join('\n');
}

/** One line per number of classes, which is one line for the variants of one data set. */
function chanceLine(reports: readonly MetricsReport[]): string {
  const counts = [...new Set(reports.map(({classes}) => classes))].sort((a, b) => a - b);
  return counts
    .map((classes) => `Chance level of MAP@3 with ${classes} classes: ${chanceAveragePrecisionAt3(classes).toFixed(3)}`)
    .join('\n');
}

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
