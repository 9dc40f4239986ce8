import {readdirSync, statSync, type Dirent, type Stats} from 'node:fs';
import {failure, type Failure, type FailureCode} from '../core/failure.ts';
import {byCodeUnit} from '../core/json.ts';
import {errorCode} from './io-failure.ts';

export interface WalkedFile {
  /** Relative to the walked folder, forward slashes. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
  readonly stat: Stats;
  /** Reached through a symbolic link, so the file belongs to somebody else. */
  readonly linked: boolean;
}

export interface WalkOptions {
  /** Code of the failures about single files. */
  readonly code: FailureCode;
  /** Whether to look into a folder. */
  readonly enter: (path: string) => boolean;
  readonly accept: (path: string) => boolean;
  /** Called for each file, nearly in the order of their paths. Keeps a hundred thousand stats out of memory. */
  readonly onFile: (file: WalkedFile) => void;
}

/**
 * Visits the files of a folder with their stat, and returns what is wrong with some of them. Follows symbolic links, but not into a folder it is already inside of.
 * A broken link, a socket, a name that JSON or a line of text cannot hold is a failure when `accept` takes its path.
 * Blocks: one stat a file is several times faster this way than through the thread pool.
 */
export function walkFolder(root: string, options: WalkOptions): readonly Failure[] {
  const failures: Failure[] = [];
  /** @param above - identities of the folders on the way here, to see when a link leads back to one */
  const visit = (folder: string, prefix: string, linked: boolean, above: readonly string[]): void => {
    let children: Dirent[];
    let inside: readonly string[];
    try {
      inside = [...above, identity(statSync(folder))];
      children = readdirSync(folder, {withFileTypes: true}).sort((a, b) => byCodeUnit(a.name, b.name));
    } catch (error) {
      failures.push(unreadable(options.code, folder, error));
      return;
    }
    for (const child of children) {
      const path = prefix + child.name;
      const file = `${folder}/${child.name}`;
      const problem = nameProblem(folder, child.name);
      if (problem !== undefined) {
        if (options.accept(path) || options.enter(path))
          failures.push(badName(options.code, folder, child.name, problem));
      } else if (child.isDirectory()) {
        if (options.enter(path)) visit(file, `${path}/`, linked, inside);
      } else {
        const isLink = child.isSymbolicLink();
        if (!isLink && !options.accept(path)) continue;
        const {stat, error} = statOf(file);
        if (stat === undefined) {
          if (options.accept(path)) failures.push(unreadable(options.code, file, error));
        } else if (stat.isDirectory()) {
          if (options.enter(path) && !inside.includes(identity(stat))) visit(file, `${path}/`, true, inside);
        } else if (!options.accept(path)) {
          continue;
        } else if (stat.isFile()) {
          options.onFile({path, file, stat, linked: linked || isLink});
        } else {
          failures.push(
            failure(options.code, `${file} is not a file: sockets, pipes and devices have no content to build from`),
          );
        }
      }
    }
  };
  visit(root, '', false, []);
  return failures;
}

/** A failure that names the file and says what the system said. */
export function unreadable(code: FailureCode, file: string, error: unknown): Failure {
  const errno = errorCode(error);
  if (errno === undefined) throw error;
  const why = reasons[errno] ?? (error as Error).message;
  return failure(code, `${file} cannot be read: ${why} (${errno})`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist, or is a symbolic link to something that does not',
  EACCES: 'permission denied',
  ELOOP: 'its symbolic links go round in a circle',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  EIO: 'the disk reports an error',
};

function statOf(file: string): {readonly stat?: Stats; readonly error?: unknown} {
  try {
    return {stat: statSync(file)};
  } catch (error) {
    return {error};
  }
}

function identity({dev, ino}: Stats): string {
  return `${dev}:${ino}`;
}

function nameProblem(folder: string, name: string): string | undefined {
  if (name.includes('\n')) return 'a line break';
  if (!name.includes('\ufffd')) return undefined;
  // U+FFFD is what bytes that are not UTF-8 are read as; it may also stand in the name itself.
  const written = Buffer.from(name, 'utf8');
  return readdirSync(folder, {encoding: 'buffer'}).some((bytes) => bytes.equals(written))
    ? undefined
    : 'bytes that are not UTF-8';
}

function badName(code: FailureCode, folder: string, name: string, problem: string): Failure {
  return failure(code, `The name ${JSON.stringify(name)} in ${folder} has ${problem} in it`, {
    hint: 'Rename the file, or exclude it.',
  });
}
