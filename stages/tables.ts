import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {PUBLISHED_TABLES, publishedRows, type ReferenceRow} from './lib/figures/published.ts';
import {makeReference, readReference} from './lib/figures/reference.ts';
import {scoreTable} from './lib/figures/score-table.ts';
import {SCORES, type Score} from './lib/figures/scores.ts';
import {latexTable, markdownTable} from './lib/figures/table.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readReport} from './lib/learning/report.ts';

export default defineStage({
  name: 'tables',
  summary: 'One table of the scores of all variants, as Markdown, csv, LaTeX and JSON, beside published figures.',
  params: {
    title: {type: 'string', default: 'Results', about: 'heading of the table'},
    scores: {
      type: 'array',
      items: {type: 'string', enum: SCORES},
      default: ['map3', 'map', 'auc', 'dPrime'],
      minItems: 1,
      uniqueItems: true,
      about: 'columns of the table, in order',
    },
    reference: {
      type: 'string',
      enum: ['none', ...PUBLISHED_TABLES],
      default: 'none',
      about:
        "table of the thesis to print beside ours: 10 is AudioSet's; 12 FSDKaggle2018's by extractor, 13 by what training adds, " +
        '14 by levels, 15 by length; a variant such as h1+h3 is its level-13, F its row F',
    },
  },
  inputs: {
    metrics: {kind: 'file', many: true, about: 'reports of stage metrics, in the order of the rows'},
    reference: {
      kind: 'file',
      optional: true,
      about: 'figures to print beside ours, instead of the param: csv of variant, metric (such as map3) and value',
    },
  },
  outputs: {
    markdown: {kind: 'file', name: 'results.md', display: true, about: 'the table, the best of each column in bold'},
    csv: {
      kind: 'file',
      name: 'results.csv',
      about: 'variant, the scores, each followed by map3Published and so on where there is a reference, clips, classes',
    },
    latex: {kind: 'file', name: 'results.tex', about: 'the table for package booktabs'},
    json: {
      kind: 'file',
      name: 'results.json',
      about: 'the reports, type results/1, and the reference where there is one',
    },
  },
  run({params, inputs, outputs}) {
    const reports = inputs.metrics.map((path, i) => readReport(path, `report ${i + 1}`));
    if (reports.length === 0) throw new StageError('there are no reports to tabulate');
    const scores = params.scores as readonly Score[];
    const figures = referenceRows(params.reference, inputs.reference)?.filter(({score}) => scores.includes(score));
    const reference = figures === undefined ? undefined : makeReference(figures);
    if (figures?.length === 0) {
      throw new StageError(
        `the reference has none of the scores ${scores.join(', ')}`,
        'AudioSet has map, auc and dPrime, FSDKaggle2018 map3: set `scores` to what is published',
      );
    }
    const table = scoreTable(params.title, reports, scores, reference);
    writeFileSync(outputs.markdown, markdownTable(table));
    writeFileSync(outputs.latex, latexTable(table));
    const columns = scores.map((score) => ({score, published: reference?.has(score) === true}));
    const others = reference?.others(reports.map(({variant}) => variant)) ?? [];
    const publishedCell = (variant: string, {score, published}: (typeof columns)[number]): readonly (number | '')[] =>
      published ? [reference?.find(variant, score) ?? ''] : [];
    writeCsv(
      outputs.csv,
      [
        'variant',
        ...columns.flatMap(({score, published}) => (published ? [score, `${score}Published`] : [score])),
        'clips',
        'classes',
      ],
      [
        ...reports.map((report) => [
          report.variant,
          ...columns.flatMap((column) => [report[column.score] ?? '', ...publishedCell(report.variant, column)]),
          report.clips,
          report.classes,
        ]),
        ...others.map((variant) => [
          variant,
          ...columns.flatMap((column) => ['', ...publishedCell(variant, column)]),
          '',
          '',
        ]),
      ],
    );
    const results = {type: 'results/1', title: params.title, reports, ...(figures && {reference: figures})};
    writeFileSync(outputs.json, `${JSON.stringify(results, null, 2)}\n`);
  },
});

function referenceRows(
  table: 'none' | (typeof PUBLISHED_TABLES)[number],
  path: string | undefined,
): readonly ReferenceRow[] | undefined {
  if (path === undefined) return table === 'none' ? undefined : publishedRows(table);
  if (table !== 'none') {
    throw new StageError('there are two references', 'leave the param `reference` out, or do not bind the input');
  }
  return readReference(path);
}
