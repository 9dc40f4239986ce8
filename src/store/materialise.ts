import {chmodSync, constants, copyFileSync, linkSync, mkdirSync, rmSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {failure} from '../core/failure.ts';
import type {Cas} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {compareUtf8, type Artifact} from '../core/tree.ts';
import {errorCode, writeFailure} from './io-failure.ts';
import {parseSafeTree} from './validate.ts';

/**
 * `shared`: read-only, and costs no space where the file system allows it (clone, else hard link, else copy).
 * `private`: the receiver may write to it (clone, else copy).
 */
export type LinkMode = 'shared' | 'private';

/** How bytes get from one place to another on a given file system. */
export type LinkMethod = 'reflink' | 'hardlink' | 'copy';

/** What may still work from one device to another. */
interface Known {
  reflink: boolean;
  hardlink: boolean;
}

/** Puts blobs where people and programs can use them under a readable name. */
export interface Materialiser {
  /** Makes `to` from the artifact: a file, or a folder with the tree's files. `to` must not exist; parents are made. */
  artifact(artifact: Artifact, to: string, mode: LinkMode): Promise<Result<LinkMethod>>;
  /** Makes the file `to` from any file. Never share a file that somebody may still write to. @throws file system errors */
  file(from: string, to: string, mode: LinkMode, executable?: boolean): LinkMethod;
}

export function createMaterialiser(cas: Cas): Materialiser {
  /** What works from one device to another is tried once: it does not change while a store is open. */
  const methods = new Map<string, Known>();
  const methodsBetween = (fromDevice: number, toDevice: number): Known => {
    const key = `${fromDevice} ${toDevice}`;
    const known = methods.get(key) ?? {reflink: true, hardlink: true};
    methods.set(key, known);
    return known;
  };
  const lay = (from: string, to: string, known: Known, mode: LinkMode, executable = false): LinkMethod => {
    const method = place(from, to, known, mode === 'shared' && !executable);
    const readable = mode === 'shared' ? 0o444 : 0o644;
    // A hard link has the mode of its blob: an executable gets an inode of its own.
    if (method !== 'hardlink') chmodSync(to, executable ? readable | 0o111 : readable);
    return method;
  };
  const file = (from: string, to: string, mode: LinkMode, executable?: boolean): LinkMethod => {
    const toDevice = deviceOfNew(dirname(to));
    return lay(from, to, methodsBetween(statSync(from).dev, toDevice), mode, executable);
  };

  return {
    file,
    async artifact(artifact, to, mode) {
      const {digest} = artifact;
      if (!cas.holds(digest)) return err([missing(digest.hash)]);
      try {
        if (artifact.kind === 'file') return ok(file(cas.pathOf(digest), to, mode));
        const bytes = await cas.read(digest);
        const tree = bytes && parseSafeTree(Buffer.from(bytes).toString('utf8'));
        if (tree === undefined) {
          return err([
            failure(
              'blob-corrupt',
              `Blob ${digest.hash} is no tree, or a path in it leads out of its folder: not used`,
            ),
          ]);
        }
        mkdirSync(to, {recursive: true});
        let method: LinkMethod = 'reflink';
        const store = statSync(cas.dir).dev;
        // Each folder is made and asked once: with a hundred thousand files in it, that is half of the work.
        const folders = new Map<string, Known>();
        const entries = [...tree.entries].sort((a, b) => compareUtf8(a.path, b.path));
        for (const entry of entries) {
          if (!cas.holds(entry.digest)) return err([missing(entry.digest.hash, entry.path)]);
          const target = join(to, entry.path);
          const folder = dirname(target);
          const known = folders.get(folder) ?? methodsBetween(store, deviceOfNew(folder));
          folders.set(folder, known);
          method = lay(cas.pathOf(entry.digest), target, known, mode, entry.executable);
        }
        return ok(method);
      } catch (error) {
        return err([writeFailure(error, to)]);
      }
    },
  };
}

/** Makes the folder and those above it. */
function deviceOfNew(folder: string): number {
  mkdirSync(folder, {recursive: true});
  return statSync(folder).dev;
}

function place(from: string, to: string, known: Known, mayLink: boolean): LinkMethod {
  if (known.reflink) {
    try {
      copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
      return 'reflink';
    } catch (error) {
      if (errorCode(error) === 'EEXIST' || isFull(error)) throw error;
      known.reflink = false;
      rmSync(to, {force: true});
    }
  }
  if (known.hardlink && mayLink) {
    try {
      linkSync(from, to);
      return 'hardlink';
    } catch (error) {
      if (errorCode(error) === 'EEXIST' || isFull(error)) throw error;
      // EMLINK is about this one file; everything else is about the file system.
      if (errorCode(error) !== 'EMLINK') known.hardlink = false;
    }
  }
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL);
    return 'copy';
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') rmSync(to, {force: true});
    throw error;
  }
}

function isFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function missing(hash: string, path?: string): ReturnType<typeof failure> {
  const what = path === undefined ? `Blob ${hash}` : `${path} (blob ${hash})`;
  return failure('blob-missing', `${what} is not in the cache`, {hint: 'Run the pipeline again to make it.'});
}
