import {constants} from 'node:fs';
import {chmod, copyFile, link, stat, symlink, utimes} from 'node:fs/promises';
import {basename, dirname} from 'node:path';
import {isSha256} from '../core/digest.ts';

/** Puts a file's bytes at another path, on the same disk or not. */
export type Place = (from: string, to: string, executable: boolean) => Promise<void>;

/** A linked blob could be changed in place by the command; below this size, in bytes, a copy is cheap enough. */
const linkFrom = 1024 * 1024;

/** A source from this size on, in bytes, is linked where it cannot be cloned. */
const symlinkFrom = 64 * 1024 * 1024;

/** Modification time of placed copies, in seconds since the epoch: archives made of inputs come out equal. */
const placedAt = 978_307_200;

/**
 * Cheapest safe way for each file: a clone where the file system has them; else a copy, for large blobs of the store a
 * hard link, for large sources a symbolic link.
 */
export function createPlace(): Place {
  let canClone = true;

  const clone = async (from: string, to: string): Promise<boolean> => {
    if (!canClone) return false;
    try {
      await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOSPC') throw error;
      // Across disks nothing is learnt about the file system.
      if (code !== 'EXDEV') canClone = false;
      return false;
    }
  };
  return async (from, to, executable) => {
    const {size} = await stat(from);
    if (!(await clone(from, to))) {
      const blob = isBlob(from);
      // A mode belongs to all links of a file, so what must be executable is never linked.
      if (blob && size >= linkFrom && !executable && (await linked(from, to))) return;
      if (!blob && size >= symlinkFrom) {
        await symlink(from, to);
        return;
      }
      await copyFile(from, to);
    }
    if (executable) await chmod(to, 0o755);
    await utimes(to, placedAt, placedAt);
  };
}

/** True for a blob of the store: named by its hash, in a folder named by the hash's first digits. */
function isBlob(path: string): boolean {
  const name = basename(path);
  return isSha256(name) && basename(dirname(path)) === name.slice(0, 2);
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    // Another disk, or a file system without links, or too many of them.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    return false;
  }
}
