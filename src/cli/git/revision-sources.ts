import {existsSync, readFileSync, realpathSync, statSync} from 'node:fs';
import {join, relative, resolve, sep} from 'node:path';
import {byCodeUnit} from '../../core/json.ts';
import type {Source} from '../../core/pipeline.ts';
import {ok, type Result} from '../../core/result.ts';
import type {SourceChange} from '../../engine/affected.ts';
import {pathFilter, type PathFilter} from '../../store/path-filter.ts';
import {walkFolder} from '../../store/walk.ts';
import {ignoredBelow, readObjects, workTreeChanges, type TreeObject, type WorkTreeChanges} from './tree.ts';
import type {Revision} from './revision.ts';

export interface SourceComparison {
  /** By name, sources with other bytes than at the revision. */
  readonly changed: ReadonlyMap<string, SourceChange>;
  /** Sources that git does not keep, or not all of: taken as unchanged, as far as it does not. */
  readonly notCompared: readonly NotCompared[];
}

export interface NotCompared {
  readonly source: string;
  readonly path: string;
  readonly why: 'outside-git' | 'ignored' | 'partly-ignored';
}

/**
 * Compares sources with what the repository had at a revision. Nothing is hashed: git knows what differs.
 *
 * @param changes - as `changesSince` found them
 */
export async function compareSources(
  revision: Revision,
  tree: ReadonlyMap<string, TreeObject>,
  changes: WorkTreeChanges,
  root: string,
  sources: readonly Source[],
): Promise<Result<SourceComparison>> {
  const changed = new Map<string, SourceChange>();
  const notCompared: NotCompared[] = [];
  const home = realpathSync(root);
  for (const source of sources) {
    const file = resolve(home, source.path);
    const path = relative(revision.top, file).split(sep).join('/');
    const filter = await pathFilter(source.include, source.exclude);
    const kept = await howKept(path, filter, revision, tree, changes);
    if (!kept.ok) return kept;
    if (kept.value !== undefined) notCompared.push({source: source.name, path: source.path, why: kept.value});
    const change = path.startsWith('../') ? undefined : changeOf(path, file, filter, changes);
    if (change !== undefined) changed.set(source.name, change);
  }
  return ok({changed, notCompared});
}

/** What differs in the work tree. A file that git no longer tracks and that still has its bytes did not change. */
export async function changesSince(
  revision: Revision,
  tree: ReadonlyMap<string, TreeObject>,
): Promise<Result<WorkTreeChanges>> {
  const found = await workTreeChanges(revision);
  if (!found.ok) return found;
  const {changed, added, removed} = found.value;
  const untracked = removed.filter((path) => statSync(join(revision.top, path), {throwIfNoEntry: false})?.isFile());
  if (untracked.length === 0) return found;
  const read = await readObjects(
    revision,
    untracked.map((path) => tree.get(path)?.object ?? ''),
  );
  if (!read.ok) return read;
  const still = new Set(untracked);
  const other = untracked.filter((path) => {
    const bytes = read.value.get(tree.get(path)?.object ?? '');
    return bytes === undefined || !readFileSync(join(revision.top, path)).equals(bytes);
  });
  return ok({changed: [...changed, ...other], added, removed: removed.filter((path) => !still.has(path))});
}

/** Undefined for a source that is in git as a whole. */
async function howKept(
  path: string,
  filter: PathFilter,
  {top}: Revision,
  tree: ReadonlyMap<string, TreeObject>,
  {added}: WorkTreeChanges,
): Promise<Result<NotCompared['why'] | undefined>> {
  const through = withAbove(path).some((each) => (tree.get(each)?.kind ?? 'file') !== 'file');
  if (path.startsWith('../') || through) return ok('outside-git');
  const takes = inSource(path, filter);
  const kept = [...tree.keys()].some(takes) || added.some(takes);
  if (!kept) return ok(existsSync(join(top, path)) ? 'ignored' : 'outside-git');
  const ignored = await ignoredBelow(top, path === '' ? '.' : path);
  if (!ignored.ok) return ignored;
  const below = inSource(path, {...filter, accept: (each) => (each.endsWith('/') ? true : filter.accept(each))});
  return ok(ignored.value.some(below) ? 'partly-ignored' : undefined);
}

function changeOf(path: string, file: string, filter: PathFilter, changes: WorkTreeChanges): SourceChange | undefined {
  const whole = new Set(withAbove(path));
  const all = [...changes.changed, ...changes.added, ...changes.removed];
  const takes = inSource(path, filter);
  const [changed, added, removed] = [changes.changed, changes.added, changes.removed].map((paths) =>
    paths
      .filter(takes)
      .map((each) => (path === '' ? each : each.slice(path.length + 1)))
      .sort(byCodeUnit),
  ) as [string[], string[], string[]];
  if (changed.length + added.length + removed.length === 0) return all.some((each) => whole.has(each)) ? {} : undefined;
  if (all.some((each) => whole.has(each))) return {};
  const most = 50;
  return {
    entries: {
      added: added.slice(0, most),
      removed: removed.slice(0, most),
      changed: changed.slice(0, most),
      addedCount: added.length,
      removedCount: removed.length,
      changedCount: changed.length,
      total: countFiles(file, filter),
    },
  };
}

/** Tells of a path from the top of the work tree whether it is the source or one of its files. */
function inSource(path: string, {enter, accept}: PathFilter): (each: string) => boolean {
  const start = path === '' ? '' : `${path}/`;
  return (each) => {
    if (each === path) return true;
    if (!each.startsWith(start)) return false;
    const entry = each.slice(start.length);
    return accept(entry) && withAbove(entry.replace(/\/$/, '')).slice(1).every(enter);
  };
}

/** `a/b/c` -> `a/b/c`, `a/b`, `a`. */
function withAbove(path: string): readonly string[] {
  const found = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) found.push(path.slice(0, at));
  return found;
}

function countFiles(folder: string, filter: PathFilter): number {
  let count = 0;
  if (statSync(folder, {throwIfNoEntry: false})?.isDirectory()) {
    walkFolder(folder, {...filter, code: 'input-unreadable', onFile: () => count++});
  }
  return count;
}
