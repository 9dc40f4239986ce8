import {readdirSync, statSync, type Stats} from 'node:fs';
import {availableParallelism} from 'node:os';
import {basename, dirname, relative, resolve} from 'node:path';
import {setImmediate as nextTurn} from 'node:timers/promises';
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
import {unreadable, walkFolder, type WalkedFile} from './walk.ts';

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

/** A folder as one source saw it. */
interface View {
  readonly filter: PathFilter;
  readonly paths: ReadonlySet<string>;
}

/**
 * Reads sources where they lie. Their bytes are not copied: `changedSince` tells whether they stayed what the last `scan` saw.
 */
export function createSources({root, stat: statCache}: SourcesOptions): Sources {
  const files = new Map<string, Seen>();
  /** Several sources may look at one folder through different patterns. */
  const folders = new Map<string, Map<string, View>>();
  const limit = pLimit(availableParallelism());
  let reads = 0;

  /** The file's digest, from the stat cache or by reading it. */
  const look = async (file: string, stat: Stats): Promise<Result<Seen, Failure>> => {
    const known = statCache.lookup(file, stat);
    if (known !== undefined) return ok(remember(file, stat, known, true));
    return limit(() => read(file, stat));
  };
  const read = async (file: string, first: Stats): Promise<Result<Seen, Failure>> => {
    let before = first;
    // Small files are read in this thread: let signals and progress through now and then.
    if (++reads % 64 === 0) await nextTurn();
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
    const failures: Failure[] = [];
    const entries: TreeEntry[] = [];
    const paths = new Set<string>();
    const pending: Promise<void>[] = [];
    const onFile = ({path: entryPath, file, stat}: WalkedFile): void => {
      paths.add(file);
      const add = ({digest, executable}: Seen): void => {
        entries.push(executable ? {path: entryPath, digest, executable} : {path: entryPath, digest});
      };
      // Nearly always: no promise is made for a file that did not change.
      const known = statCache.lookup(file, stat);
      if (known !== undefined) {
        add(remember(file, stat, known, true));
        return;
      }
      const reading = limit(() => read(file, stat)).then((seen) => {
        if (seen.ok) add(seen.value);
        else failures.push(seen.error);
      });
      pending.push(reading);
    };
    failures.push(...walkFolder(path, {...filter, code: 'input-unreadable', onFile}));
    await Promise.all(pending);
    if (failures.length > 0) return err(failures.map((problem) => ({...problem, ...place(source, problem)})));
    if (entries.length === 0 && source.include.length > 0) return err([emptySource(source, path)]);
    const views = folders.get(path) ?? new Map<string, View>();
    folders.set(path, views.set(JSON.stringify([source.include, source.exclude]), {filter, paths}));
    const {artifact, tree} = makeTree(entries);
    return ok({artifact, tree, path});
  };

  const hasChanged = (file: string, now: Stats | undefined): boolean => {
    const seen = files.get(file);
    if (seen === undefined || now === undefined) return true;
    try {
      if (sameSignature(seen, now) && seen.settled) return false;
      // A new inode, size or write time: whatever read the file meanwhile may have seen other bytes, even if these are back.
      if (!sameSignature({...seen, ctimeMs: now.ctimeMs}, now) || isExecutable(now) !== seen.executable) return true;
      return hashFileSync(file, now.size).hash !== seen.digest.hash;
    } catch {
      return true;
    }
  };

  /** Files of a folder that are new, gone or different. */
  const changedIn = (folder: string, view: View): string[] => {
    const now = new Map<string, boolean>();
    const onFile = ({file, stat}: WalkedFile): void => void now.set(file, hasChanged(file, stat));
    walkFolder(folder, {...view.filter, code: 'input-unreadable', onFile});
    const different = [...now].flatMap(([file, changed]) => (changed || !view.paths.has(file) ? [file] : []));
    return [...different, ...[...view.paths].filter((file) => !now.has(file))];
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
      const changed = paths.flatMap((path) => {
        const views = folders.get(path);
        if (views === undefined) return hasChanged(path, tryStat(path)) ? [path] : [];
        return [...views.values()].flatMap((view) => changedIn(path, view));
      });
      return [...new Set(changed)];
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
  return tryStat(path) !== undefined;
}

function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path, {throwIfNoEntry: false});
  } catch {
    return undefined;
  }
}

function siblings(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
