import type {Digest} from '../core/digest.ts';
import type {ArtifactRef} from '../core/pipeline.ts';
import type {Cas} from '../core/ports.ts';
import {parseTree, type Artifact, type Tree} from '../core/tree.ts';
import type {Artifacts, Outputs} from './resolve.ts';

/** Name of the first output of which a blob, trees' entries included, is not in the store; undefined when all are. */
export async function missingOutput(outputs: Outputs, artifacts: Artifacts, cas: Cas): Promise<string | undefined> {
  for (const [name, artifact] of Object.entries(outputs)) {
    const present = artifact.kind === 'file' ? cas.holds(artifact.digest) : await holdsTree(artifact, artifacts, cas);
    if (!present) return name;
  }
  return undefined;
}

/** A tree from memory or from its blob; undefined when that is gone or no tree. */
export async function loadTree(
  digest: Digest,
  artifacts: Artifacts,
  cas: Pick<Cas, 'read'>,
): Promise<Tree | undefined> {
  const known = artifacts.tree(digest);
  if (known) return known;
  const bytes = await cas.read(digest);
  return bytes && parseTree(new TextDecoder().decode(bytes));
}

/** A collection's entries: from the scan, from memory, or from its blob; undefined when it is not known, or gone. */
export async function loadCollection(
  collection: ArtifactRef,
  artifacts: Artifacts,
  cas: Pick<Cas, 'read'>,
): Promise<Tree | undefined> {
  if (collection.from === 'source') return artifacts.source(collection.source).tree;
  const artifact = artifacts.of(collection);
  return artifact && loadTree(artifact.digest, artifacts, cas);
}

async function holdsTree(artifact: Artifact, artifacts: Artifacts, cas: Cas): Promise<boolean> {
  const tree = await loadTree(artifact.digest, artifacts, cas);
  return tree?.entries.every((entry) => cas.holds(entry.digest)) ?? false;
}
