import {isArray, isObject, type Json} from '../core/json.ts';
import {nodeAxes} from '../core/node-axes.ts';
import {countText} from './count-text.ts';
import type {PageInput} from './page-data.ts';

/** How much a page tells of each node, so that one of a very large run still opens. */
export interface PageLimits {
  /** Params, logs and fingerprints. */
  readonly details: boolean;
  readonly inputs: number;
  readonly reasons: number;
  /** Digits of a hash. */
  readonly hashDigits: number;
  /** Bytes of all logs together; those of failures are told in any case. */
  readonly logBytes: number;
}

/** A run of more nodes is told in brief. */
const mostDetailed = 1500;
const longestText = 4000;

export function pageLimits(nodes: number): PageLimits {
  return nodes <= mostDetailed
    ? {details: true, inputs: 1000, reasons: 40, hashDigits: 64, logBytes: 3_000_000}
    : {details: false, inputs: 40, reasons: 5, hashDigits: 12, logBytes: 0};
}

/** At most so many inputs, among them one from each source and each node name as far as that goes, and how many more there are. */
export function limitInputs(
  inputs: readonly PageInput[],
  most: number,
): {readonly inputs: readonly PageInput[]; readonly moreInputs?: number} {
  if (inputs.length <= most) return {inputs};
  const met = new Set<string>();
  const first: PageInput[] = [];
  const others: PageInput[] = [];
  for (const input of inputs) {
    const origin = input.from === 'node' ? nodeAxes(input.node).name : `source:${input.source}`;
    if (met.has(origin)) others.push(input);
    else first.push(input);
    met.add(origin);
  }
  return {inputs: [...first, ...others].slice(0, most), moreInputs: inputs.length - most};
}

export function limitLines(lines: readonly string[], most: number): readonly string[] {
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `… and ${countText(lines.length - most + 1, 'more reason')}`];
}

/** The same value with long texts in it cut, such as a script among the params of a command. */
export function limitTexts(value: Json): Json {
  if (typeof value === 'string') return limitText(value);
  if (isArray(value)) return value.map(limitTexts);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, limitTexts(member ?? null)]));
}

export function limitText(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`;
}
