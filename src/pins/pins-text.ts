import {byCodeUnit, isArray, type Json} from '../core/json.ts';
import type {Pin, PinnedOutput, Pins} from '../core/pins.ts';
import {pinsVersion} from './pin-fields.ts';

export {parsePins} from './pins-reader.ts';

const head = [
  '# The results that this project stands by, and what they were made from. `mixdown run` keeps this file; commit it.',
  '# After a merge conflict: take either side of each conflict, then run `mixdown run`.',
];

/**
 * The text of `mixdown.lock`: YAML of a fixed form, nodes sorted by code unit. Each member stands on a line of its own with
 * a value in JSON, so that a changed metric is a changed line, and changes of different nodes merge.
 *
 * @throws TypeError on a number that is not finite
 */
export function pinsText({targets, nodes}: Pins): string {
  const lines = [...head, `version: ${pinsVersion}`, `targets: ${flow([...targets])}`];
  lines.push(nodes.size === 0 ? 'nodes: {}' : 'nodes:');
  for (const id of [...nodes.keys()].sort(byCodeUnit))
    lines.push(`  ${JSON.stringify(id)}:`, ...pinLines(nodes.get(id)!));
  return `${lines.join('\n')}\n`;
}

function pinLines({
  stage,
  code,
  params,
  seed,
  salt,
  each,
  toolchain,
  inputs,
  outputs,
  metrics,
  accepted,
}: Pin): string[] {
  const lines = [`    stage: ${flow(stage)}`, `    code: ${flow(code)}`];
  const add = (key: string, value: Json | undefined): void => {
    if (value !== undefined && !isEmpty(value)) lines.push(`    ${key}: ${flow(value)}`);
  };
  add('params', params);
  if (seed !== 0) add('seed', seed);
  add('salt', salt);
  add('each', each);
  add('toolchain', toolchain);
  add('inputs', inputs);
  addMembers(lines, 'outputs', outputs, outputJson);
  addMembers(lines, 'metrics', metrics, (value) => value);
  add('accepted', accepted);
  return lines;
}

function addMembers<T>(
  lines: string[],
  key: string,
  members: Readonly<Record<string, T>>,
  json: (value: T) => Json,
): void {
  const names = Object.keys(members).sort(byCodeUnit);
  if (names.length > 0) lines.push(`    ${key}:`);
  for (const name of names) lines.push(`      ${JSON.stringify(name)}: ${flow(json(members[name]!))}`);
}

function outputJson(output: PinnedOutput): Json {
  return output as unknown as Json;
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** JSON on one line with spaces between its parts, members sorted. */
function flow(value: Json | undefined): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`pinsText: ${value} is not a JSON number`);
    // JSON would print -0 as 0, which is another number to whoever compares bits.
    return Object.is(value, -0) ? '-0' : String(value);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  if (isArray(value)) return `[${value.map((item) => flow(item)).join(', ')}]`;
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) parts.push(`${JSON.stringify(key)}: ${flow(member)}`);
  }
  return `{${parts.join(', ')}}`;
}
