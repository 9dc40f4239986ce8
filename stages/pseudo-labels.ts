import {defineStage, StageError} from 'mixdown/stage';
import {classNames, isTraining, readPieceRows, writePieceRows, type PieceRow} from './lib/experiment/piece-rows.ts';
import {applyLabels, checkClasses, decideLabels, type Decision} from './lib/experiment/pseudo-labels.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {groupClips, predictClips, type PieceData} from './lib/learning/piece-data.ts';
import {readPieces} from './lib/learning/piece-features.ts';
import {SERIES_INPUT} from './lib/models/blocks.ts';
import {readModel, type ModelFile} from './lib/models/model-file.ts';
import {createPredictor} from './lib/models/predictor.ts';
import type {NamedArray} from './lib/tensors/named-array.ts';
import {loadEngine} from './lib/tensors/engine.ts';

export default defineStage({
  name: 'pseudo-labels',
  summary: 'Labels the unverified training clips of a fold by a model, and says which labels to believe, and how much.',
  params: {
    fold: {
      type: 'integer',
      minimum: 0,
      heldOut: 'learns',
      about: 'the fold that the model was trained for, whose clips stay as they are; 0 for all train clips',
    },
    confidence: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.9,
      about: 'probability from which another class than the label is believed',
    },
    doubtfulWeight: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.5,
      about:
        'what a clip counts, times its weight, where the model prefers another class and is not sure; 0 leaves it out',
    },
    batchSize: {type: 'integer', minimum: 1, default: 500, about: 'pieces computed at a time'},
  },
  inputs: {
    features: {kind: 'file', about: 'uint8 or float32 .npy, shape (rows, length, width), from segments'},
    rows: {kind: 'file', about: 'rows table from segments'},
    model: {kind: 'file', about: 'from train, for the same fold, on the same features; best on verified clips only'},
  },
  outputs: {
    rows: {kind: 'file', name: 'rows.csv', about: 'the rows table with labels and weights changed, of the same rows'},
    report: {
      kind: 'file',
      name: 'report.csv',
      // Probabilities as in train; another decision is another result.
      compare: {as: 'csv', absolute: 0.01},
      about:
        'key, label, predicted, probability, decision of each unverified training recording: kept, relabelled, doubted',
    },
  },
  numericBackend: true,
  async run({params, inputs, outputs, engine, threads, signal, log, metric}) {
    const rows = readPieceRows(inputs.rows);
    const classes = classNames(rows);
    const data = readPieces(inputs.features, rows, classes);
    const model = readModel(inputs.model);
    checkModel(model, params.fold, classes, data);
    if (model.about['labels'] === 'all') log('the model has learned from unverified labels too, and may repeat them');
    const isToJudge = (row: PieceRow): boolean => isTraining(row, params.fold) && row.parent === '' && !row.verified;
    const clips = groupClips(rows.filter(isToJudge));
    if (clips.length === 0) log('there is nothing to label: all training clips are verified');

    const {graph, weights} = model;
    const [output = ''] = graph.outputs;
    const predictor = createPredictor(await loadEngine({engine, threads}), graph, weights);
    let decisions: readonly Decision[];
    try {
      const predict = async (batch: Readonly<Record<string, NamedArray>>): Promise<Float32Array> =>
        ((await predictor.run(batch))[output] as NamedArray).data;
      const scores = await predictClips({predict}, data, clips, {batchSize: params.batchSize, signal});
      if (scores.some(Number.isNaN)) throw new StageError('the model gives a score that is not a number');
      decisions = decideLabels(clips, scores, classes, params.confidence);
    } finally {
      predictor.dispose();
    }
    const labelled = applyLabels(rows, decisions, classes, params.doubtfulWeight);
    checkClasses(rows, labelled, params.fold);
    writePieceRows(outputs.rows, labelled);
    writeCsv(
      outputs.report,
      ['key', 'label', 'predicted', 'probability', 'decision'],
      decisions.map(({key, label, predicted, probability, decision}) => [
        key,
        label,
        classes[predicted] as string,
        probability,
        decision,
      ]),
    );
    for (const verdict of ['kept', 'relabelled', 'doubted'] as const) {
      metric(verdict, decisions.filter(({decision}) => decision === verdict).length);
    }
  },
});

/** Throws StageError for a model that is of another fold, or does not say of which, or of other classes or features. */
function checkModel(
  {graph, about, classes: own}: ModelFile,
  fold: number,
  classes: readonly string[],
  data: PieceData,
): void {
  if (about['fold'] === undefined) {
    throw new StageError(
      'the model does not say for which fold it was trained, so it may have learned the labels that it is to judge',
      'give the model of a train node of the same fold',
    );
  }
  if (about['fold'] !== String(fold)) {
    throw new StageError(
      `the model was trained for fold ${about['fold']}, and the clips are those of fold ${fold}`,
      'give the model of a train node of the same fold: another has learned from the clips that validate this one',
    );
  }
  const longer = own.length > classes.length ? own : classes;
  const i = longer.findIndex((_, k) => own[k] !== classes[k]);
  if (i >= 0) {
    const named = (label: string | undefined): string => (label === undefined ? 'none' : `\`${label}\``);
    throw new StageError(
      `the model has other classes than the rows table: class ${i} is ${named(own[i])}, and ${named(classes[i])} there`,
      'give a model that was trained on the same table',
    );
  }
  const [input] = graph.inputs;
  const width = input?.shape.at(-1);
  if (graph.inputs.length !== 1 || input?.name !== SERIES_INPUT || width !== data.width) {
    throw new StageError(
      `the model takes \`${input?.name}\` of width ${width}, the features have vectors of width ${data.width}`,
      'give the features that it was trained on',
    );
  }
}
