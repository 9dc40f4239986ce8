import type {Action} from '../core/action.ts';
import type {Digest} from '../core/digest.ts';
import type {ArtifactRef, NodeId} from '../core/pipeline.ts';
import type {PageInput} from './page-data.ts';

/** What a run is known to have made. */
export interface MadeOutputs {
  /** Hash of a node's output; undefined when it made none. */
  readonly hashOf: (node: NodeId, output: string) => string | undefined;
  /** An output with these bytes. */
  readonly ownerOf: (hash: string) => {readonly node: NodeId; readonly output: string} | undefined;
}

/**
 * What a node read. The record of its work knows digests, the pipeline as it is now knows names: a name is believed where the
 * digest does not contradict it, else the output with that digest is looked for, and what is not found is called by its hash.
 *
 * @param refs - what each port reads by the pipeline; undefined when the pipeline has no such node
 * @param inputs - of the action; undefined when it is not known
 */
export function pageInputs(
  refs: readonly (readonly [port: string, refs: readonly ArtifactRef[]])[] | undefined,
  inputs: Action['inputs'] | undefined,
  made: MadeOutputs,
): readonly PageInput[] {
  if (inputs === undefined) {
    return (refs ?? []).flatMap(([port, bound]) => bound.map((ref) => ({port, ...ref})));
  }
  const bindings = new Map(refs);
  const ports = [...bindings.keys(), ...Object.keys(inputs)].filter((port) => Object.hasOwn(inputs, port));
  return [...new Set(ports)].flatMap((port) => {
    const input = inputs[port] as Digest | readonly Digest[];
    const digests = 'hash' in input ? [input] : input;
    const bound = bindings.get(port) ?? [];
    const agrees = bound.length === digests.length && bound.every((ref, index) => fits(ref, digests[index], made));
    return digests.map((digest, index): PageInput => {
      const ref = agrees ? bound[index] : undefined;
      if (ref) return {port, ...ref};
      const owner = made.ownerOf(digest.hash);
      return owner ? {port, from: 'node', ...owner} : {port, from: 'source', source: unknownSource(digest.hash)};
    });
  });
}

/** What bytes of unknown origin are called. */
function unknownSource(hash: string): string {
  return `sha256:${hash.slice(0, 12)}`;
}

function fits(ref: ArtifactRef, digest: Digest | undefined, {hashOf}: MadeOutputs): boolean {
  if (ref.from === 'source') return true;
  const hash = hashOf(ref.node, ref.output);
  return hash === undefined || hash === digest?.hash;
}
