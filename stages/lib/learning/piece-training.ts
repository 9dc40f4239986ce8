import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import {meanAveragePrecisionAt3, meanOf} from './metrics.ts';
import {cutBatches, makeBatch, plainExamples, predictClips, type ClipRows, type PieceData} from './piece-data.ts';
import type {Example} from '../experiment/mixed-table.ts';
import type {Trainer} from '../models/trainer.ts';
import type {Rng} from '../rng.ts';
import type {Weights} from '../tensors/named-array.ts';

/** What of a model in training this takes. */
export type PieceModel = Pick<Trainer, 'step' | 'predict' | 'save' | 'load'>;

export interface TrainingPlan {
  /** Rows to train on, repeats included. */
  readonly order: readonly number[];
  /** Clips that decide when to stop and which weights to keep; none: train to the end, keep the last weights. */
  readonly validation: readonly ClipRows[];
  readonly epochs: number;
  /** Epochs without a better one before training stops. */
  readonly patience: number;
  readonly batchSize: number;
  /** Mixed examples, which each epoch has besides `order`. */
  readonly mixed: readonly Example[];
}

/** One line of the learning curve. */
export interface Epoch {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the examples, with dropout, as the weights were at each batch. */
  readonly trainLoss: number;
  /** Mean over the validation clips of -ln of the true class's score. */
  readonly validationLoss: number | undefined;
  readonly validationMap3: number | undefined;
}

export interface TrainingResult {
  readonly curve: readonly Epoch[];
  /** The epoch whose weights the model has now. */
  readonly best: Epoch;
}

/**
 * Trains until `patience` epochs brought nothing better or `epochs` are done, and leaves the best weights in the model.
 * Better is a higher MAP@3 on the validation clips, or an equal one with a lower loss. The event loop turns once a batch,
 * so that progress is seen and `signal` works. Throws StageError when the loss is no longer a number.
 */
export async function trainOnPieces(
  model: PieceModel,
  data: PieceData,
  plan: TrainingPlan,
  rng: Rng,
  signal: AbortSignal,
  onEpoch: (epoch: Epoch) => void,
): Promise<TrainingResult> {
  const examples = [...plainExamples(plan.order), ...plan.mixed];
  const curve: Epoch[] = [];
  let best: {readonly epoch: Epoch; readonly weights: Weights | undefined} | undefined;

  for (let number = 1; number <= plan.epochs; number++) {
    let lossSum = 0;
    for (const batch of cutBatches(rng.fork(`epoch ${number}`).shuffle(examples), plan.batchSize)) {
      await setImmediate();
      signal.throwIfAborted();
      lossSum += batch.length * (await model.step([makeBatch(data, batch)]));
    }
    const trainLoss = lossSum / examples.length;
    if (!Number.isFinite(trainLoss)) {
      throw new StageError(`training diverged: the loss of epoch ${number} is ${trainLoss}`, 'lower `learningRate`');
    }
    const epoch: Epoch = {epoch: number, trainLoss, ...(await validate(model, data, plan))};
    curve.push(epoch);
    onEpoch(epoch);
    if (best === undefined || isBetter(epoch, best.epoch)) {
      // Without validation clips the last epoch is the best one, and the model has its weights.
      best = {epoch, weights: plan.validation.length === 0 ? undefined : await model.save()};
    } else if (number - best.epoch.epoch >= plan.patience) {
      break;
    }
  }
  if (best === undefined) throw new RangeError('training needs at least one epoch');
  if (best.weights !== undefined) model.load(best.weights);
  return {curve, best: best.epoch};
}

async function validate(
  model: PieceModel,
  data: PieceData,
  {validation, batchSize}: TrainingPlan,
): Promise<Pick<Epoch, 'validationLoss' | 'validationMap3'>> {
  const labels = validation.map(({classIndex}) => classIndex);
  const scores = await predictClips(model, data, validation, batchSize);
  const losses = labels.map((label, i) => -Math.log(Math.max(scores[i * data.classes + label] as number, 1e-12)));
  return {validationLoss: meanOf(losses), validationMap3: meanAveragePrecisionAt3(scores, data.classes, labels)};
}

/** Without validation clips, later is better. */
function isBetter(a: Epoch, b: Epoch): boolean {
  const {validationMap3: map3 = 0, validationLoss: loss = 0} = a;
  const {validationMap3: otherMap3 = 0, validationLoss: otherLoss = 0} = b;
  if (a.validationMap3 === undefined) return true;
  return map3 > otherMap3 || (map3 === otherMap3 && loss < otherLoss);
}
