import {constants} from 'node:buffer';
import type {ActionResult, SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {Cas} from '../core/ports.ts';
import {parseSlices} from '../core/slice-manifest.ts';
import {parseTree} from '../core/tree.ts';

/** The blobs that a result is made of. */
export interface Contents {
  /** Without these it is worth nothing: outputs, files of trees, the list of slices. */
  readonly needed: readonly Digest[];
  /** These explain it: its log, the manifest of its code. Their sizes need not be known. */
  readonly helpful: readonly Sha256[];
}

export interface Reading {
  readonly cas: Cas;
  /** Brings a tree or list of slices here that lies elsewhere. */
  readonly bring: (digests: readonly Digest[]) => Promise<void>;
}

/** Lists of files and slices are read as one text: others may say that one is longer than any can be. */
export function isReadable({size}: Digest): boolean {
  return size <= constants.MAX_STRING_LENGTH;
}

/** Undefined when a tree or the list of slices cannot be had: what it names is not known then. */
export async function contentsOf(result: ActionResult, reading: Reading): Promise<Contents | undefined> {
  const needed = new Map<Sha256, Digest>();
  const add = (digest: Digest): void => void needed.set(digest.hash, digest);
  const trees: Digest[] = [];
  for (const {kind, digest} of Object.values(result.outputs)) {
    add(digest);
    if (kind === 'tree') trees.push(digest);
  }
  if (result.slices) {
    add(result.slices);
    const slices = await readSlices(result.slices, reading);
    if (slices === undefined) return undefined;
    for (const {outputs} of slices) {
      for (const [name, digest] of Object.entries(outputs)) {
        if (!needed.has(digest.hash) && result.action.outputs[name]?.kind === 'tree') trees.push(digest);
        add(digest);
      }
    }
  }
  if (!trees.every(isReadable)) return undefined;
  await reading.bring(trees);
  for (const digest of trees) {
    const text = await reading.cas.read(digest);
    const tree = text && parseTree(new TextDecoder().decode(text));
    if (!tree) return undefined;
    for (const entry of tree.entries) add(entry.digest);
  }
  const {log} = result.execution;
  return {needed: [...needed.values()], helpful: [result.action.code, ...(log ? [log.hash] : [])]};
}

export async function readSlices(digest: Digest, reading: Reading): Promise<readonly SliceRecord[] | undefined> {
  if (!isReadable(digest)) return undefined;
  await reading.bring([digest]);
  const text = await reading.cas.read(digest);
  return text && parseSlices(new TextDecoder().decode(text))?.slices;
}
