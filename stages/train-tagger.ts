import {defineStage, StageError} from 'mixdown/stage';
import {readCsv, writeCsv} from './lib/formats/csv.ts';
import {writeNpy} from './lib/formats/npy.ts';
import {classesWithMembers} from './lib/learning/class-members.ts';
import {dPrime} from './lib/learning/metrics.ts';
import {writePredictionsIndex} from './lib/learning/predictions-index.ts';
import {balancedSampler, shuffledSampler, type Sampler, type SamplerStart} from './lib/learning/sampler.ts';
import {writeModel} from './lib/models/model-file.ts';
import {seriesGraph, seriesParams, seriesWeights} from './lib/models/series-model.ts';
import {createTrainer} from './lib/models/trainer.ts';
import {digestOf, trainingCheckpoint} from './lib/models/training-checkpoint.ts';
import {count} from './lib/problems.ts';
import {distinctClips} from './lib/tagging/distinct-clips.ts';
import {holdOut} from './lib/tagging/holdout.ts';
import {predictTags} from './lib/tagging/predict-tags.ts';
import {tagScores, type TagScores} from './lib/tagging/tag-scores.ts';
import {openTaggedClips, type TaggedClips} from './lib/tagging/tagged-clips.ts';
import {trainTagger, type Evaluation, type TaggerSnapshot} from './lib/tagging/tagger-training.ts';
import {loadEngine} from './lib/tensors/engine.ts';

export default defineStage({
  name: 'train-tagger',
  summary: 'Trains a classifier of clips with several labels each, such as those of AudioSet, and scores other clips.',
  params: {
    ...seriesParams,
    priorBias: {
      type: 'boolean',
      default: false,
      about: 'start the scores at the logit of the part of targets that are 1, in -7 ... -3',
    },
    finalDense: {
      type: 'boolean',
      default: true,
      about: "a dense layer over the concatenated levels; without it, the mean of the levels' scores",
    },
    sampler: {
      type: 'string',
      enum: ['balanced', 'plain'],
      default: 'balanced',
      about: 'clips of a batch: every class equally often, or every clip equally often',
    },
    batchSize: {type: 'integer', minimum: 2, default: 500, about: 'clips per step'},
    learningRate: {type: 'number', exclusiveMinimum: 0, default: 0.001, about: 'step size of Adam'},
    iterations: {type: 'integer', minimum: 1, default: 151000, about: 'the most steps'},
    evaluateEvery: {type: 'integer', minimum: 1, default: 1000, about: 'steps from one evaluation to the next'},
    patience: {
      type: 'integer',
      minimum: 1,
      default: 10,
      about: 'stop after this many evaluations without a better one',
    },
    selectOn: {
      type: 'string',
      enum: ['holdout', 'eval'],
      default: 'holdout',
      about:
        'what says which weights are best and when to stop: clips held out of the training ones; or, as in the reference, ' +
        'the clips that are scored, which flatters the result',
    },
    holdout: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.1,
      about: 'part of the training clips held out',
    },
    holdoutMost: {type: 'integer', minimum: 1, default: 20000, about: 'the most clips held out'},
    holdoutSeed: {
      type: 'integer',
      minimum: 1,
      default: 1,
      about: 'says which clips are held out, and not the seed of the node: models of the same clips hold out the same',
    },
    checkpointEvery: {
      type: 'integer',
      minimum: 1,
      default: 250,
      about: 'steps after which the state is kept, besides at each evaluation, to go on from after a stop',
    },
  },
  inputs: {
    features: {kind: 'file', many: true, about: 'of the training clips: uint8 .npy (clips, vectors, width)'},
    targets: {
      kind: 'file',
      many: true,
      about: 'of the same clips, in one order: uint8 .npy (clips, bytes), a bit a class, highest first',
    },
    clips: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'clips.csv of the training clips, a row each with its video_id: those that are to be scored, and those that came ' +
        'before, are left out',
    },
    classes: {kind: 'file', about: 'classes.csv of audioset-features: index,mid,label'},
    evalFeatures: {kind: 'file', about: 'of the clips to score'},
    evalTargets: {kind: 'file', about: 'of the clips to score'},
    evalClips: {kind: 'file', about: 'clips.csv of the clips to score, a row each with its video_id'},
  },
  outputs: {
    // Tolerances as in train, whose networks these are.
    predictions: {
      kind: 'file',
      name: 'predictions.npy',
      compare: {as: 'npy', absolute: 0.01},
      about: 'probabilities, float32 (clips to score, classes)',
    },
    validation: {
      kind: 'file',
      name: 'validation.npy',
      compare: {as: 'npy', absolute: 0.01},
      about: 'probabilities, float32 (clips held out, classes)',
    },
    index: {
      kind: 'file',
      name: 'index.json',
      about: 'clips and classes of both, in order, type predictions/1; clips held out by their row',
    },
    model: {
      kind: 'file',
      name: 'model.safetensors',
      compare: {as: 'safetensors', absolute: 0.015},
      about: 'the model with its classes, of the best evaluation',
    },
    curve: {
      kind: 'file',
      name: 'curve.csv',
      show: 'curve',
      compare: {as: 'csv', absolute: 0.01},
      about: 'iteration, trainLoss, meanPrecision, meanArea',
    },
  },
  compareMetrics: {absolute: 0.01},
  seeded: true,
  numericBackend: true,
  resumable: true,
  async run({params, inputs, outputs, seed, engine, threads, checkpoint: folder, signal, log, progress, metric}) {
    const classes = readCsv(inputs.classes, ['label'], 'the classes table').map(({label = ''}) => label);
    if (classes.length < 2) throw new StageError('the classes table has one class or none; two or more are needed');
    const open: TaggedClips[] = [];
    const opened = (clips: TaggedClips): TaggedClips => {
      open.push(clips);
      return clips;
    };
    try {
      const {features, targets, evalFeatures, evalTargets} = inputs;
      const clips = opened(openTaggedClips(features, targets, classes.length, 'the training clips'));
      const scored = opened(openTaggedClips([evalFeatures], [evalTargets], classes.length, 'the clips to score'));
      const ids = readIds(inputs.evalClips, scored);
      checkFit(clips, scored);
      const rows = rowsToUse(inputs.clips, clips, ids, log);
      metric('leftOut', clips.count - rows.length);
      const split = holdOut(rows, holdoutSize(params, rows.length), params.holdoutSeed);
      log(
        `${count(split.training.length, 'clip')} to train on, ${split.holdout.length} held out, ${ids.length} to score`,
      );
      const members = clips.members(split.training, 'row');
      const without = classes.length - classesWithMembers(members).length;
      if (without > 0) log(`${without} of ${classes.length} classes have no clip to train on`);

      const graph = seriesGraph(params, {features: clips.width, classes: classes.length, labels: 'multi'});
      const prior = members.rows.length / (split.training.length * classes.length);
      const weights = seriesWeights(graph, seed, params.priorBias ? prior : undefined);
      const model = createTrainer(
        await loadEngine({engine, threads}),
        graph,
        {learningRate: params.learningRate},
        weights,
        seed,
      );
      try {
        const {batchSize, iterations} = params;
        const all = Int32Array.from({length: scored.count}, (_, row) => row);
        const truth = scored.members(all, 'place');
        const heldOutTruth = clips.members(split.holdout, 'place');
        const options = {batchSize, signal};
        const predictAll = (): Promise<Float32Array> => predictTags(model, scored, all, options);
        const predictHeldOut = (): Promise<Float32Array> => predictTags(model, clips, split.holdout, options);
        const sampler = (start: SamplerStart): Sampler =>
          params.sampler === 'balanced' ? balancedSampler(members, start) : shuffledSampler(split.training, start);
        const {examples, ...fresh} = sampler({seed}).state();

        const identity = digestOf(JSON.stringify({graph, params, seed, engine, classes, examples, fresh}), weights);
        const checkpoint = trainingCheckpoint<TaggerSnapshot>(folder, identity, log);
        const from = checkpoint.read();
        if (from !== undefined) log(`goes on after iteration ${from.done}`);
        const plan = {
          ...params,
          snapshotEvery: params.checkpointEvery,
          batches(done: number) {
            const stream = sampler({...fresh, examples, drawn: done * batchSize});
            const rows = new Int32Array(batchSize);
            return () => {
              stream.next(rows);
              return clips.batch(rows);
            };
          },
          async evaluate() {
            const scores =
              params.selectOn === 'eval'
                ? tagScores(await predictAll(), truth)
                : tagScores(await predictHeldOut(), heldOutTruth);
            if (scores.classesWithout < classes.length) return scores;
            throw new StageError('the clips that choose the weights have no class', 'hold out more clips');
          },
        };
        const trained = await trainTagger(model, plan, from, {
          signal,
          keep: (snapshot) => checkpoint.write(snapshot),
          onStep: (done) => progress(done / iterations, `iteration ${done}`),
          onEvaluation: (evaluation, isBest) => log(lineOf(evaluation, isBest)),
        });

        model.load(trained.weights);
        const [final, heldOut] = [await predictAll(), await predictHeldOut()];
        const scores = tagScores(final, truth);
        writeNpy(outputs.predictions, {shape: [ids.length, classes.length], data: final});
        writeNpy(outputs.validation, {shape: [split.holdout.length, classes.length], data: heldOut});
        writePredictionsIndex(outputs.index, classes, {
          predictions: ids,
          validation: Array.from(split.holdout, String),
        });
        writeModel(outputs.model, {
          graph,
          weights: new Map([...weights, ...trained.weights]),
          classes,
          about: {
            model: params.model,
            levels: params.levels,
            view: params.view,
            units: String(params.units),
            attNorm: params.attNorm,
            headBatchNorm: String(params.headBatchNorm),
            finalDense: String(params.finalDense),
            sampler: params.sampler,
            selectOn: params.selectOn,
          },
        });
        writeCurve(outputs.curve, trained.curve);
        metric('iterations', trained.curve.at(-1)?.iteration ?? 0);
        metric('bestIteration', trained.best.iteration);
        metric('selectionMeanPrecision', trained.best.meanPrecision);
        reportScores(scores, metric);
        if (scores.classesWithout > 0) log(`${scores.classesWithout} classes have no clip to score and do not count`);
      } finally {
        model.dispose();
      }
    } finally {
      for (const clips of open) clips.close();
    }
  },
});

function holdoutSize(
  {selectOn, holdout, holdoutMost}: {readonly selectOn: string; readonly holdout: number; readonly holdoutMost: number},
  clips: number,
): number {
  if (selectOn === 'eval') return 0;
  const size = Math.min(holdoutMost, Math.max(1, Math.round(holdout * clips)));
  if (size < clips) return size;
  throw new StageError(
    `${count(size, 'clip')} are to be held out, and there are ${clips}`,
    'lower `holdout`, or give more clips',
  );
}

function readIds(path: string, scored: TaggedClips): readonly string[] {
  const ids = readCsv(path, ['video_id'], 'the clips table').map((record) => record['video_id'] ?? '');
  if (ids.length === scored.count) return ids;
  throw new StageError(
    `the clips table has ${count(ids.length, 'row')}, and there are ${scored.count} clips to score`,
    'give the outputs of one audioset-features node',
  );
}

/** All rows, or if their ids are known, those that may train. */
function rowsToUse(
  tables: readonly string[],
  {count: all, counts}: TaggedClips,
  scoredIds: readonly string[],
  log: (text: string) => void,
): Int32Array {
  if (tables.length === 0) return Int32Array.from({length: all}, (_, row) => row);
  const {rows, scored, repeated} = distinctClips(tables, counts, scoredIds);
  if (rows.length === 0) throw new StageError('all training clips are among the clips to score');
  if (rows.length < all) {
    log(`${count(all - rows.length, 'clip')} left out: ${scored} are to be scored, ${repeated} came before`);
  }
  return rows;
}

function checkFit(clips: TaggedClips, scored: TaggedClips): void {
  if (clips.width === scored.width) return;
  throw new StageError(
    `a vector of the clips to score has ${scored.width} values, and one of the training clips ${clips.width}`,
  );
}

/** Leaves out what is not a number, or without bounds, which only few clips can bring about. */
function reportScores({meanPrecision, meanArea}: TagScores, metric: (name: string, value: number) => void): void {
  const found = {meanPrecision, meanArea, dPrime: dPrime(meanArea)};
  for (const [name, value] of Object.entries(found)) if (Number.isFinite(value)) metric(name, value);
}

function lineOf({iteration, trainLoss, meanPrecision, meanArea}: Evaluation, isBest: boolean): string {
  const scores = `MAP ${meanPrecision.toFixed(4)}, AUC ${meanArea.toFixed(4)}`;
  return `iteration ${iteration}: loss ${trainLoss.toFixed(5)}, ${scores}${isBest ? ', the best so far' : ''}`;
}

function writeCurve(path: string, curve: readonly Evaluation[]): void {
  writeCsv(
    path,
    ['iteration', 'trainLoss', 'meanPrecision', 'meanArea'],
    curve.map((line) => [line.iteration, line.trainLoss, line.meanPrecision, line.meanArea]),
  );
}
