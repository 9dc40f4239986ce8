import type {Sha256} from '../core/digest.ts';
import {byCodeUnit} from '../core/json.ts';
import {refsOf, type ArtifactRef, type NodeId, type PipelineNode} from '../core/pipeline.ts';
import type {NodeCheck, Verdict} from '../core/pin-check.ts';
import type {Pin, Pins} from '../core/pins.ts';
import type {StaleReason} from '../core/reason.ts';
import {pinnedRecipe, recipeOf, recipeReasons, type Recipe} from './recipe.ts';
import type {Values} from './values.ts';

export interface CheckRequest {
  readonly pins: Pins;
  /** What the lock is to pin, producers before consumers. */
  readonly nodes: readonly PipelineNode[];
  /** Digest of a stage's code as pins know it. */
  readonly codeOf: (node: PipelineNode) => Sha256;
  /** Tensor engine that a node's values here are of, if it computes with one. */
  readonly engineOf: (node: PipelineNode) => string | undefined;
  /** Undefined when the source is not here: what reads it is then not compared in this. */
  readonly sourceOf: (source: string) => Sha256 | undefined;
  /** Results that are here, compared with the pins. */
  readonly values: ReadonlyMap<NodeId, Values>;
}

/** Compares what is pinned with what would be made now, and with the results that are here. Linear; nothing is read. */
export function checkPins(request: CheckRequest): readonly NodeCheck[] {
  const walk = new Walk(request);
  const checks = request.nodes.map((node) => walk.check(node));
  const known = new Set(request.nodes.map(({id}) => id));
  const orphans = [...request.pins.nodes.keys()].filter((id) => !known.has(id)).sort(byCodeUnit);
  return [...checks, ...orphans.map((node) => plainCheck(node, 'orphaned'))];
}

/** How a node stands that is in no trouble, or in trouble that needs no reason. */
function plainCheck(node: NodeId, verdict: Verdict): NodeCheck {
  return {node, verdict, reasons: [], drifts: [], follows: []};
}

/** A node's check, with what pinning it anew needs. */
export interface WalkStep {
  readonly check: NodeCheck;
  readonly recipe: Recipe;
  /** Producers of which it reads something that has drifted, or that another engine made different. */
  readonly drifted: readonly NodeId[];
  /** An engine of the lock, when another one computed the values here, or others than the pinned ones that they are made from. */
  readonly otherEngine?: string;
}

/**
 * Goes forwards through the nodes. What a node hands on to its consumers is its pinned hash, while its pin is met: the same
 * bytes, or within the tolerance. So what is tolerated in one node makes nothing stale after it.
 */
export class Walk {
  readonly #request: CheckRequest;
  /** Hashes that count as each node's outputs; an output that is missing is not known until the node has run. */
  readonly #hashes = new Map<NodeId, Readonly<Record<string, Sha256>>>();
  /** Outputs whose values here are not the pinned ones, although their recipe is. */
  readonly #drifted = new Map<NodeId, ReadonlySet<string>>();
  /** Nodes whose bytes here differ as another engine computed them, or what they read; with the engine of the pins. */
  readonly #otherwise = new Map<NodeId, string>();
  readonly #engines: ReadonlySet<string>;

  constructor(request: CheckRequest) {
    this.#request = request;
    this.#engines = new Set([...request.pins.nodes.values()].flatMap(({toolchain}) => toolchain['engine'] ?? []));
  }

  check(node: PipelineNode): NodeCheck {
    const {check} = this.step(node);
    return check;
  }

  step(node: PipelineNode): WalkStep {
    const {pins, codeOf, sourceOf, values} = this.#request;
    const {id} = node;
    const recipe = recipeOf(node, codeOf(node), (ref) =>
      ref.from === 'source' ? sourceOf(ref.source) : own(this.#hashes.get(ref.node), ref.output),
    );
    const drifted = [...new Set(refsOf(node).flatMap((ref) => (this.#hasDrifted(ref) ? [ref.node] : [])))];
    const upstream = [...recipe.waits].map(([input, producer]): StaleReason => ({
      kind: 'upstream',
      input,
      node: producer,
    }));
    const waited = [...new Set(recipe.waits.values())];
    const pin = pins.nodes.get(id);
    const otherEngine =
      this.#otherEngine(node, pin) ??
      firstOf(refsOf(node), (ref) => ref.from === 'node' && this.#otherwise.get(ref.node));
    const step = {recipe, drifted, ...(otherEngine === undefined ? {} : {otherEngine})};
    if (pin === undefined) return {check: {...plainCheck(id, 'unpinned'), reasons: upstream}, ...step};
    const reasons = recipeReasons(pin, recipe);
    const drifts = values.get(id)?.drifts ?? [];
    const changed = new Set(drifts.flatMap((drift) => (drift.of === 'output' ? [drift.name] : [])));
    if (reasons.length > 0 || waited.length > 0) {
      // Where its values are known, they may turn out to be the pinned ones.
      this.#settle(id, pin, values.has(id) ? (output) => !changed.has(output) : () => false);
      const follows = reasons.length > 0 ? [] : waited;
      return {
        check: {node: id, verdict: 'stale', reasons: [...reasons, ...upstream], drifts: [], follows},
        ...step,
      };
    }
    this.#settle(id, pin, () => true);
    if (otherEngine !== undefined && differs(pin, values.get(id))) this.#otherwise.set(id, otherEngine);
    if (drifts.length === 0) return {check: plainCheck(id, 'fresh'), ...step};
    this.#drifted.set(id, changed);
    const follows = drifted.filter((producer) => !this.#otherwise.has(producer));
    if (follows.length === 0 && otherEngine !== undefined) {
      return {check: {...plainCheck(id, 'fresh'), otherEngine}, ...step};
    }
    return {check: {node: id, verdict: 'drifted', reasons: [], drifts, follows}, ...step};
  }

  /** The engine of the pin, or of a node that has none an engine of the lock, when the values here are of another. */
  #otherEngine(node: PipelineNode, pin: Pin | undefined): string | undefined {
    const engine = this.#request.engineOf(node);
    if (engine === undefined) return undefined;
    const pinned = pin ? pin.toolchain['engine'] : this.#engines.has(engine) ? engine : [...this.#engines].sort()[0];
    return pinned === engine ? undefined : pinned;
  }

  /** The node was pinned anew: its consumers are made from this. */
  repinned(id: NodeId, pin: Pin): void {
    this.#drifted.delete(id);
    this.#otherwise.delete(id);
    this.#settle(id, pin, () => true);
  }

  #settle(id: NodeId, {outputs}: Pin, stands: (output: string) => boolean): void {
    const hashes = Object.entries(outputs).flatMap(([name, {hash}]) => (stands(name) ? [[name, hash] as const] : []));
    this.#hashes.set(id, Object.fromEntries(hashes));
  }

  #hasDrifted(ref: ArtifactRef): ref is ArtifactRef & {readonly from: 'node'} {
    return ref.from === 'node' && (this.#drifted.get(ref.node)?.has(ref.output) ?? false);
  }
}

/** The pin of a result that was made as the recipe says. */
export function makePin(recipe: Recipe, {outputs, metrics}: Values, toolchain: Pin['toolchain']): Pin {
  return {...pinnedRecipe(recipe), toolchain, outputs, metrics};
}

/** Whether what is here has other bytes than the pinned result, within the tolerance or not. */
function differs({outputs}: Pin, values: Values | undefined): boolean {
  return Object.entries(values?.outputs ?? {}).some(([name, {hash}]) => own(outputs, name)?.hash !== hash);
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined | false): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined && found !== false) return found;
  }
  return undefined;
}

function own<T>(members: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return members && Object.hasOwn(members, key) ? members[key] : undefined;
}
