import {StageError} from 'mixdown/stage';
import {eachClass, multiHotBytes} from '../audioset/multi-hot.ts';
import {openNpyRows, type NpyRows} from '../formats/npy-rows.ts';
import {membersOf, type ClassMembers} from '../learning/class-members.ts';
import {dequantizationTable} from '../learning/quantize.ts';
import {SERIES_INPUT} from '../models/blocks.ts';
import type {Batch} from '../models/trainer.ts';

/** What a model sees of a clip: its vectors, or one vector that is their mean. */
export type ClipView = 'vectors' | 'mean';

/**
 * Clips with any number of classes each, of one or more pairs of files that are counted through. They stay on the disk: a
 * batch costs one read for each of its clips and file.
 */
export interface TaggedClips {
  readonly count: number;
  /** Vectors of a clip, and values of a vector. */
  readonly vectors: number;
  readonly width: number;
  readonly classes: number;
  /** Values (q - 128) / 128 and targets 0 or 1 of the rows, in their order. */
  batch(rows: Int32Array, view: ClipView): Batch;
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
  const open: NpyRows[] = [];
  const close = (): void => open.forEach((file) => file.close());
  try {
    const parts = features.map((path, i) => {
      const values = openNpyRows(path, `features ${i + 1} of ${name}`);
      open.push(values);
      const labels = openNpyRows(targets[i] ?? '', `targets ${i + 1} of ${name}`);
      open.push(labels);
      return {values, labels};
    });
    const [first] = parts;
    const [, vectors = 0, width = 0] = first?.values.shape ?? [];
    const starts = [0];
    for (const [i, {values, labels}] of parts.entries()) {
      checkPart(values, labels, {vectors, width, classes}, `${i + 1} of ${name}`);
      starts.push((starts[i] as number) + (values.shape[0] as number));
    }
    const count = starts.at(-1) as number;
    if (count === 0) throw new StageError(`${name} hold no clip`);
    const find = (row: number): {readonly part: (typeof parts)[number]; readonly at: number} => {
      const i = starts.findLastIndex((start) => start <= row);
      return {part: parts[i] as (typeof parts)[number], at: row - (starts[i] as number)};
    };
    const bytes = new Uint8Array(vectors * width);
    const bits = new Uint8Array(multiHotBytes(classes));
    const eachTarget = (row: number, visit: (classIndex: number) => void): void => {
      const {part, at} = find(row);
      part.labels.read(at, bits);
      eachClass(bits, (c) => {
        if (c >= classes)
          throw new StageError(`row ${row} of ${name} has class ${c}, and there are ${classes} classes`);
        visit(c);
      });
    };

    return {
      count,
      vectors,
      width,
      classes,
      batch(rows, view) {
        const steps = view === 'mean' ? 1 : vectors;
        const x = new Float32Array(rows.length * steps * width);
        const y = new Float32Array(rows.length * classes);
        for (const [i, row] of rows.entries()) {
          const {part, at} = find(row);
          part.values.read(at, bytes);
          putValues(x, i * steps * width, bytes, view === 'mean' ? width : bytes.length);
          eachTarget(row, (c) => (y[i * classes + c] = 1));
        }
        return {
          inputs: {[SERIES_INPUT]: {shape: [rows.length, steps, width], data: x}},
          targets: {shape: [rows.length, classes], data: y},
        };
      },
      members(rows, by) {
        const pairs = {rows: growingInts(), classOf: growingInts()};
        for (const [place, row] of rows.entries()) {
          eachTarget(row, (c) => {
            pairs.rows.push(by === 'row' ? row : place);
            pairs.classOf.push(c);
          });
        }
        return membersOf(pairs.rows.values(), pairs.classOf.values(), classes);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Sizes {
  readonly vectors: number;
  readonly width: number;
  readonly classes: number;
}

function checkPart(values: NpyRows, labels: NpyRows, {vectors, width, classes}: Sizes, name: string): void {
  const {shape} = values;
  if (shape.length !== 3 || values.width === 0 || shape[1] !== vectors || shape[2] !== width) {
    throw new StageError(
      `features ${name} have shape (${shape.join(', ')}); (rows, ${vectors || 'vectors'}, ${width || 'values'}) is needed`,
    );
  }
  const bytes = multiHotBytes(classes);
  if (labels.shape.length !== 2 || labels.width !== bytes) {
    throw new StageError(
      `targets ${name} have shape (${labels.shape.join(', ')}); (rows, ${bytes}) is needed for ${classes} classes`,
    );
  }
  if (labels.shape[0] !== shape[0]) {
    throw new StageError(`features ${name} have ${shape[0]} rows, and the targets have ${labels.shape[0]}`);
  }
}

const UNIT = dequantizationTable('unit');

/** Fills `size` values from `start` on with the bytes' values, each the mean of those that are `size` apart. */
function putValues(x: Float32Array, start: number, bytes: Uint8Array, size: number): void {
  const part = size / bytes.length;
  for (let i = 0; i < size; i++) {
    let sum = 0;
    for (let k = i; k < bytes.length; k += size) sum += UNIT[bytes[k] as number] as number;
    x[start + i] = part * sum;
  }
}

/** A list of whole numbers that takes four bytes for each, and up to twice that while it grows. */
function growingInts(): {push(value: number): void; values(): Int32Array} {
  let data = new Int32Array(1024);
  let length = 0;
  return {
    push(value) {
      if (length === data.length) {
        const longer = new Int32Array(2 * length);
        longer.set(data);
        data = longer;
      }
      data[length++] = value;
    },
    values: () => data.subarray(0, length),
  };
}
