import {scalarText} from './pipeline.ts';
import {err, ok, type Result} from './result.ts';

/** Which values of one axis a selector wants. */
export interface AxisSelector {
  readonly axis: string;
  /** Where the axis's name stands in the text, as a UTF-16 offset. */
  readonly at: number;
  /** Any of these, one at least; undefined stands for `*`. */
  readonly choices: readonly AxisChoice[] | undefined;
}

export interface AxisChoice {
  /** As `scalarText` writes the axis's value. */
  readonly text: string;
  /** Where it stands in the text, as UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/**
 * A reference as written: `source`, `node`, `node.output`, `node[axis=value,axis=*].output`, `node[axis=value|value].output`,
 * `node[*].output`.
 */
export interface Reference {
  readonly name: string;
  readonly selector?: {readonly all: true} | {readonly all: false; readonly axes: readonly AxisSelector[]};
  readonly output?: string;
}

/** Why a text is not a reference, with the offending stretch as UTF-16 offsets. */
export interface ReferenceError {
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

const namePattern = /[A-Za-z0-9_-]+/y;
const outputPattern = /[A-Za-z0-9_-]+$/y;
const allPattern = /\s*\*\s*\]/y;
const axisPattern = /\s*([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*/y;
const valuePattern = /\*(?=\s*[,\]])|"(?:[^"\\]|\\.)*"|[^,\]"|]*/y;
const orPattern = /\s*\|\s*/y;

/** Reads the text of a reference; says nothing about whether what it names exists. Time linear in the text. */
export function parseReference(text: string): Result<Reference, ReferenceError> {
  const name = match(namePattern, text, 0)?.[0];
  if (name === undefined) return bad('a reference starts with the name of a node or a source', 0, text.length);
  let at = name.length;
  let selector: Reference['selector'];
  if (text[at] === '[') {
    const parsed = parseSelector(text, at + 1);
    if (!parsed.ok) return parsed;
    selector = parsed.value.selector;
    at = parsed.value.end;
  }
  const head = selector === undefined ? {name} : {name, selector};
  if (at === text.length) return ok(head);
  if (text[at] !== '.') return bad(`\`${text.slice(at)}\` cannot follow \`${text.slice(0, at)}\``, at, text.length);
  const output = match(outputPattern, text, at + 1)?.[0];
  if (output === undefined) return bad('after the dot stands the name of one output', at + 1, text.length);
  return ok({...head, output});
}

function parseSelector(
  text: string,
  from: number,
): Result<{selector: NonNullable<Reference['selector']>; end: number}, ReferenceError> {
  const all = match(allPattern, text, from);
  if (all) return ok({selector: {all: true}, end: from + all[0].length});
  const axes: AxisSelector[] = [];
  const seen = new Set<string>();
  for (let at = from; ; at++) {
    const head = match(axisPattern, text, at);
    if (!head) return bad('inside the brackets stands `axis=value`, `axis=*` or `*`', at, text.length);
    const axis = head[1] ?? '';
    const named = at + head[0].indexOf(axis);
    const start = at + head[0].length;
    const values = readValues(text, start);
    at = values.end;
    if (seen.has(axis)) return bad(`axis \`${axis}\` is named twice`, start, at);
    seen.add(axis);
    if (!values.complete) return bad(`axis \`${axis}\` has no value`, values.last, Math.max(at, values.last + 1));
    axes.push({axis, at: named, choices: values.choices});
    while (text[at] === ' ') at++;
    if (text[at] === ']') return ok({selector: {all: false, axes}, end: at + 1});
    if (text[at] !== ',') return bad('the bracket is not closed by `]`', from - 1, text.length);
  }
}

/** One value, `*`, or several with `|` between them. */
function readValues(text: string, from: number): ReadValues {
  const choices: AxisChoice[] = [];
  for (let at = from; ;) {
    const raw = match(valuePattern, text, at)?.[0] ?? '';
    const end = at + raw.length;
    const value = readValue(raw);
    if (value === undefined) return {complete: false, choices, last: at, end};
    if (value.text === undefined && choices.length === 0) return {complete: true, choices: undefined, last: at, end};
    choices.push({text: value.text ?? '*', start: at, end: at + raw.trimEnd().length});
    const or = match(orPattern, text, end);
    if (!or) return {complete: true, choices, last: at, end};
    at = end + or[0].length;
  }
}

interface ReadValues {
  readonly complete: boolean;
  readonly choices: readonly AxisChoice[] | undefined;
  /** Where the last value starts. */
  readonly last: number;
  readonly end: number;
}

function readValue(raw: string): {text: string | undefined} | undefined {
  const trimmed = raw.trim();
  if (trimmed === '*') return {text: undefined};
  if (trimmed === '') return undefined;
  if (!trimmed.startsWith('"')) return {text: scalarText(trimmed)};
  try {
    return {text: scalarText(JSON.parse(trimmed) as string)};
  } catch {
    return undefined;
  }
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function bad(message: string, start: number, end: number): {readonly ok: false; readonly error: ReferenceError} {
  return err({message, start, end});
}
