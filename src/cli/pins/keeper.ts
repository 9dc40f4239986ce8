import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {sha256, type Sha256} from '../../core/digest.ts';
import {canonicalJson, type Json} from '../../core/json.ts';
import type {NodeId, PipelineNode} from '../../core/pipeline.ts';
import type {Pin, Pins} from '../../core/pins.ts';
import {ok, type Result} from '../../core/result.ts';
import {parsePins, pinsText} from '../../pins/pins-text.ts';
import {updatePins, type Update} from '../../pins/update.ts';
import type {NodeResult} from '../../pins/values.ts';
import {tempNames, writeFileAtomic} from '../../store/atomic-file.ts';
import {newNonce} from '../../store/session.ts';
import type {Loaded} from '../load.ts';
import {readPinBytes, readPinText} from './file.ts';
import {PinnedCode, pinnedNodes, valuesOf} from './scope.ts';
import {writePinText} from './write.ts';
import type {PlannedWork} from '../planning.ts';
import {currentToolchain} from '../workspace.ts';

export interface KeepRequest {
  readonly loaded: Loaded;
  readonly work: Pick<PlannedWork, 'planned' | 'workspace'>;
  readonly lock: {readonly path: string; /** For messages. */ readonly shown: string};
  /** What nodes have made; undefined for those that failed or took no part. */
  readonly resultOf: (node: NodeId) => (NodeResult & {readonly fingerprint?: Sha256}) | undefined;
  readonly accept: ReadonlyMap<NodeId, NonNullable<Pin['accepted']>>;
  /** What to pin from now on; as the lock says when absent. Without a lock and without this nothing is kept. */
  readonly targets?: readonly string[];
}

/** What a lock has come to. */
export interface Kept extends Update {
  /** False when the file was right as it was. */
  readonly written: boolean;
}

/**
 * Brings a lock up to date with results. One process at a time: what another run has pinned meanwhile is read before it is
 * written again. Undefined when there is no lock, or it is known to agree with these results.
 */
export async function keepPins(request: KeepRequest): Promise<Result<Kept | 'settled' | undefined>> {
  const {work, lock} = request;
  const before = readPinBytes(lock.path, lock.shown);
  if (!before.ok) return before;
  if (before.value === undefined && request.targets === undefined) return ok(undefined);
  if (request.accept.size === 0 && isSettled(before.value, request)) return ok('settled');
  const key = `pins-${sha256(lock.path).slice(0, 32)}`;
  const held = await work.workspace.store.locks.acquire(key, new AbortController().signal, () => {});
  try {
    return await update(request);
  } finally {
    held.release();
  }
}

async function update(request: KeepRequest): Promise<Result<Kept | undefined>> {
  const {loaded, work, lock, resultOf, accept} = request;
  const text = readPinText(lock.path, lock.shown);
  if (!text.ok) return text;
  const read: Result<Pins> =
    text.value === undefined ? ok({targets: [], nodes: new Map()}) : parsePins(text.value, lock.shown);
  if (!read.ok) return read;
  const pins: Pins = {...read.value, targets: request.targets ?? read.value.targets};
  const nodes = pinnedNodes(loaded, pins);
  if (!nodes.ok) return nodes;
  const {artifacts, engines} = work.planned;
  const code = new PinnedCode(loaded);
  const values = await valuesOf(nodes.value, resultOf, pins, work.workspace.store);
  const toolchainOf = ({id, command}: PipelineNode): Pin['toolchain'] => {
    const engine = engines.engineOf(id);
    return command ? {} : {...currentToolchain(), ...(engine === undefined ? {} : {engine})};
  };
  const updated = updatePins({
    pins,
    nodes: nodes.value,
    codeOf: (node) => code.of(node),
    engineOf: ({id}) => engines.engineOf(id),
    sourceOf: (source) => artifacts.of({from: 'source', source})?.digest.hash,
    values,
    accept,
    toolchainOf,
  });
  const after = pinsText(updated.pins);
  const written = after !== text.value;
  if (written) {
    // Kept so that a later check can name the files that changed.
    for (const {manifest} of code.stages)
      await work.workspace.store.cas.putBytes(canonicalJson(manifest as unknown as Json));
    const put = writePinText(lock.path, after, lock.shown);
    if (!put.ok) return put;
  }
  if (updated.drifted.length + updated.held.length + updated.otherEngine.size === 0) settle(after, request);
  return ok({...updated, written});
}

/** Names a lock that is sound, and the results that it agrees with, so that a run with nothing to do need not read it again. */
const settledFile = 'lock.settled';

function isSettled(text: Uint8Array | undefined, request: KeepRequest): boolean {
  if (text === undefined || request.targets !== undefined) return false;
  const hash = sha256(text);
  const [sound, key] = settledOf(request.loaded.project.runsDir);
  return sound === hash && key === keyOf(hash, request);
}

/** Whether this very text was read before and found right. */
export function isKnownSound(text: Uint8Array, runsDir: string): boolean {
  return settledOf(runsDir)[0] === sha256(text);
}

function settledOf(runsDir: string): readonly string[] {
  try {
    return readFileSync(join(runsDir, settledFile), 'utf8').split('\n');
  } catch {
    return [];
  }
}

function settle(text: string, request: KeepRequest): void {
  const {runsDir} = request.loaded.project;
  try {
    const hash = sha256(text);
    writeFileAtomic(join(runsDir, settledFile), `${hash}\n${keyOf(hash, request)}\n`, tempNames(runsDir, newNonce()));
  } catch {
    // Then the next run compares again.
  }
}

/** A hash of everything that the outcome of an update depends on. */
function keyOf(lock: Sha256, {loaded, resultOf}: KeepRequest): Sha256 {
  const {pipeline, graph} = loaded;
  let text = `settled/1 ${lock} ${JSON.stringify(pipeline.targets)}`;
  graph.nodes.forEach(({id, outputs, compareMetrics}, index) => {
    const result = resultOf(id);
    text += `\0${id}\0${graph.producers[index]?.join() ?? ''}\0${result?.fingerprint ?? ''}`;
    if (compareMetrics !== undefined) text += JSON.stringify(compareMetrics);
    for (const name in outputs) {
      const compare = outputs[name]?.compare;
      text += `\0${result?.outputs[name]?.digest.hash ?? ''}`;
      if (compare !== undefined) text += JSON.stringify(compare);
    }
    for (const name in result?.metrics) text += `\0${name} ${result.metrics[name]}`;
  });
  return sha256(text);
}
