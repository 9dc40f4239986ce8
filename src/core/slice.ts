import type {Digest} from './digest.ts';
import type {OutputPort} from './stage.ts';
import {makeTree, type Artifact, type Tree, type TreeEntry} from './tree.ts';

/** Path without its last extension: `Bark/a.wav` -> `Bark/a`. Joins the same item over several nodes. */
export function itemKey(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}

/** Where a slice's output lies in the node's tree: the item's key with the extension of the declared file name. */
export function slicePath(key: string, port: OutputPort): string {
  const dot = port.name.lastIndexOf('.');
  return dot > 0 ? key + port.name.slice(dot) : key;
}

/** A tree made of the slices' files, one for each declared output, in item order. */
export function assembleSlices(
  outputs: Readonly<Record<string, OutputPort>>,
  slices: readonly {readonly key: string; readonly outputs: Readonly<Record<string, Digest>>}[],
): Readonly<Record<string, {readonly artifact: Artifact; readonly tree: Tree; readonly text: string}>> {
  const trees: Record<string, ReturnType<typeof makeTree>> = {};
  for (const [name, port] of Object.entries(outputs)) {
    const entries: TreeEntry[] = [];
    for (const slice of slices) {
      const digest = slice.outputs[name];
      if (!digest) throw new Error(`slice ${slice.key} has no output ${name}`);
      entries.push({path: slicePath(slice.key, port), digest});
    }
    trees[name] = makeTree(entries);
  }
  return trees;
}
