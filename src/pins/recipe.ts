import {sha256, type Sha256} from '../core/digest.ts';
import {explainAction} from '../core/explain.ts';
import {byCodeUnit, canonicalJson} from '../core/json.ts';
import {refsByPort, type ArtifactRef, type NodeId, type PipelineNode} from '../core/pipeline.ts';
import type {Pin, PinnedInput} from '../core/pins.ts';
import type {StaleReason} from '../core/reason.ts';
import type {Action} from '../core/action.ts';

/** What a node would be made from now, as far as it is known, in the words of a pin. */
export interface Recipe extends Pick<Pin, 'stage' | 'code' | 'params' | 'seed' | 'salt' | 'each'> {
  readonly inputs: Readonly<Record<string, PinnedInput>>;
  /** Ports that read what is not known: a stale producer's output, by the name of the producer. */
  readonly waits: ReadonlyMap<string, NodeId>;
  /** Ports that read sources which are not here. */
  readonly unseen: ReadonlySet<string>;
  readonly outputs: Readonly<Record<string, 'file' | 'tree'>>;
}

/** @param hashOf - of what is read; undefined for what is not known or not here */
export function recipeOf(node: PipelineNode, code: Sha256, hashOf: (ref: ArtifactRef) => Sha256 | undefined): Recipe {
  const inputs: Record<string, PinnedInput> = {};
  const waits = new Map<string, NodeId>();
  const unseen = new Set<string>();
  for (const [port, refs] of refsByPort(node)) {
    const hashes: Sha256[] = [];
    for (const ref of refs) {
      const hash = hashOf(ref);
      if (hash !== undefined) hashes.push(hash);
      else if (ref.from === 'source') unseen.add(port);
      else if (!waits.has(port)) waits.set(port, ref.node);
    }
    // Also of what is not all known: how many there are is.
    inputs[port] = isMany(node, port) ? {many: refs.length, hash: sha256(canonicalJson(hashes))} : (hashes[0] ?? none);
  }
  const {stage, params, seed, salt, each, outputs} = node;
  const ports = each?.map(({port}) => port);
  return {
    stage,
    code,
    params,
    seed,
    ...(salt === '' ? {} : {salt}),
    ...(ports === undefined ? {} : {each: ports.length === 1 ? ports[0]! : ports}),
    inputs,
    waits,
    unseen,
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, {kind}]) => [name, each ? 'tree' : kind])),
  };
}

const none = '' as Sha256;

function isMany({inputs}: PipelineNode, port: string): boolean {
  return inputs[port]?.many === true;
}

/** Every difference between what a pinned result was made from and what it would be made from now; what waits is left out. */
export function recipeReasons(pin: Pin, now: Recipe): readonly StaleReason[] {
  const kinds = Object.fromEntries(Object.entries(pin.outputs).map(([name, {kind}]) => [name, kind]));
  const reasons = [...explainAction(actionOf(pin), actionOf(now)), ...inputReasons(pin, now)];
  if (canonicalJson(kinds) !== canonicalJson(now.outputs)) {
    reasons.push({kind: 'outputs-changed', before: kinds, after: now.outputs});
  }
  return reasons;
}

/** An action that has what two recipes are compared by, but inputs and outputs. */
function actionOf({stage, code, params, seed, salt = '', each}: Pin | Recipe): Action {
  const slicing = each === undefined ? {} : {each};
  return {type: 'action/1', stage, code, params, seed, salt, ...slicing, inputs: {}, outputs: {}, toolchain: {}};
}

function inputReasons({inputs: before}: Pin, {inputs: after, waits, unseen}: Recipe): StaleReason[] {
  const reasons: StaleReason[] = [];
  for (const input of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(byCodeUnit)) {
    const was = Object.hasOwn(before, input) ? before[input] : undefined;
    const is = Object.hasOwn(after, input) ? after[input] : undefined;
    const replaced =
      was !== undefined && is !== undefined && (countOf(was) === undefined) !== (countOf(is) === undefined);
    if (is === undefined || replaced) reasons.push({kind: 'input-removed', input});
    if (was === undefined || replaced) reasons.push({kind: 'input-added', input});
    if (was === undefined || is === undefined || replaced) continue;
    const [many, others] = [countOf(was) ?? 1, countOf(is) ?? 1];
    if (many !== others) reasons.push({kind: 'input-count-changed', input, before: many, after: others});
    else if (!waits.has(input) && !unseen.has(input) && hashOf(was) !== hashOf(is)) {
      // A pin does not know the sizes of what was read.
      reasons.push({
        kind: 'input-changed',
        input,
        before: {hash: hashOf(was), size: 0},
        after: {hash: hashOf(is), size: 0},
      });
    }
  }
  return reasons;
}

function countOf(input: PinnedInput): number | undefined {
  return typeof input === 'string' ? undefined : input.many;
}

function hashOf(input: PinnedInput): Sha256 {
  return typeof input === 'string' ? input : input.hash;
}

/** The part of a pin that says what it was made from. */
export function pinnedRecipe({
  stage,
  code,
  params,
  seed,
  salt,
  each,
  inputs,
}: Recipe): Omit<Pin, 'outputs' | 'metrics' | 'toolchain'> {
  return {
    stage,
    code,
    params,
    seed,
    ...(salt === undefined ? {} : {salt}),
    ...(each === undefined ? {} : {each}),
    inputs,
  };
}
