import {defineStage, StageError} from 'mixdown/stage';
import {readFolds} from './lib/experiment/dataset.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readFloat32, writeNpy, type NpyArray} from './lib/formats/npy.ts';
import {checkSameAxes, checkShape, readAxes} from './lib/learning/ensemble-index.ts';
import {weightedMean} from './lib/learning/ensemble-mean.ts';
import {ENSEMBLE_SCORES, type EnsembleScore} from './lib/learning/ensemble-score.ts';
import {CONTESTS, contestsOf, readValidation, type Contest} from './lib/learning/ensemble-validation.ts';
import {validationScore, weighModels, type ModelWeight, type WeighingOptions} from './lib/learning/ensemble-weights.ts';
import {geometricMean} from './lib/learning/geometric-mean.ts';
import {count} from './lib/problems.ts';
import {readHeldOut} from './lib/tagging/held-out.ts';
import {tagScores} from './lib/tagging/tag-scores.ts';

export default defineStage({
  name: 'ensemble',
  summary:
    'Combines the class probabilities of several models: geometric, arithmetic or weighted mean, or a selection.',
  params: {
    method: {
      type: 'string',
      enum: ['geometric', 'arithmetic', 'weighted', 'greedy'],
      default: 'geometric',
      about:
        'geometric or arithmetic mean; arithmetic mean weighted by validation score; or of models picked greedily, with ' +
        'replacement, for the best validation score of their mean. The last two need `index`, `validation` and `folds`, or ' +
        '`targets` if labels are multi',
    },
    labels: {
      type: 'string',
      enum: ['single', 'multi'],
      default: 'single',
      about:
        'classes of a clip: with multi, rows of the geometric mean are not divided by their sum, and validation is by the clips ' +
        'that all taggers held out',
    },
    floor: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 1e-12,
      about: 'geometric: smaller probabilities count as this, so that one zero does not decide alone',
    },
    score: {
      type: 'string',
      enum: ENSEMBLE_SCORES,
      default: 'map3',
      about:
        'weighted and greedy: what is measured on the validation clips, MAP@3, MAP or accuracy; always MAP if labels are multi',
    },
    compare: {
      type: 'string',
      enum: CONTESTS,
      default: 'all-folds',
      about:
        'weighted and greedy. Models of different folds validate on different clips, so they are never compared. all-folds: ' +
        'the k-th models of all folds are one variant, scored on the clips of all folds, each clip by the model of its fold; ' +
        'variants are compared. each-fold: the models of a fold are compared on its clips, and no fold counts for more. Taggers ' +
        'have no folds: each is a variant',
    },
    power: {
      type: 'number',
      minimum: 0,
      maximum: 1000,
      default: 1,
      about: 'weighted: the weight is the score to this power; 0 makes all equal',
    },
    initial: {
      type: 'integer',
      minimum: 1,
      default: 1,
      about: 'greedy: so many of the best are picked first; more makes a small validation set decide less',
    },
    size: {type: 'integer', minimum: 1, default: 50, about: 'greedy: the most picks; one may be picked several times'},
  },
  inputs: {
    predictions: {kind: 'file', many: true, about: 'float32 .npy, all of one shape (clips by key, classes)'},
    index: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'the output `index` of stage train or train-tagger for each of the predictions: predictions of other clips or classes, ' +
        'or in another order, are refused',
    },
    validation: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'weighted and greedy: the output `validation` of stage train or train-tagger for each of the predictions',
    },
    folds: {
      kind: 'file',
      optional: true,
      about:
        'weighted and greedy: the folds table, for the labels of validation clips; those of test clips are not used',
    },
    targets: {
      kind: 'file',
      many: true,
      optional: true,
      about: 'weighted and greedy, labels multi: the targets of the training clips, as given to the taggers',
    },
  },
  outputs: {
    predictions: {
      kind: 'file',
      name: 'predictions.npy',
      // As the predictions that it averages.
      compare: {as: 'npy', absolute: 0.01},
      about:
        'probabilities, float32 (clips by key, classes), rows of sum 1 unless labels are multi; the classes stand as in the input',
    },
    weights: {
      kind: 'file',
      name: 'weights.csv',
      about:
        'model (its place in the input), fold, variant, score (of its variant on validation clips), weight (of sum 1); ' +
        'fold, variant and score are empty where the method does not look at them, or where there are no folds',
    },
  },
  // A score of ranks, as in metrics.
  compareMetrics: {digits: 3},
  run({params, inputs, outputs, metric}) {
    const arrays = readPredictions(inputs.predictions);
    const [first] = arrays;
    if (first === undefined) throw new StageError('there are no predictions to combine');
    const {shape} = first;
    checkIndexes(inputs.index, arrays);
    const values = arrays.map(({data}) => data);
    const weighing = params.method === 'weighted' || params.method === 'greedy' ? weigh(params, inputs) : undefined;
    const weights = weighing?.weights.map(({weight}) => weight) ?? values.map(() => 1 / values.length);
    const data =
      params.method === 'geometric'
        ? geometricMean(values, shape[1] as number, {floor: params.floor, renormalise: params.labels === 'single'})
        : weightedMean(values, weights);
    writeNpy(outputs.predictions, {shape, data});
    writeCsv(
      outputs.weights,
      ['model', 'fold', 'variant', 'score', 'weight'],
      weights.map((weight, i) => {
        const row = weighing?.weights[i];
        return [i + 1, weighing?.folds?.[i] ?? '', row?.variant ?? '', row?.score ?? '', weight];
      }),
    );
    metric('models', arrays.length);
    if (weighing !== undefined) {
      metric('used', weights.filter((weight) => weight > 0).length);
      metric('validationScore', weighing.score);
    }
  },
});

interface WeighingParams {
  readonly method: string;
  readonly labels: string;
  readonly score: EnsembleScore;
  readonly compare: (typeof CONTESTS)[number];
  readonly power: number;
  readonly initial: number;
  readonly size: number;
}

interface WeighingInputs {
  readonly predictions: readonly string[];
  readonly index: readonly string[];
  readonly validation: readonly string[];
  readonly folds: string | undefined;
  readonly targets: readonly string[];
}

interface Weighing {
  readonly weights: readonly ModelWeight[];
  /** Of each model, if there are folds. */
  readonly folds?: readonly number[];
  /** Of the combination, on the validation clips. */
  readonly score: number;
}

function readPredictions(paths: readonly string[]): readonly NpyArray<Float32Array>[] {
  const arrays = paths.map((path, i) => readFloat32(path, 2, `predictions ${i + 1}`));
  const wanted = arrays[0]?.shape ?? [];
  for (const [i, {shape, data}] of arrays.entries()) {
    if (shape.some((size, axis) => size !== wanted[axis])) {
      throw new StageError(
        `predictions ${i + 1} have shape [${shape.join(', ')}], predictions 1 have [${wanted.join(', ')}]`,
      );
    }
    if (!data.every((value) => value >= 0 && value <= 1)) {
      throw new StageError(`predictions ${i + 1} hold a value that is not a probability`);
    }
  }
  return arrays;
}

function checkIndexes(paths: readonly string[], arrays: readonly NpyArray[]): void {
  if (paths.length === 0) return;
  checkCount(paths.length, 'index', arrays.length);
  const axes = paths.map((path, i) => readAxes(path, 'predictions', `index ${i + 1}`));
  checkSameAxes(axes, 'combine models of one dataset and one split only');
  for (const [i, own] of axes.entries()) checkShape(arrays[i]?.shape ?? [], own, `predictions ${i + 1}`);
}

function weigh(params: WeighingParams, inputs: WeighingInputs): Weighing {
  const {method, labels, power, initial, size} = params;
  const {predictions, index, validation, folds, targets} = inputs;
  const truth = labels === 'multi' ? 'targets' : 'folds';
  const isBound = labels === 'multi' ? targets.length > 0 : folds !== undefined;
  if (!isBound || index.length === 0 || validation.length === 0) {
    throw new StageError(
      `method ${method} needs the models' scores on their validation clips`,
      `bind \`index\`, \`validation\` and \`${truth}\`, or use method geometric or arithmetic`,
    );
  }
  checkCount(validation.length, 'validation', predictions.length);
  const options = method === 'greedy' ? ({method, initial, size} as const) : ({method: 'weighted', power} as const);
  return folds === undefined || labels === 'multi'
    ? weighTaggers(inputs, options)
    : weighFolds(inputs, folds, params, options);
}

function weighFolds(
  {validation, index}: WeighingInputs,
  foldsPath: string,
  {score, compare}: WeighingParams,
  options: WeighingOptions,
): Weighing {
  const folds = readFolds(foldsPath);
  const models = readValidation(validation, index, folds);
  const scoring = {score, classes: folds.classes.length};
  const weights = weighModels(contestsOf(models, compare, scoring), options);
  return {weights, folds: models.map(({fold}) => fold), score: validationScore(models, weights, scoring)};
}

/** Taggers hold out the same clips, so that all are compared with all. */
function weighTaggers({validation, index, targets}: WeighingInputs, options: WeighingOptions): Weighing {
  const {predictions, truth} = readHeldOut(validation, index, targets);
  const contest: Contest = {
    variants: predictions.map((data, i) => ({models: [i], data})),
    score: (values) => tagScores(values, truth).meanPrecision,
  };
  const weights = weighModels([contest], options);
  const mean = weightedMean(
    predictions,
    weights.map(({weight}) => weight),
  );
  return {weights, score: contest.score(mean)};
}

function checkCount(given: number, port: string, wanted: number): void {
  if (given === wanted) return;
  throw new StageError(
    `there are ${count(wanted, 'array')} of predictions and ${given} of \`${port}\``,
    `give the outputs \`predictions\` and \`${port}\` of the same nodes`,
  );
}
