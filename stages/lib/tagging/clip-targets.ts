import {StageError} from 'mixdown/stage';
import {eachClass, multiHotBytes} from '../audioset/multi-hot.ts';
import {openNpyRows, type NpyRows} from '../formats/npy-rows.ts';
import {membersOf, type ClassMembers} from '../learning/class-members.ts';

/** Classes of clips, of one or more files that are counted through. They stay on the disk. */
export interface ClipTargets {
  /** Clips of all files, and of each. */
  readonly count: number;
  readonly counts: readonly number[];
  /** Calls back with each class of a row, in rising order. */
  each(row: number, visit: (classIndex: number) => void): void;
  /** Clips of each class among the rows given, by their row or by their place among these. */
  members(rows: Int32Array, by: 'row' | 'place'): ClassMembers;
  close(): void;
}

/**
 * Opens uint8 .npy (rows, bytes), a bit a class as in lib/audioset/multi-hot.ts; it must be closed. `name` stands for the clips in
 * messages. Throws StageError when an array is not for that number of classes, and later for a bit beyond the last class.
 */
export function openClipTargets(paths: readonly string[], classes: number, name: string): ClipTargets {
  const files: NpyRows[] = [];
  const close = (): void => files.forEach((file) => file.close());
  try {
    const bytes = multiHotBytes(classes);
    for (const [i, path] of paths.entries()) {
      const what = `targets ${i + 1} of ${name}`;
      const file = openNpyRows(path, what);
      files.push(file);
      if (file.shape.length === 2 && file.width === bytes) continue;
      throw new StageError(
        `${what} have shape (${file.shape.join(', ')}); (rows, ${bytes}) is needed for ${classes} classes`,
      );
    }
    const counts = files.map(({shape}) => shape[0] as number);
    const starts = startsOf(counts);
    const bits = new Uint8Array(bytes);
    const each: ClipTargets['each'] = (row, visit) => {
      const {part, at} = placeOf(row, starts);
      (files[part] as NpyRows).read(at, bits);
      eachClass(bits, (c) => {
        if (c < classes) return visit(c);
        throw new StageError(`row ${row} of ${name} has class ${c}, and there are ${classes} classes`);
      });
    };
    return {
      count: starts.at(-1) as number,
      counts,
      each,
      members(rows, by) {
        const pairs = {rows: growingInts(), classOf: growingInts()};
        for (const [place, row] of rows.entries()) {
          each(row, (c) => {
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

/** The first row of each file among all, and after the last. */
export function startsOf(counts: readonly number[]): readonly number[] {
  let sum = 0;
  return [0, ...counts.map((count) => (sum += count))];
}

/** The file that has a row, and which of its rows it is. */
export function placeOf(row: number, starts: readonly number[]): {readonly part: number; readonly at: number} {
  const part = starts.findLastIndex((start) => start <= row);
  return {part, at: row - (starts[part] as number)};
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
