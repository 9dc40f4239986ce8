import {writeFileSync} from 'node:fs';
import {setImmediate} from 'node:timers/promises';
import {defineStage} from 'mixdown/stage';
import {pairMatrix} from './lib/figures/pair-matrix.ts';
import {CLASS_SCORE_NAMES} from './lib/figures/scores.ts';
import {latexTable, markdownTable} from './lib/figures/table.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readReport} from './lib/learning/report.ts';
import {createRng} from './lib/rng.ts';
import {createComparer, type Comparison} from './lib/statistics/comparison.ts';
import {correctPairs, meansMarkdown, PAIR_COLUMNS, pairCells, pValues} from './lib/statistics/pair-table.ts';
import {pairsOf, variantsOf} from './lib/statistics/variants.ts';

export default defineStage({
  name: 'significance',
  summary: 'Whether variants differ: paired tests of all pairs over the scores of the classes.',
  params: {
    title: {type: 'string', default: 'Significance', about: 'heading of the table'},
    score: {type: 'string', enum: ['ap', 'auc', 'ap3'], default: 'ap', about: 'score of a class that is compared'},
    sides: {
      type: 'integer',
      enum: [1, 2],
      default: 2,
      about: 'of the p-values in the Markdown table; 1 is P(T > |t|), half of the other. The csv has both',
    },
    level: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.05,
      about: 'p-values below it are marked',
    },
    resamples: {
      type: 'integer',
      minimum: 100,
      maximum: 100_000,
      default: 10_000,
      about: 'bootstrap samples of the classes, and random signs of the differences',
    },
    confidence: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.95,
      about: 'of the bootstrap intervals',
    },
  },
  inputs: {
    metrics: {
      kind: 'file',
      many: true,
      about:
        'output `metrics` of stage metrics for each variant, in order; of one with several repeats the mean of each class counts',
    },
  },
  outputs: {
    // As in tables.
    markdown: {
      kind: 'file',
      name: 'significance.md',
      display: true,
      compare: {as: 'text', absolute: 0.00101},
      about: 'p-values of paired t-tests, and means',
    },
    latex: {
      kind: 'file',
      name: 'significance.tex',
      compare: {as: 'text', absolute: 0.00101},
      about: 'the p-values as a table of LaTeX',
    },
    pairs: {
      kind: 'file',
      name: 'pairs.csv',
      compare: {as: 'csv', digits: 3},
      about:
        'a,b,classes, means, difference a - b with its bootstrap interval low,high, t-test, Wilcoxon and sign-flip ' +
        'p-values, bare and corrected by Holm, and the score; empty where not defined',
    },
    variants: {
      kind: 'file',
      name: 'variants.csv',
      compare: {as: 'csv', digits: 3},
      about: 'variant,classes,mean,low,high: mean over the classes',
    },
  },
  seeded: true,
  async run({params, inputs, outputs, seed, signal, log, progress}) {
    const {title, score, level, confidence} = params;
    const variants = variantsOf(
      inputs.metrics.map((path, i) => readReport(path, `report ${i + 1}`)),
      score,
    );
    const comparer = createComparer(createRng(seed), params);
    const means = variants.map(comparer.describe);
    const pairs = pairsOf(variants);
    const compared: Comparison[] = [];
    for (const [i, [a, b]] of pairs.entries()) {
      await setImmediate();
      signal.throwIfAborted();
      progress(i / pairs.length);
      compared.push(comparer.compare(a, b));
    }
    const rows = correctPairs(compared);
    const undefinedOnes = (variants[0]?.values ?? []).filter((value) => value === null).length;
    if (undefinedOnes > 0) log(`classes left out, as their ${score} is not defined: ${undefinedOnes}`);
    const scoreName = CLASS_SCORE_NAMES[score];
    const sides = params.sides === 1 ? 1 : 2;
    const table = pairMatrix(
      variants.map(({variant}) => variant),
      pValues(rows, sides),
      {title, scoreName, sides, level},
    );
    writeFileSync(outputs.markdown, `${markdownTable(table)}\n${meansMarkdown(means, scoreName, confidence)}`);
    writeFileSync(outputs.latex, latexTable(table));
    writeCsv(
      outputs.pairs,
      PAIR_COLUMNS,
      rows.map((row) => pairCells(row, score)),
    );
    writeCsv(
      outputs.variants,
      ['variant', 'classes', 'mean', 'low', 'high'],
      means.map(({variant, classes: own, mean, interval}) => [
        variant,
        own,
        mean,
        interval?.low ?? '',
        interval?.high ?? '',
      ]),
    );
  },
});
