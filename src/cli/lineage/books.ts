import type {ActionResult, SliceManifest} from '../../core/action.ts';
import type {Sha256} from '../../core/digest.ts';
import type {KnownSource, LineageBooks, Producer} from '../../core/lineage.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Plan} from '../../core/plan.ts';
import {parseSlices} from '../../core/slice-manifest.ts';
import type {Artifact, Tree} from '../../core/tree.ts';
import {parseSafeTree} from '../../store/validate.ts';
import type {Loaded} from '../load.ts';
import {readRecord} from '../records.ts';
import type {Workspace} from '../workspace.ts';

/** The books of a checkout and its store. */
export interface Books extends LineageBooks {
  /** Results by how likely they are meant, a group at a time; a later group is read when it is asked for. */
  groups(): Iterable<readonly Producer[]>;
}

/**
 * Opens what is on record: the plan's and the checkout's last results, then the run records, newest first, then every record
 * of the cache, also those of other checkouts.
 */
export async function openBooks(loaded: Loaded, plan: Plan | undefined, workspace: Workspace): Promise<Books> {
  const {pipeline, graph} = loaded;
  const {store, sources: scanner} = workspace;
  const sources: KnownSource[] = [];
  for (const source of Object.values(pipeline.sources)) {
    const scanned = await scanner.scan(source);
    sources.push({name: source.name, path: source.path, ...(scanned.ok ? {now: scanned.value} : {})});
  }
  const trees = new Map<Sha256, Tree | undefined>();
  for (const {now} of sources) if (now?.tree) trees.set(now.artifact.digest.hash, now.tree);
  const manifests = new Map<Sha256, SliceManifest | undefined>();
  const results = new Map<Sha256, ActionResult | undefined>();
  const text = (hash: Sha256): string => store.blobs.peek(hash)?.toString('utf8') ?? '';
  const result = (fingerprint: Sha256): ActionResult | undefined =>
    remembered(results, fingerprint, () => store.actions.peek(fingerprint));

  const readers = [
    () => presentResults(loaded, plan, workspace),
    () => recordedResults(workspace),
    () => storedResults(workspace),
  ];
  const read: (readonly Producer[])[] = [];
  const indexes: Map<Sha256, Producer[]>[] = [];
  const group = (index: number): readonly Producer[] => (read[index] ??= readers[index]!());
  return {
    sources,
    result,
    node: (id) => graph.nodes[graph.indexOf.get(id) ?? -1],
    tree: (hash) => remembered(trees, hash, () => parseSafeTree(text(hash))),
    slices: (hash) => remembered(manifests, hash, () => parseSlices(text(hash))),
    producers(hash) {
      for (let index = 0; index < readers.length; index++) {
        const found = (indexes[index] ??= byHash(group(index))).get(hash);
        if (found) return found;
      }
      return [];
    },
    *groups() {
      for (let index = 0; index < readers.length; index++) yield group(index);
    },
  };
}

/** In the order of the graph, so that of two nodes with the same bytes the one that had them first comes first. */
function presentResults({graph}: Loaded, plan: Plan | undefined, {state}: Workspace): readonly Producer[] {
  const current: Producer[] = [];
  const last: Producer[] = [];
  const planned = new Map(plan?.nodes.map((each) => [each.node.id, each]));
  for (const index of graph.order) {
    const {id} = graph.nodes[index]!;
    const {fingerprint, outputs, status} = planned.get(id) ?? {};
    const before = state.get(id);
    const isHere = status === 'up-to-date' || status === 'cached';
    if (isHere && fingerprint && outputs) current.push(...producersOf(fingerprint, id, outputs, 'current'));
    if (before && (!isHere || before.fingerprint !== fingerprint)) {
      last.push(...producersOf(before.fingerprint, id, before.outputs, 'last'));
    }
  }
  return [...current, ...last];
}

function recordedResults({runs}: Workspace): readonly Producer[] {
  return runs
    .list()
    .flatMap((runId) =>
      Object.entries(readRecord(runs, runId)?.nodes ?? {}).flatMap(([node, {fingerprint, outputs}]) =>
        fingerprint === undefined || outputs === undefined
          ? []
          : producersOf(fingerprint as Sha256, node, outputs, 'earlier'),
      ),
    );
}

/** Newest first. A slice is left out where the result of its node is there, which tells more. */
function storedResults({store: {actions, blobs}}: Workspace): readonly Producer[] {
  const ofNodes = new Set<Sha256>();
  const records = [...actions.list()].flatMap(({fingerprint}) => {
    const found = actions.peek(fingerprint);
    if (!found) return [];
    const manifest = found.slices && parseSlices(blobs.peek(found.slices.hash)?.toString('utf8') ?? '');
    for (const slice of manifest?.slices ?? []) ofNodes.add(slice.fingerprint);
    return [{fingerprint, startedAt: found.execution.startedAt, outputs: found.outputs}];
  });
  return records
    .filter(({fingerprint}) => !ofNodes.has(fingerprint))
    .sort((a, b) => b.startedAt - a.startedAt || (a.fingerprint < b.fingerprint ? -1 : 1))
    .flatMap(({fingerprint, outputs}) => producersOf(fingerprint, undefined, outputs, 'earlier'));
}

function producersOf(
  fingerprint: Sha256,
  node: NodeId | undefined,
  outputs: Readonly<Record<string, Artifact>>,
  age: Producer['age'],
): Producer[] {
  return Object.entries(outputs).map(([output, artifact]) => ({
    fingerprint,
    ...(node === undefined ? {} : {node}),
    output,
    artifact,
    age,
  }));
}

function byHash(producers: readonly Producer[]): Map<Sha256, Producer[]> {
  const index = new Map<Sha256, Producer[]>();
  for (const producer of producers) {
    const {hash} = producer.artifact.digest;
    const same = index.get(hash);
    if (same) same.push(producer);
    else index.set(hash, [producer]);
  }
  return index;
}

function remembered<K, V>(memory: Map<K, V>, key: K, make: () => V): V {
  if (!memory.has(key)) memory.set(key, make());
  return memory.get(key) as V;
}
