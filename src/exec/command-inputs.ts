import {mkdir} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {isSha256} from '../core/digest.ts';
import type {JobInput} from '../core/ports.ts';
import {entryPath, InputError, leavesFolder, readTree} from './input-tree.ts';
import type {Place} from './place-input.ts';

/** Files placed at a time. */
const placers = 16;

interface Placement {
  readonly from: string;
  readonly to: string;
  readonly executable: boolean;
}

/**
 * Lays a command's inputs into its working folder under the names of their ports: a file as a file, a tree as a folder,
 * a list as a folder with `000-NAME`, `001-NAME`, ... in order. Stops half-way when the signal aborts.
 *
 * @throws InputError and errors of the file system.
 */
export async function placeInputs(
  inputs: Readonly<Record<string, JobInput>>,
  work: string,
  place: Place,
  signal: AbortSignal,
): Promise<void> {
  const placements: Placement[] = [];
  const folders = new Set([work]);
  for (const [port, input] of Object.entries(inputs)) {
    if (leavesFolder(port)) throw new InputError(`an input's name cannot be a path outside the work folder: ${port}`);
    expand(input, join(work, port), placements, folders);
  }
  for (const {to} of placements) folders.add(dirname(to));
  for (const folder of folders) await mkdir(folder, {recursive: true});
  const queue = placements.values();
  const worker = async (): Promise<void> => {
    for (const {from, to, executable} of queue) {
      if (signal.aborted) return;
      await place(from, to, executable);
    }
  };
  await Promise.all(Array.from({length: placers}, worker));
}

function expand(input: JobInput, to: string, placements: Placement[], folders: Set<string>): void {
  switch (input.kind) {
    case 'file':
      placements.push({from: input.path, to, executable: false});
      return;
    case 'tree':
      folders.add(to);
      for (const {path, digest, executable} of readTree(input)) {
        placements.push({
          from: entryPath(input, path, digest.hash),
          to: join(to, path),
          executable: executable === true,
        });
      }
      return;
    case 'many': {
      folders.add(to);
      const width = Math.max(3, String(input.items.length - 1).length);
      input.items.forEach((item, index) => {
        const number = String(index).padStart(width, '0');
        expand(item, join(to, `${number}${itemName(item)}`), placements, folders);
      });
      return;
    }
  }
}

/** `-NAME` of a list's item, so that people and programs see what it is; nothing when only a hash is known. */
function itemName(item: JobInput): string {
  if (item.kind === 'many') return '';
  const name = basename(item.name ?? (item.kind === 'file' ? item.path : ''));
  return name === '' || isSha256(name) ? '' : `-${name}`;
}
