import type {NodeId, PipelineNode} from '../core/pipeline.ts';
import type {NodeCheck} from '../core/pin-check.ts';
import type {Pin, PinnedOutput, Pins} from '../core/pins.ts';
import {makePin, Walk, type CheckRequest} from './check.ts';
import type {Values} from './values.ts';

/** Only nodes whose values are given are pinned. */
export interface UpdateRequest extends CheckRequest {
  readonly toolchainOf: (node: PipelineNode) => Pin['toolchain'];
  /** Nodes whose values are taken over although they drifted, and why. */
  readonly accept: ReadonlyMap<NodeId, NonNullable<Pin['accepted']>>;
}

/** What became of the pins. */
export interface Update {
  readonly pins: Pins;
  /** Newly pinned, or again. */
  readonly pinned: readonly NodeId[];
  readonly dropped: readonly NodeId[];
  readonly accepted: readonly NodeId[];
  /** Nodes whose pin stands although their values differ, and nodes that are not pinned as they read such values. */
  readonly drifted: readonly NodeCheck[];
  readonly held: readonly NodeId[];
  /** Nodes that another tensor engine than the lock's computed, or what they read, and that so differ from their pins; with the engine of those. */
  readonly uncompared: ReadonlyMap<NodeId, string>;
  /** Nodes that would be pinned had the lock's engine, which this names, computed them: a lock is of one engine whoever runs. */
  readonly otherEngine: ReadonlyMap<NodeId, string>;
}

/**
 * The pins after a run: new nodes and nodes whose recipe changed are pinned, what is no longer a node is dropped, and a pin
 * whose values drifted stands. A node that reads drifted values is not pinned: a lock says of each value what it was made
 * from.
 */
export function updatePins(request: UpdateRequest): Update {
  const {pins, nodes, values, accept, toolchainOf} = request;
  const walk = new Walk(request);
  const next = new Map<NodeId, Pin>();
  const pinned: NodeId[] = [];
  const accepted: NodeId[] = [];
  const drifted: NodeCheck[] = [];
  const held: NodeId[] = [];
  const uncompared = new Map<NodeId, string>();
  const others = new Map<NodeId, string>();
  for (const node of nodes) {
    const {id} = node;
    const {check, recipe, drifted: sources, otherEngine} = walk.step(node);
    const before = pins.nodes.get(id);
    const made = values.get(id);
    const reason = accept.get(id);
    const keep = (pin: Pin): void => {
      next.set(id, pin);
      if (pin !== before) walk.repinned(id, pin);
    };
    const renew = (values: Values): void => {
      const pin = makePin(recipe, values, toolchainOf(node));
      keep(reason !== undefined && check.verdict === 'drifted' ? {...pin, accepted: reason} : pin);
      pinned.push(id);
    };
    if (made === undefined || recipe.waits.size > 0 || recipe.unseen.size > 0) {
      if (before) next.set(id, before);
    } else if (check.verdict === 'fresh') {
      if (check.otherEngine !== undefined) uncompared.set(id, check.otherEngine);
      keep(withNumbers(before!, made));
    } else if (otherEngine !== undefined && check.verdict !== 'drifted') {
      others.set(id, otherEngine);
      if (before) next.set(id, before);
    } else if (sources.length > 0) {
      if (before) next.set(id, before);
      if (check.verdict === 'drifted') drifted.push(check);
      else held.push(id);
    } else if (check.verdict !== 'drifted') {
      renew(made);
    } else if (reason !== undefined) {
      renew(made);
      accepted.push(id);
    } else {
      next.set(id, before!);
      drifted.push(check);
    }
  }
  const dropped = [...pins.nodes.keys()].filter((id) => !next.has(id));
  return {
    pins: {targets: pins.targets, nodes: next},
    pinned,
    dropped,
    accepted,
    drifted,
    held,
    uncompared,
    otherEngine: others,
  };
}

/** The pin, with the numbers of an output that was declared to be compared so since. */
function withNumbers(pin: Pin, {outputs}: Values): Pin {
  const changed = Object.entries(outputs).filter(([name, output]) => lacksNumbers(pin.outputs[name], output));
  return changed.length === 0 ? pin : {...pin, outputs: {...pin.outputs, ...Object.fromEntries(changed)}};
}

function lacksNumbers(pinned: PinnedOutput | undefined, made: PinnedOutput): boolean {
  return pinned?.hash === made.hash && pinned.numbers?.as !== made.numbers?.as;
}
