import {isArray, isObject, type Json} from '../core/json.ts';
import {publicKeyProblem} from '../core/public-key.ts';
import {mistake, right, type Reading} from './reading.ts';

/** Public keys by the name of their builder, by namespace or pattern (`pr-*`). */
export type Trust = Readonly<Record<string, Readonly<Record<string, string>>>>;

const longest = 64;

/** A namespace is a part of addresses, beside `ac` and `cas`; a shared folder has its `tmp` there. */
export function readNamespace(value: Json): Reading<string> {
  const problem = namespaceProblem(value, /^[a-z0-9][a-z0-9._-]*$/);
  return problem ?? right(value as string);
}

/** Namespaces in the order in which they are looked into. */
export function readNamespaces(value: Json): Reading<readonly string[]> {
  if (!isArray(value)) return mistake('`read` is a list of namespaces', 'for instance `read: [main]`');
  const names: string[] = [];
  for (const each of value) {
    const name = readNamespace(each);
    if (!name.ok) return mistake(`\`read\`: ${name.message}`, name.hint);
    if (!names.includes(name.value)) names.push(name.value);
  }
  return right(names);
}

/** A namespace of the shared settings that nobody reads here is no mistake: main and pull requests may share one file. */
export function readTrust(value: Json): Reading<Trust> {
  const form = 'for instance `trust: {main: {ci: MCowBQYDK2VwAyEA…}}`; `mixdown cache key` prints such a line';
  if (!isObject(value)) return mistake('`trust` names public keys by namespace and builder', form);
  const trust: Record<string, Readonly<Record<string, string>>> = {};
  for (const [namespace, keys] of Object.entries(value)) {
    const problem = namespaceProblem(namespace, /^[a-z0-9*][a-z0-9._*-]*$/);
    if (problem) return mistake(`\`trust\`: ${problem.message}`, problem.hint);
    if (keys === undefined || !isObject(keys)) {
      const hint = keys === null ? `write \`${namespace}: {}\` to trust nobody there` : form;
      return mistake(`\`trust\` of \`${namespace}\` is no mapping of builders to their public keys`, hint);
    }
    const known: Record<string, string> = {};
    for (const [builder, text] of Object.entries(keys)) {
      if (text === undefined) continue;
      if (typeof text !== 'string')
        return mistake(`\`trust\`: the key of ${builder} in \`${namespace}\` is no text`, form);
      const problem = publicKeyProblem(text);
      if (problem) return mistake(`\`trust\`: ${builder} in \`${namespace}\`: ${problem.message}`, problem.hint);
      known[builder] = text;
    }
    trust[namespace] = known;
  }
  return right(trust);
}

/** The keys that results in a namespace must be signed by; undefined when they need no signature. The longest of patterns counts. */
export function trustedIn(trust: Trust, namespace: string): Readonly<Record<string, string>> | undefined {
  if (Object.hasOwn(trust, namespace)) return trust[namespace];
  const matching = Object.keys(trust).filter((pattern) => matches(pattern, namespace));
  const [first] = matching.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  return first === undefined ? undefined : trust[first];
}

function matches(pattern: string, namespace: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll('.', String.raw`\.`));
  return new RegExp(`^${parts.join('.*')}$`).test(namespace);
}

function namespaceProblem(value: Json, form: RegExp): ReturnType<typeof mistake> | undefined {
  if (typeof value !== 'string') return mistake('a namespace is a text', 'for instance `main`');
  if (['ac', 'cas', 'tmp'].includes(value)) {
    return mistake(`no namespace can be called \`${value}\`: it has another meaning in addresses and folders`);
  }
  if (form.test(value) && value.length <= longest) return undefined;
  const near = value
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, longest);
  const message = `a namespace is made of a-z, 0-9, \`-\`, \`_\` and \`.\`, up to ${longest}, and starts with a letter or digit`;
  return mistake(`${message}: not \`${value}\``, near === '' ? undefined : `for instance \`${near}\``);
}
