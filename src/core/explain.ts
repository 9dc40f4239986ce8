import {slicedPorts, type Action} from './action.ts';
import {sameDigest, type Digest} from './digest.ts';
import {byCodeUnit, canonicalJson, isObject, type Json, type JsonObject} from './json.ts';
import type {StaleReason} from './reason.ts';

/**
 * Every difference between what a node's last result was made from and what it would be made from now, component by
 * component, in a fixed order. Empty when the two have the same fingerprint.
 *
 * @param before - action of the last result; undefined when there is none
 * @param unknown - input ports whose digests are not known yet; they are not compared
 */
export function explainAction(
  before: Action | undefined,
  after: Action,
  unknown: ReadonlySet<string> = new Set(),
): StaleReason[] {
  if (before === undefined) return [{kind: 'never-built'}];
  const reasons: StaleReason[] = [];
  if (before.stage !== after.stage) reasons.push({kind: 'stage-changed', before: before.stage, after: after.stage});
  if (before.code !== after.code) reasons.push({kind: 'code-changed', before: before.code, after: after.code});
  reasons.push(...explainParams(before.params, after.params));
  reasons.push(...explainInputs(before.inputs, after.inputs, unknown));
  const [sliced, slices] = [slicingOf(before), slicingOf(after)];
  if (sliced !== slices) reasons.push({kind: 'slicing-changed', before: sliced, after: slices});
  if (canonicalJson(before.outputs) !== canonicalJson(after.outputs)) {
    reasons.push({kind: 'outputs-changed', before: before.outputs, after: after.outputs});
  }
  if (before.seed !== after.seed) reasons.push({kind: 'seed-changed', before: before.seed, after: after.seed});
  for (const tool of unionOfKeys(before.toolchain, after.toolchain)) {
    const was = own(before.toolchain, tool);
    const is = own(after.toolchain, tool);
    if (was !== is) reasons.push({kind: 'toolchain-changed', tool, before: was, after: is});
  }
  if (before.salt !== after.salt) reasons.push({kind: 'salt-changed'});
  return reasons;
}

function explainParams(before: Json, after: Json): StaleReason[] {
  const reasons: StaleReason[] = [];
  const was: JsonObject = isObject(before) ? before : {};
  const is: JsonObject = isObject(after) ? after : {};
  for (const param of unionOfKeys(was, is)) {
    const left = own(was, param);
    const right = own(is, param);
    if (left === undefined && right !== undefined) reasons.push({kind: 'param-added', param, after: right});
    else if (left !== undefined && right === undefined) reasons.push({kind: 'param-removed', param, before: left});
    else if (left !== undefined && right !== undefined && canonicalJson(left) !== canonicalJson(right)) {
      reasons.push({kind: 'param-changed', param, before: left, after: right});
    }
  }
  return reasons;
}

function explainInputs(before: Action['inputs'], after: Action['inputs'], unknown: ReadonlySet<string>): StaleReason[] {
  const reasons: StaleReason[] = [];
  for (const input of unionOfKeys(before, after)) {
    if (unknown.has(input)) continue;
    const was = own(before, input);
    const is = own(after, input);
    // A list of one is not the same as the one: the port was replaced by another of its name.
    const replaced = was !== undefined && is !== undefined && Array.isArray(was) !== Array.isArray(is);
    if (is === undefined || replaced) reasons.push({kind: 'input-removed', input});
    if (was === undefined || replaced) reasons.push({kind: 'input-added', input});
    if (was !== undefined && is !== undefined && !replaced) reasons.push(...explainInput(input, was, is));
  }
  return reasons;
}

function explainInput(
  input: string,
  before: Digest | readonly Digest[],
  after: Digest | readonly Digest[],
): StaleReason[] {
  const was = asList(before);
  const is = asList(after);
  const many = Array.isArray(before);
  if (was.length !== is.length) return [{kind: 'input-count-changed', input, before: was.length, after: is.length}];
  const reasons: StaleReason[] = [];
  was.forEach((left, index) => {
    const right = is[index];
    if (right === undefined || sameDigest(left, right)) return;
    reasons.push({kind: 'input-changed', input, ...(many ? {index} : {}), before: left, after: right});
  });
  return reasons;
}

/** The sliced ports as text, the leading one first. */
function slicingOf(action: Action): string | undefined {
  return action.each === undefined ? undefined : slicedPorts(action).join(', ');
}

function asList(value: Digest | readonly Digest[]): readonly Digest[] {
  return 'hash' in value ? [value] : value;
}

/** A member of the object itself: a param may be called `constructor`. */
function own<T>(members: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

function unionOfKeys(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(byCodeUnit);
}
