import {extname} from 'node:path';
import {didYouMean} from '../../core/closest.ts';
import {failure, type Failure} from '../../core/failure.ts';
import type {Digest} from '../../core/digest.ts';
import {byCodeUnit, canonicalJson, isObject, type Json} from '../../core/json.ts';
import type {NodeId, PipelineNode} from '../../core/pipeline.ts';
import {err, ok, type Result} from '../../core/result.ts';
import {select} from '../../core/selection.ts';
import type {Directive, FigureDirective, FileDirective, Statistic, ValueDirective} from '../../documents/directive.ts';
import {contentProblem, escapeText, fencedText, imageLink} from '../../documents/layout.ts';
import {summarise} from '../../report/metric-pivot.ts';
import {answerMetrics, answerTables} from '../../report/metric-question.ts';
import {metricRow} from '../../report/metric-rows.ts';
import {numberText} from '../../report/number-text.ts';
import {markdownTables} from '../../report/value-table-text.ts';
import {countText} from '../../report/count-text.ts';
import {figurePath, sourceHolding, type DocumentFile} from './files.ts';
import type {DocumentResults, NodeResult} from './results.ts';
import type {Loaded} from '../load.ts';

/** What a block is to hold. */
export interface Content {
  /** Lines with LF; undefined when the bytes that it is made of are not here. */
  readonly text?: string;
  /** Of `file`: the bytes, and whether they are shown in a fence. */
  readonly source?: {readonly name: string; readonly digest: Digest; readonly fenced: boolean};
  readonly figure?: Figure;
}

/** A file that goes beside a document. */
export interface Figure {
  readonly name: string;
  /** Absolute. */
  readonly file: string;
  readonly digest: Digest;
  /** Undefined when they are not here. */
  readonly bytes: Uint8Array | undefined;
}

type Project = Pick<Loaded, 'project' | 'pipeline' | 'graph'>;

/** The nodes that a directive shows; all when it names none. */
export function nodesOf({pipeline, graph}: Project, directive: Directive): Result<readonly NodeId[]> {
  const patterns = directive.kind === 'metrics' ? directive.nodes : [directive.node];
  return patterns.length > 0 ? select(pipeline, graph, patterns) : ok(pipeline.nodes.map(({id}) => id));
}

/** What the results make of a directive. */
export async function contentFor(
  project: Project,
  document: DocumentFile,
  directive: Directive,
  results: DocumentResults,
): Promise<Result<Content>> {
  const nodes = nodesOf(project, directive);
  if (!nodes.ok) return nodes;
  const all = directive.kind === 'metrics' && directive.nodes.length === 0;
  const found = resultsOf(all ? nodes.value.filter((id) => results.known.has(id)) : nodes.value, results);
  if (!found.ok) return found;
  switch (directive.kind) {
    case 'metrics': {
      // A lock has them by name, a result as they were reported; the table must not depend on which it is.
      const rows = [...found.value].map(([id, {metrics}]) => metricRow(id, sortKeys(metrics)));
      const answer = answerMetrics(rows, directive);
      if (!answer.ok) return answer;
      const tables = answerTables(answer.value, directive);
      const {title, digits} = directive;
      const titled =
        title === undefined
          ? tables
          : tables.length === 1
            ? tables.map(({columns, rows}) => ({title, columns, rows}))
            : tables;
      if (title !== undefined && tables.length !== 1) {
        const message = `--title is for one table; these are ${tables.length}`;
        return err([failure('usage', message, {hint: 'name the nodes of one, or use --pivot'})]);
      }
      return sound({text: markdownTables(titled, digits)}, 'the table');
    }
    case 'value': {
      const text = valueText(directive, found.value);
      return text.ok ? sound({text: text.value}, 'the value') : text;
    }
    case 'file':
      return fileContent(project, directive, found.value, results);
    case 'figure':
      return figureContent(project, document, directive, found.value, results);
  }
}

function resultsOf(nodes: readonly NodeId[], results: DocumentResults): Result<ReadonlyMap<NodeId, NodeResult>> {
  const found = new Map<NodeId, NodeResult>();
  const failures: Failure[] = [];
  for (const id of nodes) {
    const result = results.of(id);
    if (result.ok) found.set(id, result.value);
    else failures.push(result.error);
  }
  return failures.length > 0 ? err(failures) : ok(found);
}

/** A number as it is shown: a measured one rounded, a param as it is set. */
type NumberText = (value: number) => string;

function valueText({name, of, digits, node}: ValueDirective, found: ReadonlyMap<NodeId, NodeResult>): Result<string> {
  const values: (readonly [NodeId, Json])[] = [];
  let measured = false;
  for (const [id, {metrics, params}] of found) {
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    const value = metric ?? paramOf(params, name);
    if (value === undefined) return err([unknownValue(id, name, {metrics, params})]);
    measured ||= metric !== undefined;
    values.push([id, value]);
  }
  const asText: NumberText = (value) => (measured || digits !== undefined ? numberText(value, digits) : String(value));
  if (of !== undefined) return statisticText(of, values, asText);
  const texts = new Map(values.map(([id, value]) => [plainText(value, asText), id]));
  const [[text, first] = ['', node], second] = texts;
  if (second === undefined) return ok(text);
  const message = `\`${node}\` is ${countText(values.length, 'node')} with different values, such as ${text} of ${first} and ${second[0]} of ${second[1]}`;
  return err([failure('usage', message, {hint: 'name one variant, or say which: of=mean, sd, min, max or count'})]);
}

function statisticText(
  of: Statistic,
  values: readonly (readonly [NodeId, Json])[],
  asText: NumberText,
): Result<string> {
  if (of === 'count') return ok(String(values.length));
  const numbers = values.map(([, value]) => value).filter((value) => typeof value === 'number');
  const {mean, sd} = summarise(numbers);
  const min = numbers.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const max = numbers.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const value = {mean, sd, min, max}[of];
  if (numbers.length === values.length && value !== undefined) return ok(asText(value));
  return err([failure('usage', `of=${of} is of numbers${of === 'sd' ? ', two or more' : ''}`)]);
}

function plainText(value: Json, asText: NumberText): string {
  if (typeof value === 'number') return asText(value);
  return escapeText(typeof value === 'string' || typeof value === 'boolean' ? String(value) : canonicalJson(value));
}

/** The param that `params.a.b` names. */
function paramOf(params: Json, name: string): Json | undefined {
  const [section, ...path] = name.split('.');
  if (section !== 'params' || path.length === 0) return undefined;
  let value: Json | undefined = params;
  for (const part of path) value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return value;
}

function unknownValue(id: NodeId, name: string, {metrics, params}: Pick<NodeResult, 'metrics' | 'params'>): Failure {
  const known = [
    ...Object.keys(metrics),
    ...Object.keys(isObject(params) ? params : {}).map((each) => `params.${each}`),
  ];
  const hint = didYouMean(name, name.startsWith('params.') ? known : Object.keys(metrics)) ?? didYouMean(name, known);
  const what = name.startsWith('params.') ? `has no param \`${name.slice(7)}\`` : `reports no \`${name}\``;
  return failure('unknown-metric', `${id} ${what}`, hint === undefined ? {} : {hint});
}

/** The one node and file that a directive names. */
function outputOf(
  {graph}: Project,
  {node: pattern, output, kind}: FileDirective | FigureDirective,
  found: ReadonlyMap<NodeId, NodeResult>,
): Result<{readonly name: string; readonly file: string; readonly digest: Digest}> {
  const [[id, result] = [undefined, undefined], second] = found;
  const node: PipelineNode | undefined = id === undefined ? undefined : graph.nodes[graph.indexOf.get(id) ?? -1];
  if (node === undefined || result === undefined || second !== undefined) {
    const message = `\`${pattern}\` names ${countText(found.size, 'node')}; ${kind} takes one`;
    return err([failure('usage', message, {hint: `such as ${[...found.keys()].slice(0, 3).join(', ')}`})]);
  }
  const port = Object.hasOwn(node.outputs, output) ? node.outputs[output] : undefined;
  const made = Object.hasOwn(result.outputs, output) ? result.outputs[output] : undefined;
  const name = `${node.id}.${output}`;
  if (port === undefined || made === undefined) {
    const hint = port === undefined ? didYouMean(output, Object.keys(node.outputs)) : 'run it again';
    return err([failure('unknown-output', `there is no output ${name}`, hint === undefined ? {} : {hint})]);
  }
  if (made.kind === 'file') return ok({name, file: port.name, digest: made.digest});
  const hint = 'name an output that is one file';
  return err([failure('kind-mismatch', `${name} is a folder; ${kind} takes a file`, {hint})]);
}

async function fileContent(
  project: Project,
  directive: FileDirective,
  found: ReadonlyMap<NodeId, NodeResult>,
  results: DocumentResults,
): Promise<Result<Content>> {
  const output = outputOf(project, directive, found);
  if (!output.ok) return output;
  const {name, file, digest} = output.value;
  const fenced = !/^\.(md|markdown)$/i.test(extname(file));
  const source = {name, digest, fenced};
  const bytes = await results.bytes(digest);
  if (bytes === undefined) return ok({source});
  let text: string;
  try {
    text = new TextDecoder('utf-8', {fatal: true}).decode(bytes).replaceAll('\r\n', '\n');
  } catch {
    return err([failure('kind-mismatch', `${name} is not UTF-8 text`, {hint: 'of an image, write `figure`'})]);
  }
  return sound({text: fenced ? fencedText(text) : text, source}, name);
}

async function figureContent(
  project: Project,
  document: DocumentFile,
  directive: FigureDirective,
  found: ReadonlyMap<NodeId, NodeResult>,
  results: DocumentResults,
): Promise<Result<Content>> {
  const output = outputOf(project, directive, found);
  if (!output.ok) return output;
  const {name, file: outputFile, digest} = output.value;
  const file = figurePath(document, directive.path, outputFile, project.project.root);
  if (!file.ok) return err([file.error]);
  const holder = await sourceHolding(project, file.value);
  if (holder !== undefined) {
    const message = `\`${directive.path}\` is in the source \`${holder}\`: writing it would make results stale`;
    return err([failure('document-invalid', message, {hint: 'name a place outside of the sources'})]);
  }
  const text = imageLink(directive.path, directive.alt ?? name);
  return ok({text, figure: {name, file: file.value, digest, bytes: await results.bytes(digest)}});
}

function sortKeys<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => byCodeUnit(a, b)));
}

function sound(content: Content & {readonly text: string}, what: string): Result<Content> {
  const problem = contentProblem(content.text);
  return problem === undefined
    ? ok(content)
    : err([failure('kind-mismatch', `${what} cannot stand in a document: it ${problem}`)]);
}
