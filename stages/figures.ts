import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {CLASS_SCORES, drawClassBars} from './lib/figures/class-bars.ts';
import {mistakesOf} from './lib/figures/confusion.ts';
import {drawConfusion} from './lib/figures/confusion-matrix.ts';
import {readCurve} from './lib/figures/curve-file.ts';
import {drawCurves} from './lib/figures/curves.ts';
import {PUBLISHED_TABLES, publishedTable} from './lib/figures/published.ts';
import {readConfusion} from './lib/figures/read-confusion.ts';
import {makeReference} from './lib/figures/reference.ts';
import {SCORES, SCORE_NAMES, type Score} from './lib/figures/scores.ts';
import {settingCurves} from './lib/figures/setting-curves.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {groupRepeats} from './lib/learning/repeats.ts';
import {readReport} from './lib/learning/report.ts';
import {createRng} from './lib/rng.ts';

export default defineStage({
  name: 'figures',
  summary: 'Pictures of results as SVG: training curves, scores of each class and by a setting, confusion matrix.',
  params: {
    title: {type: 'string', default: '', about: 'what the results are of, added to the heading of each picture'},
    curveNames: {
      type: 'array',
      items: {type: 'string'},
      default: [],
      about: 'names of the curves, in their order; by default those of `folds`, or curve 1, curve 2 ...',
    },
    folds: {
      type: 'array',
      items: {type: 'integer', minimum: 0},
      default: [],
      about: 'folds of the curves, in their order, for the names fold 1, fold 2 ...',
    },
    columns: {
      type: 'array',
      items: {type: 'string'},
      default: [],
      uniqueItems: true,
      about: 'columns of the curves to draw, in order, such as validationMap3; all but epoch by default',
    },
    score: {type: 'string', enum: ['ap', 'ap3', 'auc'], default: 'ap', about: 'score of the bars'},
    classes: {
      type: 'array',
      items: {type: 'string'},
      default: [],
      uniqueItems: true,
      about: 'classes of the bars; all by default',
    },
    most: {
      type: 'integer',
      minimum: 0,
      default: 0,
      about: 'classes of the bars: those of `classes`, then others that the seed chooses, up to so many; 0: no choice',
    },
    order: {
      type: 'string',
      enum: ['label', 'score'],
      default: 'label',
      about: 'order of the bars: of `classes` and the labels, or from the best class of the first variant down',
    },
    setting: {
      type: 'string',
      default: '',
      about: 'what `settings` are, such as mixup alpha; draws the scores of the variants by it',
    },
    settings: {
      type: 'array',
      items: {type: 'number'},
      default: [],
      about: 'its value in each variant, in the order of `metrics`; repeats of a variant have it once',
    },
    settingScores: {
      type: 'array',
      items: {type: 'string', enum: SCORES},
      default: ['map3'],
      minItems: 1,
      uniqueItems: true,
      about: 'scores to draw by it',
    },
    reference: {
      type: 'string',
      enum: ['none', ...PUBLISHED_TABLES],
      default: 'none',
      about: 'table of the thesis whose scores are drawn beside, found by name as in stage tables',
    },
  },
  inputs: {
    curves: {kind: 'file', many: true, optional: true, about: 'curve.csv of trainings: epoch or so, then numbers'},
    metrics: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'reports of stage metrics for the bars and for `setting`; of a variant with several repeats their mean',
    },
    predictions: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'for the confusion matrix: float32 .npy (test clips by key, classes); several with `indexes` only',
    },
    indexes: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'output `index` of stage train for each of the predictions, which are then its output `validation`',
    },
    folds: {kind: 'file', optional: true, about: 'the folds table, which tells the true classes of the predictions'},
  },
  outputs: {
    figures: {
      kind: 'tree',
      name: 'figures',
      // Pictures of results that are compared where they are made.
      compare: 'none',
      about: 'those that there is data for: curves.svg, classes.svg, settings.svg, confusion.svg with mistakes.csv',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed}) {
    const heading = (text: string): string => (params.title === '' ? text : `${text}: ${params.title}`);
    const save = (name: string, text: string): void => writeFileSync(join(outputs.figures, name), text);
    const {curves, metrics, predictions} = inputs;
    if (curves.length + metrics.length + predictions.length === 0) {
      throw new StageError('there is nothing to draw', 'bind `curves`, `metrics` or `predictions`');
    }
    if (curves.length > 0) {
      const names = curveNames(params, curves.length);
      const read = curves.map((path, i) => readCurve(path, names[i] ?? ''));
      save('curves.svg', drawCurves(heading('Training curves'), read, params.columns));
    }
    if (metrics.length > 0) {
      const variants = groupRepeats(metrics.map((path, i) => readReport(path, `report ${i + 1}`)));
      const {score, classes, most, order, setting, settings} = params;
      const title = heading(`${CLASS_SCORES[score]} of ${most > 0 ? 'some classes' : 'each class'}`);
      save('classes.svg', drawClassBars(title, variants, {score, classes, most, order, rng: createRng(seed)}));
      if (setting !== '') {
        const scores = params.settingScores as readonly Score[];
        const reference = params.reference === 'none' ? undefined : makeReference(publishedTable(params.reference));
        const names = scores.map((own) => SCORE_NAMES[own]).join(', ');
        save(
          'settings.svg',
          drawCurves(
            heading(`${names} by ${setting}`),
            settingCurves(variants, {setting, settings, scores, reference}),
          ),
        );
      }
    }
    if (predictions.length > 0) {
      const confusion = readConfusion(inputs);
      save('confusion.svg', drawConfusion(heading('Confusion of classes'), confusion));
      writeCsv(
        join(outputs.figures, 'mistakes.csv'),
        ['label', 'predicted', 'clips', 'clipsOfLabel'],
        mistakesOf(confusion).map(({label, predicted, clips, of}) => [label, predicted, clips, of]),
      );
    }
  },
});

interface CurveParams {
  readonly curveNames: readonly string[];
  readonly folds: readonly number[];
}

function curveNames({curveNames: given, folds}: CurveParams, curves: number): readonly string[] {
  const ofFolds = folds.map((fold) => `fold ${fold}`);
  const names = [given, ofFolds].find((list) => list.length > 0);
  if (names !== undefined && names.length !== curves) {
    throw new StageError(`there are ${curves} curves and ${names.length} names for them`);
  }
  return names ?? Array.from({length: curves}, (_, i) => `curve ${i + 1}`);
}
