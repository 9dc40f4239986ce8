import {isArray, isObject, type Json} from '../core/json.ts';
import {publicKeyProblem} from '../core/public-key.ts';
import type {Path, Problem} from './problem.ts';

/** Whether what is wrong at a path of `cache.remote` may be a secret that was written where its place belongs. */
export function isRemoteSecret([section, remote, key]: Path, value: Json | undefined): boolean {
  if (section !== 'cache') return false;
  return remote === undefined || key === undefined ? typeof value === 'string' : secretKeys.has(String(key));
}

const secretKeys: ReadonlySet<string> = new Set(['url', 'credentials', 'sign', 'trust']);

/** Says more where the schema's own words would leave a reader puzzled. */
export function refineRemote(problem: Problem, document: Json): Problem {
  const [section, remote] = problem.path;
  return section === 'cache' && remote === 'remote'
    ? {...problem, ...hintFor(problem.path, document, problem)}
    : problem;
}

function hintFor(path: Path, document: Json, {message}: Problem): {message?: string; hint?: string} {
  const key = path[2];
  const value = path.reduce<Json | undefined>((at, part) => {
    if (isArray(at)) return at[Number(part)];
    return isObject(at ?? null) ? (at as Readonly<Record<string, Json | undefined>>)[part] : undefined;
  }, document);
  if (key === 'trust' && path.length === 5 && typeof value === 'string') {
    const problem = publicKeyProblem(value);
    if (problem) return {message: `\`${path[4]}\` in \`${path[3]}\`: ${problem.message}`, hint: problem.hint};
  }
  if (key === 'trust' && path.length === 4 && value === null) {
    return {hint: `write \`${path[3]}: {}\` to trust nobody there`};
  }
  if (key === 'credentials' && message.includes('beside it'))
    return {hint: 'they are sent to the host of that address alone'};
  if (key === 'credentials') return {hint: 'a secret is not written down: `credentials: {bearer: {env: CACHE_TOKEN}}`'};
  if (key === 'sign') return {hint: 'a key is not written down: `sign: {env: MIXDOWN_KEY}`, or `{file: PATH}`'};
  if (key === 'url') return {hint: 'name the place of a password or token under `credentials`'};
  if (key === 'recheck') {
    if (typeof value === 'number' && value > 1 && value <= 100) return {hint: `for ${value} of 100: \`${value}%\``};
    return {hint: 'for instance `recheck: 1%`'};
  }
  return {};
}
