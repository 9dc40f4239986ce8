import type {Action, ActionOutput} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {explainAction} from '../core/explain.ts';
import type {Rests} from '../core/origin.ts';
import type {ArtifactRef, NodeId, PipelineNode} from '../core/pipeline.ts';
import type {ScannedSource} from '../core/ports.ts';
import type {StaleReason} from '../core/reason.ts';
import type {Artifact, Tree} from '../core/tree.ts';
import type {ChosenEngines} from './chosen-engines.ts';
import {copyRests, distrustOf, distrustReason, restsOf} from './trust.ts';
import type {PlanPorts, Toolchain} from './workspace.ts';

export type Outputs = Readonly<Record<string, Artifact>>;

/** A node's last or cached result, found by its fingerprint. */
export interface Hit extends Rests {
  readonly status: 'up-to-date' | 'cached';
  readonly outputs: Outputs;
  readonly metrics: Readonly<Record<string, number>>;
  readonly wallMs: number;
  readonly slices?: Digest;
}

/** What is known of the artifacts: scanned sources, and outputs of nodes as they become known. */
export class Artifacts {
  readonly #sources: ReadonlyMap<string, ScannedSource>;
  readonly #outputs = new Map<NodeId, Outputs>();
  readonly #trees = new Map<Sha256, Tree>();

  constructor(sources: ReadonlyMap<string, ScannedSource>) {
    this.#sources = sources;
  }

  settle(node: NodeId, outputs: Outputs): void {
    this.#outputs.set(node, outputs);
  }

  forget(node: NodeId): void {
    this.#outputs.delete(node);
  }

  of(ref: ArtifactRef): Artifact | undefined {
    return ref.from === 'source' ? this.#sources.get(ref.source)?.artifact : this.#outputs.get(ref.node)?.[ref.output];
  }

  /** Trees that this process has put together, which may not be in the store yet, or has read. */
  keepTree(digest: Digest, tree: Tree): void {
    this.#trees.set(digest.hash, tree);
  }

  tree(digest: Digest): Tree | undefined {
    return this.#trees.get(digest.hash);
  }

  source(name: string): ScannedSource {
    const scanned = this.#sources.get(name);
    if (!scanned) throw new Error(`source ${name} was not scanned`);
    return scanned;
  }
}

/** A node's action as far as it is known. `unknown` lists the ports whose artifacts are still to be made. */
export interface Resolution {
  readonly action: Action;
  readonly unknown: ReadonlyMap<string, NodeId>;
}

const nothingUnknown: ReadonlyMap<string, NodeId> = new Map();

/** Puts digests in place of references. */
export function resolveAction(
  node: PipelineNode,
  engines: ChosenEngines,
  toolchain: Toolchain,
  artifacts: Artifacts,
): Resolution {
  const inputs: Record<string, Digest | Digest[]> = {};
  let unknown: Map<string, NodeId> | undefined;
  const digestOf = (port: string, ref: ArtifactRef): Digest | undefined => {
    const artifact = artifacts.of(ref);
    if (artifact) return artifact.digest;
    if (ref.from === 'source') throw new Error(`source ${ref.source} was not scanned`);
    unknown ??= new Map();
    if (!unknown.has(port)) unknown.set(port, ref.node);
    return undefined;
  };
  for (const [port, binding] of Object.entries(node.inputs)) {
    if (binding.many) {
      const digests: Digest[] = [];
      for (const ref of binding.refs) {
        const digest = digestOf(port, ref);
        if (digest) digests.push(digest);
      }
      inputs[port] = digests;
    } else {
      const digest = digestOf(port, binding.ref);
      if (digest) inputs[port] = digest;
    }
  }
  for (const {port, collection} of node.each ?? []) {
    const digest = digestOf(port, collection);
    if (digest) inputs[port] = digest;
  }
  const outputs: Record<string, ActionOutput> = {};
  for (const [name, {kind, name: path, optional}] of Object.entries(node.outputs)) {
    outputs[name] = optional ? {kind, name: path, optional} : {kind, name: path};
  }
  return {
    action: {
      type: 'action/1',
      stage: node.stage,
      code: engines.stageOf(node).code,
      params: node.params,
      seed: node.seed,
      inputs,
      ...(node.each ? {each: slicing(node.each)} : {}),
      outputs,
      toolchain: toolchainOf(node, engines.engineOf(node.id), toolchain),
      salt: node.salt,
    },
    unknown: unknown ?? nothingUnknown,
  };
}

function slicing([leading, ...others]: NonNullable<PipelineNode['each']>): string | readonly string[] {
  return others.length === 0 ? leading.port : [leading.port, ...others.map(({port}) => port)];
}

function toolchainOf(node: PipelineNode, engine: string | undefined, toolchain: Toolchain): Toolchain {
  if (node.command) return {};
  return engine === undefined ? toolchain : {...toolchain, engine};
}

type KnownResults = Pick<PlanPorts, 'state' | 'actions' | 'distrust'>;

/** Looks a result up that may be used: first among this checkout's last results, then in the action cache. */
export function findHit(node: NodeId, fingerprint: Sha256, ports: KnownResults): Hit | undefined {
  const last = ports.state.get(node);
  if (last?.fingerprint === fingerprint && !distrustOf(last, ports)) {
    return {
      status: 'up-to-date',
      outputs: last.outputs,
      metrics: last.metrics,
      wallMs: last.wallMs,
      ...(last.slices ? {slices: last.slices} : {}),
      ...copyRests(last),
    };
  }
  const result = ports.actions.get(fingerprint);
  const rests = result && restsOf(result);
  if (!rests || distrustOf(rests, ports)) return undefined;
  return {
    status: 'cached',
    outputs: result.outputs,
    metrics: result.metrics,
    wallMs: result.execution.wallMs,
    ...(result.slices ? {slices: result.slices} : {}),
    ...rests,
  };
}

/** Why a node whose inputs are known has no result that can be used. */
export function missReasons(
  node: NodeId,
  action: Action,
  fingerprint: Sha256,
  ports: KnownResults,
): readonly StaleReason[] {
  const against = distrustReason(node, fingerprint, ports);
  const last = lastAction(node, ports);
  return against ? [against, ...(last ? explainAction(last, action) : [])] : explainAction(last, action);
}

/** The action behind this node's last result, for explanations. */
export function lastAction(node: NodeId, ports: Pick<PlanPorts, 'state' | 'actions'>): Action | undefined {
  const last = ports.state.get(node);
  return last ? ports.actions.get(last.fingerprint)?.action : undefined;
}
