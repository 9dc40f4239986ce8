import {codeChanges, entryChanges} from '../core/changes.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {refsOf, type PipelineNode} from '../core/pipeline.ts';
import type {StaleReason} from '../core/reason.ts';
import type {CodeManifest, StageDeclaration} from '../core/stage.ts';
import {parseTree, type Tree} from '../core/tree.ts';
import type {Artifacts} from '../engine/resolve.ts';
import type {CasAdmin} from '../store/blob-admin.ts';

/** Where the texts that reasons only know by digest can be found. */
export interface DetailSources {
  readonly blobs: CasAdmin;
  readonly artifacts?: Artifacts;
  readonly stages: readonly StageDeclaration[];
}

/**
 * Adds to reasons which files of the code and which entries of an input changed, as far as the texts are still there.
 *
 * @param node - the node as it is now; undefined when its pipeline is not at hand
 */
export function detailReasons(
  node: PipelineNode | undefined,
  reasons: readonly StaleReason[],
  sources: DetailSources,
): readonly StaleReason[] {
  return reasons.map((reason) => {
    if (reason.kind === 'code-changed' && reason.files === undefined) {
      const before = manifest(reason.before, sources);
      const after = manifest(reason.after, sources);
      return before && after ? {...reason, files: codeChanges(before, after)} : reason;
    }
    if (reason.kind === 'input-changed' && reason.entries === undefined) {
      const before = tree(reason.before, node, sources);
      const after = tree(reason.after, node, sources);
      return before && after ? {...reason, entries: entryChanges(before, after)} : reason;
    }
    return reason;
  });
}

function manifest(code: Sha256, {blobs, stages}: DetailSources): CodeManifest | undefined {
  const current = stages.find((stage) => stage.code === code);
  if (current) return current.manifest;
  const value = parse(blobs.peek(code)?.toString('utf8')) as Partial<CodeManifest> | undefined;
  return value?.type === 'code/1' && value.files && value.packages ? (value as CodeManifest) : undefined;
}

/** A source's tree of now is in memory only; others are in the store. */
function tree(digest: Digest, node: PipelineNode | undefined, {blobs, artifacts}: DetailSources): Tree | undefined {
  for (const ref of artifacts && node ? refsOf(node) : []) {
    if (ref.from !== 'source') continue;
    const scanned = artifacts?.source(ref.source);
    if (scanned?.artifact.digest.hash === digest.hash) return scanned.tree;
  }
  const known = artifacts?.tree(digest);
  if (known) return known;
  const text = blobs.peek(digest.hash)?.toString('utf8');
  return text === undefined ? undefined : parseTree(text);
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
