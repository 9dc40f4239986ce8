import {
  fingerprintOf,
  isComplete,
  slicedPorts,
  sliceFingerprinter,
  type Action,
  type SliceManifest,
  type SliceRecord,
} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {JoinedItem} from '../core/join.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import {sliceSeed} from '../core/seed.ts';
import {loadTree} from './presence.ts';
import type {Artifacts} from './resolve.ts';
import type {PlanPorts} from './workspace.ts';

/** One slice with what is known of its result. */
export interface PlannedSlice extends JoinedItem {
  readonly seed: number;
  readonly fingerprint: Sha256;
  /** Bytes of its items. */
  readonly size: number;
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
 * @param action - the node's own action, with the collections' digests in the sliced ports
 * @param force - treat every slice as stale
 */
export async function planSlices(
  node: PipelineNode,
  action: Action,
  items: readonly JoinedItem[],
  last: SliceManifest | undefined,
  artifacts: Artifacts,
  ports: PlanPorts,
  force: boolean,
): Promise<SlicePlan> {
  const byFingerprint = new Map<Sha256, SliceRecord>();
  const byKey = new Map<string, SliceRecord>();
  for (const record of last?.slices ?? []) {
    byFingerprint.set(record.fingerprint, record);
    byKey.set(record.key, record);
  }
  const fingerprintOfSlice = sliceFingerprinter(action);
  const trees = Object.keys(node.outputs).filter((name) => node.outputs[name]?.kind === 'tree');
  const slices: PlannedSlice[] = [];
  for (const {key, entries} of items) {
    const seed = sliceSeed(node.seed, key);
    const digests = entries.map((entry) => entry.digest);
    const fingerprint = fingerprintOfSlice(digests, seed);
    const item = digests[0]!;
    const known = force ? undefined : (byFingerprint.get(fingerprint) ?? cachedSlice(key, item, fingerprint, ports));
    const whole =
      known !== undefined &&
      isComplete(action, known.outputs) &&
      Object.values(known.outputs).every((digest) => ports.cas.holds(digest)) &&
      (trees.length === 0 || (await holdsEntries(known, trees, artifacts, ports)));
    const lastWallMs = byKey.get(key)?.wallMs;
    slices.push({
      key,
      entries,
      seed,
      fingerprint,
      size: digests.reduce((sum, {size}) => sum + size, 0),
      ...(whole ? {record: {...known, key, item}} : {}),
      ...(lastWallMs === undefined ? {} : {lastWallMs}),
    });
  }
  return {slices, stale: slices.filter((slice) => !slice.record)};
}

/** A record names a tree by the digest of its text: its files must be there as well. */
async function holdsEntries(
  {outputs}: SliceRecord,
  trees: readonly string[],
  artifacts: Artifacts,
  {cas}: PlanPorts,
): Promise<boolean> {
  for (const name of trees) {
    const digest = outputs[name];
    if (!digest) continue;
    const tree = await loadTree(digest, artifacts, cas);
    if (!tree?.entries.every((entry) => cas.holds(entry.digest))) return false;
    artifacts.keepTree(digest, tree);
  }
  return true;
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
  const {each: _, ...rest} = action;
  const sliced = new Set(slicedPorts(action));
  const inputs = Object.fromEntries(Object.entries(action.inputs).filter(([port]) => !sliced.has(port)));
  return fingerprintOf({...rest, inputs});
}

function cachedSlice(key: string, item: Digest, fingerprint: Sha256, ports: PlanPorts): SliceRecord | undefined {
  const result = ports.actions.get(fingerprint);
  if (!result) return undefined;
  const outputs = Object.fromEntries(Object.entries(result.outputs).map(([name, {digest}]) => [name, digest]));
  return {key, item, fingerprint, outputs, wallMs: result.execution.wallMs};
}
