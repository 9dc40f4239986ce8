import {didYouMean, valueHint} from './closest.ts';
import {failure, type Failure} from './failure.ts';
import {closure, type Graph} from './graph.ts';
import {scalarText, type NodeId, type Pipeline} from './pipeline.ts';
import {parseReference, type AxisChoice, type Reference} from './reference.ts';
import {err, ok, type Result} from './result.ts';

/** One selection pattern taken apart: `+train[fold=1,levels=*]+`. */
interface Selector {
  readonly reference: Reference;
  /** Leading `+`: everything the nodes are made from as well. */
  readonly producers: boolean;
  /** Trailing `+`: everything that is made from the nodes as well. */
  readonly consumers: boolean;
}

/**
 * The nodes that the patterns name, each once, in declaration order. A pattern is a node name (all its variants), a
 * name with axis values (`train[fold=1]`, `train[fold=1|2]`, other axes free, `*` for any value), or a target group; `+` before it adds
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
    const {reference, producers, consumers} = parsed.value;
    if (reference.output !== undefined) {
      const hint = `write \`${pattern.replace(`.${reference.output}`, '')}\``;
      failures.push(failure('usage', `\`${pattern}\` names an output; nodes are selected whole`, {hint}));
      continue;
    }
    const matched = matchNodes(pipeline, graph, reference);
    if (!matched.ok) {
      failures.push(matched.error);
      continue;
    }
    add(chosen, matched.value);
    if (producers) add(chosen, closure(graph, matched.value, 'producers'));
    if (consumers) add(chosen, closure(graph, matched.value, 'consumers'));
  }
  if (failures.length > 0) return err(failures);
  return ok(graph.nodes.filter((_, index) => chosen.has(index)).map((node) => node.id));
}

/** Takes a pattern apart without looking anything up. */
function parseSelector(pattern: string): Result<Selector, Failure> {
  const producers = pattern.startsWith('+');
  const consumers = pattern.length > 1 && pattern.endsWith('+');
  const parsed = parseReference(pattern.slice(producers ? 1 : 0, consumers ? -1 : undefined));
  if (parsed.ok) return ok({reference: parsed.value, producers, consumers});
  return err(
    failure('usage', `\`${pattern}\` selects nothing: ${parsed.error.message}`, {
      hint: 'write a node or target group: train, train[fold=1], train[fold=1,levels=*], +train, train+',
    }),
  );
}

/** Indices of the nodes that a reference names; its output does not count. */
export function matchNodes(pipeline: Pipeline, graph: Graph, reference: Reference): Result<readonly number[], Failure> {
  const {name, selector} = reference;
  const indices: number[] = [];
  graph.nodes.forEach((node, index) => {
    if (node.name === name) indices.push(index);
  });
  if (indices.length === 0) return matchGroup(pipeline, graph, reference);
  if (selector === undefined || selector.all) return ok(indices);
  const known = pipeline.axes[name] ?? {};
  for (const {axis, choices} of selector.axes) {
    const texts = known[axis]?.map(scalarText);
    if (texts === undefined) return err(unknownAxis(name, axis, Object.keys(known)));
    const wrong = choices?.find(({text}) => !texts.includes(text))?.text;
    if (wrong === undefined) continue;
    return err(
      failure('unknown-node', `\`${name}\` has no variant with ${axis}=${wrong}`, hintOf(valueHint(wrong, texts))),
    );
  }
  const matching = indices.filter((index) => {
    const variant = graph.nodes[index]?.variant ?? {};
    return selector.axes.every(({axis, choices}) => {
      const own = scalarText(variant[axis] ?? '');
      return choices === undefined || choices.some(({text}) => text === own);
    });
  });
  if (matching.length > 0) return ok(matching);
  const textOf = (choices: readonly AxisChoice[] | undefined): string =>
    choices?.map(({text}) => text).join('|') ?? '*';
  const wanted = selector.axes.map(({axis, choices}) => `${axis}=${textOf(choices)}`).join(', ');
  return err(
    failure('unknown-node', `\`${name}\` has no variant with ${wanted}`, {
      hint: 'each value exists, but the matrix leaves this combination out',
    }),
  );
}

function matchGroup(pipeline: Pipeline, graph: Graph, {name, selector}: Reference): Result<readonly number[], Failure> {
  const group = Object.hasOwn(pipeline.targets, name) ? pipeline.targets[name] : undefined;
  if (group === undefined) {
    const names = new Set([...pipeline.nodes.map((node) => node.name), ...Object.keys(pipeline.targets)]);
    return err(
      failure('unknown-target', `there is no node or target group \`${name}\``, hintOf(didYouMean(name, names))),
    );
  }
  if (selector !== undefined) return err(failure('usage', `\`${name}\` is a target group and takes no [axis=value]`));
  return ok(group.flatMap((id) => graph.indexOf.get(id) ?? []));
}

function unknownAxis(name: string, axis: string, known: readonly string[]): Failure {
  const hint = known.length === 0 ? `\`${name}\` has no matrix` : didYouMean(axis, known);
  return failure('unknown-axis', `\`${name}\` has no axis \`${axis}\``, hintOf(hint));
}

function hintOf(hint: string | undefined): {hint?: string} {
  return hint === undefined ? {} : {hint};
}

function add(set: Set<number>, indices: Iterable<number>): void {
  for (const index of indices) set.add(index);
}
