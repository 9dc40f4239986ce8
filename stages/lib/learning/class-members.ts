import {StageError} from 'mixdown/stage';
import {eachClass} from '../audioset/multi-hot.ts';
import {openNpyRows} from '../formats/npy-rows.ts';

/** The examples of each class. An example with several classes is a member of each. */
export interface ClassMembers {
  /** Classes, with or without members. */
  readonly classes: number;
  /** The rows of the members, class after class. */
  readonly rows: Int32Array;
  /** Members of class c: `rows` from starts[c] to starts[c + 1]; classes + 1 values. */
  readonly starts: Int32Array;
}

/**
 * Groups pairs of a row and a class, in their order within a class. `classes` 0 means up to the highest that occurs.
 * Throws StageError for a class beyond.
 */
export function membersOf(rows: Int32Array, classOf: Int32Array, classes: number): ClassMembers {
  return group(classes, (visit) => {
    for (const [i, row] of rows.entries()) visit(row, classOf[i] as number);
  });
}

/**
 * Groups the rows of bit-packed targets, uint8 (rows, bytes) as in lib/multi-hot.ts. Memory: the members and a MiB.
 * `name` stands for the file in messages.
 */
export function membersOfTargets(path: string, classes: number, name: string): ClassMembers {
  const targets = openNpyRows(path, name);
  try {
    const {shape, width} = targets;
    const [count = 0] = shape;
    if (shape.length !== 2 || width === 0) {
      throw new StageError(`${name} has shape (${shape.join(', ')}); (rows, bytes) is needed`);
    }
    const block = new Uint8Array(Math.max(1, Math.floor(BLOCK_BYTES / width)) * width);
    return group(classes, (visit) => {
      for (let first = 0; first < count; first += block.length / width) {
        const part = block.subarray(0, (count - first) * width);
        targets.read(first, part);
        for (let i = 0; i < part.length; i += width) {
          const row = first + i / width;
          eachClass(part.subarray(i, i + width), (classIndex) => visit(row, classIndex));
        }
      }
    });
  } finally {
    targets.close();
  }
}

/** The classes that have members, rising. */
export function classesWithMembers({classes, starts}: ClassMembers): readonly number[] {
  return Array.from({length: classes}, (_, c) => c).filter((c) => (starts[c] as number) < (starts[c + 1] as number));
}

const BLOCK_BYTES = 2 ** 20;

/** Goes through the pairs twice: to count, and to fill. */
function group(wanted: number, eachPair: (visit: (row: number, classIndex: number) => void) => void): ClassMembers {
  const counts: number[] = [];
  eachPair((row, c) => {
    if (wanted > 0 && c >= wanted) throw new StageError(`row ${row} has class ${c}, and there are ${wanted} classes`);
    counts[c] = (counts[c] ?? 0) + 1;
  });
  const classes = wanted || counts.length;
  const starts = new Int32Array(classes + 1);
  for (let c = 0; c < classes; c++) starts[c + 1] = (starts[c] as number) + (counts[c] ?? 0);
  const rows = new Int32Array(starts[classes] as number);
  const next = starts.slice();
  eachPair((row, c) => {
    const place = next[c] as number;
    rows[place] = row;
    next[c] = place + 1;
  });
  return {classes, rows, starts};
}
