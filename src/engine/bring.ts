import type {Digest} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {ArtifactRef, NodeId} from '../core/pipeline.ts';
import type {RemoteCache} from '../core/ports.ts';
import type {Artifact} from '../core/tree.ts';
import {loadTree} from './presence.ts';
import type {Outputs} from './resolve.ts';
import type {RunContext} from './run-context.ts';

/** Blobs of one node that a job is about to read. */
export interface Needed {
  readonly producer: NodeId;
  /** Undefined when a tree of them is gone, so that its files are not known. */
  readonly digests: readonly Digest[] | undefined;
}

/** `again`: something had to be made again, so that what was resolved before may be out of date. */
export type Brought = 'ready' | 'again' | Failure;

/** What these references stand for, whole. Nothing without a remote cache: then the plan has seen to it. */
export async function neededBlobs(refs: readonly ArtifactRef[], context: RunContext): Promise<readonly Needed[]> {
  const needed: Needed[] = [];
  if (!context.request.ports.remote) return needed;
  for (const ref of refs) {
    const artifact = context.artifacts.of(ref);
    if (ref.from === 'node' && artifact) {
      needed.push({producer: ref.node, digests: await blobsOf(artifact, context)});
    }
  }
  return needed;
}

/** Fetches what is promised of the blobs that a job needs. What cannot be had is made again by its producer. */
export async function bringInputs(needed: readonly Needed[], consumer: NodeId, context: RunContext): Promise<Brought> {
  const {remote, cas} = context.request.ports;
  if (!remote) return 'ready';
  const elsewhere = needed.map(({digests}) => digests?.filter((digest) => isElsewhere(digest, remote)));
  await remote.fetch(
    elsewhere.flatMap((digests) => digests ?? []),
    context.halt,
  );
  if (context.halt.aborted) return failure('cancelled', `${consumer} was not started`, {node: consumer});
  const gone = new Set<NodeId>();
  elsewhere.forEach((digests, index) => {
    if (digests?.every((digest) => cas.holds(digest)) !== true) gone.add(needed[index]!.producer);
  });
  for (const producer of gone) {
    const problem = await remade(producer, consumer, context);
    if (problem) return problem;
  }
  return gone.size > 0 ? 'again' : 'ready';
}

/** Fetches what is promised of a node's outputs. True when all of them are in the store. */
export async function bringOutputs(outputs: Outputs, context: RunContext): Promise<boolean> {
  const {remote, cas} = context.request.ports;
  if (!remote) return true;
  for (const artifact of Object.values(outputs)) {
    const digests = await blobsOf(artifact, context);
    const elsewhere = digests?.filter((digest) => isElsewhere(digest, remote));
    if (!elsewhere) return false;
    await remote.fetch(elsewhere, context.halt);
    if (!elsewhere.every((digest) => cas.holds(digest))) return false;
  }
  return true;
}

/** What neither is nor was said to lie elsewhere is here: the plan has seen to it. */
function isElsewhere(digest: Digest, remote: RemoteCache): boolean {
  return remote.promises(digest) || remote.lacks(digest);
}

async function blobsOf({kind, digest}: Artifact, context: RunContext): Promise<readonly Digest[] | undefined> {
  if (kind === 'file') return [digest];
  const {ports} = context.request;
  const tree = await loadTree(digest, context.artifacts, ports);
  return tree && ports.cas.holds(digest) ? tree.entries.map((entry) => entry.digest) : undefined;
}

/** Makes a node again whose result was said to be in the remote cache and is not. A second time would be of no use. */
async function remade(producer: NodeId, consumer: NodeId, context: RunContext): Promise<Failure | undefined> {
  const before = context.remade.has(producer);
  const {outcome, failure: why} = await context.remake(producer);
  if (outcome === 'cancelled') return failure('cancelled', `${consumer} was not started`, {node: consumer});
  if (outcome !== 'failed' && !before) return undefined;
  const reason = why ? `: ${why.message}` : '';
  return failure('blob-missing', `what ${consumer} reads of ${producer} could not be had, nor made again${reason}`, {
    node: consumer,
    hint: 'Run again; without the remote cache with MIXDOWN_CACHE=off.',
  });
}
