import {readFileSync, realpathSync} from 'node:fs';
import {join, relative, sep} from 'node:path';
import type {AffectedNode} from '../../core/affected.ts';
import type {Failure} from '../../core/failure.ts';
import {closure} from '../../core/graph.ts';
import {refsOf, type NodeId} from '../../core/pipeline.ts';
import {ok, type Result} from '../../core/result.ts';
import {loadPipeline} from '../../config/load-pipeline.ts';
import {affectedNodes, type Moment} from '../../engine/affected.ts';
import type {Globals} from '../context.ts';
import {listTree, readObjects, type TreeObject, type WorkTreeChanges} from './tree.ts';
import type {Loaded} from '../load.ts';
import {nearestLock, parseLock, readLock, withLockedPackages, type LockPair} from './lock-versions.ts';
import {packageRoot} from '../package.ts';
import {checkOutFiles, importable} from './revision-files.ts';
import {changesSince, compareSources, type NotCompared} from './revision-sources.ts';
import {findRevision, type Revision} from './revision.ts';
import {currentToolchain} from '../workspace.ts';

/** What differs from the pipeline of a revision. */
export interface Affected {
  readonly revision: Revision;
  /** Nodes that were looked at: those that are wanted and what they need. */
  readonly total: number;
  /** In the order in which they would run. */
  readonly nodes: readonly AffectedNode[];
  /** Nodes of the revision's pipeline that are gone. */
  readonly removed: readonly NodeId[];
  readonly notCompared: readonly NotCompared[];
  /** A lock file that changed and is not read, so that the versions of packages are taken as unchanged. */
  readonly unreadLock?: string;
  /** Why the revision's pipeline could not be compared with, so that every node counts as affected. */
  readonly trouble?: readonly Failure[];
}

/** Compares a pipeline with what it was at a revision. Writes nothing to the project, and needs no result of it. */
export async function findAffected(
  loaded: Loaded,
  globals: Pick<Globals, 'profile' | 'set'>,
  targets: readonly NodeId[],
  since: string,
): Promise<Result<Affected>> {
  const {root} = loaded.project;
  const found = await findRevision(root, since);
  if (!found.ok) return found;
  const revision = found.value;
  const listed = await listTree(revision);
  if (!listed.ok) return listed;
  const tree = listed.value;
  const changes = await changesSince(revision, tree);
  if (!changes.ok) return changes;
  const earlier = await loadEarlier(loaded, globals, revision, tree, changes.value);
  if (!earlier.ok) return earlier;
  if ('trouble' in earlier.value) return ok(allAffected(loaded, targets, revision, earlier.value.trouble));
  const sources = await compareSources(revision, tree, changes.value, root, usedSources(loaded, targets));
  if (!sources.ok) return sources;
  const locks = await compareLocks(root, revision, tree);
  if (!locks.ok) return locks;
  let [before, after]: readonly [Moment, Moment] = [earlier.value, loaded];
  if (locks.value.pair) {
    const shipped = homeOf(revision) === undefined;
    const adjusted = withLockedPackages(before.pipeline, after.pipeline, locks.value.pair, shipped);
    before = {...before, pipeline: adjusted.before};
    after = {...after, pipeline: adjusted.after};
  }
  const nodes = await affectedNodes({
    before,
    after,
    targets,
    changedSources: sources.value.changed,
    toolchain: currentToolchain(),
    ...(loaded.engine === undefined ? {} : {engine: loaded.engine}),
  });
  const {unread} = locks.value;
  return ok({
    revision,
    total: wantedIndices(loaded, targets).size,
    nodes,
    removed: before.graph.nodes.flatMap(({id}) => (after.graph.indexOf.has(id) ? [] : [id])),
    notCompared: sources.value.notCompared,
    ...(unread === undefined ? {} : {unreadLock: unread}),
  });
}

/** The pipeline as it was, or what is wrong with it. When nothing of it changed, it is not loaded again. */
async function loadEarlier(
  loaded: Loaded,
  {profile: profiles, set: overrides}: Pick<Globals, 'profile' | 'set'>,
  revision: Revision,
  tree: ReadonlyMap<string, TreeObject>,
  {changed, added, removed}: WorkTreeChanges,
): Promise<Result<Moment | {readonly trouble: readonly Failure[]}>> {
  const {project} = loaded;
  const {prefix} = revision;
  const file = prefix + relative(project.root, project.file).split(sep).join('/');
  const home = homeOf(revision);
  const homePrefix = home === undefined || home === '' ? '' : `${home}/`;
  const stageFolders = [`${prefix}stages/`, ...(home === undefined ? [] : [`${homePrefix}stages/`])];
  const paths = [...tree.keys()].filter((path) => stageFolders.some((folder) => path.startsWith(folder)));
  const folders = [prefix.replace(/\/$/, ''), ...(home === undefined ? [] : [home])];
  const out = await checkOutFiles(revision, tree, [file, ...paths], folders);
  if (!out.ok) return out;
  const {top, paths: placed, remove} = out.value;
  try {
    const isSame =
      placed.has(file) &&
      ![...changed, ...removed].some((path) => placed.has(path)) &&
      !added.some((path) => importable.some((extension) => path.endsWith(extension)));
    if (isSame) return ok(loaded);
    const earlier = await loadPipeline({
      root: join(top, prefix),
      file: join(top, file),
      cacheDir: join(top, '..', 'cache'),
      packageRoot: home === undefined ? packageRoot : join(top, home),
      profiles,
      overrides,
    });
    return ok(earlier.ok ? earlier.value : {trouble: earlier.error});
  } finally {
    remove();
  }
}

/** The folder of mixdown's own stages from the top of the repository; undefined when they are not in it. */
function homeOf({top}: Revision): string | undefined {
  const path = relative(top, realpathSync(packageRoot)).split(sep).join('/');
  return path.startsWith('..') || path.split('/').includes('node_modules') ? undefined : path;
}

async function compareLocks(
  root: string,
  revision: Revision,
  tree: ReadonlyMap<string, TreeObject>,
): Promise<Result<{readonly pair?: LockPair; readonly unread?: string}>> {
  const path = nearestLock(realpathSync(root), revision.top);
  const shown = path === undefined ? '' : relative(revision.top, path).split(sep).join('/');
  const object = tree.get(shown)?.object;
  if (path === undefined || object === undefined) return ok({});
  const read = await readObjects(revision, [object]);
  if (!read.ok) return read;
  const text = read.value.get(object);
  const [before, after] = [parseLock(text?.toString('utf8')), readLock(path)];
  if (before && after) return ok({pair: {path, before, after}});
  return ok(text !== undefined && isSame(path, text) ? {} : {unread: shown});
}

function isSame(path: string, bytes: Buffer): boolean {
  try {
    return readFileSync(path).equals(bytes);
  } catch {
    return false;
  }
}

function allAffected(
  loaded: Loaded,
  targets: readonly NodeId[],
  revision: Revision,
  trouble: readonly Failure[],
): Affected {
  const wanted = wantedIndices(loaded, targets);
  const {graph} = loaded;
  const nodes = graph.order.flatMap((index): AffectedNode[] => {
    const {id, name, stage} = graph.nodes[index]!;
    return wanted.has(index) ? [{node: id, name, stage, root: true, reasons: []}] : [];
  });
  return {revision, total: wanted.size, nodes, removed: [], notCompared: [], trouble};
}

function usedSources(loaded: Loaded, targets: readonly NodeId[]): Loaded['pipeline']['sources'][string][] {
  const {graph, pipeline} = loaded;
  const names = new Set(
    [...wantedIndices(loaded, targets)].flatMap((index) =>
      refsOf(graph.nodes[index]!).flatMap((ref) => (ref.from === 'source' ? [ref.source] : [])),
    ),
  );
  return Object.values(pipeline.sources).filter(({name}) => names.has(name));
}

function wantedIndices({graph}: Loaded, targets: readonly NodeId[]): ReadonlySet<number> {
  return closure(
    graph,
    targets.flatMap((id) => graph.indexOf.get(id) ?? []),
    'producers',
  );
}
