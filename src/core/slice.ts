import type {Digest} from './digest.ts';
import {err, ok, type Result} from './result.ts';
import type {OutputPort} from './stage.ts';
import {makeTree, type Artifact, type Tree, type TreeEntry} from './tree.ts';

/** What is put together of a node's slices: key of the item, and the digest of each output that was made. */
export interface SlicePart {
  readonly key: string;
  readonly outputs: Readonly<Record<string, Digest>>;
}

/** Two files of one output that cannot lie in one tree: they have one path, or one lies where the other needs a folder. */
export interface PathClash {
  readonly output: string;
  /** In the order of the tree. */
  readonly paths: readonly [string, string];
  /** Keys of the slices that made them. */
  readonly keys: readonly [string, string];
}

export interface AssembledTree {
  readonly artifact: Artifact;
  readonly tree: Tree;
  readonly text: string;
}

/** Path without its last extension: `Bark/a.wav` -> `Bark/a`. Joins the same item over several nodes. */
export function itemKey(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}

/** Where a slice's file lies in the node's tree: the item's key with the extension of the declared file name. */
export function slicePath(key: string, port: OutputPort): string {
  const dot = port.name.lastIndexOf('.');
  return dot > 0 ? key + port.name.slice(dot) : key;
}

/**
 * One tree for each declared output, made of what the slices made: a file lies at `slicePath`, a tree's files lie below
 * the item's key. A slice that left an optional output unwritten is absent from that tree.
 *
 * @param treeOf - the tree that a slice made, by its digest
 * @throws Error when a slice lacks an output that is not optional
 */
export function assembleSlices(
  outputs: Readonly<Record<string, OutputPort>>,
  slices: readonly SlicePart[],
  treeOf: (digest: Digest) => Tree,
): Result<Readonly<Record<string, AssembledTree>>, PathClash> {
  const trees: Record<string, AssembledTree> = {};
  for (const [name, port] of Object.entries(outputs)) {
    const entries: TreeEntry[] = [];
    for (const slice of slices) for (const entry of entriesOf(slice, name, port, treeOf)) entries.push(entry);
    const made = makeTree(entries);
    const paths = clashOf(made.tree);
    if (paths) return err({output: name, paths, keys: ownersOf(paths, name, port, slices, treeOf)});
    trees[name] = made;
  }
  return ok(trees);
}

function entriesOf(
  {key, outputs}: SlicePart,
  name: string,
  port: OutputPort,
  treeOf: (digest: Digest) => Tree,
): readonly TreeEntry[] {
  const digest = outputs[name];
  if (!digest) {
    if (port.optional) return [];
    throw new Error(`slice ${key} has no output ${name}`);
  }
  if (port.kind === 'file') return [{path: slicePath(key, port), digest}];
  return treeOf(digest).entries.map((entry) => ({...entry, path: `${key}/${entry.path}`}));
}

/** The first two paths of a sorted tree that are equal, or of which one is a folder on the way to the other. */
function clashOf({entries}: Tree): readonly [string, string] | undefined {
  const files = new Set<string>();
  for (const {path} of entries) {
    if (files.has(path)) return [path, path];
    files.add(path);
  }
  let checked = '';
  for (const {path} of entries) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    // Entries of one folder follow each other: each folder is looked at once.
    if (folder === checked) continue;
    checked = folder;
    for (let at = folder; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      if (files.has(at)) return [at, path];
    }
  }
  return undefined;
}

function ownersOf(
  [first, second]: readonly [string, string],
  name: string,
  port: OutputPort,
  slices: readonly SlicePart[],
  treeOf: (digest: Digest) => Tree,
): readonly [string, string] {
  const makers = (path: string): string[] =>
    slices.flatMap((slice) =>
      entriesOf(slice, name, port, treeOf).some((entry) => entry.path === path) ? [slice.key] : [],
    );
  const [a = '', twin = a] = makers(first);
  return [a, first === second ? twin : (makers(second)[0] ?? '')];
}
