import {digestOf, isSha256, type Digest} from './digest.ts';
import {canonicalJson, type Json} from './json.ts';

export interface TreeEntry {
  /** Relative path with forward slashes, no `.` or `..` parts. */
  readonly path: string;
  readonly digest: Digest;
  readonly executable?: true;
}

/** A folder's content: entries sorted by the UTF-8 bytes of their path. Its canonical JSON is stored as a blob. */
export interface Tree {
  readonly entries: readonly TreeEntry[];
}

/** What a node produces or a source holds: one file, or a tree known by the digest of its canonical JSON. */
export type Artifact =
  | {readonly kind: 'file'; readonly digest: Digest}
  | {readonly kind: 'tree'; readonly digest: Digest; readonly files: number; readonly bytes: number};

/** Sorts the entries and returns the tree with the artifact that stands for it and its canonical text. */
export function makeTree(entries: readonly TreeEntry[]): {
  tree: Tree;
  artifact: Artifact & {kind: 'tree'};
  text: string;
} {
  const sorted = [...entries].sort((a, b) => compareUtf8(a.path, b.path));
  const tree: Tree = {entries: sorted};
  const text = treeText(tree);
  let bytes = 0;
  for (const entry of sorted) bytes += entry.digest.size;
  return {tree, artifact: {kind: 'tree', digest: digestOf(text), files: sorted.length, bytes}, text};
}

/** Canonical text of a tree: `{"entries":[[path, hash, size, executable?]...],"type":"tree/1"}`. */
export function treeText(tree: Tree): string {
  const rows: Json = tree.entries.map(({path, digest, executable}) =>
    executable ? [path, digest.hash, digest.size, true] : [path, digest.hash, digest.size],
  );
  return canonicalJson({entries: rows, type: 'tree/1'});
}

/** Reads `treeText` back. Returns undefined when the text is not a tree of this version or a path leaves the tree. */
export function parseTree(text: string): Tree | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {type, entries} = value as {type?: unknown; entries?: unknown};
  if (type !== 'tree/1' || !Array.isArray(entries)) return undefined;
  const parsed: TreeEntry[] = [];
  for (const row of entries as readonly unknown[]) {
    const entry = parseRow(row);
    if (entry === undefined) return undefined;
    parsed.push(entry);
  }
  return {entries: parsed};
}

function parseRow(row: unknown): TreeEntry | undefined {
  if (!Array.isArray(row)) return undefined;
  const [path, hash, size, executable, ...rest] = row as readonly unknown[];
  if (typeof path !== 'string' || !isRelative(path)) return undefined;
  if (typeof hash !== 'string' || !isSha256(hash)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
  if (rest.length > 0 || (executable !== undefined && executable !== true)) return undefined;
  return {path, digest: {hash, size}, ...(executable ? {executable} : {})};
}

/** A tree that came from elsewhere must not write outside the folder it is laid out in. */
function isRelative(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** Orders text by its UTF-8 bytes, that is by code point (UTF-16 order differs above U+FFFF). */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
