import {randomBytes} from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import {join} from 'node:path';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Artifact} from '../core/tree.ts';
import {tempNames, withFolder, writeAll, writeFileAtomic} from './atomic-file.ts';
import {writeFailure} from './io-failure.ts';
import type {Materialiser} from './materialise.ts';
import {newNonce} from './session.ts';
import {isInnerPath} from './validate.ts';

/** The `runs` folder: one folder per run, and `latest`, a link to the newest. */
export interface RunStore {
  readonly dir: string;
  /** Makes the folder of a new run and points `latest` at it. */
  create(id: string): Result<RunFolder>;
  /** Undefined when there is no such run. */
  open(id: string): RunFolder | undefined;
  /** Ids, newest first. */
  list(): readonly string[];
  /** The id that `latest` points at; undefined when there is none. */
  latest(): string | undefined;
  /** Points `latest` at the newest run again when the link is gone or leads nowhere. */
  restoreLatest(): void;
  /** Removes a run's folder. True when there was one. */
  remove(id: string): boolean;
}

/** One run's folder. Paths are relative to it, with forward slashes; folders on the way are made. */
export interface RunFolder {
  readonly id: string;
  readonly dir: string;
  /** Puts a whole file in place at once. @throws file system errors */
  write(path: string, text: string): void;
  /** @throws file system errors */
  append(path: string, text: string): void;
  /** Undefined when the file does not exist. */
  read(path: string): string | undefined;
  /** Whole JSON lines of a file; a line that was cut off is passed over. Empty when the file does not exist. */
  readLines(path: string): readonly unknown[];
  /** Puts an artifact at `out/<name>`, replacing what is there. `name` may hold slashes. */
  linkOut(name: string, artifact: Artifact, files: Materialiser): Promise<Result<string>>;
}

const runIdPattern = /^\d{8}-\d{6}-[0-9a-f]{5}$/;

/**
 * `20250301-101500-3e7ab`: UTC time, its milliseconds as three hexadecimal digits, and two by chance. Ids sort by time, and
 * two runs may start in the same millisecond.
 */
export function newRunId(nowMs: number): string {
  const [date = '', time = ''] = new Date(nowMs).toISOString().split('T');
  const milliseconds = (nowMs % 1000).toString(16).padStart(3, '0');
  const chance = randomBytes(1).toString('hex');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${milliseconds}${chance}`;
}

/** Opens the `runs` folder, which need not exist. */
export function openRunStore(dir: string): RunStore {
  const folder = (id: string): RunFolder => runFolder(id, join(dir, id));
  return {
    dir,
    create(id) {
      if (!runIdPattern.test(id)) throw new Error(`RunStore.create: ${id} is not a run id`);
      try {
        mkdirSync(dir, {recursive: true});
        mkdirSync(join(dir, id));
        pointLatest(dir, id);
        return ok(folder(id));
      } catch (error) {
        return err([writeFailure(error, `the folder of run ${id} in ${dir}`)]);
      }
    },
    open(id) {
      return runIdPattern.test(id) && statSync(join(dir, id), {throwIfNoEntry: false})?.isDirectory()
        ? folder(id)
        : undefined;
    },
    list: () => listRuns(dir),
    latest() {
      try {
        const id = readlinkSync(join(dir, 'latest'));
        if (exists(join(dir, id))) return id;
      } catch {
        // No link here, or a file system without links: the newest folder is it.
      }
      return listRuns(dir)[0];
    },
    restoreLatest() {
      const [newest] = listRuns(dir);
      if (newest !== undefined && !exists(join(dir, 'latest'))) pointLatest(dir, newest);
    },
    remove(id) {
      if (!runIdPattern.test(id)) return false;
      const path = join(dir, id);
      if (!exists(path)) return false;
      rmSync(path, {recursive: true, force: true});
      const [newest] = listRuns(dir);
      if (newest === undefined) rmSync(join(dir, 'latest'), {force: true});
      else pointLatest(dir, newest);
      return true;
    },
  };
}

function runFolder(id: string, dir: string): RunFolder {
  const temps = tempNames(dir, newNonce());
  const place = (path: string): string => {
    if (!isInnerPath(path)) throw new Error(`RunFolder: ${path} leads out of the run's folder`);
    return join(dir, path);
  };
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(place(path), 'utf8');
    } catch {
      return undefined;
    }
  };
  return {
    id,
    dir,
    write: (path, text) => writeFileAtomic(place(path), text, temps),
    append(path, text) {
      const file = place(path);
      const fd = withFolder(file, () => openSync(file, 'a', 0o644));
      try {
        writeAll(fd, Buffer.from(text, 'utf8'));
      } finally {
        closeSync(fd);
      }
    },
    read,
    readLines: (path) => parseWholeLines(read(path) ?? ''),
    async linkOut(name, artifact, files) {
      if (!isInnerPath(name))
        return err([failure('usage', `${name} is no name for a result: it leads out of its folder`)]);
      const to = place(`out/${name}`);
      rmSync(to, {recursive: true, force: true});
      const placed = await files.artifact(artifact, to, 'shared');
      return placed.ok ? ok(to) : placed;
    },
  };
}

function exists(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false}) !== undefined;
}

function listRuns(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => runIdPattern.test(name))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

/** Replaces the link at once. Without symbolic links (some file systems) there is no `latest`, which nothing depends on. */
function pointLatest(dir: string, id: string): void {
  const temp = tempNames(dir, newNonce()).next();
  try {
    symlinkSync(id, temp, 'dir');
    renameSync(temp, join(dir, 'latest'));
  } catch {
    rmSync(temp, {force: true});
  }
}

function parseWholeLines(text: string): unknown[] {
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    try {
      values.push(JSON.parse(line));
    } catch {
      continue;
    }
  }
  return values;
}
