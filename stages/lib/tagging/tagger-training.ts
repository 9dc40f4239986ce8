import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import type {Batch, Trainer, TrainerState} from '../models/trainer.ts';
import type {Weights} from '../tensors/named-array.ts';
import type {TagScores} from './tag-scores.ts';

/** What of a model in training this takes. */
export type TaggerModel = Pick<Trainer, 'step' | 'save' | 'saveState' | 'loadState'>;

export interface TaggerPlan {
  /** Draws one batch after the other, as if `done` had been drawn. */
  readonly batches: (done: number) => () => Batch;
  /** Scores the model as it is. */
  readonly evaluate: () => Promise<TagScores>;
  /** The most iterations. */
  readonly iterations: number;
  /** Iterations from one evaluation to the next; the last iteration is followed by one too. */
  readonly evaluateEvery: number;
  /** Evaluations without a higher mean average precision before training stops. */
  readonly patience: number;
  /** Iterations from one snapshot to the next, besides one at each evaluation. */
  readonly snapshotEvery: number;
}

/** One line of the learning curve. */
export interface Evaluation {
  /** Steps done. */
  readonly iteration: number;
  /** Mean over the steps since the evaluation before, with dropout, as the weights were at each step. */
  readonly trainLoss: number;
  readonly meanPrecision: number;
  readonly meanArea: number;
}

/** All that it takes to go on, bit for bit. */
export interface TaggerSnapshot {
  readonly curve: readonly Evaluation[];
  /** Steps done. */
  readonly done: number;
  /** Sum of the losses since the last evaluation. */
  readonly lossSum: number;
  readonly trainer: TrainerState;
  /** Weights of the best evaluation, once there was one. */
  readonly best: Weights | undefined;
}

export interface TaggerHooks {
  readonly signal: AbortSignal;
  /** Called at snapshots, and when training is told to stop. */
  keep(this: void, snapshot: TaggerSnapshot): void;
  onStep(this: void, done: number): void;
  /** Called when the evaluation is kept. */
  onEvaluation(this: void, evaluation: Evaluation, isBest: boolean): void;
}

export interface TrainedTagger {
  readonly curve: readonly Evaluation[];
  readonly best: Evaluation;
  readonly weights: Weights;
}

/**
 * Trains until `patience` evaluations brought no higher mean average precision, or `iterations` are done; gives the weights of
 * the best evaluation, of equal ones the first. From a snapshot it goes on as if it had not stopped. The event loop turns once
 * a step, so that progress is seen and the signal works. Throws StageError when a loss or a score is no longer a number.
 */
export async function trainTagger(
  model: TaggerModel,
  plan: TaggerPlan,
  from: TaggerSnapshot | undefined,
  {signal, keep, onStep, onEvaluation}: TaggerHooks,
): Promise<TrainedTagger> {
  const {iterations, evaluateEvery, snapshotEvery} = plan;
  const curve = [...(from?.curve ?? [])];
  let {done = 0, lossSum = 0, best} = from ?? {};
  if (from !== undefined) model.loadState(from.trainer);
  const draw = plan.batches(done);
  const snapshot = async (): Promise<void> =>
    keep({curve: [...curve], done, lossSum, trainer: await model.saveState(), best});

  while (!isOver(curve, plan)) {
    const before = curve.at(-1)?.iteration ?? 0;
    const next = Math.min(before + evaluateEvery, iterations);
    while (done < next) {
      await setImmediate();
      if (signal.aborted) {
        await snapshot();
        signal.throwIfAborted();
      }
      lossSum += finite(await model.step([draw()]), 'loss', done + 1);
      done++;
      onStep(done);
      if (done % snapshotEvery === 0 && done < next) await snapshot();
    }
    const {meanPrecision, meanArea} = await plan.evaluate().catch(async (error: unknown) => {
      if (signal.aborted) await snapshot();
      throw error;
    });
    const isBest = meanPrecision > (bestOf(curve)?.meanPrecision ?? -Infinity);
    curve.push({iteration: done, trainLoss: lossSum / (done - before), meanPrecision, meanArea});
    lossSum = 0;
    if (isBest) best = await model.save();
    await snapshot();
    onEvaluation(curve.at(-1) as Evaluation, isBest);
  }
  const line = bestOf(curve);
  if (line === undefined || best === undefined) throw new RangeError('training needs at least one evaluation');
  return {curve, best: line, weights: best};
}

function isOver(curve: readonly Evaluation[], {iterations, patience}: TaggerPlan): boolean {
  const best = bestOf(curve);
  if (best === undefined) return false;
  return (curve.at(-1) as Evaluation).iteration >= iterations || curve.length - 1 - curve.indexOf(best) >= patience;
}

function bestOf(curve: readonly Evaluation[]): Evaluation | undefined {
  let best: Evaluation | undefined;
  for (const line of curve) if (best === undefined || line.meanPrecision > best.meanPrecision) best = line;
  return best;
}

function finite(value: number, what: string, iteration: number): number {
  if (Number.isFinite(value)) return value;
  throw new StageError(`training diverged: the ${what} of iteration ${iteration} is ${value}`, 'lower `learningRate`');
}
