import {slicedPorts, type ActionResult, type Execution, type SliceManifest, type SliceRecord} from './action.ts';
import type {Digest, Sha256} from './digest.ts';
import type {Json} from './json.ts';
import {refsByPort, type ArtifactRef, type NodeId, type PipelineNode} from './pipeline.ts';
import type {ScannedSource} from './ports.ts';
import {itemKey} from './slice.ts';
import type {Artifact, Tree, TreeEntry} from './tree.ts';

/** A result that has an artifact. Without a node when no record says which one it was. */
export interface Producer {
  readonly fingerprint: Sha256;
  readonly node?: NodeId;
  readonly output: string;
  readonly artifact: Artifact;
  /** `current`: of the pipeline as it is now. `last`: of a node that is stale now. `earlier`: of some time before. */
  readonly age: 'current' | 'last' | 'earlier';
}

/** A source of the pipeline; `now` is absent when it cannot be read. */
export interface KnownSource {
  readonly name: string;
  /** As the pipeline writes it. */
  readonly path: string;
  readonly now?: ScannedSource;
}

/** What is on record. Looks only. */
export interface LineageBooks {
  result(fingerprint: Sha256): ActionResult | undefined;
  /** Results with an output of these bytes, the one to prefer first. */
  producers(hash: Sha256): readonly Producer[];
  tree(hash: Sha256): Tree | undefined;
  slices(hash: Sha256): SliceManifest | undefined;
  node(id: NodeId): PipelineNode | undefined;
  readonly sources: readonly KnownSource[];
}

/** Where bytes are from. `entry` is the path of a file inside a folder. */
export type Origin =
  | {
      readonly from: 'node';
      /** Id of a step. */
      readonly step: Sha256;
      readonly node?: NodeId;
      readonly output: string;
      readonly entry?: string;
      readonly age: Producer['age'];
    }
  | {
      readonly from: 'source';
      readonly source: string;
      readonly path: string;
      readonly entry?: string;
      /** Its bytes are others now, or it is gone. */
      readonly changed?: true;
    }
  | {readonly from: 'unknown'};

export type LineageInput = Origin & {readonly port: string; readonly digest: Digest};

/** One action that was executed: that of a node, or of one slice of it. */
export interface LineageStep {
  /** Its fingerprint. */
  readonly id: Sha256;
  readonly node?: NodeId;
  /** Key of the item when it is one slice. */
  readonly slice?: string;
  /** How many slices it stands for. */
  readonly slices?: number;
  /** Absent when the record is gone from the cache. */
  readonly made?: {
    readonly stage: string;
    readonly code: Sha256;
    readonly params: Json;
    readonly seed: number;
    readonly toolchain: Readonly<Record<string, string>>;
    readonly execution: Execution;
  };
  readonly inputs: readonly LineageInput[];
}

/** What made something, down to the sources: what `mixdown lineage --json` prints. */
export interface Lineage {
  readonly type: 'lineage/1';
  /** The file that was asked about. */
  readonly file?: {
    readonly path: string;
    readonly artifact: Artifact;
    /** The result that a run put there, when the file was changed since. */
    readonly changed?: {readonly runId: string; readonly was: Artifact};
  };
  /** Of the bytes that the rest is about. */
  readonly digest: Digest;
  readonly origin: Origin;
  /** Other results and sources with the same bytes; their steps are not followed. */
  readonly also: readonly Origin[];
  /** Each before those that it was made from. */
  readonly steps: readonly LineageStep[];
}

/** Follows results back to the sources. */
export interface LineageTracer {
  /** The file at `entry` of what the producer made, or all of it. */
  trace(producer: Producer, entry?: string): Origin;
  /** What was met, each step before those that it was made from. */
  readonly steps: readonly LineageStep[];
}

export function lineageTracer(books: LineageBooks): LineageTracer {
  const steps: LineageStep[] = [];
  const places = new Map<Sha256, number>();
  /** Results whose way back is being followed: what was made of them cannot have made them, though the bytes be the same. */
  const open = new Set<Sha256>();

  const trace: LineageTracer['trace'] = ({fingerprint, node, output, age}, entry) => {
    const whole = books.result(fingerprint);
    const slice = whole && entry !== undefined ? sliceOf(whole, output, entry, books) : undefined;
    const part = slice && books.result(slice.fingerprint);
    open.add(fingerprint);
    const step = slice && part ? add(part, node, whole, slice) : add(whole ?? fingerprint, node);
    open.delete(fingerprint);
    return {from: 'node', step, ...given({node}), output, ...given({entry}), age};
  };

  const add = (
    result: ActionResult | Sha256,
    node: NodeId | undefined,
    whole?: ActionResult,
    slice?: SliceRecord,
  ): Sha256 => {
    const id = typeof result === 'string' ? result : result.fingerprint;
    if (places.has(id)) return id;
    const place = places.set(id, steps.length).size - 1;
    const named = {id, ...given({node, slice: slice?.key})};
    steps.push({...named, inputs: []});
    if (typeof result === 'string') return id;
    const {action, execution} = result;
    const {stage, code, params, seed, toolchain} = action;
    const slices = result.slices && books.slices(result.slices.hash)?.slices.length;
    const made = {stage, code, params, seed, toolchain, execution};
    steps[place] = {...named, ...given({slices}), made, inputs: inputsOf(result, node, whole, slice)};
    return id;
  };

  const inputsOf = (
    {action}: ActionResult,
    node: NodeId | undefined,
    whole: ActionResult | undefined,
    slice: SliceRecord | undefined,
  ): readonly LineageInput[] => {
    const consumer = node === undefined ? undefined : books.node(node);
    const refs = new Map(consumer ? refsByPort(consumer) : []);
    const sliced = new Set(whole ? slicedPorts(whole.action) : []);
    return Object.entries(action.inputs).flatMap(([port, input]) => {
      const bound = refs.get(port) ?? [];
      if (whole && sliced.has(port)) {
        const item = input as Digest;
        const collection = whole.action.inputs[port] as Digest;
        return [{port, digest: item, ...originOf(collection, bound[0], {digest: item, key: slice?.key})}];
      }
      const digests = 'hash' in input ? [input] : input;
      const inOrder = bound.length === digests.length;
      return digests.map((digest, index) => ({
        port,
        digest,
        ...originOf(digest, inOrder ? bound[index] : undefined),
      }));
    });
  };

  const originOf = (digest: Digest, ref: ArtifactRef | undefined, item?: Item): Origin => {
    const entry = item && entryFor(item, books.tree(digest.hash));
    const source = ref?.from === 'source' ? books.sources.find(({name}) => name === ref.source) : undefined;
    if (source) return fromSource(source, digest, entry);
    const found = books.producers(digest.hash).filter(({fingerprint}) => !open.has(fingerprint));
    const named =
      ref?.from === 'node' ? found.find(({node, output}) => node === ref.node && output === ref.output) : undefined;
    const producer = named ?? found[0];
    if (producer) return trace(producer, entry?.path);
    const same = books.sources.find(({now}) => now?.artifact.digest.hash === digest.hash);
    return same ? fromSource(same, digest, entry) : (fromSources(books, digest.hash)[0] ?? {from: 'unknown'});
  };

  return {trace, steps};
}

/** The sources that are these bytes, or have a file of these bytes. */
export function fromSources({sources}: Pick<LineageBooks, 'sources'>, hash: Sha256): readonly Origin[] {
  return sources.flatMap(({name, path, now}): readonly Origin[] => {
    const source = {from: 'source', source: name, path} as const;
    if (now?.artifact.digest.hash === hash) return [source];
    const same = now?.tree?.entries.filter(({digest}) => digest.hash === hash) ?? [];
    return same.map((entry) => ({...source, entry: entry.path}));
  });
}

/** The source, or a file of it, marked when it is no longer what was read. */
function fromSource({name, path, now}: KnownSource, digest: Digest, entry?: TreeEntry): Origin {
  const bytes = entry ? now?.tree?.entries.find((each) => each.path === entry.path)?.digest : now?.artifact.digest;
  const changed = bytes?.hash === (entry?.digest ?? digest).hash ? undefined : (true as const);
  return {from: 'source', source: name, path, ...given({entry: entry?.path, changed})};
}

interface Item {
  readonly digest: Digest;
  readonly key: string | undefined;
}

/** Several items may have the same bytes: the one with the slice's key is meant. */
function entryFor({digest, key}: Item, tree: Tree | undefined): TreeEntry | undefined {
  const same = tree?.entries.filter((entry) => entry.digest.hash === digest.hash) ?? [];
  return same.find(({path}) => itemKey(path) === key || path === key) ?? same[0];
}

/** The slice that made the entry of this output. */
function sliceOf(
  {action, slices}: ActionResult,
  output: string,
  entry: string,
  books: LineageBooks,
): SliceRecord | undefined {
  const records = (slices && books.slices(slices.hash)?.slices) ?? [];
  const isTree = action.outputs[output]?.kind === 'tree';
  const dot = action.outputs[output]?.name.lastIndexOf('.') ?? -1;
  const extension = dot > 0 ? action.outputs[output]!.name.slice(dot) : '';
  return records.find(({key}) => (isTree ? entry.startsWith(`${key}/`) : entry === key + extension));
}

/** The members that have a value. */
function given<T extends object>(members: T): {[K in keyof T]?: Exclude<T[K], undefined>} {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}
