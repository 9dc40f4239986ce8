import {writeFileSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
import {groupClips, predictClips, type ClipRows, type PieceData} from './lib/learning/piece-data.ts';
import {trainOnPieces, type Epoch} from './lib/learning/piece-training.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readMixed} from './lib/experiment/mixed-table.ts';
import {readNpy, writeNpy} from './lib/formats/npy.ts';
import {classNames, readPieceRows, type PieceRow} from './lib/experiment/piece-rows.ts';
import {writeModel} from './lib/models/model-file.ts';
import {levelsOf, seriesGraph, seriesParams, seriesWeights} from './lib/models/series-model.ts';
import {createTrainer} from './lib/models/trainer.ts';
import {createRng} from './lib/rng.ts';
import {loadEngine} from './lib/tensors/engine.ts';
import {readOrder} from './lib/experiment/training-rows.ts';

export default defineStage({
  name: 'train',
  summary:
    'Trains a classifier of pieces, by default multi-level attention, on one fold; scores validation and test clips.',
  params: {
    ...seriesParams,
    fold: {
      type: 'integer',
      minimum: 0,
      heldOut: 'learns',
      about: 'fold that validates; 0 trains on all train clips to the last epoch',
    },
    batchSize: {type: 'integer', minimum: 2, default: 500, about: 'pieces per step'},
    learningRate: {type: 'number', exclusiveMinimum: 0, default: 0.001, about: 'step size of Adam'},
    epochs: {type: 'integer', minimum: 1, default: 200, about: 'the most epochs'},
    patience: {type: 'integer', minimum: 1, default: 10, about: 'stop after this many epochs without a better one'},
    keep: {
      type: 'string',
      enum: ['best', 'last'],
      default: 'best',
      about:
        'weights of the epoch that is best on the validation clips, or of the last one: for where the validation clips are ' +
        'what is reported, as with official folds',
    },
    priorBias: {type: 'boolean', default: false, about: 'start the scores at the logit of 1 / classes, at most -3'},
    finalDense: {type: 'boolean', default: true, about: 'a dense layer over the concatenated levels'},
  },
  inputs: {
    features: {kind: 'file', about: 'uint8 or float32 .npy, shape (rows, length, width), from segments'},
    rows: {kind: 'file', about: 'rows table from segments'},
    order: {kind: 'file', about: 'training rows of this fold, from balance'},
    mixed: {kind: 'file', optional: true, about: 'pairs of training rows of this fold, from mixup'},
  },
  outputs: {
    predictions: {kind: 'file', name: 'predictions.npy', about: 'probabilities, float32 (test clips by key, classes)'},
    validation: {
      kind: 'file',
      name: 'validation.npy',
      about: 'probabilities, float32 (validation clips by key, classes)',
    },
    index: {kind: 'file', name: 'index.json', about: 'clips and classes of both, in order, type predictions/1'},
    model: {
      kind: 'file',
      name: 'model.safetensors',
      about: 'the model with its classes, with the weights of the best epoch',
    },
    curve: {kind: 'file', name: 'curve.csv', about: 'epoch, trainLoss, validationLoss, validationMap3'},
  },
  seeded: true,
  numericBackend: true,
  async run({params, inputs, outputs, seed, engine, threads, signal, progress, metric}) {
    const rows = readPieceRows(inputs.rows);
    const classes = classNames(rows);
    const data = readData(inputs.features, rows, classes);
    const order = readOrder(inputs.order, rows, params.fold);
    const mixed = inputs.mixed === undefined ? [] : readMixed(inputs.mixed, rows, params.fold);
    // What is scored is recordings: a copy of a validation clip says nothing that the clip does not.
    const recordings = rows.filter(({parent}) => parent === '');
    const validation = groupClips(recordings.filter(({split, fold}) => split === 'train' && fold === params.fold));
    const test = groupClips(recordings.filter(({split}) => split === 'test'));
    if (params.fold > 0 && validation.length === 0) throw new StageError(`fold ${params.fold} has no clips`);
    const graph = seriesGraph(params, {features: data.width, classes: data.classes, labels: 'single'});
    const model = createTrainer(
      await loadEngine({engine, threads}),
      graph,
      {learningRate: params.learningRate},
      seriesWeights(graph, seed, params.priorBias ? 1 / data.classes : undefined),
      seed,
    );
    try {
      const plan = {order, mixed, validation: params.keep === 'last' ? [] : validation, ...params};
      const {curve, best} = await trainOnPieces(
        model,
        data,
        plan,
        createRng(seed),
        signal,
        ({epoch, validationMap3}) => {
          const score = validationMap3 === undefined ? '' : `, MAP@3 ${validationMap3.toFixed(3)}`;
          progress(epoch / params.epochs, `epoch ${epoch}${score}`);
        },
      );
      const shape = (clips: readonly ClipRows[]): readonly number[] => [clips.length, data.classes];
      const score = (clips: readonly ClipRows[]): Promise<Float32Array> =>
        predictClips(model, data, clips, params.batchSize);
      writeNpy(outputs.predictions, {shape: shape(test), data: await score(test)});
      writeNpy(outputs.validation, {shape: shape(validation), data: await score(validation)});
      writeIndex(outputs.index, classes, test, validation);
      writeModel(outputs.model, {
        graph,
        weights: await model.save(),
        classes,
        about: {
          model: params.model,
          levels: levelsOf(params.levels)
            .map((level) => `h${level}`)
            .join('+'),
          units: String(params.units),
          attNorm: params.attNorm,
          headBatchNorm: String(params.headBatchNorm),
          finalDense: String(params.finalDense),
        },
      });
      writeCurve(outputs.curve, curve);
      metric('epochs', curve.length);
      metric('bestEpoch', best.epoch);
      if (best.validationMap3 !== undefined) metric('validationMap3', best.validationMap3);
    } finally {
      model.dispose();
    }
  },
});

function readData(path: string, rows: readonly PieceRow[], classes: readonly string[]): PieceData {
  const {shape, data} = readNpy(path, 'the features');
  if (!(data instanceof Uint8Array || data instanceof Float32Array) || shape.length !== 3) {
    throw new StageError('the features are not a uint8 or float32 array of three axes');
  }
  const [count, pieces = 0, width = 0] = shape;
  if (count !== rows.length) throw new StageError(`the features have ${count} rows, the rows table has ${rows.length}`);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const key = rows[Math.floor(bad / (pieces * width))]?.key;
    throw new StageError(`the features of clip \`${key}\` hold what is not a finite number`);
  }
  if (classes.length < 2) throw new StageError('all clips are of one class; a classifier needs two or more');
  return {features: data, pieces, width, labels: rows.map(({classIndex}) => classIndex), classes: classes.length};
}

/** What the axes of the two arrays mean. */
function writeIndex(
  path: string,
  classes: readonly string[],
  test: readonly ClipRows[],
  validation: readonly ClipRows[],
): void {
  const described = (clips: readonly ClipRows[]): object => ({
    dtype: 'float32',
    shape: [clips.length, classes.length],
    unit: 'probability',
    clips: clips.map(({key}) => key),
  });
  const index = {
    type: 'predictions/1',
    axes: ['clip', 'class'],
    classes,
    predictions: described(test),
    validation: described(validation),
  };
  writeFileSync(path, `${JSON.stringify(index)}\n`);
}

function writeCurve(path: string, curve: readonly Epoch[]): void {
  writeCsv(
    path,
    ['epoch', 'trainLoss', 'validationLoss', 'validationMap3'],
    curve.map((epoch) => [epoch.epoch, epoch.trainLoss, epoch.validationLoss ?? '', epoch.validationMap3 ?? '']),
  );
}
