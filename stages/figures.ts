import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {readFolds, type Folds} from './lib/experiment/dataset.ts';
import {CLASS_SCORES, drawClassBars} from './lib/figures/class-bars.ts';
import {countConfusion, mistakesOf, type Confusion} from './lib/figures/confusion.ts';
import {drawConfusion} from './lib/figures/confusion-matrix.ts';
import {readCurve} from './lib/figures/curve-file.ts';
import {drawCurves} from './lib/figures/curves.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readFloat32} from './lib/formats/npy.ts';
import {readReport} from './lib/learning/report.ts';
import {joinValidation, type ClipScores} from './lib/learning/validation-scores.ts';

export default defineStage({
  name: 'figures',
  summary: 'Pictures of results as SVG: training curves, scores of each class, confusion matrix.',
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
      about: 'columns of the curves to draw, in order, such as validationMap3; all by default',
    },
    score: {type: 'string', enum: ['ap', 'ap3', 'auc'], default: 'ap', about: 'score of the bars'},
    classes: {
      type: 'array',
      items: {type: 'string'},
      default: [],
      uniqueItems: true,
      about: 'classes of the bars; all by default',
    },
    order: {
      type: 'string',
      enum: ['label', 'score'],
      default: 'label',
      about: 'order of the bars: of the labels, or from the best class of the first variant down',
    },
  },
  inputs: {
    curves: {kind: 'file', many: true, optional: true, about: 'curve.csv of trainings: epoch or so, then numbers'},
    metrics: {kind: 'file', many: true, optional: true, about: 'reports of stage metrics, one a variant, for the bars'},
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
      about: 'those that there is data for: curves.svg, classes.svg, confusion.svg with mistakes.csv',
    },
  },
  run({params, inputs, outputs}) {
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
      const reports = metrics.map((path, i) => readReport(path, `report ${i + 1}`));
      const {score, classes, order} = params;
      const title = heading(`${CLASS_SCORES[score]} of each class`);
      save('classes.svg', drawClassBars(title, reports, {score, classes, order}));
    }
    if (predictions.length > 0) {
      const confusion = readConfusion(predictions, inputs.indexes, inputs.folds);
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

function readConfusion(
  predictions: readonly string[],
  indexes: readonly string[],
  table: string | undefined,
): Confusion {
  if (table === undefined) throw new StageError('the true classes are not known', 'bind `folds` to the folds table');
  const folds = readFolds(table);
  const {clips, data} =
    indexes.length > 0
      ? joinValidation(predictions, indexes, folds.clips, folds.classes)
      : readTestClips(predictions, folds);
  if (!data.every(Number.isFinite)) throw new StageError('the predictions hold a value that is not a finite number');
  return countConfusion(
    data,
    clips.map(({classIndex}) => classIndex),
    folds.classes,
  );
}

function readTestClips(predictions: readonly string[], folds: Folds): ClipScores {
  const [path = ''] = predictions;
  if (predictions.length !== 1) {
    throw new StageError(
      `there are ${predictions.length} arrays of predictions`,
      'give one, or bind `indexes` to draw the validation clips of several folds',
    );
  }
  const clips = folds.clips.filter(({split, parent}) => split === 'test' && parent === '');
  const {shape, data} = readFloat32(path, 2, 'the predictions');
  if (shape[0] !== clips.length || shape[1] !== folds.classes.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; the folds table has ${clips.length} test clips ` +
        `of ${folds.classes.length} classes`,
      'for the validation clips bind `indexes`',
    );
  }
  return {clips, data};
}
