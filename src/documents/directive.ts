import {didYouMean} from '../core/closest.ts';
import {err, ok, type Result} from '../core/result.ts';
import {readOptions, type OptionKind, type ReadOptions} from './options.ts';
import {splitWords, type Fault, type Word} from './words.ts';

/** What a block is to hold. */
export type Directive = MetricsDirective | ValueDirective | FileDirective | FigureDirective;

/** A table of metrics, asked for as on the command line. */
export interface MetricsDirective {
  readonly kind: 'metrics';
  /** Selections; all nodes that report metrics when there is none. */
  readonly nodes: readonly string[];
  readonly metric?: readonly string[];
  readonly filter?: readonly string[];
  readonly sort?: string;
  readonly pivot?: readonly string[];
  readonly mean?: true;
  readonly digits?: number;
  /** Instead of the table's own title; none when it is empty. */
  readonly title?: string;
}

/** One number or text within a line. */
export interface ValueDirective {
  readonly kind: 'value';
  readonly node: string;
  /** Name of a metric, or `params.` and the path of a param. */
  readonly name: string;
  /** What to take of several nodes; without it they must agree. */
  readonly of?: Statistic;
  readonly digits?: number;
}

export type Statistic = (typeof statistics)[number];

const statistics = ['mean', 'sd', 'min', 'max', 'count'] as const;

/** A text output, whole. */
export interface FileDirective {
  readonly kind: 'file';
  readonly node: string;
  readonly output: string;
}

/** An image beside the document, and the link to it. */
export interface FigureDirective {
  readonly kind: 'figure';
  readonly node: string;
  readonly output: string;
  /** Relative to the document's folder, forward slashes. */
  readonly path: string;
  readonly alt?: string;
}

const digits: OptionKind = {takes: 'digits'};
const text: OptionKind = {takes: 'text'};
const list: OptionKind = {takes: 'list'};

const optionsOf: Readonly<Record<Directive['kind'], Readonly<Record<string, OptionKind>>>> = {
  metrics: {
    metric: list,
    filter: {takes: 'texts'},
    sort: text,
    pivot: list,
    mean: {takes: 'nothing'},
    digits,
    title: text,
  },
  value: {of: {takes: 'choice', choices: statistics}, digits},
  file: {},
  figure: {alt: text},
};

export const directiveKinds = Object.keys(optionsOf) as readonly Directive['kind'][];

const usage: Readonly<Record<Directive['kind'], string>> = {
  metrics: 'metrics NODE… --metric NAME --filter AXIS=VALUE --sort NAME --pivot AXIS --mean --digits N --title TEXT',
  value: 'value NODE.METRIC of=mean digits=N, or value NODE.params.NAME',
  file: 'file NODE.OUTPUT',
  figure: 'figure NODE.OUTPUT PATH --alt TEXT',
};

/**
 * Reads what stands behind `mixdown:`. Says nothing about whether the nodes and outputs exist.
 *
 * @param offset - where the text stands in the document
 */
export function parseDirective(source: string, offset: number): Result<Directive, readonly Fault[]> {
  const words = splitWords(source, offset);
  if (!words.ok) return err([words.error]);
  const [head, ...rest] = words.value;
  const whole = {start: offset, end: offset + source.length};
  const known = directiveKinds.join(', ');
  if (head === undefined)
    return err([{...whole, message: 'the block does not say what it holds', hint: `one of: ${known}`}]);
  const kind = directiveKinds.find((each) => each === head.text);
  if (kind === undefined) {
    const hint = didYouMean(head.text, directiveKinds) ?? `one of: ${known}`;
    return err([{start: head.start, end: head.end, message: `there is no kind of block \`${head.text}\``, hint}]);
  }
  const read = readOptions(rest, optionsOf[kind]);
  const faults = [...read.faults];
  const misuse = (message: string, place: Pick<Word, 'start' | 'end'> = head): void =>
    void faults.push({start: place.start, end: place.end, message, hint: `write \`${usage[kind]}\``});
  const directive = build(kind, read, misuse);
  return directive === undefined || faults.length > 0 ? err(faults) : ok(directive);
}

type Misuse = (message: string, place?: Pick<Word, 'start' | 'end'>) => void;

function build(kind: Directive['kind'], {operands, values}: ReadOptions, misuse: Misuse): Directive | undefined {
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const shared = values.has('digits') ? {digits: Number(one('digits'))} : {};
  if (kind === 'metrics') {
    const [metric, filter, pivot, sort, title] = [
      values.get('metric'),
      values.get('filter'),
      values.get('pivot'),
      one('sort'),
      one('title'),
    ];
    return {
      kind,
      nodes: operands.map((word) => word.text),
      ...(metric ? {metric} : {}),
      ...(filter ? {filter} : {}),
      ...(sort === undefined ? {} : {sort}),
      ...(pivot ? {pivot} : {}),
      ...(values.has('mean') ? {mean: true} : {}),
      ...(title === undefined ? {} : {title}),
      ...shared,
    };
  }
  const [target, path, ...more] = operands;
  const surplus = kind === 'figure' ? more[0] : path;
  if (surplus !== undefined) misuse(`\`${surplus.text}\` is too much here`, surplus);
  if (target === undefined) {
    misuse(`\`${kind}\` does not say of what`);
    return undefined;
  }
  const parts = targetPattern.exec(target.text);
  if (parts === null) {
    misuse(`\`${target.text}\` names no ${kind === 'value' ? 'metric' : 'output'} of a node`, target);
    return undefined;
  }
  const [, node = '', name = ''] = parts;
  if (kind === 'value') {
    const of = statistics.find((each) => each === one('of'));
    return {kind, node, name, ...(of === undefined ? {} : {of}), ...shared};
  }
  if (kind === 'file') return {kind, node, output: name};
  if (path === undefined) {
    misuse('`figure` does not say where the image goes');
    return undefined;
  }
  const alt = one('alt');
  return {kind, node, output: name, path: path.text, ...(alt === undefined ? {} : {alt})};
}

/** A node, the values of its axes in brackets, a dot and a name. */
const targetPattern = /^([A-Za-z0-9_-]+(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])?)\.(.+)$/s;
