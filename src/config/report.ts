import type {Diagnostic, Failure, SourceRange} from '../core/failure.ts';
import {isObject, type Json} from '../core/json.ts';
import {codeFrame} from './code-frame.ts';
import type {Variant} from '../core/matrix.ts';
import {scalarText} from '../core/pipeline.ts';
import type {Origin} from './override.ts';
import {parsePlaceholder} from './placeholder.ts';
import type {Path, Problem, Problems} from './problem.ts';
import {originOfValue, type ValueOrigin} from './value-origin.ts';
import type {YamlText} from './yaml-text.ts';

export interface ReportSource {
  /** The pipeline's text and its name in messages. */
  readonly text: string;
  readonly file: string;
  readonly yaml: YamlText;
  readonly origins: readonly Origin[];
  /** The document with profiles and overrides applied; undefined when it could not be read. */
  readonly merged: Json | undefined;
  /** Show no excerpts. */
  readonly hidden?: true;
}

/**
 * Problems as failures, each with its place, excerpt and hint, in the order of their places. Where one is about a secret, it
 * would be in the excerpts of those around it as well: none is shown then.
 */
export function reportProblems(problems: Problems, given: ReportSource): readonly Failure[] {
  const source: ReportSource = problems.list.some(({secret}) => secret) ? {...given, hidden: true} : given;
  const placed = problems.list.map((problem) => {
    const origin = soughtOrigin(problem, source);
    return {
      diagnostics: toDiagnostics(problem, origin, source),
      cause: origin && JSON.stringify([problem.code, origin]),
    };
  });
  placed.sort((a, b) => comparePlaces(a.diagnostics[0]?.range, b.diagnostics[0]?.range, source.file));
  const failures = joinAlike(placed).map((diagnostics): Failure => {
    const {code, message, hint} = diagnostics[0] as Diagnostic;
    return {code, message, ...(hint ? {hint} : {}), diagnostics};
  });
  if (problems.beyond === 0) return failures;
  return [...failures, {code: 'schema-violation', message: `and ${problems.beyond} more problems in ${source.file}`}];
}

/** A problem as it is shown; those with one `cause` are mended in one place. */
interface Placed {
  readonly diagnostics: readonly Diagnostic[];
  readonly cause: string | undefined;
}

/**
 * Shows the first of the problems with one cause, and says how many more there are; what stands under an anchor, and is
 * wrong in every place that the anchor is used, is shown once.
 */
function joinAlike(placed: readonly Placed[]): readonly (readonly Diagnostic[])[] {
  const alike = new Map<string, {readonly diagnostics: readonly Diagnostic[]; more: number}>();
  for (const {diagnostics, cause} of placed) {
    const [first] = diagnostics;
    const key = cause ?? JSON.stringify([first?.code, first?.message, first?.range]);
    const before = alike.get(key);
    if (!before) alike.set(key, {diagnostics, more: 0});
    else if (cause !== undefined) before.more++;
  }
  return [...alike.values()].map(({diagnostics, more}) => {
    const [first, ...others] = diagnostics;
    if (!first || more === 0) return diagnostics;
    const message = `${first.message}; ${more} more ${more === 1 ? 'place uses' : 'places use'} it, too`;
    return [{...first, message}, ...others];
  });
}

/** Where the wrong value of a problem is written, if it came through references. */
function soughtOrigin({sought, path, variant, traced}: Problem, {merged}: ReportSource): ValueOrigin | undefined {
  if (!sought || (!traced && !sought.from)) return undefined;
  return originOfValue(merged, {value: sought.value, path: sought.from ?? path, ...(variant ? {variant} : {})});
}

function toDiagnostics(problem: Problem, origin: ValueOrigin | undefined, source: ReportSource): Diagnostic[] {
  const {code, path, at, elsewhere, sought} = problem;
  const hint = typeof problem.hint === 'function' ? problem.hint() : problem.hint;
  const rest = hint ? {hint} : {};
  if (elsewhere) return [{code, message: problem.message, ...rest, ...elsewhere}];
  const message = problem.message + traceText(problem, source);
  const place = problem.offsets ? {path} : placeOf(path, source);
  const stands = origin && !names(message, origin.path, source);
  const related = problem.related ?? (stands ? {message: `\`${sought?.value}\` stands here`, ...origin} : undefined);
  const second = related && furtherPlace(code, related, source);
  if ('set' in place) return [{code, message: `${message} (from --set ${place.set})`, ...rest}, ...(second ?? [])];
  if (problem.nowhere) return [{code, message, ...rest}];
  const offsets = problem.offsets ?? source.yaml.locate(place.path, at, problem.span);
  return [{code, message, ...rest, ...framed(offsets, source)}, ...(second ?? [])];
}

/** Whether the message has the override already that brought the value at a path. */
function names(message: string, path: Path, source: ReportSource): boolean {
  const place = placeOf(path, source);
  return 'set' in place && message.includes(`--set ${place.set}`);
}

/** The place in the text of what stands at a path; the override when it came from the command line. */
function placeOf(path: Path, source: ReportSource): {readonly path: Path} | {readonly set: string} {
  const origin = originOf(source.origins, path) ?? adderOf(source, path);
  if (!origin) return {path};
  if (origin.from.by === 'set') return {set: origin.from.text};
  return {path: [...origin.from.path, ...path.slice(origin.path.length)]};
}

function furtherPlace(
  code: Problem['code'],
  related: NonNullable<Problem['related']>,
  source: ReportSource,
): readonly Diagnostic[] {
  if ('offsets' in related) return [{code, message: related.message, ...framed(related.offsets, source)}];
  const place = placeOf(related.path, source);
  if ('set' in place) return [{code, message: `${related.message}: --set ${place.set}`}];
  const offsets = source.yaml.locate(place.path, related.at ?? 'key');
  return [{code, message: related.message, ...framed(offsets, source)}];
}

function framed(offsets: readonly [number, number], source: ReportSource): {range: SourceRange; frame?: string} {
  const range = source.yaml.rangeOf(offsets, source.file);
  return source.hidden ? {range} : {range, frame: codeFrame(source.text, range)};
}

/** The last override that decided the value at a path. */
function originOf(origins: readonly Origin[], path: Path): Origin | undefined {
  return origins.findLast((origin) => origin.path.every((part, index) => String(part) === String(path[index])));
}

/** The override that brought a member which the text itself does not have. */
function adderOf({origins, yaml}: ReportSource, path: Path): Origin | undefined {
  if (yaml.has(path)) return undefined;
  return origins.findLast((origin) => path.every((part, index) => String(part) === String(origin.path[index])));
}

/** ` (through ${vars.rate}, set by --set rate=x)` for a value that was written as a reference. */
function traceText(problem: Problem, source: ReportSource): string {
  if (!problem.traced) return '';
  let value: Json | undefined = source.merged;
  for (const part of problem.path) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(part)];
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part];
    else break;
  }
  if (typeof value !== 'string') return '';
  const used = [...value.matchAll(/(?<!\$)\$\{\s*(?:vars|matrix)\.[^}\s]+\s*\}/g)];
  if (used.length === 0) return '';
  const chosen = Object.entries(problem.variant ?? {}).map(([axis, value]) => `${axis}=${scalarText(value)}`);
  const where = chosen.length > 0 ? ` where ${chosen.join(',')}` : '';
  const notes = used.map(([text]) => {
    const origin = originOf(source.origins, variablePath(text, problem.variant));
    const reference = text.includes('[matrix') ? `${text}${where}` : text;
    return origin?.from.by === 'set' ? `${reference}, set by --set ${origin.from.text}` : reference;
  });
  return ` (through ${notes.join(', ')})`;
}

/** Where in the document a reference finds its value in a variant; empty for an axis. */
function variablePath(text: string, variant: Variant = {}): Path {
  const parsed = parsePlaceholder(text, 0);
  if (!parsed.ok || parsed.value.parts[0] !== 'vars') return [];
  const {parts, steps} = parsed.value;
  const chosen = steps.map((step) =>
    step.kind === 'member' ? step.name : step.kind === 'axis' ? String(variant[step.axis]) : '*',
  );
  return [...parts, ...chosen];
}

function comparePlaces(a: SourceRange | undefined, b: SourceRange | undefined, first: string): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  if (a.file !== b.file) return a.file === first ? -1 : b.file === first ? 1 : a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
