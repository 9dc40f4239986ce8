import type {ErrorObject} from 'ajv/dist/2020.js';
import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, isScalar, type Json} from '../core/json.ts';
import type {Path, Problem} from './problem.ts';

interface Schema {
  readonly expects?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** What is special about a document. */
export interface Manner {
  /** What messages call it. */
  readonly whole: string;
  /** Whether no message may show the value at a path. */
  readonly isSecret: (path: Path, value: Json | undefined) => boolean;
}

const usual: Manner = {whole: 'the pipeline', isSecret: () => false};

/**
 * Ajv's errors as problems in mixdown's words. Branches of `anyOf` are folded into one problem, and the echoes that Ajv
 * adds for `if` and `propertyNames` are left out. Needs Ajv's options `allErrors` and `verbose`.
 */
export function schemaProblems(errors: readonly ErrorObject[], base: Path, manner: Partial<Manner> = {}): Problem[] {
  const {whole, isSecret} = {...usual, ...manner};
  return fold(errors).map((error) => {
    const path = [...base, ...pathOf(error.instancePath)];
    if (!isSecret(path, error.data as Json | undefined)) return translate(error, path, whole);
    return {...translate({...error, data: undefined}, path, whole), secret: true};
  });
}

/** A value as a message names it: the text `abc`, the number 3, a list. */
export function valueText(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (isArray(value)) return 'a list';
  if (isObject(value)) return 'a mapping';
  if (typeof value !== 'string') return `\`${value}\``;
  return `the text \`${value.length > 40 ? `${value.slice(0, 39)}…` : value}\``;
}

function fold(errors: readonly ErrorObject[]): ErrorObject[] {
  const dropped = new Set<ErrorObject>();
  errors.forEach((error, index) => {
    if (error.keyword === 'if' || error.keyword === 'propertyNames') dropped.add(error);
    if (error.keyword !== 'anyOf') return;
    const before = errors.slice(0, index).filter((other) => !dropped.has(other) && within(other, error));
    const deeper = before.filter((other) => other.instancePath !== error.instancePath);
    for (const other of before) if (other.instancePath === error.instancePath) dropped.add(other);
    if (deeper.length > 0) dropped.add(error);
  });
  return errors.filter((error) => !dropped.has(error));
}

function within(inner: ErrorObject, outer: ErrorObject): boolean {
  return inner.instancePath === outer.instancePath || inner.instancePath.startsWith(`${outer.instancePath}/`);
}

function translate(error: ErrorObject, path: Path, whole: string): Problem {
  const schema = (error.parentSchema ?? {}) as Schema;
  const params = error.params as Record<string, unknown>;
  const name = subject(path, whole);
  if (error.propertyName !== undefined) {
    const key = error.propertyName;
    const message = `\`${key}\` cannot be a name here: it must be ${schema.expects ?? 'another text'}`;
    return {code: 'bad-value', message, path: [...path, key], at: 'key'};
  }
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const hint = () => didYouMean(key, Object.keys(schema.properties ?? {}));
      return {code: 'unknown-key', message: `unknown key \`${key}\` in ${name}`, hint, path: [...path, key], at: 'key'};
    }
    case 'required':
      return {
        code: 'schema-violation',
        message: `${name} needs \`${String(params['missingProperty'])}\``,
        path,
        at: 'key',
      };
    case 'dependentRequired': {
      const [having, lacking] = [String(params['property']), String(params['missingProperty'])];
      const message = `\`${having}\` needs \`${lacking}\` beside it`;
      return {code: 'schema-violation', message, path: [...path, having], at: 'key'};
    }
    case 'false schema':
      return {code: 'schema-violation', message: `${name} cannot stand here`, path, at: 'key'};
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      if (params['limit'] === 1)
        return {code: 'schema-violation', message: `${name} must not be empty`, path, at: 'value', traced: true};
      return mismatch(error, name, path);
    default:
      return mismatch(error, name, path);
  }
}

function mismatch(error: ErrorObject, name: string, path: Path): Problem {
  const data = error.data as Json | undefined;
  const schema = (error.parentSchema ?? {}) as Schema;
  const given = data === undefined ? '' : `, not ${valueText(data)}`;
  const message = `${name} must ${expectation(error, schema)}${given}`;
  const sought = isScalar(data) ? {sought: {value: String(data)}} : {};
  return {code: 'schema-violation', message, path, at: 'value', traced: true, ...sought, ...nearest(error, data)};
}

function nearest(error: ErrorObject, data: Json | undefined): {hint?: () => string | undefined} {
  const allowed = error.params['allowedValues'] as readonly Json[] | undefined;
  if (error.keyword !== 'enum' || typeof data !== 'string' || !allowed) return {};
  const texts = allowed.filter((value) => typeof value === 'string');
  return {hint: () => didYouMean(data, texts)};
}

function expectation({keyword, params}: ErrorObject, schema: Schema): string {
  if (schema.expects !== undefined) return `be ${schema.expects}`;
  const limit = String(params['limit']);
  switch (keyword) {
    case 'type':
      return `be ${[schema.type ?? []].flat().map(typeText).join(' or ')}`;
    case 'enum':
      return `be one of ${(params['allowedValues'] as readonly Json[]).map((value) => `\`${JSON.stringify(value).replaceAll('"', '')}\``).join(', ')}`;
    case 'const':
      return `be \`${String(params['allowedValue'])}\``;
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return `be ${String(params['comparison'])} ${limit}`;
    case 'multipleOf':
      return `be a multiple of ${String(params['multipleOf'])}`;
    case 'pattern':
      return `match the pattern ${String(params['pattern'])}`;
    case 'minLength':
      return `have ${limit} characters or more`;
    case 'maxLength':
      return `have ${limit} characters or fewer`;
    case 'minItems':
    case 'minProperties':
      return `have ${limit} members or more`;
    case 'maxItems':
    case 'maxProperties':
      return limit === '1' ? 'have one member' : `have ${limit} members or fewer`;
    case 'uniqueItems':
      return 'have no member twice';
    default:
      return `fulfil \`${keyword}\``;
  }
}

function typeText(type: string): string {
  switch (type) {
    case 'integer':
      return 'a whole number';
    case 'number':
      return 'a number';
    case 'string':
      return 'a text';
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return 'a list';
    case 'object':
      return 'a mapping';
    default:
      return 'nothing';
  }
}

/** What a message calls the value at a path. */
function subject(path: Path, whole: string): string {
  const last = path.at(-1);
  if (last === undefined) return whole;
  if (typeof last === 'number') return `item ${last + 1} of ${subject(path.slice(0, -1), whole)}`;
  if (path.length === 2 && path[0] === 'nodes') return `node \`${last}\``;
  if (path.length === 2 && path[0] === 'sources') return `source \`${last}\``;
  return `\`${last}\``;
}

function pathOf(pointer: string): (string | number)[] {
  if (pointer === '') return [];
  const parts = pointer.slice(1).split('/');
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
}
