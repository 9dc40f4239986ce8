import {existsSync, type Stats} from 'node:fs';
import {dirname, relative, sep} from 'node:path';
import type {FSWatcher} from 'chokidar';
import {failure, type Failure} from '../core/failure.ts';
import {pathFilter, type PathFilter} from './path-filter.ts';

/** A file, or a folder of which some files count. It need not exist. */
export interface WatchedPath {
  /** Absolute. */
  readonly path: string;
  /** Glob patterns as those of a source. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface FileWatcherOptions {
  /** Absolute folder below which most of what is watched lies. */
  readonly root: string;
  /** Absolute folders in which nothing counts, whatever is watched. */
  readonly ignored: readonly string[];
  /** Told the paths that changed, at once for changes that come together. */
  readonly onChange: (paths: ReadonlySet<string>) => void;
  /** Told, once, when changes may be missed. */
  readonly onProblem: (failure: Failure) => void;
}

export interface FileWatcher {
  /**
   * Replaces what is watched. Afterwards every change is told, also of what is deleted and made again.
   *
   * @returns false when it was watched already; else changes before the end of this call may have been missed
   */
  watch(paths: readonly WatchedPath[]): Promise<boolean>;
  /** As `watch`, unless something is watched already. */
  begin(paths: readonly WatchedPath[]): Promise<void>;
  close(): Promise<void>;
}

/** Longer than the 50 ms for which chokidar keeps a second change of the same file to itself. */
const quietMs = 60;
/** A file that is written without a pause must not keep all others from being seen. */
const longestMs = 2_000;
/** So many paths at once are a switch of branches or a copy, which pauses for longer and is best seen as a whole. */
const bulkPaths = 100;
const bulkQuietMs = 500;
const longestBulkMs = 30_000;

export function openFileWatcher({root, ignored, onChange, onProblem}: FileWatcherOptions): FileWatcher {
  const news = gather(onChange);
  let watched = '';
  let watcher: FSWatcher | undefined;
  let toldProblem = false;

  const tellProblem = (error: unknown): void => {
    if (toldProblem) return;
    toldProblem = true;
    onProblem(watchFailure(error));
  };

  return {
    async begin(paths) {
      if (watcher === undefined) await this.watch(paths);
    },
    async watch(paths) {
      const wanted = JSON.stringify(paths);
      if (wanted === watched) return false;
      const [{watch}, views] = await Promise.all([import('chokidar'), Promise.all(paths.map(viewOf))]);
      const roots = [...new Set([root, ...paths.flatMap(({path}) => (isWithin(path, root) ? [] : [anchorOf(path)]))])];
      const next = watch(roots, {
        ignoreInitial: true,
        ignored: (path, stats) => ignored.some((folder) => isWithin(path, folder)) || !counts(path, stats, views),
      });
      next.on('error', tellProblem);
      // A folder by itself is nothing, but what was in it counts.
      next.on('all', (event, path) => {
        if (event !== 'addDir') news.add(path);
      });
      await new Promise<void>((resolve) => next.once('ready', resolve));
      await watcher?.close();
      watcher = next;
      watched = wanted;
      return true;
    },
    async close() {
      news.stop();
      await watcher?.close();
    },
  };
}

interface View {
  readonly path: string;
  readonly filter: PathFilter;
}

async function viewOf({path, include, exclude}: WatchedPath): Promise<View> {
  return {path, filter: await pathFilter(include, exclude)};
}

/** Without `stats` it is not known yet whether the path is a folder. */
function counts(path: string, stats: Stats | undefined, views: readonly View[]): boolean {
  return views.some((view) => {
    if (isWithin(view.path, path)) return true;
    if (!isWithin(path, view.path)) return false;
    const inside = relative(view.path, path).split(sep).join('/');
    const {enter, accept} = view.filter;
    if (stats === undefined) return enter(inside) || accept(inside);
    return stats.isDirectory() ? enter(inside) : accept(inside);
  });
}

/** The nearest folder above that exists: a folder that is watched itself would not be seen coming back. */
function anchorOf(path: string): string {
  let folder = dirname(path);
  while (folder !== dirname(folder) && !existsSync(folder)) folder = dirname(folder);
  return folder;
}

/** True for the folder itself too. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Holds paths until none has come for a while. */
function gather(tell: (paths: ReadonlySet<string>) => void): {add(path: string): void; stop(): void} {
  let paths = new Set<string>();
  let firstAt = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    const told = paths;
    paths = new Set();
    tell(told);
  };
  return {
    add(path) {
      const now = performance.now();
      if (paths.size === 0) firstAt = now;
      paths.add(path);
      const [quiet, longest] = paths.size < bulkPaths ? [quietMs, longestMs] : [bulkQuietMs, longestBulkMs];
      clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, Math.min(quiet, firstAt + longest - now)));
    },
    stop: () => clearTimeout(timer),
  };
}

function watchFailure(error: unknown): Failure {
  const {code, message} = error as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EMFILE';
  const hint = full
    ? 'raise fs.inotify.max_user_watches and fs.inotify.max_user_instances (sysctl), or watch smaller sources'
    : 'what it does not see, it builds at the next change that it sees';
  return failure('watch-incomplete', `some changes may not be seen: ${message}`, {hint});
}
