import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/formats/csv.ts';
import {readFolds, type Folds} from './lib/experiment/dataset.ts';
import {readFloat32} from './lib/formats/npy.ts';
import {makeReport} from './lib/learning/report.ts';
import {joinValidation, type ClipScores} from './lib/learning/validation-scores.ts';

export default defineStage({
  name: 'metrics',
  summary: "MAP@3, MAP, AUC, d', accuracy and per-class scores of class probabilities.",
  params: {
    variant: {type: 'string', minLength: 1, about: 'name of this row in the tables'},
    split: {
      type: 'string',
      enum: ['test', 'train'],
      default: 'test',
      about: 'the clips that the predictions are for',
    },
    fold: {type: 'integer', minimum: 0, default: 0, about: 'with split train: only the clips of this fold; 0: all'},
  },
  inputs: {
    predictions: {kind: 'file', many: true, about: 'float32 .npy (clips by key, classes); several with `indexes` only'},
    indexes: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'with split train: the output `index` of stage train, for each of the predictions, which are its output `validation`; ' +
        'the clips of all of them are scored together',
    },
    folds: {kind: 'file', about: 'the folds table'},
  },
  outputs: {
    metrics: {kind: 'file', name: 'metrics.json', about: 'all scores, type metrics/1'},
    perClass: {kind: 'file', name: 'per-class.csv', about: 'label, clips, ap, auc, ap3; empty where not defined'},
  },
  run({params, inputs, outputs, log, metric}) {
    const folds = readFolds(inputs.folds);
    const {classes} = folds;
    const {clips, data} = readScores(params, inputs, folds);
    if (!data.every(Number.isFinite)) throw new StageError('the predictions hold a value that is not a finite number');
    const report = makeReport(params.variant, data, clips, classes);
    writeFileSync(outputs.metrics, `${JSON.stringify(report, null, 2)}\n`);
    writeCsv(
      outputs.perClass,
      ['label', 'clips', 'ap', 'auc', 'ap3'],
      report.perClass.map(({label, clips: own, ap, auc, ap3}) => [label, own, ap ?? '', auc ?? '', ap3 ?? '']),
    );
    if (report.undefined.length > 0) log(`left out of MAP or AUC, as not defined: ${report.undefined.join(', ')}`);
    for (const name of ['map3', 'map', 'auc', 'dPrime', 'accuracy'] as const) {
      const value = report[name];
      if (value !== null) metric(name, value);
    }
  },
});

interface Inputs {
  readonly predictions: readonly string[];
  readonly indexes: readonly string[];
}

function readScores(
  {split, fold}: {readonly split: 'train' | 'test'; readonly fold: number},
  {predictions, indexes}: Inputs,
  folds: Folds,
): ClipScores {
  if (indexes.length > 0) {
    if (split === 'test' || fold !== 0) {
      throw new StageError('indexes say which clips are scored', 'set `split: train`, and leave `fold` out');
    }
    return joinValidation(predictions, indexes, folds.clips, folds.classes);
  }
  const clips = folds.clips.filter(
    (clip) => clip.parent === '' && clip.split === split && (fold === 0 || clip.fold === fold),
  );
  if (clips.length === 0) {
    throw new StageError(
      `the folds table has no ${split} clips to score`,
      split === 'test' ? 'to score the validation clips, set `split: train` and bind `indexes`' : undefined,
    );
  }
  const [path = ''] = predictions;
  if (predictions.length !== 1) {
    throw new StageError(
      `there are ${predictions.length} arrays of predictions`,
      'give one, or bind `indexes` to score validation clips of several folds',
    );
  }
  const {shape, data} = readFloat32(path, 2, 'the predictions');
  if (shape[0] !== clips.length || shape[1] !== folds.classes.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; the folds table has ${clips.length} ${split} clips ` +
        `of ${folds.classes.length} classes`,
    );
  }
  return {clips, data};
}
