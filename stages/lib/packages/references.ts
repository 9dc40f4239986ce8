import {readFileSync} from 'node:fs';
import {StageError, type InputTree} from 'mixdown/stage';
import {readFloat32} from '../formats/npy.ts';
import type {Labelled} from './labeller.ts';

/** A recording with the scores that the pipeline gave it. */
export interface Reference {
  readonly key: string;
  /** Absolute path of the recording. */
  readonly file: string;
  readonly scores: Float32Array;
}

export interface ReferenceInputs {
  readonly clips: InputTree | undefined;
  readonly index: string | undefined;
  readonly predictions: string | undefined;
}

/**
 * At most `count` of the recordings that were scored, spread evenly over them; none when the three inputs are not there.
 * Throws StageError when some of them are there, or when they are not of the same clips and classes.
 */
export function readReferences(
  {clips, index, predictions}: ReferenceInputs,
  classes: readonly string[],
  count: number,
): readonly Reference[] {
  const missing = Object.entries({clips, index, predictions}).filter(([, value]) => value === undefined);
  if (missing.length === 3) return [];
  if (clips === undefined || index === undefined || predictions === undefined) {
    const names = missing.map(([name]) => `\`${name}\``).join(' and ');
    throw new StageError(
      `input ${names} ${missing.length === 1 ? 'is' : 'are'} missing`,
      'clips, index and predictions belong together: give all or none',
    );
  }
  const scored = readIndex(index);
  const {shape, data} = readFloat32(predictions, 2, 'the predictions');
  if (scored.classes.join('\n') !== classes.join('\n')) {
    throw new StageError('the predictions are of other classes than the model', 'take both from the same node');
  }
  if (shape[0] !== scored.clips.length || shape[1] !== classes.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; [${scored.clips.length}, ${classes.length}] is expected`,
    );
  }
  const files = new Map(clips.entries.map(({key, file}) => [key, file]));
  const taken = Math.min(count, scored.clips.length);
  return Array.from({length: taken}, (_, i) => {
    const row = Math.floor((i * scored.clips.length) / taken);
    const key = scored.clips[row] as string;
    const file = files.get(key);
    if (file === undefined) throw new StageError(`there is no recording \`${key}\`, which has predictions`);
    return {key, file, scores: data.subarray(row * classes.length, (row + 1) * classes.length)};
  });
}

/**
 * The largest difference of a score. Throws StageError when it is above `tolerance`: the package would say other things than
 * the model that was measured.
 */
export function compareScores({key, scores}: Reference, labelled: Labelled, tolerance: number): number {
  const differences = labelled.scores.map((score, c) => Math.abs(score - (scores[c] as number)));
  const largest = Math.max(...differences);
  if (largest <= tolerance) return largest;
  throw new StageError(
    `the package scores clip ${key} otherwise than the pipeline did: a score is ${largest.toPrecision(2)} off`,
    'give this node the same params as the nodes that made the waveforms, patches, embeddings, features and segments',
  );
}

function readIndex(path: string): {readonly classes: readonly string[]; readonly clips: readonly string[]} {
  const wrong = new StageError('the index is no index of predictions', 'give it the output `index` of stage train');
  let value: {type?: unknown; classes?: unknown; predictions?: {clips?: unknown} | null} | null;
  try {
    value = JSON.parse(readFileSync(path, 'utf8')) as typeof value;
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong;
    throw error;
  }
  const {type, classes, predictions} = value ?? {};
  const clips = predictions?.clips;
  if (type !== 'predictions/1' || !isNames(classes) || !isNames(clips)) throw wrong;
  return {classes, clips};
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
