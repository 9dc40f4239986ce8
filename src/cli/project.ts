import {statSync} from 'node:fs';
import {dirname, isAbsolute, join, resolve} from 'node:path';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Globals} from './context.ts';
import type {Io} from './io.ts';

/** Where a pipeline and its results lie. All paths are absolute. */
export interface Project {
  readonly root: string;
  readonly file: string;
  readonly cacheDir: string;
  readonly runsDir: string;
}

export const pipelineName = 'pipeline.yaml';

/** What decides which project is meant. */
export interface ProjectWish {
  readonly io: Pick<Io, 'cwd' | 'env'>;
  readonly globals: Pick<Globals, 'file' | 'directory' | 'cache'>;
}

/** The pipeline file that is given, or the nearest one from the working directory upwards. */
export function findProject({io, globals}: ProjectWish): Result<Project> {
  const start = resolve(io.cwd, globals.directory ?? '.');
  if (!isKind(start, 'folder')) {
    return err([failure('usage', `-C ${globals.directory ?? ''}: there is no such folder`)]);
  }
  if (globals.file !== undefined) {
    const file = resolve(start, globals.file);
    if (isKind(file, 'file')) return ok(projectOf(file, start, {io, globals}));
    return err([failure('pipeline-missing', `there is no file ${globals.file}`, {hint: 'check -f/--file'})]);
  }
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, pipelineName);
    if (isKind(file, 'file')) return ok(projectOf(file, start, {io, globals}));
    if (folder === dirname(folder)) break;
  }
  return err([
    failure('pipeline-missing', `there is no ${pipelineName} in ${start} or above it`, {
      hint: 'go to a project, name one with -C or -f, or start one with `mixdown init`',
    }),
  ]);
}

/** A path for people: relative to the working directory where that is shorter. */
export function displayPath(path: string, cwd: string): string {
  if (!isAbsolute(path) || !path.startsWith(cwd === '/' ? '/' : `${cwd}/`)) return path;
  return path.slice(cwd === '/' ? 1 : cwd.length + 1);
}

function projectOf(file: string, start: string, {io, globals}: ProjectWish): Project {
  const root = dirname(file);
  const fromEnv = io.env['MIXDOWN_CACHE_DIR'];
  const cacheDir =
    globals.cache !== undefined
      ? resolve(start, globals.cache)
      : fromEnv !== undefined && fromEnv !== ''
        ? resolve(start, fromEnv)
        : join(root, 'cache');
  return {root, file, cacheDir, runsDir: join(root, 'runs')};
}

function isKind(path: string, kind: 'file' | 'folder'): boolean {
  const found = statSync(path, {throwIfNoEntry: false});
  return kind === 'file' ? found?.isFile() === true : found?.isDirectory() === true;
}
