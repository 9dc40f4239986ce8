import type {Cas} from '../core/ports.ts';
import {parseTree, type Artifact} from '../core/tree.ts';
import type {Artifacts, Outputs} from './resolve.ts';

/** Name of the first output of which a blob, trees' entries included, is not in the store; undefined when all are. */
export async function missingOutput(outputs: Outputs, artifacts: Artifacts, cas: Cas): Promise<string | undefined> {
  for (const [name, artifact] of Object.entries(outputs)) {
    const present = artifact.kind === 'file' ? cas.holds(artifact.digest) : await holdsTree(artifact, artifacts, cas);
    if (!present) return name;
  }
  return undefined;
}

async function holdsTree(artifact: Artifact, artifacts: Artifacts, cas: Cas): Promise<boolean> {
  let tree = artifacts.tree(artifact.digest);
  if (!tree) {
    const bytes = await cas.read(artifact.digest);
    tree = bytes && parseTree(new TextDecoder().decode(bytes));
  }
  return tree?.entries.every((entry) => cas.holds(entry.digest)) ?? false;
}
