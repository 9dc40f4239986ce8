import {failure, type Failure} from './failure.ts';
import {closure, type Graph} from './graph.ts';
import type {Scalar} from './json.ts';
import {nearest} from './nearest.ts';
import {scalarText, type NodeId, type Pipeline, type PipelineNode} from './pipeline.ts';
import {err, ok, type Result} from './result.ts';

/** One selection pattern taken apart: `+train[fold=1,levels=*].model+`. */
export interface Selector {
  readonly name: string;
  /** Axis and wanted value as text, `*` for any; undefined when no brackets were written. */
  readonly axes?: ReadonlyMap<string, string>;
  readonly output?: string;
  /** Leading `+`: everything the nodes are made from as well. */
  readonly producers: boolean;
  /** Trailing `+`: everything that is made from the nodes as well. */
  readonly consumers: boolean;
}

/**
 * The nodes that the patterns name, each once, in declaration order. A pattern is a node name (all its variants), a
 * name with axis values (`train[fold=1]`, other axes free, `*` for any value), or a target group; `+` before it adds
 * its producers, after it its consumers. A node name wins over a group of the same name.
 */
export function select(pipeline: Pipeline, graph: Graph, patterns: readonly string[]): Result<readonly NodeId[]> {
  const chosen = new Set<number>();
  const failures: Failure[] = [];
  for (const pattern of patterns) {
    const parsed = parseSelector(pattern);
    if (!parsed.ok) {
      failures.push(parsed.error);
      continue;
    }
    const selector = parsed.value;
    if (selector.output !== undefined) {
      failures.push(
        failure('usage', `"${pattern}" names an output; nodes are selected whole`, {
          hint: `Write "${pattern.slice(0, pattern.lastIndexOf('.'))}".`,
        }),
      );
      continue;
    }
    const matched = matchNodes(pipeline, graph, selector);
    if (!matched.ok) {
      failures.push(matched.error);
      continue;
    }
    add(chosen, matched.value);
    if (selector.producers) add(chosen, closure(graph, matched.value, 'producers'));
    if (selector.consumers) add(chosen, closure(graph, matched.value, 'consumers'));
  }
  if (failures.length > 0) return err(failures);
  return ok(graph.nodes.filter((_, index) => chosen.has(index)).map((node) => node.id));
}

/** Takes a pattern apart without looking anything up. */
export function parseSelector(pattern: string): Result<Selector, Failure> {
  let text = pattern;
  const producers = text.startsWith('+');
  if (producers) text = text.slice(1);
  const consumers = text.endsWith('+');
  if (consumers) text = text.slice(0, -1);
  const match = /^([^[\].=,\s]+)(?:\[(.*)\])?(?:\.([^[\].=,\s]+))?$/s.exec(text);
  if (!match) return err(malformed(pattern));
  const [, name = '', inside, output] = match;
  const parts = inside === undefined ? undefined : parseAxes(inside);
  if (inside !== undefined && parts === undefined) return err(malformed(pattern));
  return ok({
    name,
    producers,
    consumers,
    ...(parts === undefined ? {} : {axes: parts}),
    ...(output === undefined ? {} : {output}),
  });
}

/** Indices of the nodes that a parsed pattern names, without its `+`. */
export function matchNodes(pipeline: Pipeline, graph: Graph, selector: Selector): Result<readonly number[], Failure> {
  const indices: number[] = [];
  graph.nodes.forEach((node, index) => {
    if (node.name === selector.name) indices.push(index);
  });
  if (indices.length === 0) return matchGroup(pipeline, graph, selector);
  const {axes} = selector;
  if (axes === undefined) return ok(indices);
  const known = pipeline.axes[selector.name] ?? {};
  for (const [axis, value] of axes) {
    const values = known[axis];
    if (values === undefined) return err(unknownAxis(selector.name, axis, Object.keys(known)));
    const texts = values.map(plainText);
    if (value !== '*' && !texts.includes(value)) return err(unknownValue(selector.name, axis, value, texts));
  }
  const matching = indices.filter((index) => {
    const node = graph.nodes[index];
    return node !== undefined && matches(node, axes);
  });
  if (matching.length > 0) return ok(matching);
  const wanted = [...axes].map(([axis, value]) => `${axis}=${value}`).join(', ');
  return err(
    failure('unknown-node', `"${selector.name}" has no variant with ${wanted}`, {
      hint: 'Each value exists, but not together: the matrix leaves this combination out.',
    }),
  );
}

function matchGroup(pipeline: Pipeline, graph: Graph, selector: Selector): Result<readonly number[], Failure> {
  const group = Object.hasOwn(pipeline.targets, selector.name) ? pipeline.targets[selector.name] : undefined;
  if (group === undefined) return err(unknownName(pipeline, selector.name));
  if (selector.axes !== undefined) {
    return err(failure('usage', `"${selector.name}" is a target group and takes no [axis=value]`));
  }
  return ok(group.flatMap((id) => graph.indexOf.get(id) ?? []));
}

function matches(node: PipelineNode, axes: ReadonlyMap<string, string>): boolean {
  for (const [axis, value] of axes) {
    const actual = node.variant[axis];
    if (actual === undefined || (value !== '*' && plainText(actual) !== value)) return false;
  }
  return true;
}

/** Splits `fold=1,levels="a,b"` at the commas outside quotes. Undefined when it is not a list of axis=value. */
function parseAxes(text: string): ReadonlyMap<string, string> | undefined {
  const axes = new Map<string, string>();
  const rest = /\s*([^=,"\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,"]*?)\s*(,|$)/sy;
  if (text.trim() === '') return undefined;
  while (rest.lastIndex < text.length) {
    const match = rest.exec(text);
    if (!match) return undefined;
    const [, axis = '', value = '', end] = match;
    const plain = unquote(value);
    if (plain === undefined || value === '' || axes.has(axis)) return undefined;
    axes.set(axis, plain);
    if (end === '') return axes;
  }
  return undefined;
}

function unquote(value: string): string | undefined {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return undefined;
  }
}

function plainText(value: Scalar): string {
  return String(value);
}

function malformed(pattern: string): Failure {
  return failure('usage', `"${pattern}" is not a selection`, {
    hint: 'Write a node or target group: train, train[fold=1], train[fold=1,levels=*], +train, train+.',
  });
}

function unknownName(pipeline: Pipeline, name: string): Failure {
  const names = new Set([...pipeline.nodes.map((node) => node.name), ...Object.keys(pipeline.targets)]);
  const close = nearest(name, names);
  return failure('unknown-target', `there is no node or target group "${name}"`, {
    hint: close === undefined ? `Known: ${list([...names])}.` : `Did you mean "${close}"?`,
  });
}

function unknownAxis(name: string, axis: string, known: readonly string[]): Failure {
  const close = nearest(axis, known);
  const hint =
    close !== undefined
      ? `Did you mean "${close}"?`
      : known.length === 0
        ? `"${name}" has no matrix.`
        : `Its axes: ${list(known)}.`;
  return failure('unknown-axis', `"${name}" has no axis "${axis}"`, {hint});
}

function unknownValue(name: string, axis: string, value: string, known: readonly string[]): Failure {
  const close = nearest(value, known);
  return failure('unknown-node', `"${name}" has no variant with ${axis}=${value}`, {
    hint:
      close === undefined
        ? `Its values: ${list(known.map(scalarText))}.`
        : `Did you mean ${axis}=${scalarText(close)}?`,
  });
}

function list(names: readonly string[]): string {
  const most = 12;
  return names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

function add(set: Set<number>, indices: Iterable<number>): void {
  for (const index of indices) set.add(index);
}
