import {StageError, type InputTree} from 'mixdown/stage';
import {readNpy, type NpyArray} from '../formats/npy.ts';

/** Vectors of one clip, shape (n, width). */
export type ReadVectors = (key: string) => NpyArray<Uint8Array | Float32Array>;

/**
 * Reads the array of a clip from collections that hold one .npy per clip, each clip in one of them. Throws StageError when
 * two have the same clip; and on reading, when the clip has no array, when its array is not of shape (n, width) and of the
 * type of the first one read, uint8 or float32, or when it holds what is not a finite number.
 */
export function vectorReader(trees: readonly InputTree[], collection: string): ReadVectors {
  const files = new Map<string, string>();
  for (const {key, file} of trees.flatMap((tree) => tree.entries)) {
    if (files.has(key)) throw new StageError(`${collection} have two entries for clip \`${key}\``);
    files.set(key, file);
  }
  let first: {readonly width: number; readonly type: string} | undefined;
  return (key) => {
    const file = files.get(key);
    if (file === undefined) throw new StageError(`${collection} have no entry for clip \`${key}\` of the folds table`);
    const {shape, data} = readNpy(file, `the array of clip ${key}`);
    if (!(data instanceof Uint8Array || data instanceof Float32Array)) {
      throw new StageError(`the array of clip ${key} is neither uint8 nor float32`);
    }
    const type = data instanceof Uint8Array ? 'uint8' : 'float32';
    const [count, width] = shape;
    first ??= {width: width ?? 0, type};
    if (count === undefined || shape.length !== 2 || width !== first.width) {
      throw new StageError(`the array of clip ${key} has shape [${shape.join(', ')}]; [n, ${first.width}] is expected`);
    }
    if (type !== first.type)
      throw new StageError(`the array of clip ${key} is ${type}, those before are ${first.type}`);
    if (!data.every(Number.isFinite))
      throw new StageError(`the array of clip ${key} holds what is not a finite number`);
    return {shape, data};
  };
}
