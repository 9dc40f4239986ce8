import {isArray, isObject, isScalar, type Json} from '../core/json.ts';
import {scalarText} from '../core/pipeline.ts';
import {parsePlaceholder, type Placeholder} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';

/** A value whose references are cut out: what stays constant is replaced once, the rest for each variant. */
export type Template =
  | {readonly kind: 'constant'; readonly value: Json}
  | {readonly kind: 'whole'; readonly placeholder: Placeholder; readonly path: Path}
  | {readonly kind: 'text'; readonly pieces: readonly (string | Placeholder)[]; readonly path: Path}
  | {readonly kind: 'list'; readonly items: readonly Template[]}
  | {readonly kind: 'map'; readonly entries: readonly (readonly [string, Template])[]};

/**
 * Where a placeholder stands: alone it may be anything, as a piece of a text a scalar, and as the value of an axis in a
 * selector a scalar or a list of scalars, any of which is wanted.
 */
export type Spot = 'alone' | 'text' | 'selector';

/** What a placeholder stands for: a value now, a value per variant (`later`), or nothing (it was reported). */
export type Resolve = (
  placeholder: Placeholder,
  path: Path,
  spot: Spot,
) => {readonly value: Json} | 'later' | undefined;
/** The value of a placeholder that was left for later. */
export type LookUp = (placeholder: Placeholder, path: Path, spot: Spot) => Json;

type Report = (problem: Problem) => void;

const placeholderPattern = /\$\$\{|\$\{[^}]*\}?/g;

/**
 * Replaces what can be replaced now and prepares the rest. Returns undefined when a reference is wrong; the problem was
 * reported.
 */
export function compileTemplate(value: Json, path: Path, resolve: Resolve, report: Report): Template | undefined {
  if (!refersAnywhere(value)) return {kind: 'constant', value};
  if (typeof value === 'string') return compileText(value, path, resolve, report);
  if (isArray(value)) {
    const items = value.map((item, index) => compileTemplate(item, [...path, index], resolve, report));
    if (items.some((item) => item === undefined)) return undefined;
    return joinList(items as Template[], value);
  }
  if (isObject(value)) {
    const entries: [string, Template][] = [];
    let complete = true;
    for (const [key, member] of Object.entries(value)) {
      const template = compileTemplate(member ?? null, [...path, key], resolve, report);
      if (template) entries.push([key, template]);
      else complete = false;
    }
    return complete ? joinMap(entries) : undefined;
  }
  return {kind: 'constant', value};
}

/** The value for one variant. */
export function evaluate(template: Template, lookUp: LookUp): Json {
  switch (template.kind) {
    case 'constant':
      return template.value;
    case 'whole':
      return lookUp(template.placeholder, template.path, 'alone');
    case 'text':
      return joinPieces(template.pieces, template.path, lookUp);
    case 'list':
      return template.items.map((item) => evaluate(item, lookUp));
    case 'map':
      return Object.fromEntries(template.entries.map(([key, member]) => [key, evaluate(member, lookUp)]));
  }
}

/** The placeholders of a text in order; malformed ones are reported. `$${` is skipped: it stands for `${`. */
function splitText(text: string, path: Path, report: Report): readonly (string | Placeholder)[] | undefined {
  const pieces: (string | Placeholder)[] = [];
  let complete = true;
  let plain = '';
  let at = 0;
  for (const found of text.matchAll(placeholderPattern)) {
    const start = found.index;
    const end = start + found[0].length;
    plain += text.slice(at, start);
    at = end;
    if (found[0] === '$${') {
      plain += '${';
      continue;
    }
    const placeholder = parsePlaceholder(found[0], start);
    if (!placeholder.ok) {
      report({code: 'bad-reference', ...placeholder.error, path, at: 'value'});
      complete = false;
      continue;
    }
    if (plain !== '') pieces.push(plain);
    plain = '';
    pieces.push(placeholder.value);
  }
  plain += text.slice(at);
  if (plain !== '') pieces.push(plain);
  return complete ? pieces : undefined;
}

/** Whether the text holds a reference at all; most do not. */
export function mayRefer(text: string): boolean {
  return text.includes('${');
}

/** Most values hold no reference; finding that out allocates nothing. */
function refersAnywhere(value: Json | undefined): boolean {
  if (typeof value === 'string') return mayRefer(value);
  if (isArray(value)) return value.some(refersAnywhere);
  if (!isObject(value)) return false;
  for (const key in value) if (refersAnywhere(value[key])) return true;
  return false;
}

function compileText(text: string, path: Path, resolve: Resolve, report: Report): Template | undefined {
  const pieces = splitText(text, path, report);
  if (!pieces) return undefined;
  const only = pieces.length === 1 ? pieces[0] : undefined;
  if (typeof only === 'object') {
    const found = resolve(only, path, 'alone');
    if (found === 'later') return {kind: 'whole', placeholder: only, path};
    return found && {kind: 'constant', value: found.value};
  }
  const replaced: (string | Placeholder)[] = [];
  let complete = true;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      replaced.push(piece);
      continue;
    }
    const spot = spotAfter(replaced, path);
    const found = resolve(piece, path, spot);
    if (found === undefined) complete = false;
    else if (found === 'later') replaced.push(piece);
    else if (fits(found.value, spot)) replaced.push(pieceText(found.value, spot));
    else {
      report(unfit(piece, found.value, path));
      complete = false;
    }
  }
  if (!complete) return undefined;
  if (replaced.every((piece) => typeof piece === 'string')) return {kind: 'constant', value: replaced.join('')};
  return {kind: 'text', pieces: replaced, path};
}

function joinPieces(pieces: readonly (string | Placeholder)[], path: Path, lookUp: LookUp): string {
  const done: string[] = [];
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      done.push(piece);
      continue;
    }
    const spot = spotAfter(done, path);
    done.push(pieceText(lookUp(piece, path, spot), spot));
  }
  return done.join('');
}

/** Text up to the value of an axis; earlier values may be quoted and hold a bracket. */
const insideSelector = /^[^[\]]*\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*[=|]\s*$/;

function spotAfter(before: readonly (string | Placeholder)[], path: Path): Spot {
  if (!holdsReferences(path)) return 'text';
  const head = before.filter((part) => typeof part === 'string').join('');
  return insideSelector.test(head) ? 'selector' : 'text';
}

/** Whether a value may stand there. */
export function fits(value: Json, spot: Spot): boolean {
  return (
    spot === 'alone' ||
    isScalar(value) ||
    (spot === 'selector' && isArray(value) && value.length > 0 && value.every(isScalar))
  );
}

/** Inside the brackets of a selector a value is written as selectors write it, so that `a,b` stays one value. */
function pieceText(value: Json, spot: Spot): string {
  if (isArray(value)) return value.map((item) => pieceText(item, spot)).join('|');
  if (!isScalar(value)) return '';
  return spot === 'selector' ? scalarText(value) : String(value);
}

/** Whether texts at this path are references to artifacts. */
function holdsReferences(path: Path): boolean {
  return path[0] === 'targets' || (path[0] === 'nodes' && (path[2] === 'inputs' || path[2] === 'each'));
}

function joinList(items: readonly Template[], original: readonly Json[]): Template {
  if (!items.every((item) => item.kind === 'constant')) return {kind: 'list', items};
  const value = items.map((item) => item.value);
  return {kind: 'constant', value: value.every((item, index) => item === original[index]) ? original : value};
}

function joinMap(entries: readonly (readonly [string, Template])[]): Template {
  const constants: [string, Json][] = [];
  for (const [key, member] of entries) {
    if (member.kind !== 'constant') return {kind: 'map', entries};
    constants.push([key, member.value]);
  }
  return {kind: 'constant', value: Object.fromEntries(constants)};
}

/** The problem of a value that cannot stand where it does. */
export function unfit(piece: Placeholder, value: Json, path: Path): Problem {
  const kind = isArray(value)
    ? value.length === 0
      ? 'an empty list'
      : 'a list'
    : isObject(value)
      ? 'a mapping'
      : 'empty';
  const message = `\`${piece.text}\` is ${kind}, which cannot stand inside a text`;
  return {code: 'bad-value', message, path, at: 'value', span: piece.span};
}
