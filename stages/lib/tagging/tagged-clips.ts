import {StageError} from 'mixdown/stage';
import {openNpyRows, type NpyRows} from '../formats/npy-rows.ts';
import type {ClassMembers} from '../learning/class-members.ts';
import {dequantizationTable} from '../learning/quantize.ts';
import {SERIES_INPUT} from '../models/blocks.ts';
import type {Batch} from '../models/trainer.ts';
import {openClipTargets, placeOf, startsOf} from './clip-targets.ts';

/**
 * Clips with any number of classes each, of one or more pairs of files that are counted through. They stay on the disk: a
 * batch costs one read for each of its clips and file.
 */
export interface TaggedClips {
  /** Clips of all files, and of each. */
  readonly count: number;
  readonly counts: readonly number[];
  /** Vectors of a clip, and values of a vector. */
  readonly vectors: number;
  readonly width: number;
  readonly classes: number;
  /** Values (q - 128) / 128 and targets 0 or 1 of the rows, in their order. */
  batch(rows: Int32Array): Batch;
  /** Clips of each class among the rows given, by their row or by their place among these. */
  members(rows: Int32Array, by: 'row' | 'place'): ClassMembers;
  close(): void;
}

/**
 * Opens `features`, uint8 .npy (rows, vectors, width), and `targets`, uint8 .npy (rows, bytes), a bit a class as in
 * lib/audioset/multi-hot.ts; it must be closed. `name` stands for them in messages. Throws StageError when they do not fit each
 * other or the number of classes.
 */
export function openTaggedClips(
  features: readonly string[],
  targets: readonly string[],
  classes: number,
  name: string,
): TaggedClips {
  if (features.length !== targets.length || features.length === 0) {
    throw new StageError(
      `${name} have ${features.length} arrays of features and ${targets.length} of targets`,
      'give the outputs `features` and `targets` of the same audioset-features nodes',
    );
  }
  const targetsOf = openClipTargets(targets, classes, name);
  const files: NpyRows[] = [];
  const close = (): void => [targetsOf, ...files].forEach((file) => file.close());
  try {
    for (const [i, path] of features.entries()) {
      const file = openNpyRows(path, `features ${i + 1} of ${name}`);
      files.push(file);
      const [, vectors, width] = files[0]?.shape ?? [];
      checkPart(file, {vectors, width, targets: targetsOf.counts[i] as number}, `${i + 1} of ${name}`);
    }
    const [, vectors = 0, width = 0] = files[0]?.shape ?? [];
    const {count, counts} = targetsOf;
    if (count === 0) throw new StageError(`${name} hold no clip`);
    const starts = startsOf(counts);
    const bytes = new Uint8Array(vectors * width);

    return {
      count,
      counts,
      vectors,
      width,
      classes,
      batch(rows) {
        const x = new Float32Array(rows.length * bytes.length);
        const y = new Float32Array(rows.length * classes);
        for (const [i, row] of rows.entries()) {
          const {part, at} = placeOf(row, starts);
          (files[part] as NpyRows).read(at, bytes);
          for (let k = 0; k < bytes.length; k++) x[i * bytes.length + k] = UNIT[bytes[k] as number] as number;
          targetsOf.each(row, (c) => (y[i * classes + c] = 1));
        }
        return {
          inputs: {[SERIES_INPUT]: {shape: [rows.length, vectors, width], data: x}},
          targets: {shape: [rows.length, classes], data: y},
        };
      },
      members: (rows, by) => targetsOf.members(rows, by),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Sizes {
  readonly vectors: number | undefined;
  readonly width: number | undefined;
  /** Rows of the targets. */
  readonly targets: number;
}

function checkPart(values: NpyRows, {vectors, width, targets}: Sizes, name: string): void {
  const {shape} = values;
  if (shape.length !== 3 || values.width === 0 || shape[1] !== vectors || shape[2] !== width) {
    throw new StageError(
      `features ${name} have shape (${shape.join(', ')}); (rows, ${vectors ?? 'vectors'}, ${width ?? 'values'}) is needed`,
    );
  }
  if (targets !== shape[0]) {
    throw new StageError(`features ${name} have ${shape[0]} rows, and the targets have ${targets}`);
  }
}

const UNIT = dequantizationTable('unit');
