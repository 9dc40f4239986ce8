import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import {meanAveragePrecisionAt3, meanOf} from './metrics.ts';
import {cutBatches, makeBatch, plainExamples, predictClips, type ClipRows, type PieceData} from './piece-data.ts';
import type {Example} from '../experiment/mixed-table.ts';
import type {Trainer, TrainerState} from '../models/trainer.ts';
import type {Rng} from '../rng.ts';
import type {Weights} from '../tensors/named-array.ts';

/** What of a model in training this takes. */
export type PieceModel = Pick<Trainer, 'step' | 'predict' | 'save' | 'load' | 'saveState' | 'loadState'>;

export interface TrainingPlan {
  /** Rows to train on, repeats included. */
  readonly order: readonly number[];
  /** Mixed examples, which each epoch has besides `order`. */
  readonly mixed: readonly Example[];
  /** Clips that decide when to stop and which weights to keep; none: train to the end, keep the last weights. */
  readonly validation: readonly ClipRows[];
  readonly epochs: number;
  /** Steps from one evaluation to the next, and one after the last step; 0: an evaluation at the end of each epoch. */
  readonly evaluateEvery: number;
  /** Evaluations without a better one before training stops. */
  readonly patience: number;
  readonly batchSize: number;
  /** Part of each target that is spread over all classes, 0 to less than 1. */
  readonly labelSmoothing: number;
  /** Steps from one snapshot to the next. */
  readonly snapshotEvery: number;
}

/** One line of the learning curve. */
export interface Evaluation {
  /** Steps done. */
  readonly iteration: number;
  /** That of the last step, from 1. */
  readonly epoch: number;
  /** Mean over the examples since the evaluation before, each times its weight, with dropout, as the weights were at each batch. */
  readonly trainLoss: number;
  /** Mean over the validation clips of -ln of the true class's score. */
  readonly validationLoss: number | undefined;
  readonly validationMap3: number | undefined;
}

/** All that it takes to go on, bit for bit. */
export interface TrainingSnapshot {
  readonly curve: readonly Evaluation[];
  /** Steps done. */
  readonly done: number;
  /** Sum of the losses of the examples since the last evaluation, and how many these are. */
  readonly lossSum: number;
  readonly examples: number;
  readonly trainer: TrainerState;
  /** Weights of the best evaluation; undefined before the first one, and without validation clips. */
  readonly best: Weights | undefined;
}

export interface TrainingHooks {
  readonly signal: AbortSignal;
  /** Called at snapshots, and when training is told to stop. */
  keep(this: void, snapshot: TrainingSnapshot): void;
  /** After each step: the part of the most steps that is done. */
  onStep(this: void, fraction: number, epoch: number): void;
  onEvaluation(this: void, evaluation: Evaluation): void;
}

export interface TrainingResult {
  readonly curve: readonly Evaluation[];
  /** The evaluation whose weights the model has now. */
  readonly best: Evaluation;
}

/**
 * Trains until `patience` evaluations brought nothing better or `epochs` are done, and leaves the best weights in the model.
 * Better is a higher MAP@3 on the validation clips, or an equal one with a lower loss. From a snapshot it goes on as if it
 * had not stopped. The event loop turns once a batch, so that progress is seen and the signal works. Throws StageError when
 * the loss is no longer a number.
 */
export async function trainOnPieces(
  model: PieceModel,
  data: PieceData,
  plan: TrainingPlan,
  rng: Rng,
  from: TrainingSnapshot | undefined,
  {signal, keep, onStep, onEvaluation}: TrainingHooks,
): Promise<TrainingResult> {
  const batches = epochBatches(plan, rng);
  const last = plan.epochs * batches.perEpoch;
  const every = plan.evaluateEvery || batches.perEpoch;
  const curve = [...(from?.curve ?? [])];
  let {done = 0, lossSum = 0, examples = 0, best} = from ?? {};
  if (from !== undefined) model.loadState(from.trainer);
  const snapshot = async (): Promise<void> =>
    keep({curve: [...curve], done, lossSum, examples, trainer: await model.saveState(), best});

  while (!isOver(curve, last, plan.patience)) {
    const next = Math.min((curve.at(-1)?.iteration ?? 0) + every, last);
    while (done < next) {
      await setImmediate();
      if (signal.aborted) {
        await snapshot();
        signal.throwIfAborted();
      }
      const epoch = Math.floor(done / batches.perEpoch) + 1;
      const batch = batches.at(done);
      lossSum += batch.length * finite(await model.step([makeBatch(data, batch, plan.labelSmoothing)]), done + 1);
      examples += batch.length;
      done++;
      onStep(done / last, epoch);
      if (done % plan.snapshotEvery === 0 && done < next) await snapshot();
    }
    const checked = await validate(model, data, plan, signal).catch(async (error: unknown) => {
      if (signal.aborted) await snapshot();
      throw error;
    });
    const before = bestOf(curve);
    const line = {
      iteration: done,
      epoch: Math.ceil(done / batches.perEpoch),
      trainLoss: lossSum / examples,
      ...checked,
    };
    curve.push(line);
    [lossSum, examples] = [0, 0];
    // Without validation clips the last weights are the best ones, and the model has them.
    if (plan.validation.length > 0 && (before === undefined || isBetter(line, before))) best = await model.save();
    if (done % plan.snapshotEvery === 0) await snapshot();
    onEvaluation(line);
  }
  const chosen = bestOf(curve);
  if (chosen === undefined) throw new RangeError('training needs at least one epoch');
  if (best !== undefined) model.load(best);
  return {curve, best: chosen};
}

interface EpochBatches {
  /** Batches of an epoch. */
  readonly perEpoch: number;
  /** The batch of step `done`, from 0. */
  at(this: void, done: number): readonly Example[];
}

/** Each epoch has its own order, drawn from fork `epoch <number>`, so that any step's batch is known without those before. */
function epochBatches({order, mixed, batchSize}: TrainingPlan, rng: Rng): EpochBatches {
  const examples = [...plainExamples(order), ...mixed];
  const perEpoch = Math.ceil(examples.length / batchSize);
  let epoch = 0;
  let batches: readonly (readonly Example[])[] = [];
  return {
    perEpoch,
    at(done) {
      const wanted = Math.floor(done / perEpoch) + 1;
      if (wanted !== epoch) {
        epoch = wanted;
        batches = cutBatches(rng.fork(`epoch ${epoch}`).shuffle(examples), batchSize);
      }
      return batches[done % perEpoch] ?? [];
    },
  };
}

async function validate(
  model: PieceModel,
  data: PieceData,
  {validation, batchSize}: TrainingPlan,
  signal: AbortSignal,
): Promise<Pick<Evaluation, 'validationLoss' | 'validationMap3'>> {
  const labels = validation.map(({classIndex}) => classIndex);
  const scores = await predictClips(model, data, validation, {batchSize, signal});
  if (scores.some(Number.isNaN)) {
    throw new StageError('training diverged: a score of the validation clips is not a number', 'lower `learningRate`');
  }
  const losses = labels.map((label, i) => -Math.log(Math.max(scores[i * data.classes + label] as number, 1e-12)));
  return {validationLoss: meanOf(losses), validationMap3: meanAveragePrecisionAt3(scores, data.classes, labels)};
}

function isOver(curve: readonly Evaluation[], last: number, patience: number): boolean {
  const best = bestOf(curve);
  if (best === undefined) return false;
  return (curve.at(-1) as Evaluation).iteration >= last || curve.length - 1 - curve.indexOf(best) >= patience;
}

function bestOf(curve: readonly Evaluation[]): Evaluation | undefined {
  let best: Evaluation | undefined;
  for (const line of curve) if (best === undefined || isBetter(line, best)) best = line;
  return best;
}

/** Without validation clips, later is better. */
function isBetter(a: Evaluation, b: Evaluation): boolean {
  const {validationMap3: map3 = 0, validationLoss: loss = 0} = a;
  const {validationMap3: otherMap3 = 0, validationLoss: otherLoss = 0} = b;
  if (a.validationMap3 === undefined) return true;
  return map3 > otherMap3 || (map3 === otherMap3 && loss < otherLoss);
}

function finite(loss: number, iteration: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new StageError(`training diverged: the loss of iteration ${iteration} is ${loss}`, 'lower `learningRate`');
}
