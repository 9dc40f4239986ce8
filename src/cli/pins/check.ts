import {cpSync, existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Sha256} from '../../core/digest.ts';
import {failure} from '../../core/failure.ts';
import type {NodeCheck} from '../../core/pin-check.ts';
import {refsOf, type NodeId, type PipelineNode} from '../../core/pipeline.ts';
import type {Plan} from '../../core/plan.ts';
import type {Pins} from '../../core/pins.ts';
import {err, ok, type Result} from '../../core/result.ts';
import type {Artifacts} from '../../engine/resolve.ts';
import {checkPins} from '../../pins/check.ts';
import type {NodeResult} from '../../pins/values.ts';
import type {Context} from '../context.ts';
import {loadProject, type Loaded} from '../load.ts';
import {PinnedCode, pinnedNodes, valuesOf} from './scope.ts';
import {planNodes} from '../planning.ts';
import type {Project} from '../project.ts';
import {detailReasons} from '../reason-detail.ts';
import {warnOnce} from '../warnings.ts';
import {openWorkspace, type Workspace} from '../workspace.ts';

/** How a project stands to its lock. */
export interface Checked {
  readonly checks: readonly NodeCheck[];
  /** Sources that are not here: what reads them is not compared in this. */
  readonly missing: readonly {readonly source: string; readonly path: string; readonly nodes: number}[];
}

/**
 * Compares the lock with the pipeline as it is, and with the results that are here. Runs and keeps nothing; without a cache,
 * as in a fresh clone, none is made.
 */
export async function checkProject(context: Context, loaded: Loaded, pins: Pins): Promise<Result<Checked>> {
  const nodes = pinnedNodes(loaded, pins);
  if (!nodes.ok) return nodes;
  const seen = await look(context, loaded, nodes.value);
  if (!seen.ok) return seen;
  const {sources, missing, workspace, plan, artifacts} = seen.value;
  try {
    const results = resultsOf(plan);
    const engines = new Map(plan?.nodes.map(({node, engine}) => [node.id, engine]));
    const code = new PinnedCode(loaded);
    const checks = checkPins({
      pins,
      nodes: nodes.value,
      codeOf: (node) => code.of(node),
      engineOf: ({id}) => engines.get(id),
      sourceOf: (source) => sources.get(source),
      values: await valuesOf(nodes.value, (id) => results.get(id), pins, workspace.store),
    });
    const known = {blobs: workspace.store.blobs, stages: code.stages, ...(artifacts ? {artifacts} : {})};
    const nodeOf = (id: NodeId): PipelineNode | undefined => loaded.graph.nodes[loaded.graph.indexOf.get(id) ?? -1];
    return ok({
      checks: checks.map((check) => ({...check, reasons: detailReasons(nodeOf(check.node), check.reasons, known)})),
      missing,
    });
  } finally {
    workspace.close();
  }
}

/**
 * Loads a project as `loadProject` does, and leaves nothing behind: what is derived from its texts is written to a folder that
 * goes away after `use`, which begins with what the cache knows of it. Results are looked for in the project's cache, if there
 * is one.
 */
export async function withLoaded<T>(
  project: Project,
  context: Context,
  use: (loaded: Result<Loaded>) => Promise<T>,
): Promise<T> {
  const cache = mkdtempSync(join(tmpdir(), 'mixdown-check-'));
  try {
    for (const name of derived) {
      const from = join(project.cacheDir, name);
      if (existsSync(from)) cpSync(from, join(cache, name), {recursive: true, preserveTimestamps: true});
    }
    const loaded = await loadProject({...context, globals: {...context.globals, cache}});
    if (!loaded.ok || !existsSync(project.cacheDir)) return await use(loaded);
    return await use(ok({...loaded.value, project}));
  } finally {
    rmSync(cache, {recursive: true, force: true});
  }
}

/** Folders of a cache from which an unchanged project is loaded at once. */
const derived = ['config', 'engines', join('stages', 'index'), join('stages', 'declarations')];

/** Runs `use` with a cache that may be written to: the project's, or where there is none one that is gone afterwards. */
export async function withoutTraces<T>(
  project: Project,
  context: Context,
  use: (there: Context) => Promise<T>,
): Promise<T> {
  if (existsSync(project.cacheDir)) return use(context);
  const cache = mkdtempSync(join(tmpdir(), 'mixdown-check-'));
  try {
    return await use({...context, globals: {...context.globals, cache}});
  } finally {
    rmSync(cache, {recursive: true, force: true});
  }
}

interface Seen extends Pick<Checked, 'missing'> {
  readonly sources: ReadonlyMap<string, Sha256>;
  readonly workspace: Workspace;
  /** Absent without a cache, and while sources are missing. */
  readonly plan?: Plan;
  readonly artifacts?: Artifacts;
}

async function look(context: Context, loaded: Loaded, nodes: readonly PipelineNode[]): Promise<Result<Seen>> {
  // A cache that was never written to has no results, and looking for them would try the tensor engines.
  if (existsSync(join(loaded.project.cacheDir, 'cas'))) {
    const ids = nodes.map(({id}) => id);
    const planned = await planNodes(context, loaded, ids, {traceless: true}, 'checking');
    if (planned.ok) {
      const {workspace, plan, planned: found} = planned.value;
      const {artifacts} = found;
      const hashes = sourcesOf(nodes).map((name) => [name, artifacts.source(name).artifact.digest.hash] as const);
      return ok({workspace, plan, artifacts, sources: new Map(hashes), missing: []});
    }
    if (planned.error.some(({code}) => code !== 'missing-source')) return planned;
  }
  const opened = openWorkspace(loaded.project, 'checking', warnOnce(context), {keep: false});
  if (!opened.ok) return opened;
  const workspace = opened.value;
  const sources = new Map<string, Sha256>();
  const missing: Checked['missing'][number][] = [];
  for (const name of sourcesOf(nodes)) {
    const source = loaded.pipeline.sources[name];
    const scanned = source ? await workspace.sources.scan(source) : err([failure('unknown-source', name)]);
    if (scanned.ok) {
      sources.set(name, scanned.value.artifact.digest.hash);
    } else if (source && scanned.error.every(({code}) => code === 'missing-source')) {
      const readers = nodes.filter((node) => refsOf(node).some((ref) => ref.from === 'source' && ref.source === name));
      missing.push({source: name, path: source.path, nodes: readers.length});
    } else {
      workspace.close();
      return scanned;
    }
  }
  return ok({workspace, sources, missing});
}

function sourcesOf(nodes: readonly PipelineNode[]): readonly string[] {
  const names = nodes.flatMap((node) => refsOf(node).flatMap((ref) => (ref.from === 'source' ? [ref.source] : [])));
  return [...new Set(names)].sort();
}

/** Results of nodes that a run would not make again. */
export function resultsOf(plan: Plan | undefined): ReadonlyMap<NodeId, NodeResult & {readonly fingerprint?: Sha256}> {
  const results = new Map<NodeId, NodeResult & {readonly fingerprint?: Sha256}>();
  for (const {node, status, outputs, metrics = {}, fingerprint} of plan?.nodes ?? []) {
    if (outputs === undefined || (status !== 'up-to-date' && status !== 'cached')) continue;
    results.set(node.id, {outputs, metrics, ...(fingerprint === undefined ? {} : {fingerprint})});
  }
  return results;
}
