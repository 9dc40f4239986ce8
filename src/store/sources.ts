import {readdirSync, statSync, type Stats} from 'node:fs';
import {availableParallelism} from 'node:os';
import {basename, dirname, relative, resolve} from 'node:path';
import pLimit from 'p-limit';
import type {Digest} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {closest} from '../core/closest.ts';
import type {Source} from '../core/pipeline.ts';
import type {ScannedSource, Sources} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {makeTree, type TreeEntry} from '../core/tree.ts';
import {hashFile, hashFileSync} from './hash-file.ts';
import {errorCode, isMissing} from './io-failure.ts';
import {pathFilter, type PathFilter} from './path-filter.ts';
import {isSettled, sameSignature, type Signature, type StatCache} from './stat-cache.ts';
import {unreadable, walkFolder} from './walk.ts';

export interface SourcesOptions {
  /** Folder that relative source paths start from. */
  readonly root: string;
  readonly stat: StatCache;
}

/** What a scan saw of one file. */
interface Seen extends Signature {
  readonly digest: Digest;
  readonly executable: boolean;
  /** False when the file had just been written, so that its stat alone proves nothing. */
  readonly settled: boolean;
}

/** Reads sources where they lie. Their bytes are not copied: `changedSince` tells whether they stayed what `scan` saw. */
export function createSources({root, stat: statCache}: SourcesOptions): Sources {
  const files = new Map<string, Seen>();
  const folders = new Map<string, {readonly filter: PathFilter; readonly paths: ReadonlySet<string>}>();
  const limit = pLimit(availableParallelism());

  /** The file's digest, from the stat cache or by reading it. */
  const look = async (file: string, stat: Stats): Promise<Result<Seen, Failure>> => {
    const known = statCache.lookup(file, stat);
    if (known !== undefined) return ok(remember(file, stat, known, true));
    return limit(() => read(file, stat));
  };
  const read = async (file: string, first: Stats): Promise<Result<Seen, Failure>> => {
    let before = first;
    try {
      for (let attempt = 0; attempt < 3; attempt++) {
        const startedAtMs = Date.now();
        const digest = await hashFile(file, before.size);
        const after = statSync(file);
        if (sameSignature(before, after) && after.size === digest.size) {
          statCache.record(file, after, digest.hash, startedAtMs);
          return ok(remember(file, after, digest, isSettled(after, startedAtMs)));
        }
        before = after;
      }
    } catch (error) {
      return err(unreadable('input-unreadable', file, error));
    }
    return err(
      failure('input-changed', `${file} keeps changing while it is read`, {
        hint: 'Wait until whatever writes it is done.',
      }),
    );
  };
  const remember = (file: string, stat: Stats, digest: Digest, settled: boolean): Seen => {
    const {dev, ino, size, mtimeMs, ctimeMs} = stat;
    const seen = {dev, ino, size, mtimeMs, ctimeMs, digest, settled, executable: isExecutable(stat)};
    files.set(file, seen);
    return seen;
  };

  const scanFolder = async (source: Source, path: string): Promise<Result<ScannedSource>> => {
    const filter = await pathFilter(source.include, source.exclude);
    const walk = walkFolder(path, {...filter, code: 'input-unreadable'});
    const failures = [...walk.failures];
    const entries: TreeEntry[] = [];
    const pending: Promise<void>[] = [];
    for (const {path: entryPath, file, stat} of walk.files) {
      const add = (digest: Digest): void => {
        entries.push({path: entryPath, digest, ...(isExecutable(stat) ? {executable: true} : {})});
      };
      // Nearly always: no promise is made for a file that did not change.
      const known = statCache.lookup(file, stat);
      if (known !== undefined) add(remember(file, stat, known, true).digest);
      else {
        pending.push(
          look(file, stat).then((seen) => {
            if (seen.ok) add(seen.value.digest);
            else failures.push(seen.error);
          }),
        );
      }
    }
    await Promise.all(pending);
    if (failures.length > 0) return err(failures.map((problem) => ({...problem, ...place(source, problem)})));
    if (entries.length === 0 && source.include.length > 0) return err([emptySource(source, path)]);
    folders.set(path, {filter, paths: new Set(walk.files.map((entry) => entry.file))});
    const {artifact, tree} = makeTree(entries);
    return ok({artifact, tree, path});
  };

  const fileChanged = (file: string): boolean => {
    const seen = files.get(file);
    if (seen === undefined) return true;
    try {
      const now = statSync(file);
      if (sameSignature(seen, now) && seen.settled) return false;
      // A new inode, size or write time: whatever read the file meanwhile may have seen other bytes, even if these are back.
      if (!sameSignature({...seen, ctimeMs: now.ctimeMs}, now) || isExecutable(now) !== seen.executable) return true;
      return hashFileSync(file, now.size).hash !== seen.digest.hash;
    } catch {
      return true;
    }
  };

  return {
    async scan(source) {
      const path = resolve(root, source.path);
      let stat: Stats;
      try {
        stat = statSync(path);
      } catch (error) {
        const problem =
          isMissing(error) || errorCode(error) === 'ENOTDIR' ? missingSource(source, root, path) : undefined;
        const found = problem ?? unreadable('input-unreadable', path, error);
        return err([{...found, ...place(source, found)}]);
      }
      if (stat.isDirectory()) {
        const scanned = await scanFolder(source, path);
        statCache.flush();
        return scanned;
      }
      if (!stat.isFile()) {
        const problem = failure(
          'input-unreadable',
          `Source \`${source.name}\`: ${path} is neither a file nor a folder`,
        );
        return err([{...problem, ...place(source, problem)}]);
      }
      const seen = await look(path, stat);
      statCache.flush();
      if (!seen.ok) return err([{...seen.error, ...place(source, seen.error)}]);
      return ok({artifact: {kind: 'file', digest: seen.value.digest}, path});
    },
    changedSince(paths) {
      return paths.flatMap((path) => {
        const folder = folders.get(path);
        if (folder === undefined) return fileChanged(path) ? [path] : [];
        const walk = walkFolder(path, {...folder.filter, code: 'input-unreadable'});
        const now = new Set(walk.files.map((entry) => entry.file));
        const added = [...now].filter((file) => !folder.paths.has(file));
        const gone = [...folder.paths].filter((file) => !now.has(file) || fileChanged(file));
        return [...added, ...gone];
      });
    },
  };
}

function isExecutable(stat: Stats): boolean {
  return (stat.mode & 0o111) !== 0;
}

function missingSource(source: Source, root: string, path: string): Failure {
  // The first part of the path that does not exist is the one that may be mistyped.
  let absent = path;
  while (dirname(absent) !== absent && !exists(dirname(absent))) absent = dirname(absent);
  const suggestion = closest(basename(absent), siblings(dirname(absent)));
  const shown = relative(root, absent);
  const name = shown === '' || shown.startsWith('..') ? absent : shown;
  return failure('missing-source', `Source \`${source.name}\`: ${source.path} does not exist`, {
    hint:
      suggestion === undefined
        ? `There is no ${name}. Make it, or correct the path in the pipeline.`
        : `There is no ${name}; did you mean \`${suggestion}\`?`,
  });
}

function emptySource(source: Source, path: string): Failure {
  const problem = failure(
    'missing-source',
    `Source \`${source.name}\`: no file in ${path} matches ${source.include.map((pattern) => `\`${pattern}\``).join(', ')}` +
      (source.exclude.length > 0 ? ' and is not excluded' : ''),
    {hint: 'Patterns are relative to the path of the source; `**/` reaches into its folders.'},
  );
  return {...problem, ...place(source, problem)};
}

/** Points at the source in the pipeline's text. */
function place(source: Source, {code, message, hint}: Failure): Pick<Failure, 'diagnostics'> {
  if (source.range === undefined) return {};
  return {diagnostics: [{code, message, ...(hint === undefined ? {} : {hint}), range: source.range}]};
}

function exists(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false}) !== undefined;
}

function siblings(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
