import type {Digest} from '../core/digest.ts';
import type {ArtifactRef} from '../core/pipeline.ts';
import {parseTree, type Artifact, type Tree} from '../core/tree.ts';
import type {Artifacts, Outputs} from './resolve.ts';
import type {PlanPorts} from './workspace.ts';

/** Where blobs are looked for. */
export type BlobPorts = Pick<PlanPorts, 'cas' | 'remote'>;

/** True when the blob is in the store, or is promised by the remote cache. */
export function isAvailable(digest: Digest, {cas, remote}: BlobPorts): boolean {
  return remote?.promises(digest) === true || cas.holds(digest);
}

/** Name of the first output of which a blob, trees' entries included, cannot be had; undefined when all can. */
export async function missingOutput(
  outputs: Outputs,
  artifacts: Artifacts,
  ports: BlobPorts,
): Promise<string | undefined> {
  for (const [name, artifact] of Object.entries(outputs)) {
    const present =
      artifact.kind === 'file'
        ? isAvailable(artifact.digest, ports)
        : await isTreeAvailable(artifact, artifacts, ports);
    if (!present) return name;
  }
  return undefined;
}

/** A tree from memory or from its blob, which is fetched when promised; undefined when that is gone or no tree. */
export async function loadTree(digest: Digest, artifacts: Artifacts, ports: BlobPorts): Promise<Tree | undefined> {
  const {cas, remote} = ports;
  const promised = remote?.promises(digest) === true;
  const known = artifacts.tree(digest);
  if (known && !promised) return known;
  if (promised) await remote.fetch([digest]);
  const bytes = await cas.read(digest);
  const tree = known ?? (bytes && parseTree(new TextDecoder().decode(bytes)));
  // What was said of the tree was said of its files.
  if (promised && tree && bytes) remote.promise(tree.entries.map((entry) => entry.digest));
  return tree;
}

/** A collection's entries: from the scan, from memory, or from its blob; undefined when it is not known, or gone. */
export async function loadCollection(
  collection: ArtifactRef,
  artifacts: Artifacts,
  ports: BlobPorts,
): Promise<Tree | undefined> {
  if (collection.from === 'source') return artifacts.source(collection.source).tree;
  const artifact = artifacts.of(collection);
  return artifact && loadTree(artifact.digest, artifacts, ports);
}

async function isTreeAvailable({digest}: Artifact, artifacts: Artifacts, ports: BlobPorts): Promise<boolean> {
  // A promise of the tree is one of all its files: no need to fetch it for the answer.
  if (ports.remote?.promises(digest)) return true;
  const tree = await loadTree(digest, artifacts, ports);
  return tree?.entries.every((entry) => isAvailable(entry.digest, ports)) ?? false;
}
