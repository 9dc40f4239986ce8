import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import type {Trainer, TrainerState} from '../models/trainer.ts';
import type {Weights} from '../tensors/named-array.ts';
import type {ClipBatches} from './fine-tune-batches.ts';
import {makeBatches, type ClipPieces} from './fine-tune-data.ts';
import {validate, type Validation} from './fine-tune-validation.ts';

/** What of a model in training this takes. */
export type TunedModel = Pick<Trainer, 'step' | 'predict' | 'save' | 'saveState' | 'loadState'>;

export interface FineTunePlan {
  readonly training: ClipPieces;
  readonly validation: ClipPieces;
  readonly batches: ClipBatches;
  /** The most epochs. */
  readonly epochs: number;
  /** Epochs without a lower validation loss before training stops. */
  readonly patience: number;
  /** Pieces computed at a time. */
  readonly microBatch: number;
  /** Batches from one snapshot to the next; each epoch ends with one. */
  readonly snapshotEvery: number;
}

/** One line of the learning curve. */
export interface TunedEpoch extends Validation {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the pieces of its batches, as the weights were at each batch. */
  readonly trainLoss: number;
}

/** All that it takes to go on, bit for bit. */
export interface Snapshot {
  /** The epochs that ended. */
  readonly curve: readonly TunedEpoch[];
  /** Batches done of the next epoch. */
  readonly batch: number;
  /** Sum of the losses of their pieces, and the number of these. */
  readonly lossSum: number;
  readonly pieces: number;
  readonly trainer: TrainerState;
  /** Weights of the best epoch, once one has ended. */
  readonly best: Weights | undefined;
}

export interface FineTuneHooks {
  readonly signal: AbortSignal;
  /** Called at snapshots, and when training is told to stop. */
  keep(this: void, snapshot: Snapshot): void;
  /** `done`: part of all epochs, 0 ... 1. */
  onBatch(this: void, done: number, epoch: number): void;
  /** Called when the epoch is kept. */
  onEpoch(this: void, epoch: TunedEpoch, isBest: boolean): void;
}

export interface FineTuned {
  readonly curve: readonly TunedEpoch[];
  readonly best: TunedEpoch;
  readonly weights: Weights;
}

/**
 * Trains until `patience` epochs brought no lower validation loss, or `epochs` are done; gives the best epoch's weights. From
 * a snapshot it goes on as if it had not stopped. The event loop turns once a batch, so that progress is seen and the signal
 * works. Throws StageError when a loss is no longer a number.
 */
export async function fineTune(
  model: TunedModel,
  plan: FineTunePlan,
  from: Snapshot | undefined,
  {signal, keep, onBatch, onEpoch}: FineTuneHooks,
): Promise<FineTuned> {
  const {training, validation, batches, epochs, patience, microBatch, snapshotEvery} = plan;
  const {perEpoch} = batches;
  const curve = [...(from?.curve ?? [])];
  let {batch = 0, lossSum = 0, pieces = 0, best} = from ?? {};
  if (from !== undefined) model.loadState(from.trainer);
  const draw = batches.from(curve.length * perEpoch + batch);
  const snapshot = async (): Promise<void> =>
    keep({curve: [...curve], batch, lossSum, pieces, trainer: await model.saveState(), best});

  while (!isOver(curve, epochs, patience)) {
    const epoch = curve.length + 1;
    while (batch < perEpoch) {
      await setImmediate();
      if (signal.aborted) {
        await snapshot();
        signal.throwIfAborted();
      }
      const parts = makeBatches(training, draw(), microBatch);
      const rows = parts.reduce((sum, {targets}) => sum + (targets.shape[0] as number), 0);
      lossSum += rows * finite(await model.step(parts), epoch);
      pieces += rows;
      batch++;
      onBatch((epoch - 1 + batch / perEpoch) / epochs, epoch);
      if (batch % snapshotEvery === 0 && batch < perEpoch) await snapshot();
    }
    const checked = await validate(model, validation, microBatch, signal).catch(async (error: unknown) => {
      if (signal.aborted) await snapshot();
      throw error;
    });
    finite(checked.validationLoss, epoch);
    const before = bestOf(curve);
    const line: TunedEpoch = {epoch, trainLoss: lossSum / pieces, ...checked};
    curve.push(line);
    [batch, lossSum, pieces] = [0, 0, 0];
    const isBest = before === undefined || line.validationLoss < before.validationLoss;
    if (isBest) best = await model.save();
    await snapshot();
    onEpoch(line, isBest);
  }
  const line = bestOf(curve);
  if (line === undefined || best === undefined) throw new RangeError('fine-tuning needs at least one epoch');
  return {curve, best: line, weights: best};
}

function isOver(curve: readonly TunedEpoch[], epochs: number, patience: number): boolean {
  const best = bestOf(curve);
  return curve.length >= epochs || (best !== undefined && curve.length - best.epoch >= patience);
}

/** The epoch of the lowest validation loss; of equal ones the first. */
function bestOf(curve: readonly TunedEpoch[]): TunedEpoch | undefined {
  let best: TunedEpoch | undefined;
  for (const epoch of curve) if (best === undefined || epoch.validationLoss < best.validationLoss) best = epoch;
  return best;
}

function finite(loss: number, epoch: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new StageError(`fine-tuning diverged: a loss of epoch ${epoch} is ${loss}`, 'lower `learningRate`');
}
