import {writeFileSync} from 'node:fs';
import {digestOf} from '../../core/digest.ts';
import type {JobInput} from '../../core/ports.ts';
import {makeTree} from '../../core/tree.ts';

/** A file below a folder. */
export interface FolderFile {
  /** Relative, forward slashes. */
  readonly path: string;
  readonly bytes: number;
}

/**
 * Files of a folder outside the store as an input of a job that nobody keeps. Their digests in the list at `manifest` are not
 * theirs: no key is made of them, and reading gigabytes to have them would serve nothing.
 */
export function folderInput(folder: string, files: readonly FolderFile[], manifest: string): JobInput {
  const {hash} = digestOf('');
  const {text} = makeTree(files.map(({path, bytes}) => ({path, digest: {hash, size: bytes}})));
  writeFileSync(manifest, text);
  return {kind: 'tree', manifest, base: {in: 'folder', path: folder}};
}
