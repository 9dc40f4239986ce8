import {StageError, type InputTree} from 'mixdown/stage';
import {readNpy, type NpyArray} from './npy.ts';

/** Vectors of one clip, shape (n, width). */
export type ReadVectors = (key: string) => NpyArray;

/**
 * Reads the array of a clip from a collection that holds one .npy per clip. Throws StageError when the clip has no array
 * or its array is not of shape (n, width); the first array read decides the width.
 */
export function vectorReader(tree: InputTree, collection: string): ReadVectors {
  const files = new Map(tree.entries.map(({key, file}) => [key, file]));
  let width: number | undefined;
  return (key) => {
    const file = files.get(key);
    if (file === undefined) throw new StageError(`${collection} have no entry for clip \`${key}\` of the folds table`);
    const array = readNpy(file, `the array of clip ${key}`);
    width ??= array.shape[1];
    if (array.shape.length !== 2 || array.shape[1] !== width) {
      throw new StageError(`the array of clip ${key} has shape [${array.shape.join(', ')}]; [n, ${width}] is expected`);
    }
    return array;
  };
}
