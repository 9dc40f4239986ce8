import {defineStage, StageError} from 'mixdown/stage';
import {readFolds, type Clip} from './lib/experiment/dataset.ts';
import {clipBatches} from './lib/experiment/fine-tune-batches.ts';
import {diskPieces, patchFiles, type ClipPieces} from './lib/experiment/fine-tune-data.ts';
import {featureBytes, frozenFeatures} from './lib/experiment/fine-tune-features.ts';
import {classifierOn, cutGraph, trainsLayer, type Classifier} from './lib/experiment/fine-tune-model.ts';
import {splitClips, untrainedLabels} from './lib/experiment/fine-tune-split.ts';
import {fineTune, type Snapshot, type TunedEpoch} from './lib/experiment/fine-tune-training.ts';
import {writeCsv} from './lib/formats/csv.ts';
import {readSafeTensors} from './lib/formats/safetensors.ts';
import {writeModel} from './lib/models/model-file.ts';
import {createTrainer} from './lib/models/trainer.ts';
import {digestOf, trainingCheckpoint} from './lib/models/training-checkpoint.ts';
import {PATCH_BANDS, PATCH_FRAMES} from './lib/models/vggish.ts';
import {count, firstOf} from './lib/problems.ts';
import {loadEngine} from './lib/tensors/engine.ts';

export default defineStage({
  name: 'fine-tune',
  summary: 'Trains VGGish with a classifier on its embedding, patch by patch; a patch has the label of its clip.',
  params: {
    strategy: {
      type: 'string',
      enum: ['balanced', 'unbalanced'],
      default: 'balanced',
      about:
        'clips of a batch: every class equally often, or every clip equally often; a clip comes with all its patches',
    },
    validation: {
      type: 'string',
      enum: ['first', 'last'],
      default: 'last',
      about: 'which end of the order says when to stop; the clips of the other end train',
    },
    order: {
      type: 'string',
      enum: ['key', 'random'],
      default: 'key',
      about: 'order of the train clips: of their keys, as in the reference; or random, for where keys tell the label',
    },
    validationClips: {
      type: 'integer',
      minimum: 0,
      default: 0,
      about: 'recordings that validate; 0: validationFraction',
    },
    validationFraction: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.1555,
      about: 'part of the recordings that validates; the default is the 1,473 of 9,473 of FSDKaggle2018',
    },
    fold: {
      type: 'integer',
      minimum: 0,
      default: 0,
      heldOut: 'learns',
      about: 'leave out the clips of this fold, which the extractor is then to be judged by; 0 uses all train clips',
    },
    clipsPerBatch: {
      type: 'integer',
      minimum: 0,
      default: 0,
      about: 'clips of a batch; 0: as many as there are classes',
    },
    hidden: {type: 'integer', minimum: 1, default: 100, about: 'units between the embedding and the classes'},
    train: {
      type: 'string',
      enum: ['all', 'dense', 'head'],
      default: 'all',
      about: 'layers that learn: all; the dense ones, with the convolutions as they are; or the new ones only',
    },
    learningRate: {type: 'number', exclusiveMinimum: 0, default: 0.0001, about: 'step size of Adam'},
    epsilon: {type: 'number', exclusiveMinimum: 0, default: 1e-8, about: 'of Adam'},
    epochs: {
      type: 'integer',
      minimum: 1,
      default: 100,
      about: 'the most epochs; one has as many batches as it takes to draw as many clips as there are',
    },
    patience: {type: 'integer', minimum: 1, default: 3, about: 'stop after this many epochs without a better one'},
    microBatch: {
      type: 'integer',
      minimum: 1,
      maximum: 4096,
      default: 32,
      about: 'patches computed at a time, which bounds the memory; a batch is one step whatever this is',
    },
    featureMiB: {
      type: 'integer',
      minimum: 0,
      default: 1024,
      about: 'compute what the frozen layers give once for all patches, if it takes no more memory than this',
    },
    checkpointEvery: {
      type: 'integer',
      minimum: 1,
      default: 50,
      about: 'batches after which the state is kept, besides at the end of each epoch, to go on from after a stop',
    },
  },
  inputs: {
    patches: {kind: 'tree', many: true, about: 'one .npy a clip, float32 (patches, 96, 64), from log-mel'},
    folds: {kind: 'file', about: 'the folds table: of folds, or with copies of augmentation'},
    weights: {
      kind: 'file',
      about:
        '.safetensors to start from: of vggish-weights, import-weights, or a model of this stage, whose head is left',
    },
  },
  outputs: {
    model: {
      kind: 'file',
      name: 'model.safetensors',
      // Weights are of size 0.05; a training that early stopping ended three epochs later was 0.0024 away.
      compare: {as: 'safetensors', absolute: 0.001},
      about: 'the best epoch, of type model/1; stage vggish takes it as weights',
    },
    curve: {
      kind: 'file',
      name: 'curve.csv',
      show: 'curve',
      compare: {as: 'csv', absolute: 0.01},
      about: 'epoch, trainLoss, validationLoss, validationAccuracy',
    },
  },
  compareMetrics: {absolute: 0.01},
  seeded: true,
  numericBackend: true,
  resumable: true,
  async run({params, inputs, outputs, seed, engine, threads, checkpoint: folder, signal, log, progress, metric}) {
    const {clips, classes} = readFolds(inputs.folds);
    if (classes.length < 2) throw new StageError('all clips are of one class; a classifier needs two or more');
    const {hidden, microBatch, train} = params;
    const extractor = readSafeTensors(inputs.weights, 'the weights').tensors;
    const classifier = classifierOn(extractor, {hidden, classes: classes.length, seed});
    const input = {name: 'patches', shape: [PATCH_FRAMES, PATCH_BANDS]};
    const fileOf = patchFiles(inputs.patches);
    const split = splitClips(clips, {...params, seed});
    const onDisk = (set: readonly Clip[]): ClipPieces => diskPieces(set, classes.length, fileOf, input);
    const sets = [onDisk(split.training), onDisk(split.validation)] as const;
    log(`${count(split.training.length, 'clip')} to train on, ${split.validation.length} to validate on`);
    const untrained = untrainedLabels(split);
    if (untrained.length > 0) {
      log(
        `labels that validate and do not train: ${firstOf(untrained)}; if keys tell the label, set \`order: random\``,
      );
    }

    const learns = (layer: string): boolean => trainsLayer(train, layer);
    const place = {engine, threads};
    const cut = cutGraph(classifier.graph, learns);
    const isCut = cut !== undefined && featureBytes(cut.front, sets) <= params.featureMiB * 2 ** 20;
    const total = sets.flatMap(({counts}) => counts).reduce((sum, own) => sum + own, 0);
    const onBatch = (done: number): void => progress(0, `${done} of ${total} patches through the frozen layers`);
    const [training, validation] = isCut
      ? await frozenFeatures(cut.front, classifier.weights, sets, {rows: microBatch, place, signal, onBatch})
      : sets;
    const trainer = createTrainer(
      await loadEngine(place),
      isCut ? cut.back : classifier.graph,
      {learningRate: params.learningRate, epsilon: params.epsilon, trainable: learns},
      classifier.weights,
      seed,
    );
    try {
      const checkpoint = trainingCheckpoint<Snapshot>(
        folder,
        identityOf(classifier, {params, seed, engine, clips}),
        log,
      );
      const from = checkpoint.read();
      if (from !== undefined) log(`goes on after epoch ${from.curve.length} and ${from.batch} batches of the next`);
      const batches = clipBatches(training.classOf, classes.length, {...params, seed});
      const {epochs, patience, checkpointEvery: snapshotEvery} = params;
      const plan = {training, validation, batches, epochs, patience, microBatch, snapshotEvery};
      const {curve, best, weights} = await fineTune(trainer, plan, from, {
        signal,
        keep: (snapshot) => checkpoint.write(snapshot),
        onBatch: (done, epoch) => progress(done, `epoch ${epoch}`),
        onEpoch: (epoch, isBest) => log(lineOf(epoch, isBest)),
      });
      writeModel(outputs.model, {
        graph: classifier.graph,
        weights: new Map([...classifier.weights, ...weights]),
        classes,
        about: {
          model: 'vggish',
          strategy: params.strategy,
          validation: params.validation,
          fold: String(params.fold),
          train,
        },
      });
      writeCurve(outputs.curve, curve);
      metric('epochs', curve.length);
      metric('bestEpoch', best.epoch);
      metric('validationLoss', best.validationLoss);
      metric('validationAccuracy', best.validationAccuracy);
    } finally {
      trainer.dispose();
    }
  },
});

/** Of everything that decides how training goes, but the patches' values. */
function identityOf({graph, weights}: Classifier, rest: object): string {
  return digestOf(JSON.stringify({graph, ...rest}), weights);
}

function lineOf({epoch, trainLoss, validationLoss, validationAccuracy}: TunedEpoch, isBest: boolean): string {
  const losses = `loss ${trainLoss.toFixed(4)}, of the validation clips ${validationLoss.toFixed(4)}`;
  return `epoch ${epoch}: ${losses}, accuracy ${validationAccuracy.toFixed(3)}${isBest ? ', the best so far' : ''}`;
}

function writeCurve(path: string, curve: readonly TunedEpoch[]): void {
  writeCsv(
    path,
    ['epoch', 'trainLoss', 'validationLoss', 'validationAccuracy'],
    curve.map((line) => [line.epoch, line.trainLoss, line.validationLoss, line.validationAccuracy]),
  );
}
