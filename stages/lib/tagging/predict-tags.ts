import {setImmediate} from 'node:timers/promises';
import {StageError} from 'mixdown/stage';
import type {Trainer} from '../models/trainer.ts';
import type {TaggedClips} from './tagged-clips.ts';

export interface PredictOptions {
  readonly batchSize: number;
  readonly signal: AbortSignal;
}

/** Probabilities (rows, classes) of the rows in their order, a batch at a time. Throws StageError when a score is not a number. */
export async function predictTags(
  model: Pick<Trainer, 'predict'>,
  clips: TaggedClips,
  rows: Int32Array,
  {batchSize, signal}: PredictOptions,
): Promise<Float32Array> {
  const scores = new Float32Array(rows.length * clips.classes);
  for (let first = 0; first < rows.length; first += batchSize) {
    await setImmediate();
    signal.throwIfAborted();
    const {inputs} = clips.batch(rows.subarray(first, first + batchSize));
    const own = await model.predict(inputs);
    if (own.some(Number.isNaN)) {
      throw new StageError('training diverged: a score is not a number', 'lower `learningRate`');
    }
    scores.set(own, first * clips.classes);
  }
  return scores;
}
