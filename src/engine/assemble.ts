import type {Digest, Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import {err, ok, type Result} from '../core/result.ts';
import {assembleSlices, type AssembledTree, type PathClash, type SlicePart} from '../core/slice.ts';
import type {Tree} from '../core/tree.ts';
import {loadTree, type BlobPorts} from './presence.ts';
import type {Artifacts, Outputs} from './resolve.ts';

/** An `each` node's outputs, put together of its slices'; not in the store yet. */
export interface Assembled {
  readonly outputs: Outputs;
  readonly trees: readonly AssembledTree[];
}

/** Puts the slices' outputs together as the node's trees and keeps these in memory. */
export async function assemble(
  node: PipelineNode,
  slices: readonly SlicePart[],
  artifacts: Artifacts,
  ports: BlobPorts,
): Promise<Result<Assembled, Failure>> {
  const known = new Map<Sha256, Tree>();
  for (const [name, {kind}] of Object.entries(node.outputs)) {
    if (kind === 'file') continue;
    for (const {key, outputs} of slices) {
      const digest = outputs[name];
      if (!digest || known.has(digest.hash)) continue;
      const tree = await loadTree(digest, artifacts, ports);
      if (!tree) return err(gone(node.id, key, name));
      known.set(digest.hash, tree);
    }
  }
  const treeOf = ({hash}: Digest): Tree => known.get(hash)!;
  const assembled = assembleSlices(node.outputs, slices, treeOf);
  if (!assembled.ok) return err(clash(node.id, assembled.error));
  for (const {artifact, tree} of Object.values(assembled.value)) artifacts.keepTree(artifact.digest, tree);
  const outputs = Object.fromEntries(Object.entries(assembled.value).map(([name, {artifact}]) => [name, artifact]));
  return ok({outputs, trees: Object.values(assembled.value)});
}

function gone(node: NodeId, key: string, output: string): Failure {
  return failure('blob-missing', `${node}: what slice ${key} made as ${output} is gone from the store`, {
    node,
    hint: 'Run again to make it again.',
  });
}

function clash(node: NodeId, {output, paths: [a, b], keys: [first, second]}: PathClash): Failure {
  const message =
    a === b
      ? `${node}: the slices ${first} and ${second} both make ${a} in ${output}`
      : `${node}: slice ${first} makes the file ${a} in ${output}, and slice ${second} makes ${b} below it`;
  return failure('slice-key-collision', message, {
    node,
    hint: 'What a slice makes is named after its item. Rename one of the items, or what is made of it.',
  });
}
