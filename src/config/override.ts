import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Path, Problem} from './problem.ts';

/** A part of the document that a profile or `--set` replaced. Later ones win. */
export interface Origin {
  readonly path: Path;
  readonly from: {readonly by: 'set'; readonly text: string} | {readonly by: 'profile'; readonly path: Path};
}

export interface Overridden {
  readonly value: JsonObject;
  readonly origins: readonly Origin[];
  readonly problems: readonly Problem[];
}

const addressed = ['vars', 'sources', 'nodes', 'executors', 'seed', 'salt'];

/** Applies profiles in the order given, then `--set` texts (`a.b=JSON`). The given document is not changed. */
export function applyOverrides(
  document: JsonObject,
  profiles: readonly string[],
  overrides: readonly string[],
): Overridden {
  const origins: Origin[] = [];
  const problems: Problem[] = [];
  let value = document;
  for (const name of Object.keys(membersOf(document, 'profiles'))) problems.push(...checkProfile(document, name));
  for (const name of profiles) {
    const known = membersOf(document, 'profiles');
    const profile = Object.hasOwn(known, name) ? known[name] : undefined;
    if (isObject(profile)) {
      value = applyProfile(value, name, profile, origins);
    } else {
      const hint = () => didYouMean(name, Object.keys(known)) ?? 'the pipeline has no profiles';
      problems.push({
        code: 'unknown-profile',
        message: `unknown profile \`${name}\``,
        hint,
        path: [],
        at: 'key',
        nowhere: true,
      });
    }
  }
  for (const text of overrides) {
    const applied = applySet(value, text);
    if ('code' in applied) {
      problems.push(applied);
      continue;
    }
    value = applied.value;
    origins.push({path: applied.path, from: {by: 'set', text}});
  }
  return {value, origins, problems};
}

/** Members of a mapping inside the document; empty when it is not there or not a mapping. */
function membersOf(document: JsonObject, key: string): JsonObject {
  const section = document[key];
  return isObject(section) ? section : {};
}

function checkProfile(document: JsonObject, name: string): Problem[] {
  const profile = membersOf(document, 'profiles')[name];
  if (!isObject(profile)) return [];
  const problems: Problem[] = [];
  for (const [section, code, word] of [
    ['vars', 'unknown-variable', 'variable'],
    ['sources', 'unknown-source', 'source'],
  ] as const) {
    const known = membersOf(document, section);
    for (const key of Object.keys(membersOf(profile, section))) {
      if (Object.hasOwn(known, key)) continue;
      const message = `profile \`${name}\` overrides the ${word} \`${key}\`, which \`${section}\` does not have`;
      const hint = () => didYouMean(key, Object.keys(known)) ?? `give \`${key}\` a value in \`${section}\` first`;
      problems.push({code, message, hint, path: ['profiles', name, section, key], at: 'key'});
    }
  }
  return problems;
}

function applyProfile(document: JsonObject, name: string, profile: JsonObject, origins: Origin[]): JsonObject {
  const result: Record<string, Json | undefined> = {...document};
  const note = (path: Path) => origins.push({path, from: {by: 'profile', path: ['profiles', name, ...path]}});
  if (profile['seed'] !== undefined) {
    result['seed'] = profile['seed'];
    note(['seed']);
  }
  for (const section of ['vars', 'executors']) {
    const over = profile[section];
    if (isObject(over)) result[section] = merge(membersOf(document, section), over, [section], note);
  }
  if (isObject(profile['sources'])) {
    result['sources'] = {...membersOf(document, 'sources'), ...profile['sources']};
    for (const key of Object.keys(profile['sources'])) note(['sources', key]);
  }
  return result;
}

function merge(base: JsonObject, over: JsonObject, path: Path, note: (path: Path) => void): JsonObject {
  const result: Record<string, Json | undefined> = {...base};
  for (const [key, value] of Object.entries(over)) {
    const before = Object.hasOwn(base, key) ? base[key] : undefined;
    if (isObject(before) && isObject(value)) {
      result[key] = merge(before, value, [...path, key], note);
    } else {
      result[key] = value;
      note([...path, key]);
    }
  }
  return result;
}

function applySet(document: JsonObject, text: string): {value: JsonObject; path: Path} | Problem {
  const equals = text.indexOf('=');
  if (equals <= 0) return bad(text, 'an override is `name=value`', 'example: --set folds=[1,2]');
  const keys = text.slice(0, equals).trim().split('.');
  if (keys.some((key) => key === '' || key === '__proto__'))
    return bad(text, `\`${text.slice(0, equals)}\` is not a path`);
  const path = addressed.includes(keys[0] ?? '') ? keys : ['vars', ...keys];
  if (path.length === 1 && isObject(document[path[0] ?? '']))
    return bad(text, `\`${path[0]}\` cannot be replaced as a whole`, `name a member: --set ${path[0]}.NAME=value`);
  const value = jsonOrText(text.slice(equals + 1));
  if (value === undefined)
    return bad(
      text,
      'the value starts like JSON and is none',
      'write such as --set \'levels=["h1","h2"]\', and a text as --set \'pattern="[ab]*.wav"\'',
    );
  return replaceAt(document, path, 0, value, text);
}

function replaceAt(
  base: Json | undefined,
  path: readonly string[],
  depth: number,
  value: Json,
  text: string,
): {value: JsonObject; path: Path} | Problem {
  const key = path[depth] ?? '';
  const last = depth === path.length - 1;
  if (isArray(base)) {
    const index = Number(key);
    if (!/^\d+$/.test(key) || index >= base.length) {
      return bad(
        text,
        `\`${path.slice(0, depth).join('.')}\` is a list of ${base.length}; \`${key}\` is not one of its positions`,
      );
    }
    const inner = last ? {value, path: []} : replaceAt(base[index], path, depth + 1, value, text);
    if ('code' in inner) return inner;
    const list = base.map((item, at) => (at === index ? inner.value : item));
    return {value: list as unknown as JsonObject, path: [index, ...inner.path]};
  }
  // `clips: data/audio` is short for `clips: {path: data/audio}`.
  const short = path[0] === 'sources' && depth === 2 && typeof base === 'string';
  const members = short ? {path: base} : base === undefined ? {} : base;
  if (!isObject(members)) return bad(text, `\`${path.slice(0, depth).join('.')}\` has no members`);
  const unknown = Object.hasOwn(members, key) ? undefined : checkKnown(members, path, depth, text);
  if (unknown) return unknown;
  const inner = last ? {value, path: []} : replaceAt(members[key], path, depth + 1, value, text);
  if ('code' in inner) return inner;
  return {value: {...members, [key]: inner.value}, path: [key, ...inner.path]};
}

/** New members may appear only where the schema or the stage decides later whether they exist. */
function checkKnown(members: JsonObject, path: readonly string[], depth: number, text: string): Problem | undefined {
  const key = path[depth] ?? '';
  const section = path[0];
  if (depth === 0) return undefined;
  const hint = () => unreachable(members, path, depth) ?? didYouMean(key, Object.keys(members));
  const unknown = (code: Problem['code'], what: string): Problem => {
    const message = `unknown ${what} in --set ${text}`;
    return {code, message, hint, path: [], at: 'key', nowhere: true};
  };
  if (section === 'vars') return unknown('unknown-variable', `variable \`${path.slice(1, depth + 1).join('.')}\``);
  if (depth > 1 || section === 'executors') return undefined;
  if (section === 'nodes') return unknown('unknown-node', `node \`${key}\``);
  return unknown('unknown-source', `source \`${key}\``);
}

/** What to do about a key that a path cannot name, because it holds what ends a key or the path. */
function unreachable(members: JsonObject, path: readonly string[], depth: number): string | undefined {
  const rest = path.slice(depth).join('.');
  const key = Object.keys(members).find((known) => /[.=]/.test(known) && rest.startsWith(known.split('=')[0] || known));
  if (key === undefined) return undefined;
  const around = path.slice(0, depth).join('.');
  const form = `--set '${around}={"${key}": …, …}'`;
  return `a path cannot name \`${key}\`, which has a \`.\` or \`=\`: override it in a profile, or replace the mapping around it: ${form}`;
}

/** Undefined for a list or mapping that was cut short, or whose quotes the shell took. */
function jsonOrText(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return /^\s*[[{]/.test(text) ? undefined : text;
  }
}

function bad(text: string, why: string, hint?: string): Problem {
  const rest = hint ? {hint} : {};
  return {code: 'bad-override', message: `--set ${text}: ${why}`, path: [], at: 'value', nowhere: true, ...rest};
}
