import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import {count} from '../problems.ts';

/** What the axes of an array of predictions mean, in order. */
export interface PredictionAxes {
  readonly clips: readonly string[];
  readonly classes: readonly string[];
}

/**
 * Reads the axes of one of the two arrays that a predictions/1 index describes. `name` stands for the file in messages.
 * Throws StageError for what is no such index.
 */
export function readAxes(path: string, array: 'predictions' | 'validation', name: string): PredictionAxes {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new StageError(`${name} is not JSON`);
  }
  const {type, classes, [array]: described} = (value ?? {}) as Readonly<Record<string, unknown>>;
  const clips = (described as {readonly clips?: unknown} | null | undefined)?.clips;
  if (type !== 'predictions/1' || !isTexts(classes) || !isTexts(clips)) {
    throw new StageError(
      `${name} is not a predictions/1 index with the clips of the ${array}`,
      'give the output `index` of stage train',
    );
  }
  return {clips, classes};
}

/** Throws StageError unless an array has the shape that its axes say. `what` stands for the array in the message. */
export function checkShape(shape: readonly number[], {clips, classes}: PredictionAxes, what: string): void {
  if (shape[0] === clips.length && shape[1] === classes.length) return;
  throw new StageError(
    `${what} have shape [${shape.join(', ')}]; their index has ${count(clips.length, 'clip')} of ${classes.length} classes`,
    'give the outputs of the same nodes, in the same order',
  );
}

/**
 * Throws StageError, with the hint given, unless all axes are the same, in the same order: rows and columns of arrays can be
 * combined by their place only then.
 */
export function checkSameAxes(all: readonly PredictionAxes[], hint: string): void {
  const [first] = all;
  if (first === undefined) return;
  for (const [i, axes] of all.entries()) {
    for (const [of, one] of [
      ['classes', 'class'],
      ['clips', 'clip'],
    ] as const) {
      const place = differenceOf(first[of], axes[of]);
      if (place === undefined) continue;
      const named = (texts: readonly string[]): string =>
        texts[place] === undefined ? `no ${one}` : `${one} \`${texts[place]}\``;
      throw new StageError(
        `index ${i + 1} has other ${of} than index 1: ${named(axes[of])} instead of ${named(first[of])} in place ${place + 1}`,
        hint,
      );
    }
  }
}

/** The first place at which the lists differ. */
function differenceOf(a: readonly string[], b: readonly string[]): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i;
  return undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
