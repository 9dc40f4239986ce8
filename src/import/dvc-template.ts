import {isArray, isObject, isScalar, type Json, type JsonObject} from '../core/json.ts';

/** Where `${…}` looks: names of the stage first, then those of the whole file. */
export interface DvcScope {
  /** `item`, `key` and the stage's own `vars`. */
  readonly local: JsonObject;
  readonly global: JsonObject;
  /** Where `item` stands among the global values, when it is one of their members. */
  readonly itemAt?: readonly string[];
  /** Told the name of every global value that a text refers to. */
  readonly use: (name: string) => void;
  /** Told of a reference that cannot be carried over. */
  readonly complain: (reference: string, why: string) => void;
}

/** A text with its references replaced, and the same text for pipeline.yaml, where global ones stay references. */
export interface Filled {
  readonly plain: string;
  readonly kept: string;
}

const referencePattern = /(\\?)\$\{([^}]*)\}/g;
const wholePattern = /^\$\{([^}]*)\}$/;
const namePattern = /^[A-Za-z][A-Za-z0-9_-]*$/;
const memberPattern = /^[A-Za-z0-9_+-]+$/;

/** Replaces the references of a text. A mapping becomes options of a command line, as DVC unpacks it. */
export function fill(text: string, scope: DvcScope): Filled {
  let plain = '';
  let kept = '';
  let at = 0;
  for (const found of text.matchAll(referencePattern)) {
    const before = text.slice(at, found.index);
    at = found.index + found[0].length;
    const next = found[1] === '' ? refer(found[2] ?? '', scope) : literal(found[0].slice(1));
    plain += before + next.plain;
    kept += before + next.kept;
  }
  const rest = text.slice(at);
  return {plain: plain + rest, kept: kept + rest};
}

/** A value with the references in it replaced by values; a text that is nothing but a reference becomes what it names. */
export function fillValue(value: Json, scope: DvcScope): Json {
  if (typeof value === 'string') {
    const whole = wholePattern.exec(value)?.[1];
    const found = whole === undefined ? undefined : find(whole, scope)?.value;
    return found ?? fill(value, scope).plain;
  }
  if (isArray(value)) return value.map((item) => fillValue(item, scope));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillValue(member ?? null, scope)]));
}

function refer(reference: string, scope: DvcScope): Filled {
  const found = find(reference, scope);
  if (!found) {
    scope.complain(reference, 'refers to nothing that was found');
    return literal(`\${${reference}}`);
  }
  return written(found.value, found.steps, found.global, reference, scope);
}

function written(value: Json, steps: readonly string[], global: boolean, reference: string, scope: DvcScope): Filled {
  if (isScalar(value)) {
    const plain = String(value);
    const [name = '', ...members] = steps;
    if (!global || !namePattern.test(name) || !members.every((member) => memberPattern.test(member)))
      return literal(plain);
    scope.use(name);
    return {plain, kept: `\${vars.${steps.join('.')}}`};
  }
  if (isObject(value)) {
    const options = Object.entries(value).map(([key, member]) =>
      option(key, member ?? null, [...steps, key], global, reference, scope),
    );
    const parts = options.filter(({plain}) => plain !== '');
    return {plain: parts.map(({plain}) => plain).join(' '), kept: parts.map(({kept}) => kept).join(' ')};
  }
  scope.complain(reference, value === null ? 'is empty' : 'is a list, which a text cannot hold');
  return literal('');
}

/** `--name value`, a flag for `true`, nothing for `false`, all members of a list. */
function option(
  name: string,
  value: Json,
  steps: readonly string[],
  global: boolean,
  reference: string,
  scope: DvcScope,
): Filled {
  if (value === false || value === null) return literal('');
  if (value === true) return literal(`--${name}`);
  if (isObject(value)) {
    const nested = Object.entries(value).map(([key, member]) =>
      option(`${name}.${key}`, member ?? null, [...steps, key], global, reference, scope),
    );
    return {plain: nested.map(({plain}) => plain).join(' '), kept: nested.map(({kept}) => kept).join(' ')};
  }
  const items = isArray(value)
    ? value.map((item, index) => [item, [...steps, String(index)]] as const)
    : [[value, steps] as const];
  const words = items.map(([item, at]) => quoted(written(item, at, global, reference, scope)));
  return {
    plain: [`--${name}`, ...words.map(({plain}) => plain)].join(' '),
    kept: [`--${name}`, ...words.map(({kept}) => kept)].join(' '),
  };
}

function quoted({plain, kept}: Filled): Filled {
  if (/^[A-Za-z0-9_./:=@%+,-]+$/.test(plain)) return {plain, kept};
  return {plain: `'${plain.replaceAll("'", `'\\''`)}'`, kept: `'${kept.replaceAll("'", `'\\''`)}'`};
}

function literal(text: string): Filled {
  return {plain: text, kept: text.replaceAll('${', () => '$${')};
}

/** The names in a text that is one reference and nothing else, such as `${models}`. */
export function wholeReference(value: Json | undefined): readonly string[] | undefined {
  const found = typeof value === 'string' ? wholePattern.exec(value.trim())?.[1] : undefined;
  return found === undefined ? undefined : stepsOf(found);
}

function stepsOf(reference: string): readonly string[] {
  return reference
    .trim()
    .replaceAll(/\[([^\]]*)\]/g, '.$1')
    .split('.');
}

function find(
  reference: string,
  {local, global, itemAt}: Pick<DvcScope, 'local' | 'global' | 'itemAt'>,
): {readonly value: Json; readonly steps: readonly string[]; readonly global: boolean} | undefined {
  const steps = stepsOf(reference);
  if (itemAt && steps[0] === 'item' && steps.length > 1) {
    const from = [...itemAt, ...steps.slice(1)].join('.');
    return find(from, {local: {}, global});
  }
  const name = steps[0] ?? '';
  const isLocal = Object.hasOwn(local, name);
  let value: Json | undefined = isLocal ? local : global;
  for (const step of steps) {
    if (isArray(value)) value = value[Number(step)];
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value === undefined ? undefined : {value, steps, global: !isLocal};
}
