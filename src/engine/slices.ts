import {isComplete, sliceFingerprinter, type Action, type SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {JoinedItem} from '../core/join.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import {sliceSeed} from '../core/seed.ts';
import {isAvailable, loadTree} from './presence.ts';
import type {Artifacts} from './resolve.ts';
import {readSliceList} from './slice-list.ts';
import {distrustOf, restsOf, usableSlices} from './trust.ts';
import type {PlanPorts} from './workspace.ts';

/** One slice with what is known of its result. */
export interface PlannedSlice extends JoinedItem {
  readonly seed: number;
  readonly fingerprint: Sha256;
  /** Bytes of its items. */
  readonly size: number;
  /** Set when a result is there and all its blobs can be had. */
  readonly record?: SliceRecord;
  /** Wall time of this item's last slice in milliseconds, when recorded. */
  readonly lastWallMs?: number;
}

export interface SlicePlan {
  /** In item order. */
  readonly slices: readonly PlannedSlice[];
  readonly stale: readonly PlannedSlice[];
  /** Made by others, and not in this checkout's last result yet. */
  readonly taken: readonly PlannedSlice[];
}

/**
 * Finds which slices of an `each` node have a result. Linear in the items: one hash and, for a miss in the last
 * manifest, one look into the action cache each.
 *
 * @param known - what is known of slices besides the action cache; of two records of one fingerprint the later counts
 * @param action - the node's own action, with the collections' digests in the sliced ports
 * @param force - treat every slice as stale
 */
async function planSlices(
  node: PipelineNode,
  action: Action,
  items: readonly JoinedItem[],
  known: readonly SliceRecord[],
  artifacts: Artifacts,
  ports: PlanPorts,
  force: boolean,
): Promise<readonly PlannedSlice[]> {
  const byFingerprint = new Map<Sha256, SliceRecord>();
  const byKey = new Map<string, SliceRecord>();
  for (const record of known) {
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
    const found = force ? undefined : (byFingerprint.get(fingerprint) ?? cachedSlice(key, item, fingerprint, ports));
    const whole =
      found !== undefined &&
      isComplete(action, found.outputs) &&
      Object.values(found.outputs).every((digest) => isAvailable(digest, ports)) &&
      (trees.length === 0 || (await holdsEntries(found, trees, artifacts, ports)));
    const lastWallMs = byKey.get(key)?.wallMs;
    slices.push({
      key,
      entries,
      seed,
      fingerprint,
      size: digests.reduce((sum, {size}) => sum + size, 0),
      ...(whole ? {record: {...found, key, item}} : {}),
      ...(lastWallMs === undefined ? {} : {lastWallMs}),
    });
  }
  return slices;
}

/**
 * Plans the slices by what the node's last result, the action cache and the remote cache know of them.
 *
 * @param others - slices that are known from elsewhere
 */
export async function findSlices(
  node: PipelineNode,
  action: Action,
  items: readonly JoinedItem[],
  artifacts: Artifacts,
  ports: PlanPorts,
  force: boolean,
  others: readonly SliceRecord[] = [],
): Promise<SlicePlan> {
  const {remote} = ports;
  const last = await lastSlices(node.id, ports);
  const known = others.length === 0 ? last : [...last, ...others];
  const slices = await planSlices(node, action, items, known, artifacts, ports, force);
  const planned = {slices, stale: slices.filter(({record}) => !record), taken: takenSlices(slices, last)};
  if (!remote || force || planned.stale.length === 0) return planned;
  const stale = new Set(planned.stale.map(({fingerprint}) => fingerprint));
  const listed = usableSlices(await remote.findSlices(action), undefined, ports);
  const found = listed.filter(({fingerprint}) => stale.has(fingerprint));
  if (found.length === 0) return planned;
  // All at once: one after the other would be a round trip for each slice.
  await Promise.all(
    found.flatMap(({outputs}) =>
      Object.entries(outputs).map(async ([name, digest]) => {
        if (node.outputs[name]?.kind !== 'tree') return;
        const tree = await loadTree(digest, artifacts, ports);
        if (tree) artifacts.keepTree(digest, tree);
      }),
    ),
  );
  const again = await planSlices(node, action, items, [...known, ...found], artifacts, ports, force);
  return {slices: again, stale: again.filter(({record}) => !record), taken: takenSlices(again, last)};
}

function takenSlices(slices: readonly PlannedSlice[], last: readonly SliceRecord[]): readonly PlannedSlice[] {
  const foreign = slices.filter(({record}) => record?.from !== undefined);
  if (foreign.length === 0) return foreign;
  const before = new Set(last.map(({fingerprint}) => fingerprint));
  return foreign.filter(({fingerprint}) => !before.has(fingerprint));
}

/** A record names a tree by the digest of its text: its files must be there as well. */
async function holdsEntries(
  {outputs}: SliceRecord,
  trees: readonly string[],
  artifacts: Artifacts,
  ports: PlanPorts,
): Promise<boolean> {
  for (const name of trees) {
    const digest = outputs[name];
    if (!digest) continue;
    const tree = await loadTree(digest, artifacts, ports);
    if (!tree?.entries.every((entry) => isAvailable(entry.digest, ports))) return false;
    artifacts.keepTree(digest, tree);
  }
  return true;
}

/** What the node's last result says of its slices. */
async function lastSlices(node: NodeId, ports: PlanPorts): Promise<readonly SliceRecord[]> {
  const last = ports.state.get(node);
  return usableSlices(await readSliceList(last?.slices, ports.cas), last?.from, ports);
}

function cachedSlice(key: string, item: Digest, fingerprint: Sha256, ports: PlanPorts): SliceRecord | undefined {
  const result = ports.actions.get(fingerprint);
  const rests = result && restsOf(result);
  if (!rests || distrustOf(rests, ports)) return undefined;
  const outputs = Object.fromEntries(Object.entries(result.outputs).map(([name, {digest}]) => [name, digest]));
  const {from} = rests;
  return {key, item, fingerprint, outputs, wallMs: result.execution.wallMs, ...(from === undefined ? {} : {from})};
}

/** Names of the outputs that a slice left unwritten; the node allows it. */
export function absentOutputs(
  {outputs: declared}: PipelineNode,
  made: Readonly<Record<string, unknown>>,
): readonly string[] {
  return Object.keys(declared).filter((name) => !Object.hasOwn(made, name));
}
