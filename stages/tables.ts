import {writeFileSync} from 'node:fs';
import {defineStage, StageError, type Json} from 'mixdown/stage';
import {MISTAKE_COLUMNS, mistakeCells, mistakeTable} from './lib/figures/mistake-table.ts';
import {pairMatrix, type PairP} from './lib/figures/pair-matrix.ts';
import {CONFUSED_CLASSES, PUBLISHED_TABLES, publishedTable} from './lib/figures/published.ts';
import {readConfusion} from './lib/figures/read-confusion.ts';
import {makeReference, readReference, type Reference} from './lib/figures/reference.ts';
import {variantRows} from './lib/figures/score-rows.ts';
import {scoreTable} from './lib/figures/score-table.ts';
import {CLASS_SCORE_NAMES, SCORES, type Score} from './lib/figures/scores.ts';
import {latexTable, markdownTable, type Table} from './lib/figures/table.ts';
import {variantCsv, type CsvTableContent} from './lib/figures/variant-csv.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {groupRepeats} from './lib/learning/repeats.ts';
import {readReport, type ClassScore, type MetricsReport} from './lib/learning/report.ts';
import {readPairs} from './lib/statistics/pair-table.ts';

export default defineStage({
  name: 'tables',
  summary:
    'Tables of results as Markdown, csv, LaTeX and JSON, beside published figures: scores of variants, p-values of their ' +
    'pairs, and which classes are taken for which.',
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
        "table of the thesis to print beside ours: 10 and 11 are AudioSet's scores and p-values; FSDKaggle2018's are 12 by " +
        'extractor, 13 by model, 14 by levels, with p-values, 15 by length, 16 the classes taken for others. Ours are found ' +
        'by name: case, spaces, - and _ do not count; h1+h3 and F-h1+h3 are its level-13, balanced-first and all in 12 its ' +
        'Balanced First Part and All Ensemble, 4 and F-4 in 15 its 4 segments, F in 14 and 15 its best',
    },
    names: {
      type: 'object',
      default: {},
      about: 'by the name of a variant of ours: which one of the reference it is, where its name does not tell',
    },
    about: {
      type: 'object',
      default: {},
      about: 'by the name of a variant: what it is, for a column of its own; rows of table-13 bring theirs',
    },
    notRun: {
      type: 'string',
      enum: ['show', 'hide'],
      default: 'show',
      about: 'rows of the reference that none of ours is',
    },
    sides: {
      type: 'integer',
      enum: [1, 2],
      default: 1,
      about: "of the p-values of `pairs`; 1 is P(T > |t|), as the thesis's, half of the other",
    },
    level: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.05,
      about: 'p-values below it are marked',
    },
    mistakes: {type: 'integer', minimum: 1, default: 6, about: 'of `predictions`: wrong classes that a row names'},
  },
  inputs: {
    metrics: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'reports of stage metrics, in the order of the rows; several of one variant that differ in `repeat` are one row',
    },
    pairs: {kind: 'file', optional: true, about: 'output `pairs` of stage significance, for a table of p-values'},
    predictions: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'instead of the others, for the table of the classes taken for others: as in stage figures, with `folds`, and ' +
        '`indexes` for validation clips',
    },
    indexes: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'output `index` of stage train for each of the predictions, which are then its output `validation`',
    },
    folds: {kind: 'file', optional: true, about: 'the folds table, which tells the true classes of the predictions'},
    reference: {
      kind: 'file',
      optional: true,
      about: 'figures to print beside ours, instead of the param: csv of variant, metric (such as map3) and value',
    },
  },
  outputs: {
    // Scores as in metrics; where three decimals are printed, such a difference may turn the last one by one.
    markdown: {
      kind: 'file',
      name: 'results.md',
      display: true,
      compare: {as: 'text', absolute: 0.00101},
      about: 'the tables, the best of each column in bold',
    },
    csv: {
      kind: 'file',
      name: 'results.csv',
      compare: {as: 'csv', digits: 3},
      about:
        'a row a variant: about, the scores, each with map3Deviation over repeats, map3Low and map3High, map3Published ' +
        'and so on where there are such, repeats, clips, classes, p(b) and p(b)Published for each variant b; of ' +
        'predictions a row a mistake: label, its clips, wrong ones, predicted, count',
    },
    latex: {
      kind: 'file',
      name: 'results.tex',
      compare: {as: 'text', absolute: 0.00101},
      about: 'the tables for packages booktabs and colortbl',
    },
    json: {
      kind: 'file',
      name: 'results.json',
      compare: {as: 'json', digits: 3},
      about: 'the reports, p-values or mistakes, type results/1, and the reference where there is one',
    },
  },
  run({params, inputs, outputs}) {
    const reference = readPublished(params, inputs.reference);
    const {csv, tables, json} =
      inputs.predictions.length > 0 ? ofMistakes(params, inputs, reference) : ofVariants(params, inputs, reference);
    writeFileSync(outputs.markdown, tables.map(markdownTable).join('\n'));
    writeFileSync(outputs.latex, tables.map(latexTable).join('\n'));
    writeCsv(outputs.csv, csv.columns, csv.rows);
    const {variants, pairs} = reference ?? {};
    const results = {type: 'results/1', title: params.title, ...json, ...(reference && {reference: {variants, pairs}})};
    writeFileSync(outputs.json, `${JSON.stringify(results, null, 2)}\n`);
  },
});

interface Results {
  readonly csv: CsvTableContent;
  /** At least one. */
  readonly tables: readonly Table[];
  readonly json: object;
}

interface Inputs {
  readonly metrics: readonly string[];
  readonly pairs: string | undefined;
  readonly predictions: readonly string[];
  readonly indexes: readonly string[];
  readonly folds: string | undefined;
}

interface Params {
  readonly reference: 'none' | (typeof PUBLISHED_TABLES)[number];
  readonly names: {readonly [key: string]: Json};
  readonly title: string;
  readonly scores: readonly string[];
  readonly about: {readonly [key: string]: Json};
  readonly notRun: 'show' | 'hide';
  readonly sides: number;
  readonly level: number;
  readonly mistakes: number;
}

function ofMistakes({title, reference: name, mistakes}: Params, inputs: Inputs, reference?: Reference): Results {
  if (inputs.metrics.length > 0 || inputs.pairs !== undefined) {
    throw new StageError('classes taken for others are a table of their own', 'bind `predictions` in another node');
  }
  const confusion = readConfusion(inputs);
  const groups = name === 'table-16' ? CONFUSED_CLASSES : [];
  return {
    csv: {columns: MISTAKE_COLUMNS, rows: mistakeCells(confusion)},
    tables: [mistakeTable(confusion, {title, most: mistakes, groups, notes: reference?.notes ?? []})],
    json: {classes: confusion.classes, confusion: confusion.counts},
  };
}

function ofVariants(params: Params, inputs: Inputs, reference?: Reference): Results {
  const {title, level, notRun} = params;
  const reports = inputs.metrics.map((path, i) => readReport(path, `report ${i + 1}`));
  const sides = params.sides === 1 ? 1 : 2;
  const tests = inputs.pairs === undefined ? undefined : readPairs(inputs.pairs, sides, 'the pairs');
  const pairs = tests?.pairs ?? [];
  checkVariants(params, reports, pairs, reference);
  const variants = groupRepeats(reports);
  const names = [...variants.map(({variant}) => variant), ...pairs.flatMap(({a, b}) => [a, b])];
  const scores = params.scores as readonly Score[];
  const rows = variantRows([...new Set(names)], variants, reference, {notRun, scores});
  const options = {title, scores, about: textsOf(params.about, 'about'), reference};
  const published: Reference['pair'] = (a, b) => reference?.pair(a, b);
  const scored = reports.length === 0 ? [] : [scoreTable(rows, options)];
  // The reference's notes stand once, below the first table.
  const notes = reports.length > 0 ? [] : (reference?.notes ?? []).map((note) => [note]);
  const variantNames = rows.map(({variant}) => variant);
  const tested = (score: ClassScore): Table => {
    const scoreName = CLASS_SCORE_NAMES[score];
    const own = reports.length === 0 ? title : `${title}: p-values`;
    const matrix = pairMatrix(variantNames, pairs, {title: own, scoreName, sides, level, published});
    return {...matrix, notes: [...matrix.notes, ...notes]};
  };
  return {
    csv: variantCsv(rows, pairs, published, options),
    tables: [...scored, ...(tests === undefined ? [] : [tested(tests.score)])],
    json: {reports, ...tests},
  };
}

function readPublished({reference: table, names}: Params, path: string | undefined): Reference | undefined {
  if (path !== undefined && table !== 'none') {
    throw new StageError('there are two references', 'leave the param `reference` out, or do not bind the input');
  }
  const own = textsOf(names, 'names');
  if (path !== undefined) return makeReference(readReference(path), own);
  if (table !== 'none') return makeReference(publishedTable(table), own);
  if (own.size === 0) return undefined;
  throw new StageError('the param names is set, and there is no reference');
}

function checkVariants(
  {scores, sides}: Params,
  reports: readonly MetricsReport[],
  pairs: readonly PairP[],
  reference: Reference | undefined,
): void {
  if (reports.length === 0 && pairs.length === 0) {
    throw new StageError('there are no reports to tabulate', 'bind `metrics`, `pairs` or `predictions`');
  }
  if (reference === undefined) return;
  const known = SCORES.filter(reference.has);
  if (reports.length > 0 && !known.some((score) => scores.includes(score))) {
    throw new StageError(
      `the reference has none of the scores ${scores.join(', ')}`,
      known.length === 0
        ? 'it has no scores: bind `pairs` or `predictions`'
        : `it has ${known.join(', ')}: set \`scores\``,
    );
  }
  if (pairs.length > 0 && sides === 2 && reference.pairs.length > 0) {
    throw new StageError('the p-values of the reference are one-sided', 'set `sides: 1`');
  }
}

function textsOf(texts: {readonly [key: string]: Json}, param: string): ReadonlyMap<string, string> {
  const entries = Object.entries(texts).map(([name, text]) => {
    if (typeof text !== 'string') throw new StageError(`${param}: \`${name}\` is not a text`);
    return [name, text] as const;
  });
  return new Map(entries);
}
