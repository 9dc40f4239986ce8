import {accessSync, constants, lstatSync, readFileSync, renameSync, rmSync, statSync, type Stats} from 'node:fs';
import {copyFile, readFile, rm} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import pLimit from 'p-limit';
import {digestOf, type Digest, type Sha256} from '../core/digest.ts';
import {failure, FailureError} from '../core/failure.ts';
import type {Cas} from '../core/ports.ts';
import {makeTree, type TreeEntry} from '../core/tree.ts';
import {withFolder, writeNew, type TempNames} from './atomic-file.ts';
import {hashFile, hashFileSync} from './hash-file.ts';
import {asFailureError, errorCode, isMissing, type Warn} from './io-failure.ts';
import {blobPath} from './layout.ts';
import type {Quarantine} from './quarantine.ts';
import {isSealed, seal, touchBlob, touchEveryMs} from './seal.ts';
import type {Session} from './session.ts';
import {unreadable, walkFolder} from './walk.ts';

export interface CasParts {
  readonly dir: string;
  readonly temps: TempNames;
  readonly session: Session;
  readonly quarantine: Quarantine;
  readonly warn: Warn;
}

/** Blobs up to this size are read in this thread. */
const smallBytes = 1 << 20;

/**
 * The content store on the file system.
 *
 * Blobs are not flushed to the disk one by one: that would cost more than many stages. After a power failure a blob may
 * therefore be in place with less content than it had. `holds` compares the size, which file systems record no earlier than
 * the data, so such a blob is found when it is needed and made again; `read` and `mixdown verify` compare the content.
 * A blob of full size with wrong bytes in it, which only mounts that give up ordering can leave, is found by `verify`.
 *
 * All writes throw `FailureError` (`disk-full`, `cache-unwritable`, `output-unreadable`) and leave nothing half-written.
 */
export function createCas({dir, temps, session, quarantine, warn}: CasParts): Cas {
  const limit = pLimit(availableParallelism());
  const pathOfHash = (hash: Sha256): string => blobPath(dir, hash);

  /** The blob's stat when it is there and whole; repairs or quarantines it when its seal is broken. */
  const examine = (digest: Digest): Stats | undefined => {
    const path = pathOfHash(digest.hash);
    let stat: Stats | undefined;
    try {
      stat = statSync(path, {throwIfNoEntry: false});
      if (stat === undefined) return undefined;
      if (isSealed(stat) && stat.size === digest.size) return stat;
      const actual = hashFileSync(path, stat.size);
      if (actual.hash === digest.hash) {
        // Copied without its times, or restored from a backup. A wrong size then is the caller's, not the blob's.
        tryQuietly(() => seal(path, Date.now()));
        return actual.size === digest.size ? stat : undefined;
      }
      quarantine.put(path, digest.hash, damaged(digest.hash));
    } catch (error) {
      if (isMissing(error)) return undefined;
      // A folder in its place, or unreadable: out of the way with it, so that a good one can take its place.
      if (stat?.isDirectory()) quarantine.put(path, digest.hash, damaged(digest.hash));
      else warn(failure('blob-corrupt', `Blob ${digest.hash} cannot be read: ${(error as Error).message}`));
    }
    return undefined;
  };
  const use = (digest: Digest): Stats | undefined => {
    const stat = examine(digest);
    if (stat === undefined) return undefined;
    session.tryAnnounce();
    const now = Date.now();
    if (now - stat.atimeMs < touchEveryMs) return stat;
    try {
      touchBlob(pathOfHash(digest.hash), now);
    } catch (error) {
      if (isMissing(error)) return undefined;
    }
    return stat;
  };
  /** True when the blob is there and was marked as used now, so that gc leaves it to whoever refers to it next. */
  const keepExisting = (digest: Digest): boolean => {
    if (examine(digest) === undefined) return false;
    try {
      touchBlob(pathOfHash(digest.hash), Date.now());
      return true;
    } catch {
      return false;
    }
  };
  /** Moves a sealed temporary file into place, unless the blob is there already. */
  const place = async (temp: string, digest: Digest): Promise<void> => {
    const target = pathOfHash(digest.hash);
    // Not in this thread: a disk that is told of every deletion takes milliseconds for it.
    if (keepExisting(digest)) await rm(temp, {force: true});
    else withFolder(target, () => renameSync(temp, target));
  };

  const putBytes = async (bytes: Uint8Array | string): Promise<Digest> => {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    const digest = digestOf(data);
    session.tryAnnounce();
    if (keepExisting(digest)) return digest;
    const temp = temps.next();
    try {
      withFolder(temp, () => writeNew(temp, data));
      seal(temp, Date.now());
      await place(temp, digest);
      return digest;
    } catch (error) {
      rmSync(temp, {force: true});
      throw asFailureError(error, `a blob of ${data.byteLength} bytes to ${dir}`);
    }
  };

  /** Copies first and hashes the copy: a file that is edited meanwhile cannot get in under the wrong digest. */
  const copyIn = async (path: string): Promise<Digest> => {
    readableFile(path);
    const temp = temps.next();
    try {
      try {
        await copyFile(path, temp, constants.COPYFILE_FICLONE);
      } catch (error) {
        if (!isMissing(error)) throw error;
        readableFile(path);
        withFolder(temp, () => writeNew(temp, ''));
        await copyFile(path, temp, constants.COPYFILE_FICLONE);
      }
      seal(temp, Date.now());
      const digest = await hashFile(temp, statSync(temp).size);
      await place(temp, digest);
      return digest;
    } catch (error) {
      rmSync(temp, {force: true});
      throw asFailureError(error, `a copy of ${path} to ${dir}`);
    }
  };

  /** Undefined when the file cannot be given away: it is linked elsewhere, or on another file system, or not ours. */
  const moveIn = async (path: string, known: Digest | undefined): Promise<Digest | undefined> => {
    let before = statOf(path);
    // A second hard link would stay writable under its other name, and sealing would reach through to it.
    if (!before.isFile() || before.nlink > 1) return undefined;
    for (let attempt = 0; attempt < 3; attempt++) {
      let digest: Digest;
      try {
        digest = known ?? (await hashFile(path, before.size));
      } catch (error) {
        throw new FailureError(unreadable('output-unreadable', path, error), error);
      }
      const after = statOf(path);
      if (after.mtimeMs === before.mtimeMs && after.ctimeMs === before.ctimeMs && after.size === digest.size) {
        try {
          seal(path, Date.now());
          await place(path, digest);
          return digest;
        } catch (error) {
          const code = errorCode(error);
          if (code === 'EXDEV' || code === 'EPERM') return undefined;
          throw asFailureError(error, `${path} to ${dir}`);
        }
      }
      before = after;
    }
    throw new FailureError(
      failure('output-unreadable', `${path} keeps changing while it is stored`, {
        hint: 'A process that the stage started may still write to it; the stage must wait for it.',
      }),
    );
  };

  const putFile = async (path: string, how: 'move' | 'copy', known?: Digest): Promise<Digest> => {
    session.tryAnnounce();
    if (how === 'copy') return copyIn(path);
    const moved = await moveIn(path, known);
    if (moved !== undefined) return moved;
    const copied = await copyIn(path);
    rmSync(path, {force: true});
    return copied;
  };

  return {
    dir,
    holds: (digest) => use(digest) !== undefined,
    pathOf: (digest) => pathOfHash(digest.hash),
    putBytes,
    putFile,
    async putTree(folder) {
      const files: {path: string; file: string; linked: boolean; executable: boolean}[] = [];
      const [problem] = walkFolder(folder, {
        code: 'output-unreadable',
        enter: () => true,
        accept: () => true,
        onFile({path, file, linked, stat}) {
          files.push({path, file, linked, executable: (stat.mode & 0o111) !== 0});
        },
      });
      if (problem !== undefined) throw new FailureError(problem);
      const put = async ({path, file, linked, executable}: (typeof files)[number]): Promise<TreeEntry> => {
        const digest = await putFile(file, linked ? 'copy' : 'move');
        return {path, digest, ...(executable ? {executable} : {})};
      };
      // What links lead to may be another file of the same folder: copy it before it is moved away.
      const linked = await Promise.all(files.filter((file) => file.linked).map((file) => limit(put, file)));
      const own = await Promise.all(files.filter((file) => !file.linked).map((file) => limit(put, file)));
      const {artifact, text} = makeTree([...linked, ...own]);
      await putBytes(text);
      return artifact;
    },
    async read(digest) {
      const stat = use(digest);
      if (stat === undefined) return undefined;
      const path = pathOfHash(digest.hash);
      try {
        const bytes = digest.size <= smallBytes ? readFileSync(path) : await readFile(path);
        if (digestOf(bytes).hash === digest.hash) return bytes;
        quarantine.put(path, digest.hash, damaged(digest.hash));
      } catch (error) {
        if (!isMissing(error))
          warn(failure('blob-corrupt', `Blob ${digest.hash} cannot be read: ${(error as Error).message}`));
      }
      return undefined;
    },
  };
}

/** How a blob with the wrong content is reported. */
export function damaged(hash: Sha256): {readonly code: 'blob-corrupt'; readonly what: string} {
  return {code: 'blob-corrupt', what: `Blob ${hash} is damaged: its content has another hash`};
}

/** @throws FailureError when the path is no readable file */
function readableFile(path: string): void {
  try {
    if (statSync(path).isFile()) accessSync(path, constants.R_OK);
    else throw new FailureError(failure('output-unreadable', `${path} is not a file`));
  } catch (error) {
    if (error instanceof FailureError) throw error;
    throw new FailureError(unreadable('output-unreadable', path, error), error);
  }
}

function statOf(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    throw new FailureError(unreadable('output-unreadable', path, error), error);
  }
}

function tryQuietly(action: () => void): void {
  try {
    action();
  } catch {
    // A store that cannot be written to: the blob is hashed again next time.
  }
}
