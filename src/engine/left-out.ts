import type {Graph} from '../core/graph.ts';
import type {ArtifactRef} from '../core/pipeline.ts';
import {itemKey} from '../core/slice.ts';
import {loadCollection, type BlobPorts} from './presence.ts';
import type {Artifacts} from './resolve.ts';

/** Keys of a collection; undefined when its blob is gone. */
type Keys = ReadonlySet<string> | undefined;

/**
 * Tells of a key that a collection lacks whether its item was left out on the way: a node that made the collection, or
 * one before it, had the item to work on. An item that was never there is not left out but missing, and so is a file
 * that a slice did not put into its tree. What can no longer be told counts as left out.
 *
 * @returns a function that remembers what it has read; a collection is read only when something is lacking
 */
export function leftOutBefore(
  graph: Graph,
  artifacts: Artifacts,
  ports: BlobPorts,
): (key: string, collection: ArtifactRef) => Promise<boolean> {
  const read = new Map<ArtifactRef, Keys>();
  const keysOf = async (collection: ArtifactRef): Promise<Keys> => {
    if (read.has(collection)) return read.get(collection);
    const tree = await loadCollection(collection, artifacts, ports);
    const keys = tree && new Set(tree.entries.map(({path}) => itemKey(path)));
    read.set(collection, keys);
    return keys;
  };
  return async (key, collection) => {
    let keys: readonly string[] = [key];
    let ref = collection;
    while (ref.from === 'node') {
      const producer = graph.nodes[graph.indexOf.get(ref.node) ?? -1];
      if (!producer?.each) return false;
      const [leading, ...others] = producer.each;
      const had = await keysOf(leading.collection);
      if (!had) return true;
      if (producer.outputs[ref.output]?.kind === 'file') {
        if (keys.some((each) => had.has(each))) return true;
      } else {
        // The item is one of the folders; with its slice done, that its tree lacks a file is the slice's own doing.
        keys = keys.flatMap(foldersOf);
        for (const other of others) {
          const partners = await keysOf(other.collection);
          if (!partners || keys.some((each) => had.has(each) && !partners.has(each))) return true;
        }
      }
      ref = leading.collection;
    }
    return false;
  };
}

/** `a/b/c` -> `a/b`, `a`. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.push(path.slice(0, at));
  return folders;
}
