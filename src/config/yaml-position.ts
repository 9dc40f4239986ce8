import type {Document, Node, Pair, Scalar} from 'yaml';
import type {Path} from './problem.ts';
import {isAlias, isMap, isSeq, offsetsOf} from './yaml-plain.ts';

type Offsets = readonly [start: number, end: number];

/**
 * Where the value or key at a path stands in the text. What does not exist in the text (a missing key, a member that
 * came through a reference) gives the deepest existing place on the way: its key where it has one.
 */
export function findNode(document: Document, text: string, path: Path, at: 'key' | 'value', span?: Offsets): Offsets {
  let node = document.contents;
  let key: Node | null = null;
  let complete = true;
  for (const [depth, part] of path.entries()) {
    node = resolve(document, node);
    const pair = isMap(node) ? pairOf(node.items as Pair<Node, Node | null>[], part) : undefined;
    if (pair) {
      key = pair.key;
      node = pair.value;
      continue;
    }
    const item = isSeq(node) && typeof part === 'number' ? (node.items[part] as Node | undefined) : undefined;
    if (item) {
      key = null;
      node = item;
      continue;
    }
    complete = depth === path.length;
    break;
  }
  if (complete && at === 'key' && key) return offsetsOf(key);
  if (!complete && key && !isScalar(node)) return offsetsOf(key);
  if (!node || node.range?.[0] === node.range?.[1]) return key ? offsetsOf(key) : [0, 0];
  if (complete && span && isScalar(node)) return inside(node, text, span);
  return isScalar(node) || isAlias(node) ? oneLine(offsetsOf(node), text) : start(node, key, text);
}

/** Whether the text itself has a value at a path. */
export function hasNode(document: Document, path: Path): boolean {
  let node = document.contents;
  for (const part of path) {
    node = resolve(document, node);
    const pair = isMap(node) ? pairOf(node.items as Pair<Node, Node | null>[], part) : undefined;
    const item = isSeq(node) ? (node.items[Number(part)] as Node | undefined) : undefined;
    if (!pair && !item) return false;
    node = pair ? pair.value : (item ?? null);
  }
  return true;
}

/** The keys of the mapping at a path, with their places. */
export function listKeys(document: Document, path: Path): readonly (readonly [string, Offsets])[] {
  let node = document.contents;
  for (const part of path) {
    node = resolve(document, node);
    node = (isMap(node) && pairOf(node.items as Pair<Node, Node | null>[], part)?.value) || null;
  }
  node = resolve(document, node);
  if (!isMap(node)) return [];
  return (node.items as Pair<Node, Node | null>[]).flatMap(({key}) =>
    isScalar(key) ? [[String(key.value), offsetsOf(key)] as const] : [],
  );
}

/** A collection is pointed at by its key, or by its first character in a list. */
function start(node: Node, key: Node | null, text: string): Offsets {
  if (key) return offsetsOf(key);
  const [from, to] = offsetsOf(node);
  return oneLine([from, to], text);
}

function inside(node: Scalar, text: string, [from, to]: Offsets): Offsets {
  const [begin, end] = offsetsOf(node);
  const value = String(node.value);
  for (const quote of [0, 1]) {
    if (text.slice(begin + quote, end - quote) === value) return [begin + quote + from, begin + quote + to];
  }
  const found = text.slice(begin, end).indexOf(value.slice(from, to));
  return found < 0 ? oneLine([begin, end], text) : [begin + found, begin + found + (to - from)];
}

function oneLine([from, to]: Offsets, text: string): Offsets {
  const breakAt = text.indexOf('\n', from);
  return breakAt >= 0 && breakAt < to ? [from, breakAt] : [from, to];
}

function pairOf(items: readonly Pair<Node, Node | null>[], part: string | number): Pair<Node, Node | null> | undefined {
  return items.find(({key}) => isScalar(key) && key.value === String(part));
}

function resolve(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function isScalar(node: unknown): node is Scalar {
  return typeof node === 'object' && node !== null && 'value' in node;
}
