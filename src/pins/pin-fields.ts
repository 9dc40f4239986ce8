import {isSha256} from '../core/digest.ts';
import {isObject, type Json} from '../core/json.ts';
import {compareForms} from '../core/compare.ts';

/** Version of the text form; a reader knows only its own. */
export const pinsVersion = 1;

/** What is wrong with a value; undefined when it is as it has to be. */
type Check = (value: Json) => string | undefined;

export type PinField =
  'stage' | 'code' | 'params' | 'seed' | 'salt' | 'each' | 'toolchain' | 'inputs' | 'outputs' | 'metrics' | 'accepted';

/** The fields of a pin as a lock holds them, and what their values have to be. */
export const pinFields: Readonly<Record<PinField, Check>> = {
  stage: text,
  code: hash,
  params: (value) => (isObject(value) ? undefined : 'is no mapping'),
  seed: (value) => (isCount(value) ? undefined : 'is no whole number'),
  salt: text,
  each: (value) =>
    typeof value === 'string' || (Array.isArray(value) && value.every(isText)) ? undefined : 'is no port',
  toolchain: (value) => membersOf(value, text),
  inputs: (value) => membersOf(value, input),
  outputs: (value) => membersOf(value, output),
  metrics: (value) => membersOf(value, metric),
  accepted: (value) =>
    isObject(value) && isText(value['reason']) && isText(value['on']) ? undefined : 'has no reason and date',
};

/** Checks one output or metric, which stand on lines of their own. */
export function checkMember(of: 'outputs' | 'metrics', value: Json): string | undefined {
  return of === 'outputs' ? output(value) : metric(value);
}

function output(value: Json): string | undefined {
  if (!isObject(value)) return 'is no output';
  const {kind, hash: digest, size, files, numbers} = value;
  const known = (kind === 'file' && files === undefined) || (kind === 'tree' && isCount(files));
  if (!known || !isHash(digest) || !isCount(size)) return 'is no output: it needs kind, hash and size';
  return numbers === undefined ? undefined : numbersFault(numbers);
}

function numbersFault(value: Json): string | undefined {
  if (!isObject(value)) return 'has no numbers';
  const {as, form, count, values, sketch} = value;
  const kept = values ?? sketch;
  const sound = Array.isArray(kept) && kept.every((number) => typeof number === 'number') && isCount(count);
  const whole = values === undefined || (Array.isArray(values) && values.length === count && sketch === undefined);
  const known = isText(as) && (compareForms as readonly string[]).includes(as);
  return sound && whole && known && isHash(form) ? undefined : 'has numbers that are not whole';
}

function input(value: Json): string | undefined {
  if (isHash(value)) return undefined;
  return isObject(value) && isCount(value['many']) && isHash(value['hash']) ? undefined : 'is no hash';
}

function metric(value: Json): string | undefined {
  return typeof value === 'number' ? undefined : 'is no number';
}

function text(value: Json): string | undefined {
  return isText(value) ? undefined : 'is no text';
}

function hash(value: Json): string | undefined {
  return isHash(value) ? undefined : 'is no SHA-256';
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

function isHash(value: Json | undefined): boolean {
  return typeof value === 'string' && isSha256(value);
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function membersOf(value: Json, check: Check): string | undefined {
  if (!isObject(value)) return 'is no mapping';
  for (const [name, member] of Object.entries(value)) {
    const fault = check(member ?? null);
    if (fault !== undefined) return `is wrong: \`${name}\` ${fault}`;
  }
  return undefined;
}
