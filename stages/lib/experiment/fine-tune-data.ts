import {StageError, type InputTree} from 'mixdown/stage';
import {openPatches} from '../extractors/extract.ts';
import type {Batch} from '../models/trainer.ts';
import type {NamedArray} from '../tensors/named-array.ts';

/** Labelled clips, each of some pieces that all carry its label. */
export interface ClipPieces {
  /** Name and shape of the model's input. */
  readonly input: {readonly name: string; readonly shape: readonly number[]};
  /** Class of each clip. */
  readonly classOf: readonly number[];
  readonly classes: number;
  /** Pieces of each clip, at least one. */
  readonly counts: readonly number[];
  /** The pieces of a clip, one after the other. */
  read(clip: number): Float32Array;
}

/** Finds the patches of clips in collections that hold one .npy a clip. */
export type PatchFiles = (key: string) => string;

/** Throws StageError when two collections have the same clip, and on asking for one that none has. */
export function patchFiles(trees: readonly InputTree[]): PatchFiles {
  const files = new Map<string, string>();
  for (const {key, file} of trees.flatMap((tree) => tree.entries)) {
    if (files.has(key)) throw new StageError(`the patches have two entries for clip \`${key}\``);
    files.set(key, file);
  }
  return (key) => {
    const file = files.get(key);
    if (file === undefined) {
      throw new StageError(
        `the patches have no entry for clip \`${key}\` of the folds table`,
        'give the log-mel patches of the waveforms, and of the copies where the folds table has some',
      );
    }
    return file;
  };
}

/**
 * The patches of clips, which stay on the disk. Throws StageError for a clip without patches, of another shape or, on
 * reading, with what is not a finite number.
 */
export function diskPieces(
  clips: readonly {readonly key: string; readonly classIndex: number}[],
  classes: number,
  fileOf: PatchFiles,
  input: ClipPieces['input'],
): ClipPieces {
  const counts = clips.map(({key}) => {
    const patches = openPatches(fileOf(key));
    patches.close();
    const [count = 0] = patches.shape;
    if (count === 0) throw new StageError(`clip \`${key}\` has no patches`, 'a clip needs at least one');
    return count;
  });
  return {
    input,
    classOf: clips.map(({classIndex}) => classIndex),
    classes,
    counts,
    read(clip) {
      const {key} = clips[clip] as {readonly key: string};
      const patches = openPatches(fileOf(key));
      try {
        const data = new Float32Array((patches.shape[0] ?? 0) * patches.width);
        patches.read(0, data);
        if (!data.every(Number.isFinite)) {
          throw new StageError(`the patches of clip \`${key}\` hold a value that is not a finite number`);
        }
        return data;
      } finally {
        patches.close();
      }
    },
  };
}

/** All pieces of the clips in the order given, cut into batches of at most `rows` pieces, with one-hot targets. */
export function makeBatches(pieces: ClipPieces, clips: readonly number[], rows: number): readonly Batch[] {
  return [...eachBatch(pieces, clips, rows)].map(({inputs, classOf}) => ({
    inputs,
    targets: oneHot(classOf, pieces.classes),
  }));
}

/** Pieces of clips with the place of the clip each is of in the list, and its class. */
export interface PieceBatch {
  readonly inputs: Readonly<Record<string, NamedArray>>;
  readonly clipOf: readonly number[];
  readonly classOf: readonly number[];
}

/** As makeBatches, one batch in memory at a time. */
export function* eachBatch(pieces: ClipPieces, clips: readonly number[], rows: number): Generator<PieceBatch> {
  const {name, shape} = pieces.input;
  const width = shape.reduce((size, axis) => size * axis, 1);
  let data = new Float32Array(rows * width);
  let clipOf: number[] = [];
  const cut = (): PieceBatch => {
    const batch = {
      inputs: {[name]: {shape: [clipOf.length, ...shape], data: data.subarray(0, clipOf.length * width)}},
      clipOf,
      classOf: clipOf.map((place) => pieces.classOf[clips[place] as number] as number),
    };
    data = new Float32Array(rows * width);
    clipOf = [];
    return batch;
  };
  for (const [place, clip] of clips.entries()) {
    const own = pieces.read(clip);
    for (let at = 0; at < own.length; at += width) {
      data.set(own.subarray(at, at + width), clipOf.length * width);
      clipOf.push(place);
      if (clipOf.length === rows) yield cut();
    }
  }
  if (clipOf.length > 0) yield cut();
}

function oneHot(classOf: readonly number[], classes: number): NamedArray {
  const data = new Float32Array(classOf.length * classes);
  for (const [row, classIndex] of classOf.entries()) data[row * classes + classIndex] = 1;
  return {shape: [classOf.length, classes], data};
}
