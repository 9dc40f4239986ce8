import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {writeCsv} from './lib/csv.ts';
import {readFolds} from './lib/dataset.ts';
import {readFloat32} from './lib/npy.ts';
import {makeReport} from './lib/report.ts';

export default defineStage({
  name: 'metrics',
  summary: "MAP@3, MAP, AUC, d' and per-class scores of class probabilities.",
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
    predictions: {kind: 'file', about: 'float32 .npy (clips by key, classes)'},
    folds: {kind: 'file', about: 'the folds table'},
  },
  outputs: {
    metrics: {kind: 'file', name: 'metrics.json', about: 'all scores, type metrics/1'},
    perClass: {kind: 'file', name: 'per-class.csv', about: 'label, clips, ap, auc, ap3; empty where not defined'},
  },
  run({params, inputs, outputs, log, metric}) {
    const {clips: all, classes} = readFolds(inputs.folds);
    const clips = all.filter(
      ({split, fold, parent}) => parent === '' && split === params.split && (params.fold === 0 || fold === params.fold),
    );
    const {shape, data} = readFloat32(inputs.predictions, 2, 'the predictions');
    if (clips.length === 0) throw new StageError(`the folds table has no ${params.split} clips to score`);
    if (shape[0] !== clips.length || shape[1] !== classes.length) {
      throw new StageError(
        `the predictions have shape [${shape.join(', ')}]; the folds table has ${clips.length} ${params.split} clips ` +
          `of ${classes.length} classes`,
      );
    }
    if (!data.every(Number.isFinite)) throw new StageError('the predictions hold a value that is not a finite number');
    const report = makeReport(params.variant, data, clips, classes);
    writeFileSync(outputs.metrics, `${JSON.stringify(report, null, 2)}\n`);
    writeCsv(
      outputs.perClass,
      ['label', 'clips', 'ap', 'auc', 'ap3'],
      report.perClass.map(({label, clips: own, ap, auc, ap3}) => [label, own, ap ?? '', auc ?? '', ap3 ?? '']),
    );
    if (report.undefined.length > 0) log(`left out of MAP or AUC, as not defined: ${report.undefined.join(', ')}`);
    for (const name of ['map3', 'map', 'auc', 'dPrime'] as const) {
      const value = report[name];
      if (value !== null) metric(name, value);
    }
  },
});
