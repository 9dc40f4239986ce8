import type {SourceRange} from '../core/failure.ts';
import type {Json} from '../core/json.ts';
import type {Path, Problem} from './problem.ts';
import {toPlain} from './yaml-plain.ts';
import {findNode, hasNode, listKeys} from './yaml-position.ts';

type Offsets = readonly [start: number, end: number];

/** A parsed YAML text that can still say where each value stands. */
export interface YamlText {
  /** Undefined when the text could not be read as YAML. */
  readonly value: Json | undefined;
  readonly problems: readonly Problem[];
  /** Where a key or a value stands; a path that leads nowhere gives its nearest existing parent's key. */
  locate(path: Path, at: 'key' | 'value', span?: Offsets): Offsets;
  has(path: Path): boolean;
  /** The keys of the mapping at a path with their places; empty when there is none. */
  keysOf(path: Path): readonly (readonly [string, Offsets])[];
  rangeOf(offsets: Offsets, file: string): SourceRange;
}

/**
 * Parses YAML 1.2. Every syntax error is reported, and beyond YAML's own rules: duplicate keys, keys that are not text,
 * `__proto__`, numbers JSON cannot hold, unknown tags, aliases that blow up.
 */
export async function parseYaml(text: string): Promise<YamlText> {
  const {parseDocument, LineCounter} = await import('yaml');
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const rangeOf = ([start, end]: Offsets, file: string): SourceRange => {
    const from = lines.linePos(start);
    const to = lines.linePos(Math.max(start, end));
    return {file, line: from.line || 1, column: from.col || 1, endLine: to.line || 1, endColumn: to.col || 1};
  };
  let parsed;
  try {
    // The package compares every key with every other to find duplicates; toPlain does it in linear time.
    parsed = parseDocument(text, {uniqueKeys: false, prettyErrors: false, lineCounter: lines});
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push({
      code: 'too-large',
      message: 'the YAML is nested too deeply',
      path: [],
      at: 'value',
      offsets: [0, 0],
    });
    return {value: undefined, problems, locate: () => [0, 0], has: () => false, keysOf: () => [], rangeOf};
  }
  const document = parsed;
  for (const {code, message, pos} of [...document.errors, ...document.warnings]) {
    problems.push({code: 'yaml-syntax', path: [], at: 'value', offsets: pos, ...explain(code, message)});
    // What follows is about the unread rest.
    if (message.includes('call stack')) break;
  }
  const value = problems.length > 0 ? undefined : toPlain(document, (problem) => problems.push(problem));
  return {
    value,
    problems,
    locate: (path, at, span) => findNode(document, text, path, at, span),
    has: (path) => hasNode(document, path),
    keysOf: (path) => listKeys(document, path),
    rangeOf,
  };
}

function explain(code: string, message: string): {message: string; hint?: string} {
  if (message.includes('call stack')) return {message: 'the YAML is nested too deeply'};
  switch (code) {
    case 'TAB_AS_INDENT':
      return {message: 'a tab cannot indent YAML', hint: 'indent with spaces'};
    case 'BAD_SCALAR_START':
      return {message: lowerFirst(message), hint: 'put the text in quotes'};
    case 'MULTIPLE_DOCS':
      return {message: 'the file holds more than one YAML document', hint: 'remove the `---` line'};
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {message: 'a mapping cannot start here', hint: 'check the indentation, or quote a text that holds `: `'};
    case 'TAG_RESOLVE_FAILED':
      return {message: lowerFirst(message), hint: 'pipeline.yaml uses no tags; remove it, or quote the text'};
    default:
      return {message: lowerFirst(message)};
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
