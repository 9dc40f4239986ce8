import {createHash} from 'node:crypto';
import {defineStage, StageError} from 'mixdown/stage';
import {groupClips, predictClips, type ClipRows, type PieceData} from './lib/learning/piece-data.ts';
import {readPieces} from './lib/learning/piece-features.ts';
import {trainOnPieces, type Evaluation, type TrainingSnapshot} from './lib/learning/piece-training.ts';
import {writePredictionsIndex} from './lib/learning/predictions-index.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readMixed} from './lib/experiment/mixed-table.ts';
import {writeNpy} from './lib/formats/npy.ts';
import {classNames, readPieceRows} from './lib/experiment/piece-rows.ts';
import {writeModel} from './lib/models/model-file.ts';
import {levelsOf, seriesGraph, seriesParams, seriesWeights} from './lib/models/series-model.ts';
import {createTrainer} from './lib/models/trainer.ts';
import {digestOf, trainingCheckpoint} from './lib/models/training-checkpoint.ts';
import {createRng} from './lib/rng.ts';
import {loadEngine} from './lib/tensors/engine.ts';
import {readOrder, trainingWeights} from './lib/experiment/training-rows.ts';

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
    evaluateEvery: {
      type: 'integer',
      minimum: 0,
      default: 0,
      about: 'steps from one evaluation on the validation clips to the next; 0: one at the end of each epoch',
    },
    patience: {
      type: 'integer',
      minimum: 1,
      default: 10,
      about: 'stop after this many evaluations without a better one',
    },
    keep: {
      type: 'string',
      enum: ['best', 'last'],
      default: 'best',
      about:
        'weights of the evaluation that is best on the validation clips, or the last ones: for where the validation clips ' +
        'are what is reported, as with official folds',
    },
    unverifiedWeight: {
      type: 'number',
      minimum: 0,
      default: 1,
      about:
        'what a row counts whose label nobody has confirmed, times its weight; 0, with `labels: verified` in balance, leaves ' +
        'them out',
    },
    labelSmoothing: {
      type: 'number',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0,
      about: 'part of each target that is spread over all classes',
    },
    priorBias: {type: 'boolean', default: false, about: 'start the scores at the logit of 1 / classes, at most -3'},
    finalDense: {type: 'boolean', default: true, about: 'a dense layer over the concatenated levels'},
    checkpointEvery: {
      type: 'integer',
      minimum: 1,
      default: 250,
      about: 'steps after which the state is kept, to go on from after a stop',
    },
  },
  inputs: {
    features: {kind: 'file', about: 'uint8 or float32 .npy, shape (rows, length, width), from segments'},
    rows: {kind: 'file', about: 'rows table from segments or pseudo-labels'},
    order: {kind: 'file', about: 'training rows of this fold, from balance'},
    mixed: {kind: 'file', optional: true, about: 'pairs of training rows of this fold, from mixup'},
  },
  outputs: {
    // Between engines, a training that stops at the same iteration ends within 0.0075 of the probabilities (root mean
    // square); where early stopping is tipped over, mostly by 0.02 to 0.06. That is another result, and is to be told.
    predictions: {
      kind: 'file',
      name: 'predictions.npy',
      compare: {as: 'npy', absolute: 0.01},
      about: 'probabilities, float32 (test clips by key, classes)',
    },
    validation: {
      kind: 'file',
      name: 'validation.npy',
      compare: {as: 'npy', absolute: 0.01},
      about: 'probabilities, float32 (validation clips by key, classes)',
    },
    index: {kind: 'file', name: 'index.json', about: 'clips and classes of both, in order, type predictions/1'},
    model: {
      kind: 'file',
      name: 'model.safetensors',
      // Weights are of size 0.2 to 0.3 and then differ by 0.01 at most.
      compare: {as: 'safetensors', absolute: 0.015},
      about: 'the model with its classes, with the weights of the best evaluation',
    },
    // Another number of rows is another training, whatever the numbers.
    curve: {
      kind: 'file',
      name: 'curve.csv',
      show: 'curve',
      compare: {as: 'csv', absolute: 0.01},
      about: 'iteration, epoch, trainLoss, validationLoss, validationMap3',
    },
  },
  // Iterations and epochs are whole numbers, and so must be equal.
  compareMetrics: {absolute: 0.01},
  seeded: true,
  numericBackend: true,
  resumable: true,
  async run({params, inputs, outputs, seed, engine, threads, checkpoint: folder, signal, log, progress, metric}) {
    const rows = readPieceRows(inputs.rows);
    const classes = classNames(rows);
    const pieces = readPieces(inputs.features, rows, classes);
    if (classes.length < 2) throw new StageError('all clips are of one class; a classifier needs two or more');
    const order = readOrder(inputs.order, rows, params.fold);
    const mixed = inputs.mixed === undefined ? [] : readMixed(inputs.mixed, rows, params.fold);
    const used = new Set([...order, ...mixed.flatMap(({first, second}) => [first, second])]);
    const data = {...pieces, weights: trainingWeights(rows, used, params.unverifiedWeight)};
    // What is scored is recordings: a copy of a validation clip says nothing that the clip does not.
    const recordings = rows.filter(({parent}) => parent === '');
    const validation = groupClips(recordings.filter(({split, fold}) => split === 'train' && fold === params.fold));
    const test = groupClips(recordings.filter(({split}) => split === 'test'));
    if (params.fold > 0 && validation.length === 0) {
      const folds = new Set(rows.filter(({split}) => split === 'train').map(({fold}) => fold));
      const known = [...folds].sort((a, b) => a - b).join(', ');
      throw new StageError(`fold ${params.fold} has no clips`, `folds with training clips: ${known || 'none'}`);
    }
    const graph = seriesGraph(params, {features: data.width, classes: data.classes, labels: 'single'});
    const weights = seriesWeights(graph, seed, params.priorBias ? 1 / data.classes : undefined);
    const model = createTrainer(
      await loadEngine({engine, threads}),
      graph,
      {learningRate: params.learningRate},
      weights,
      seed,
    );
    try {
      const {checkpointEvery: snapshotEvery, batchSize} = params;
      const plan = {...params, order, mixed, validation: params.keep === 'last' ? [] : validation, snapshotEvery};
      const identity = JSON.stringify({
        graph,
        params,
        seed,
        engine,
        order,
        mixed,
        validation,
        data: digestOfPieces(data),
      });
      const checkpoint = trainingCheckpoint<TrainingSnapshot>(folder, digestOf(identity, weights), log);
      const from = checkpoint.read();
      if (from !== undefined) log(`goes on after iteration ${from.done}`);
      let score = '';
      const {curve, best} = await trainOnPieces(model, data, plan, createRng(seed), from, {
        signal,
        keep: (snapshot) => checkpoint.write(snapshot),
        onStep: (fraction, epoch) => progress(fraction, `epoch ${epoch}${score}`),
        onEvaluation({validationMap3}) {
          if (validationMap3 !== undefined) score = `, MAP@3 ${validationMap3.toFixed(3)}`;
        },
      });
      const shape = (clips: readonly ClipRows[]): readonly number[] => [clips.length, data.classes];
      const scoresOf = (clips: readonly ClipRows[]): Promise<Float32Array> =>
        predictClips(model, data, clips, {batchSize, signal});
      writeNpy(outputs.predictions, {shape: shape(test), data: await scoresOf(test)});
      writeNpy(outputs.validation, {shape: shape(validation), data: await scoresOf(validation)});
      writePredictionsIndex(outputs.index, classes, {predictions: keysOf(test), validation: keysOf(validation)});
      writeModel(outputs.model, {
        graph,
        weights: await model.save(),
        classes,
        about: {
          model: params.model,
          fold: String(params.fold),
          labels: [...used].every((row) => rows[row]?.verified === true) ? 'verified' : 'all',
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
      metric('iterations', curve.at(-1)?.iteration ?? 0);
      metric('epochs', curve.at(-1)?.epoch ?? 0);
      metric('bestIteration', best.iteration);
      metric('bestEpoch', best.epoch);
      if (best.validationMap3 !== undefined) metric('validationMap3', best.validationMap3);
    } finally {
      model.dispose();
    }
  },
});

function digestOfPieces({features, ...described}: PieceData): string {
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  return createHash('sha256')
    .update(`${JSON.stringify(described)}\n`)
    .update(bytes)
    .digest('hex');
}

function keysOf(clips: readonly ClipRows[]): readonly string[] {
  return clips.map(({key}) => key);
}

function writeCurve(path: string, curve: readonly Evaluation[]): void {
  writeCsv(
    path,
    ['iteration', 'epoch', 'trainLoss', 'validationLoss', 'validationMap3'],
    curve.map((line) => [
      line.iteration,
      line.epoch,
      line.trainLoss,
      line.validationLoss ?? '',
      line.validationMap3 ?? '',
    ]),
  );
}
