import {fingerprintOf, sliceFingerprinter, type Action, type SliceManifest, type SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {ArtifactRef, NodeId, PipelineNode} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import {sliceSeed} from '../core/seed.ts';
import {itemKey} from '../core/slice.ts';
import {parseTree, type Artifact, type Tree} from '../core/tree.ts';
import type {Artifacts} from './resolve.ts';
import type {PlanPorts} from './workspace.ts';

/** One item of a collection with what is known of its result. */
export interface PlannedSlice {
  readonly key: string;
  /** Path of the item in the collection. */
  readonly path: string;
  readonly item: Digest;
  readonly seed: number;
  readonly fingerprint: Sha256;
  /** Set when a result with all its blobs is there. */
  readonly record?: SliceRecord;
  /** Wall time of this item's last slice in milliseconds, when recorded. */
  readonly lastWallMs?: number;
}

export interface SlicePlan {
  /** In item order. */
  readonly slices: readonly PlannedSlice[];
  readonly stale: readonly PlannedSlice[];
}

/**
 * Finds which slices of an `each` node have a result. Linear in the items: one hash and, for a miss in the last
 * manifest, one look into the action cache each.
 *
 * @param action - the node's own action, with the collection's digest in the sliced port
 * @param force - treat every slice as stale
 */
export function planSlices(
  node: PipelineNode,
  action: Action,
  collection: Tree,
  last: SliceManifest | undefined,
  ports: PlanPorts,
  force: boolean,
): Result<SlicePlan, Failure> {
  const byFingerprint = new Map<Sha256, SliceRecord>();
  const byKey = new Map<string, SliceRecord>();
  for (const record of last?.slices ?? []) {
    byFingerprint.set(record.fingerprint, record);
    byKey.set(record.key, record);
  }
  const fingerprint = sliceFingerprinter(action);
  const taken = new Map<string, string>();
  const slices: PlannedSlice[] = [];
  for (const entry of collection.entries) {
    const key = itemKey(entry.path);
    const other = taken.get(key);
    if (other !== undefined) return err(collision(node.id, key, other, entry.path));
    taken.set(key, entry.path);
    const seed = sliceSeed(node.seed, key);
    const print = fingerprint(entry.digest, seed);
    const known = force ? undefined : (byFingerprint.get(print) ?? cachedSlice(key, entry.digest, print, ports));
    const record = known && Object.values(known.outputs).every((digest) => ports.cas.holds(digest)) ? known : undefined;
    const lastWallMs = byKey.get(key)?.wallMs;
    slices.push({
      key,
      path: entry.path,
      item: entry.digest,
      seed,
      fingerprint: print,
      ...(record ? {record: {...record, key}} : {}),
      ...(lastWallMs === undefined ? {} : {lastWallMs}),
    });
  }
  return ok({slices, stale: slices.filter((slice) => !slice.record)});
}

/** The collection's entries: from the scan, from memory, or from its blob; undefined when the blob is gone. */
export async function loadCollection(
  ref: ArtifactRef,
  artifact: Artifact,
  artifacts: Artifacts,
  ports: Pick<PlanPorts, 'cas'>,
): Promise<Tree | undefined> {
  if (ref.from === 'source') return artifacts.source(ref.source).tree;
  const known = artifacts.tree(artifact.digest);
  if (known) return known;
  const bytes = await ports.cas.read(artifact.digest);
  return bytes ? parseTree(new TextDecoder().decode(bytes)) : undefined;
}

/** What the node's last result says of its slices. */
export async function lastSlices(node: NodeId, ports: PlanPorts): Promise<SliceManifest | undefined> {
  const digest = ports.state.get(node)?.slices;
  const bytes = digest ? await ports.cas.read(digest) : undefined;
  if (!bytes) return undefined;
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as SliceManifest;
  return manifest.type === 'slices/1' ? manifest : undefined;
}

/** Name of the lock that covers all slices of one template: equal for runs whose collections merely overlap. */
export function templateKey(action: Action): Sha256 {
  const {each, ...rest} = action;
  const inputs = Object.fromEntries(Object.entries(action.inputs).filter(([port]) => port !== each));
  return fingerprintOf({...rest, inputs});
}

function cachedSlice(key: string, item: Digest, fingerprint: Sha256, ports: PlanPorts): SliceRecord | undefined {
  const result = ports.actions.get(fingerprint);
  if (!result) return undefined;
  const outputs = Object.fromEntries(Object.entries(result.outputs).map(([name, {digest}]) => [name, digest]));
  return {key, item, fingerprint, outputs, wallMs: result.execution.wallMs};
}

function collision(node: NodeId, key: string, a: string, b: string): Failure {
  return failure('slice-key-collision', `${node}: the items ${a} and ${b} share the key ${key}`, {
    node,
    hint: 'Items are told apart by their path without the extension. Rename one, or exclude it from the source.',
  });
}
