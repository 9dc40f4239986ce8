import {sha256, type Sha256} from '../core/digest.ts';
import {canonicalJson, type Json} from '../core/json.ts';
import {refsByPort, type ArtifactRef, type NodeId} from '../core/pipeline.ts';
import type {Planned} from './plan.ts';
import {resolveAction} from './resolve.ts';
import type {Toolchain} from './workspace.ts';

/** What a plan is wanted for, and a hash of everything that a node depends on, for each of its nodes. */
export interface Bases {
  readonly targets: readonly NodeId[];
  readonly nodes: ReadonlyMap<NodeId, Sha256>;
}

/**
 * A node's own code, params and seed, the sources that it reads, and the bases of its producers. Unlike a fingerprint it is
 * known before anything ran, so two looks at a project can be compared while a build goes on. Linear.
 */
export function basesOf({plan, artifacts, engines}: Planned, toolchain: Toolchain): Bases {
  const nodes = new Map<NodeId, Sha256>();
  const basisOf = (ref: ArtifactRef): Json =>
    ref.from === 'source' ? (artifacts.of(ref)?.digest.hash ?? null) : [nodes.get(ref.node) ?? null, ref.output];
  for (const {node} of plan.nodes) {
    const {inputs: _digests, ...own} = resolveAction(node, engines, toolchain, artifacts).action;
    const reads = refsByPort(node).map(([port, refs]): Json => [port, refs.map(basisOf)]);
    nodes.set(node.id, sha256(canonicalJson([own, reads])));
  }
  return {targets: plan.targets, nodes};
}

/** Nodes of `before` that are gone or depend on something else in `after`. */
export function outdatedNodes(before: Bases, after: Bases): ReadonlySet<NodeId> {
  const outdated = new Set<NodeId>();
  for (const [node, basis] of before.nodes) if (after.nodes.get(node) !== basis) outdated.add(node);
  return outdated;
}

export function sameBases(a: Bases, b: Bases): boolean {
  const sameTargets = a.targets.length === b.targets.length && a.targets.every((id, at) => b.targets[at] === id);
  return sameTargets && a.nodes.size === b.nodes.size && outdatedNodes(a, b).size === 0;
}
