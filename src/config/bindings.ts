import {isArray, type Json} from '../core/json.ts';
import type {ArtifactRef, InputBinding} from '../core/pipeline.ts';
import type {InputPort} from '../core/stage.ts';
import type {Path} from './problem.ts';
import type {ReferencePlace, References, Resolved} from './references.ts';
import {valueText} from './schema-problem.ts';
import type {Report, Scope} from './scope.ts';
import {mayRefer} from './template.ts';

/** An input with the port it goes to; a command's port is what its binding implies. */
export interface Bound {
  readonly binding: InputBinding;
  readonly port: InputPort;
}

/** What an input may be bound to, and how messages call it. */
export interface PortSpec {
  readonly name: string;
  /** Undefined for a command, which takes what it is given. */
  readonly port: InputPort | undefined;
  /** `stage \`log-mel\``. */
  readonly owner: string;
}

/** Binds a reference or a list of them to a port. Returns undefined after reporting what is wrong. */
export function bind(
  value: Json,
  spec: PortSpec,
  place: ReferencePlace,
  {references}: Pick<Scope, 'references'>,
  report: Report,
): Bound | undefined {
  const listed = isArray(value);
  const texts = listed ? value : [value];
  const found: Resolved[] = [];
  for (const [index, text] of texts.entries()) {
    const at = listed ? {...place, path: [...place.path, index]} : place;
    const resolved = resolveText(text, at, references, report);
    if (!resolved || !fits(resolved, text as string, spec, at.path, listed, report)) return undefined;
    found.push(resolved);
  }
  const kind = spec.port?.kind ?? found[0]?.kind ?? 'file';
  const many = spec.port ? spec.port.many === true : listed || found.some((each) => each.many);
  const port: InputPort = spec.port ?? (many ? {kind, many: true} : {kind});
  const refs = found.length === 1 ? (found[0]?.refs ?? []) : found.flatMap((each) => each.refs);
  if (many) return {binding: {many: true, refs}, port};
  const ref = refs[0];
  return ref && {binding: {many: false, ref}, port};
}

/** The collection of an `each`. Returns undefined after reporting what is wrong. */
export function bindCollection(
  value: Json,
  place: ReferencePlace,
  {references}: Pick<Scope, 'references'>,
  report: Report,
): ArtifactRef | undefined {
  const resolved = resolveText(value, place, references, report);
  if (!resolved) return undefined;
  const {many, kind, refs} = resolved;
  const text = value as string;
  if (!many && kind !== 'file') return refs[0];
  const message = many
    ? `\`each\` takes one collection, and \`${text}\` stands for a list`
    : `\`each\` takes a collection, and \`${text}\` is a single file`;
  const hint = many ? 'name every axis of the node' : 'a collection is a folder, a tree output, or a node with `each`';
  report({code: 'kind-mismatch', message, hint, path: place.path, at: 'value', traced: true});
  return undefined;
}

/** Says where a text stands, and whether it stands there without references of its own. */
export function placeOf(raw: Json | undefined, path: Path, axes: readonly string[]): ReferencePlace {
  return {path, axes, exact: typeof raw === 'string' && !mayRefer(raw)};
}

function resolveText(value: Json, place: ReferencePlace, references: References, report: Report): Resolved | undefined {
  if (typeof value === 'string') return references.resolve(value, place, report);
  const message = `a reference must be a text, not ${valueText(value)}`;
  report({code: 'bad-value', message, path: place.path, at: 'value', traced: true});
  return undefined;
}

function fits(
  {many, kind}: Resolved,
  text: string,
  {name, port, owner}: PortSpec,
  path: Path,
  listed: boolean,
  report: Report,
): boolean {
  const at = {path, at: 'value', traced: true} as const;
  if (!port) return true;
  if ((many || listed) && port.many !== true) {
    const message = `input \`${name}\` of ${owner} takes one artifact, and ${listed ? 'this is' : `\`${text}\` stands for`} a list`;
    report({
      code: 'kind-mismatch',
      message,
      hint: 'a stage takes a list where its port says `many: true`',
      ...at,
    });
    return false;
  }
  if (kind === undefined || kind === port.kind) return true;
  const message = `input \`${name}\` of ${owner} takes a ${port.kind}, and \`${text}\` is a ${kind}`;
  const hint =
    port.kind === 'file' && !port.many
      ? `\`each: {${name}: ${text}}\` runs the node once for each item of the tree`
      : undefined;
  report({code: 'kind-mismatch', message, ...(hint ? {hint} : {}), ...at});
  // The edge is still there: a cycle through it is found as well.
  return true;
}
