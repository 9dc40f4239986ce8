import type {Digest} from '../../core/digest.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Json} from '../../core/json.ts';
import type {NodeId} from '../../core/pipeline.ts';
import type {Pins} from '../../core/pins.ts';
import type {PlannedNode} from '../../core/plan.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {explainBriefly} from '../../report/explain-text.ts';
import type {Context} from '../context.ts';
import type {Loaded} from '../load.ts';
import {planPresent} from '../present.ts';
import {warnOnce} from '../warnings.ts';
import {openWorkspace} from '../workspace.ts';

/** What a document can show of a node. */
export interface NodeResult {
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Json;
  readonly outputs: Readonly<Record<string, {readonly kind: 'file' | 'tree'; readonly digest: Digest}>>;
}

/** Results that documents show: pinned ones, else those of nodes that are up to date or cached. */
export interface DocumentResults {
  /** What they are called in messages. */
  readonly from: 'the lock' | 'the results';
  /** Fails with `stale-result` for a node without a result, or with a stale one. */
  of(node: NodeId): Result<NodeResult, Failure>;
  /** Nodes that have, or had, a result. */
  readonly known: ReadonlySet<NodeId>;
  /** Undefined when the bytes are gone from the cache, or never were there. */
  bytes(digest: Digest): Promise<Uint8Array | undefined>;
  close(): void;
}

/** @param nodes - those that documents show */
export async function openResults(
  context: Pick<Context, 'warn' | 'note'>,
  loaded: Loaded,
  pins: Pins | undefined,
  nodes: readonly NodeId[],
): Promise<Result<DocumentResults>> {
  return pins === undefined ? lastResults(context, loaded, nodes) : pinnedResults(context, loaded, pins);
}

function pinnedResults(context: Pick<Context, 'warn'>, loaded: Loaded, pins: Pins): Result<DocumentResults> {
  const opened = openWorkspace(loaded.project, 'rendering documents', warnOnce(context));
  if (!opened.ok) return opened;
  const workspace = opened.value;
  return ok({
    from: 'the lock',
    of(node) {
      const pin = pins.nodes.get(node);
      if (pin === undefined) {
        const hint = 'pin it: `mixdown run` pins what belongs to the targets of the lock, `mixdown lock` chooses them';
        return err(failure('stale-result', `${node} is not in the lock`, {node, hint}));
      }
      const {metrics, params, outputs} = pin;
      const digests = Object.entries(outputs).map(
        ([name, {kind, hash, size}]) => [name, {kind, digest: {hash, size}}] as const,
      );
      return ok({metrics, params, outputs: Object.fromEntries(digests)});
    },
    known: new Set(pins.nodes.keys()),
    bytes: (digest) => workspace.store.cas.read(digest),
    close: () => workspace.close(),
  });
}

async function lastResults(
  context: Pick<Context, 'warn' | 'note'>,
  loaded: Loaded,
  nodes: readonly NodeId[],
): Promise<Result<DocumentResults>> {
  if (nodes.length === 0) return ok({...none, from: 'the results', close: () => {}});
  const planned = await planPresent(context, loaded, nodes);
  if (!planned.ok) return planned;
  const {plan, workspace} = planned.value;
  const byId = new Map(plan.nodes.map((each) => [each.node.id, each]));
  return ok({
    from: 'the results',
    of(id) {
      const found = byId.get(id);
      if (found?.outputs === undefined) return err(staleFailure(id, found));
      const {outputs, metrics = {}, node} = found;
      return ok({outputs, metrics, params: node.params});
    },
    known: new Set(nodes.filter((id) => byId.get(id)?.outputs !== undefined || workspace.state.get(id) !== undefined)),
    bytes: (digest) => workspace.store.cas.read(digest),
    close: () => workspace.close(),
  });
}

/** Of documents that show nothing of any node. */
const none: Pick<DocumentResults, 'of' | 'known' | 'bytes'> = {
  of: (node) => err(staleFailure(node, undefined)),
  known: new Set(),
  bytes: () => Promise.resolve(undefined),
};

function staleFailure(node: NodeId, planned: PlannedNode | undefined): Failure {
  if (planned === undefined) return failure('stale-result', `${node} needs sources that are missing`, {node});
  const why = explainBriefly(planned.reasons);
  return failure('stale-result', `${node} is stale${why === '' ? '' : `: ${why}`}`, {node});
}
