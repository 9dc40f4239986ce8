import {statSync} from 'node:fs';
import {relative, resolve} from 'node:path';
import type {Action} from '../core/action.ts';
import {isSha256} from '../core/digest.ts';
import {explainAction} from '../core/explain.ts';
import {failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import type {Pin, Pins} from '../core/pins.ts';
import type {StaleReason} from '../core/reason.ts';
import {err, ok, type Result} from '../core/result.ts';
import {parsePins} from '../pins/pins-text.ts';
import {recipeReasons} from '../pins/recipe.ts';
import type {DiffSide, SideNode} from '../report/run-diff.ts';
import type {RunStore} from '../store/run-store.ts';
import type {Store} from '../store/store.ts';
import {pinOfAction} from './pins/action-pin.ts';
import type {Context} from './context.ts';
import {pinFileOf, readPinText} from './pins/file.ts';
import {displayPath, type Project} from './project.ts';
import {fileAtRevision, findRevision} from './git/revision.ts';
import {chooseRun, nodesOf} from './run-choice.ts';

/** One side, with what its results were made from, as far as that is known. */
export interface OpenedSide extends DiffSide {
  /** Of a run. */
  readonly actionOf?: (node: NodeId) => Action | undefined;
  readonly pinOf: (node: NodeId) => Pin | undefined;
}

export interface SidePlaces {
  readonly project: Project;
  readonly runs: RunStore;
  readonly store: Store;
}

/**
 * What somebody named: a run (`latest`, `latest~1`, an id or the start of one), else a file that is there, which is a lock, else a
 * git revision, whose lock is read as it was committed.
 */
export async function openSide(context: Context, places: SidePlaces, wanted: string): Promise<Result<OpenedSide>> {
  const {io, globals} = context;
  const {project, runs} = places;
  if (isRunName(runs, wanted)) return runSide(places, wanted);
  const path = resolve(io.cwd, globals.directory ?? '.', wanted);
  if (wanted !== '' && statSync(path, {throwIfNoEntry: false})?.isFile()) return lockSide(context, path);
  const found = await findRevision(project.root, wanted);
  if (!found.ok) {
    if (!found.error.every(({code}) => code === 'unknown-revision' || code === 'no-repository')) return found;
    const message = `\`${wanted}\` is no run, no file and no git revision`;
    const [trouble] = found.error;
    const told = trouble?.code === 'no-repository' ? `; ${trouble.message}` : '';
    return err([failure('usage', message, {hint: `runs: mixdown runs; files: a lock, such as mixdown.lock${told}`})]);
  }
  const lock = pinFileOf(context, project);
  if (lock === undefined) {
    const hint = 'leave --set out, or name a lock with --lock';
    return err([failure('usage', `with --set there is no lock to read at \`${wanted}\``, {hint})]);
  }
  const shown = relative(project.root, lock).replaceAll('\\', '/');
  const text = await fileAtRevision(project.root, wanted, lock);
  if (!text.ok) return text;
  if (text.value === undefined) {
    const hint = '`mixdown lock` makes one; commit it, and later revisions can be compared';
    return err([failure('usage', `there is no ${shown} at \`${wanted}\``, {hint})]);
  }
  const pins = parsePins(text.value, `${shown} at ${wanted}`);
  if (!pins.ok) return pins;
  const {commit} = found.value;
  return ok(pinSide({kind: 'lock', path: shown, revision: wanted, commit}, pins.value));
}

/**
 * What a single side is compared with: a revision with the lock as it is now, as `git diff REVISION` does with files; all else, and a
 * revision where there is no lock now, with the newest run.
 */
export function openOther(context: Context, places: SidePlaces, {from}: DiffSide): Result<OpenedSide> {
  const path = pinFileOf(context, places.project);
  const hasLock = path !== undefined && statSync(path, {throwIfNoEntry: false})?.isFile() === true;
  if (hasLock && from.kind === 'lock' && from.revision !== undefined) return lockSide(context, path);
  return runSide(places, 'latest');
}

/** How what the two results of a node were made from differs; undefined when one is not known any more. */
export function sideReasons(before: OpenedSide, after: OpenedSide, node: NodeId): readonly StaleReason[] | undefined {
  const [was, is] = [before.nodes[node]?.fingerprint, after.nodes[node]?.fingerprint];
  if (was !== undefined && was === is) return [];
  if (before.actionOf && after.actionOf) {
    const [left, right] = [before.actionOf(node), after.actionOf(node)];
    return left && right ? explainAction(left, right) : undefined;
  }
  const [left, right] = [before.pinOf(node), after.pinOf(node)];
  if (!left || !right) return undefined;
  const outputs = Object.fromEntries(Object.entries(right.outputs).map(([name, {kind}]) => [name, kind]));
  return recipeReasons(left, {...right, outputs, waits: new Map(), unseen: new Set()});
}

function isRunName(runs: RunStore, wanted: string): boolean {
  return /^latest(~\d{1,9})?$/.test(wanted) || (wanted !== '' && runs.list().some((id) => id.startsWith(wanted)));
}

function runSide({runs, store}: SidePlaces, wanted: string): Result<OpenedSide> {
  const record = chooseRun(runs, wanted);
  if (!record.ok) return record;
  const {id, startedAt} = record.value;
  const nodes = nodesOf(runs, record.value);
  const actionOf = (node: NodeId): Action | undefined => {
    const fingerprint = nodes[node]?.fingerprint ?? '';
    return isSha256(fingerprint) ? store.actions.peek(fingerprint)?.action : undefined;
  };
  const pinOf = (node: NodeId): Pin | undefined => {
    const action = actionOf(node);
    return action && pinOfAction(action, nodes[node]?.outputs ?? {}, store.blobs);
  };
  return ok({from: {kind: 'run', id, startedAt}, nodes, actionOf, pinOf});
}

function lockSide({io}: Context, path: string): Result<OpenedSide> {
  const shown = displayPath(path, io.cwd);
  const text = readPinText(path, shown);
  if (!text.ok) return text;
  const pins = parsePins(text.value ?? '', shown);
  return pins.ok ? ok(pinSide({kind: 'lock', path: shown}, pins.value)) : pins;
}

function pinSide(from: DiffSide['from'], {nodes: pins}: Pins): OpenedSide {
  const nodes = [...pins].map(([node, {outputs, metrics}]): readonly [NodeId, SideNode] => {
    const artifacts = Object.entries(outputs).map(([name, {kind, hash, size, files = 0}]) => [
      name,
      kind === 'file' ? {kind, digest: {hash, size}} : {kind, digest: {hash, size: 0}, files, bytes: size},
    ]);
    return [node, {metrics, outputs: Object.fromEntries(artifacts) as NonNullable<SideNode['outputs']>}];
  });
  return {from, nodes: Object.fromEntries(nodes), pinOf: (node) => pins.get(node)};
}
