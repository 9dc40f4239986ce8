import {fingerprintOf} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {ArtifactRef, NodeId, PipelineNode} from '../core/pipeline.ts';
import type {Artifact} from '../core/tree.ts';
import {loadTree} from './presence.ts';
import {resolveAction, type Outputs} from './resolve.ts';
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
  const gone = await fetchInputs(needed, context);
  if (context.halt.aborted) return notStarted(consumer);
  return gone.length === 0 ? 'ready' : remakeInputs(gone, consumer, context);
}

/** Fetches what is promised of the blobs that a job needs. Returns what is not here afterwards. */
export async function fetchInputs(needed: readonly Needed[], context: RunContext): Promise<readonly Needed[]> {
  const {remote, cas} = context.request.ports;
  if (!remote) return [];
  // Not only what is promised: of a node that was not planned to run, the plan has asked for nothing.
  const elsewhere = needed.map(({digests}) => digests?.filter((digest) => !cas.holds(digest)));
  await remote.fetch(
    elsewhere.flatMap((digests) => digests ?? []),
    context.halt,
  );
  return needed.flatMap(({producer}, index) => {
    const missing = elsewhere[index]?.filter((digest) => !cas.holds(digest));
    return missing?.length === 0 ? [] : [{producer, digests: missing}];
  });
}

/**
 * Has the producers make again what is gone, or find that it lies elsewhere. Not to be called under a lock: what they make may
 * need the same one.
 */
export async function remakeInputs(
  gone: readonly Needed[],
  consumer: NodeId,
  context: RunContext,
): Promise<'again' | Failure> {
  if (context.halt.aborted) return notStarted(consumer);
  const byProducer = new Map<NodeId, Needed[]>();
  for (const needed of gone) byProducer.set(needed.producer, [...(byProducer.get(needed.producer) ?? []), needed]);
  const problems = await Promise.all(
    [...byProducer].map(([producer, missing]) => remade(producer, missing, consumer, context)),
  );
  return problems.find((problem) => problem !== undefined) ?? 'again';
}

/**
 * True when something that the node reads was made again since, with other bytes. Asked once its inputs have been located: they
 * are what their producers made last, and the result would lie under the key of what those made before.
 */
export function isOutdated(
  node: PipelineNode,
  fingerprint: Sha256,
  {wanted, engines, artifacts, request}: RunContext,
): boolean {
  if (wanted.size === 0) return false;
  return fingerprintOf(resolveAction(node, engines, request.toolchain, artifacts).action) !== fingerprint;
}

/** Fetches what is promised of a node's outputs. True when all of them are in the store. */
export async function bringOutputs(outputs: Outputs, context: RunContext): Promise<boolean> {
  const {remote, cas} = context.request.ports;
  if (!remote) return true;
  for (const artifact of Object.values(outputs)) {
    const digests = await blobsOf(artifact, context);
    const elsewhere = digests?.filter((digest) => !cas.holds(digest));
    if (!elsewhere) return false;
    await remote.fetch(elsewhere, context.halt);
    if (!elsewhere.every((digest) => cas.holds(digest))) return false;
  }
  return true;
}

async function blobsOf({kind, digest}: Artifact, context: RunContext): Promise<readonly Digest[] | undefined> {
  if (kind === 'file') return [digest];
  const {ports} = context.request;
  const tree = await loadTree(digest, context.artifacts, ports);
  return tree && ports.cas.holds(digest) ? tree.entries.map((entry) => entry.digest) : undefined;
}

/** Makes a node again whose result was said to be in the remote cache and is not. What that did not bring, nothing does. */
async function remade(
  producer: NodeId,
  missing: readonly Needed[],
  consumer: NodeId,
  context: RunContext,
): Promise<Failure | undefined> {
  const inVain = !noteWanted(producer, missing, consumer, context);
  const {outcome, failure: why} = inVain ? {outcome: 'failed' as const} : await context.remake(producer);
  if (outcome === 'cancelled') return notStarted(consumer);
  if (outcome !== 'failed') return undefined;
  const reason = why ? `: ${why.message}` : '';
  return failure('blob-missing', `what ${consumer} reads of ${producer} could not be had, nor made again${reason}`, {
    node: consumer,
    hint: 'Run again; without the remote cache with MIXDOWN_CACHE=off.',
  });
}

/** False when the consumer wanted all of this before, and as much was known of where it is. */
function noteWanted(
  producer: NodeId,
  missing: readonly Needed[],
  consumer: NodeId,
  {wanted, request: {ports}}: RunContext,
): boolean {
  const before = wanted.size;
  const note = (what: string): void => void wanted.add(`${consumer} ${producer} ${what}`);
  for (const {digests} of missing) {
    if (!digests) note('a tree');
    else for (const digest of digests) note(`${digest.hash} ${ports.remote?.lacks(digest)}`);
  }
  return wanted.size > before;
}

function notStarted(consumer: NodeId): Failure {
  return failure('cancelled', `${consumer} was not started`, {node: consumer});
}
