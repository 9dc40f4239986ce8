import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {JobInput} from '../core/ports.ts';
import {parseTree, type TreeEntry} from '../core/tree.ts';
import type {InputTree, TreeFile} from '../stage-api.ts';

export type TreeInput = Extract<JobInput, {kind: 'tree'}>;

/** An input that cannot be read: damage of the store, not the stage's fault. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The tree as a stage sees it. The manifest is read when the stage first looks. */
export function openTree(input: TreeInput): InputTree {
  let entries: readonly TreeFile[] | undefined;
  let byPath: Map<string, string> | undefined;
  return {
    get entries() {
      return (entries ??= readTree(input).map(({path, digest}) => ({
        path,
        key: withoutExtension(path),
        file: entryPath(input, path, digest.hash),
        size: digest.size,
      })));
    },
    file(path) {
      byPath ??= new Map(this.entries.map((entry) => [entry.path, entry.file]));
      const file = byPath.get(path);
      if (file === undefined) throw new Error(`the input folder has no entry ${JSON.stringify(path)}`);
      return file;
    },
  };
}

/**
 * Entries of a tree's manifest.
 *
 * @throws InputError when the manifest is missing, damaged, or has a path that leaves its folder.
 */
export function readTree(input: TreeInput): readonly TreeEntry[] {
  let text: string;
  try {
    text = readFileSync(input.manifest, 'utf8');
  } catch (error) {
    throw new InputError(`the list of an input folder cannot be read: ${(error as Error).message}`, {cause: error});
  }
  const tree = parseTree(text);
  if (!tree) throw new InputError(`the list of an input folder is damaged: ${input.manifest}`);
  const outside = tree.entries.find(({path}) => leavesFolder(path));
  if (outside) throw new InputError(`an input folder has an entry outside itself: ${JSON.stringify(outside.path)}`);
  return tree.entries;
}

/** Absolute path of an entry's bytes. */
export function entryPath({base}: TreeInput, path: string, hash: string): string {
  return base.in === 'folder' ? join(base.path, path) : join(base.path, hash.slice(0, 2), hash);
}

/** True for a relative path with an empty, `.` or `..` part, and for an absolute one. */
export function leavesFolder(path: string): boolean {
  return path.split('/').some((part) => part === '' || part === '.' || part === '..');
}

function withoutExtension(path: string): string {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') + 1 ? path.slice(0, dot) : path;
}
