import type {Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq} from 'yaml';
import type {Json} from '../core/json.ts';
import type {Problem} from './problem.ts';

type Report = (problem: Problem) => void;

/** Values that aliases may add when written out; a bomb of nine levels would add 10^9. */
const aliasedLimit = 1_000_000;
const depthLimit = 100;

interface Walk {
  readonly report: Report;
  readonly anchors: Map<string, Node>;
  /** Anchored nodes that are being written out: an alias to one of them has no end. */
  readonly open: Set<Node>;
  /** The outermost alias that is being written out. */
  alias: Alias | undefined;
  /** Values written out for aliases so far. */
  aliased: number;
  stopped: boolean;
}

/** The document as plain JSON values. Problems are reported; the faulty members are left out. */
export function toPlain(document: Document.Parsed, report: Report): Json | undefined {
  const walk: Walk = {report, anchors: new Map(), open: new Set(), alias: undefined, aliased: 0, stopped: false};
  const value = document.contents === null ? null : plain(document.contents, walk, 0);
  return walk.stopped ? undefined : value;
}

function plain(node: Node | null, walk: Walk, depth: number): Json | undefined {
  if (node === null) return null;
  if (walk.stopped) return undefined;
  if (walk.alias) walk.aliased++;
  if (walk.aliased > aliasedLimit || depth > depthLimit) {
    walk.stopped = true;
    const message = `aliases may add ${aliasedLimit} values to a document; these add more`;
    if (depth > depthLimit)
      complain(walk, node, 'too-large', `YAML may be nested ${depthLimit} levels deep; this is deeper`);
    else
      complain(walk, walk.alias ?? node, 'yaml-alias-limit', message, 'name common values in `vars` and refer to them');
    return undefined;
  }
  if (isAlias(node)) return followAlias(node, walk, depth);
  if (node.anchor !== undefined && !walk.alias) walk.anchors.set(node.anchor, node);
  if (isMap(node)) return within(walk, node, () => plainMap(node, walk, depth));
  if (isSeq(node))
    return within(walk, node, () => node.items.map((item) => plain(item as Node, walk, depth + 1) ?? null));
  return plainScalar(node, walk);
}

function plainMap(map: YAMLMap, walk: Walk, depth: number): Json {
  const members: Record<string, Json> = {};
  const keys = new Map<string, Node>();
  for (const {key, value} of map.items as Pair<Node, Node | null>[]) {
    const name = keyText(key, walk);
    if (name === undefined) continue;
    const before = keys.get(name);
    if (before) {
      const related = {message: `\`${name}\` is first written here`, offsets: offsetsOf(before)};
      const message = `the key \`${name}\` is written twice in one mapping`;
      walk.report({code: 'yaml-duplicate-key', message, path: [], at: 'key', offsets: offsetsOf(key), related});
      continue;
    }
    keys.set(name, key);
    const member = plain(value, walk, depth + 1);
    if (member !== undefined) members[name] = member;
  }
  return members;
}

function keyText(key: Node | null, walk: Walk): string | undefined {
  if (key !== null && isAlias(key)) {
    complain(walk, key, 'yaml-syntax', 'a key is text, not an alias');
    return undefined;
  }
  const value = key === null ? null : (key as Scalar).value;
  if (key === null || isMap(key) || isSeq(key) || typeof value !== 'string') {
    const hint = key !== null && 'source' in key ? `put it in quotes: '${key.source}'` : undefined;
    const offsets = key ? offsetsOf(key) : ([0, 0] as const);
    const message = 'a key is text';
    walk.report({code: 'yaml-syntax', message, path: [], at: 'key', offsets, ...(hint ? {hint} : {})});
    return undefined;
  }
  if (value === '__proto__') {
    complain(walk, key, 'unknown-key', '`__proto__` cannot be a key: it would change every object');
    return undefined;
  }
  if (value === '<<') {
    complain(
      walk,
      key,
      'unknown-key',
      'YAML 1.2 has no merge key `<<`',
      'write the members out, or use `${vars.name}`',
    );
    return undefined;
  }
  return value;
}

function plainScalar(node: Scalar, walk: Walk): Json | undefined {
  const {value} = node;
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined)
    return value ?? null;
  if (typeof value !== 'number') {
    complain(
      walk,
      node,
      'bad-value',
      `the tag \`${node.tag ?? ''}\` gives a value that JSON cannot hold`,
      'remove the tag',
    );
    return undefined;
  }
  if (!Number.isFinite(value)) {
    complain(walk, node, 'bad-value', `\`${node.source ?? ''}\` is not a number that JSON can hold`);
    return undefined;
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && /^[-+]?\d+$/.test(node.source ?? '')) {
    const message = `\`${node.source ?? ''}\` cannot be kept exactly: integers end at 2^53`;
    complain(walk, node, 'bad-value', message, 'put it in quotes to keep it as text');
    return undefined;
  }
  return value;
}

function followAlias(node: Alias, walk: Walk, depth: number): Json | undefined {
  const target = walk.anchors.get(node.source);
  if (!target || walk.open.has(target)) {
    const why = target
      ? `\`*${node.source}\` stands inside its own anchor`
      : `there is no anchor \`&${node.source}\` above`;
    complain(walk, node, 'yaml-syntax', why, 'put the text in quotes if it is not meant as an alias');
    return undefined;
  }
  const outer = walk.alias;
  walk.alias ??= node;
  const value = plain(target, walk, depth + 1);
  walk.alias = outer;
  return value;
}

function within<T>(walk: Walk, node: Node, inner: () => T): T {
  walk.open.add(node);
  const value = inner();
  walk.open.delete(node);
  return value;
}

function complain(walk: Walk, node: Node, code: Problem['code'], message: string, hint?: string): void {
  walk.report({code, message, path: [], at: 'value', offsets: offsetsOf(node), ...(hint ? {hint} : {})});
}

/** Start and end of a node without the white space after it. */
export function offsetsOf(node: Node): readonly [number, number] {
  return node.range ? [node.range[0], node.range[1]] : [0, 0];
}

// Told apart by shape, so that the yaml package stays a lazy import.
export function isMap(node: unknown): node is YAMLMap {
  return hasItems(node) && !isSeq(node);
}

export function isSeq(node: unknown): node is YAMLSeq {
  return hasItems(node) && (node as {constructor: {tagName?: string}}).constructor.tagName === 'tag:yaml.org,2002:seq';
}

export function isAlias(node: unknown): node is Alias {
  return typeof node === 'object' && node !== null && 'source' in node && !('value' in node);
}

function hasItems(node: unknown): boolean {
  return typeof node === 'object' && node !== null && 'items' in node;
}
