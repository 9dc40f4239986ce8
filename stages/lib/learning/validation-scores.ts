import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {compareCodePoints, type Clip} from '../experiment/dataset.ts';
import {rowOf} from './metrics.ts';
import {readFloat32} from '../formats/npy.ts';
import {count} from '../problems.ts';

/** Class probabilities of clips, a row each, by key. */
export interface ClipScores {
  readonly clips: readonly Clip[];
  /** (clips, classes). */
  readonly data: Float32Array;
}

/**
 * Puts the scores of several folds' validation clips together, so that every train clip is scored by the model that has not
 * trained on it. `predictions` and `indexes` are the outputs `validation` and `index` of stage train, in one order.
 * Throws StageError when they do not fit each other or the folds table, or hold a clip twice.
 */
export function joinValidation(
  predictions: readonly string[],
  indexes: readonly string[],
  clips: readonly Clip[],
  classes: readonly string[],
): ClipScores {
  if (predictions.length !== indexes.length) {
    throw new StageError(
      `there are ${count(predictions.length, 'array')} of predictions and ${indexes.length} of indexes`,
      'give the outputs `validation` and `index` of the same nodes',
    );
  }
  const byKey = new Map(clips.map((clip) => [clip.key, clip]));
  const rows = new Map<string, {readonly clip: Clip; readonly scores: Float32Array}>();
  for (const [i, path] of predictions.entries()) {
    const {shape, data} = readFloat32(path, 2, `predictions ${i + 1}`);
    const index = readIndex(indexes[i] ?? '', `index ${i + 1}`);
    if (index.classes.join('\n') !== classes.join('\n')) {
      throw new StageError(`index ${i + 1} has other classes than the folds table`);
    }
    if (shape[0] !== index.clips.length || shape[1] !== classes.length) {
      throw new StageError(
        `predictions ${i + 1} have shape [${shape.join(', ')}]; index ${i + 1} has ` +
          `${count(index.clips.length, 'validation clip')} of ${classes.length} classes`,
        'give the output `validation` of stage train',
      );
    }
    for (const [row, key] of index.clips.entries()) {
      const clip = byKey.get(key);
      if (clip === undefined || clip.split !== 'train' || clip.parent !== '') {
        throw new StageError(`clip \`${key}\` of index ${i + 1} is no train clip of the folds table`);
      }
      if (rows.has(key)) {
        throw new StageError(
          `clip \`${key}\` is in index ${i + 1} and in one before`,
          'give each fold once, of one variant',
        );
      }
      rows.set(key, {clip, scores: rowOf(data, classes.length, row)});
    }
  }
  const sorted = [...rows.values()].sort((a, b) => compareCodePoints(a.clip.key, b.clip.key));
  const joined = new Float32Array(sorted.length * classes.length);
  for (const [row, {scores}] of sorted.entries()) joined.set(scores, row * classes.length);
  return {clips: sorted.map(({clip}) => clip), data: joined};
}

interface Index {
  readonly classes: readonly string[];
  readonly clips: readonly string[];
}

function readIndex(path: string, name: string): Index {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new StageError(`${name} is not JSON`);
  }
  const {type, classes, validation} = (value ?? {}) as {
    readonly type?: unknown;
    readonly classes?: unknown;
    readonly validation?: {readonly clips?: unknown};
  };
  if (type !== 'predictions/1' || !isTexts(classes) || !isTexts(validation?.clips)) {
    throw new StageError(`${name} is not a predictions/1 index`, 'give the output `index` of stage train');
  }
  return {classes, clips: validation.clips};
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
