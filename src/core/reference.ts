import {scalarText} from './pipeline.ts';
import {err, ok, type Result} from './result.ts';

/** Which values of one axis a selector wants: all (`*`), or one, compared with `scalarText` of the axis's values. */
export interface AxisSelector {
  readonly axis: string;
  /** Where the axis's name stands in the text, as a UTF-16 offset. */
  readonly at: number;
  /** Undefined stands for `*`. */
  readonly value: string | undefined;
  /** Where the value stands in the text, as UTF-16 offsets. */
  readonly start: number;
  readonly end: number;
}

/** A reference as written: `source`, `node`, `node.output`, `node[axis=value,axis=*].output`, `node[*].output`. */
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
const valuePattern = /\*(?=\s*[,\]])|"(?:[^"\\]|\\.)*"|[^,\]"]*/y;

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
    const raw = match(valuePattern, text, start)?.[0] ?? '';
    at = start + raw.length;
    if (seen.has(axis)) return bad(`axis \`${axis}\` is named twice`, start, at);
    seen.add(axis);
    const value = readValue(raw);
    if (value === undefined) return bad(`axis \`${axis}\` has no value`, start, Math.max(at, start + 1));
    axes.push({axis, at: named, value: value.text, start, end: start + raw.trimEnd().length});
    while (text[at] === ' ') at++;
    if (text[at] === ']') return ok({selector: {all: false, axes}, end: at + 1});
    if (text[at] !== ',') return bad('the bracket is not closed by `]`', from - 1, text.length);
  }
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
