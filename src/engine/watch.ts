import type {Sha256} from '../core/digest.ts';
import type {Failure} from '../core/failure.ts';
import type {NodeId} from '../core/pipeline.ts';
import {outdatedNodes, sameBases, type Bases} from './basis.ts';
import type {BuildSummary} from './run-context.ts';

/** A node that failed, with what it depended on then. */
export interface FailedNode {
  readonly basis: Sha256;
  readonly failure: Failure;
}

/** What a watcher knows besides the project as it is now. */
export interface WatchFacts {
  /** What the build that is going on was planned with. */
  readonly running: Bases | undefined;
  /** What the last build was planned with, when it came to its end. */
  readonly built: Bases | undefined;
  readonly failed: ReadonlyMap<NodeId, FailedNode>;
}

/** `outdated`: nodes of the build that is going on, if one is, that are to be cancelled; the new one overtakes it. */
export type Decision =
  | {readonly kind: 'nothing'}
  | {readonly kind: 'build'; readonly held: ReadonlyMap<NodeId, Failure>; readonly outdated: ReadonlySet<NodeId>};

/** What to do, now that the project is as `now` says. A node that failed is held back while its basis is the same. */
export function decide(now: Bases, {running, built, failed}: WatchFacts): Decision {
  const last = running ?? built;
  if (last && sameBases(last, now)) return {kind: 'nothing'};
  const held = new Map<NodeId, Failure>();
  for (const [node, {basis, failure}] of failed) if (now.nodes.get(node) === basis) held.set(node, failure);
  return {kind: 'build', held, outdated: running ? outdatedNodes(running, now) : new Set()};
}

/**
 * The nodes that stand as failed after a build. One whose input moved under it is none: it did not fail by itself. What the
 * build did not reach stays as it was.
 *
 * @param held - as given to the build
 * @param latest - of the newest build: what this one made of nodes that have become others since says nothing any more
 */
export function failuresAfter(
  before: ReadonlyMap<NodeId, FailedNode>,
  {nodes}: Pick<BuildSummary, 'nodes'>,
  bases: Bases,
  held: ReadonlyMap<NodeId, Failure>,
  latest: Bases = bases,
): ReadonlyMap<NodeId, FailedNode> {
  const failed = new Map(before);
  for (const [node, {outcome, failure}] of nodes) {
    const basis = bases.nodes.get(node);
    if (latest.nodes.get(node) !== basis) continue;
    if (outcome === 'cancelled' || outcome === 'blocked') continue;
    if (outcome === 'failed' && failure !== undefined && held.get(node) === failure) continue;
    if (outcome !== 'failed' || failure?.code === 'input-changed') failed.delete(node);
    else if (failure !== undefined && basis !== undefined) failed.set(node, {basis, failure});
  }
  return failed;
}
