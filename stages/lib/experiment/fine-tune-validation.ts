import {setImmediate} from 'node:timers/promises';
import type {Trainer} from '../models/trainer.ts';
import {eachBatch, type ClipPieces} from './fine-tune-data.ts';

export interface Validation {
  /** Mean over all pieces of -ln of the true class's probability, which counts as 1e-12 below that. */
  readonly validationLoss: number;
  /** Part of the clips whose true class has the highest geometric mean over the pieces; of equal ones the first counts. */
  readonly validationAccuracy: number;
}

/** Scores all pieces of all clips, in order. */
export async function validate(
  model: Pick<Trainer, 'predict'>,
  pieces: ClipPieces,
  rows: number,
  signal: AbortSignal,
): Promise<Validation> {
  const {classes, counts, classOf} = pieces;
  const clips = [...counts.keys()];
  const logs = new Float64Array(clips.length * classes);
  let sum = 0;
  let total = 0;
  for (const batch of eachBatch(pieces, clips, rows)) {
    await setImmediate();
    signal.throwIfAborted();
    const scores = await model.predict(batch.inputs);
    for (const [row, clip] of batch.clipOf.entries()) {
      for (let c = 0; c < classes; c++) {
        const log = Math.log(Math.max(scores[row * classes + c] as number, LEAST));
        logs[clip * classes + c] = (logs[clip * classes + c] as number) + log;
        if (c === batch.classOf[row]) sum -= log;
      }
      total++;
    }
    if (scores.some(Number.isNaN)) sum = NaN;
  }
  const right = clips.filter((clip) => {
    const own = logs.subarray(clip * classes, (clip + 1) * classes);
    return own.indexOf(Math.max(...own)) === classOf[clip];
  });
  return {validationLoss: sum / total, validationAccuracy: right.length / clips.length};
}

const LEAST = 1e-12;
