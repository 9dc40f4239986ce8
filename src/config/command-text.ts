import {didYouMean} from '../core/closest.ts';
import {isArray, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import type {CommandSpec} from '../core/pipeline.ts';
import type {OutputPort} from '../core/stage.ts';
import type {CommandNodeSection} from './document.ts';
import type {Placeholder} from './placeholder.ts';
import type {Path, Problem} from './problem.ts';
import {valueText} from './schema-problem.ts';
import {keepForLater, nodeResolver, perVariant, toText, type Report, type Scope} from './scope.ts';
import {compileTemplate, evaluate, fits, unfit, type LookUp, type Resolve, type Template} from './template.ts';

/** A command prepared once; its texts are written out for each variant. */
export interface PreparedCommand {
  /** One of its texts uses `${seed}`. */
  readonly seeded: boolean;
  read(
    variant: Variant,
    outputs: Readonly<Record<string, OutputPort>>,
    seed: number,
  ): {readonly spec: CommandSpec; readonly params: JsonObject};
}

/** Prepares the argv or script, the environment and the params of a command node. */
export function readCommand(
  name: string,
  section: CommandNodeSection,
  ports: readonly string[],
  scope: Scope,
): PreparedCommand {
  const {report} = scope;
  const path = ['nodes', name];
  const variants = scope.matrices.of(name);
  const plain = nodeResolver(name, variants, scope);
  const {params: given = {}} = section;
  const toParams = (value: Json, reportHere: Report) => checkParams(value, [...path, 'params'], reportHere);
  const whole = typeof given === 'string';
  const params = perVariant(given, [...path, 'params'], whole ? keepForLater(plain) : plain, scope, toParams);
  let seeded = false;
  const resolve = nodeResolver(name, variants, scope, {
    inputs: nameIn('input', ports, report, (port) => ({value: port})),
    outputs: nameIn('output', Object.keys(section.outputs), report, () => 'later'),
    params: whole ? () => 'later' : memberOf(given, report),
    seed: () => {
      seeded = true;
      return 'later';
    },
  });
  const compile = (key: string, value: Json): Template =>
    compileTemplate(value, [...path, key], resolve, report) ?? {kind: 'constant', value: isArray(value) ? [] : ''};
  const argv = section.command && compile('command', section.command);
  const script = section.script === undefined ? undefined : compile('script', section.script);
  const env = compile('env', section.env ?? {});
  const texts = (key: 'passEnv' | 'scratch' | 'shell', value: string | readonly string[] = []) =>
    perVariant(value, [...path, key], plain, scope, (found, reportHere) =>
      (isArray(found) ? found : [found]).map((text) => toText(text, [...path, key], reportHere)),
    ) ?? (() => []);
  const passEnv = texts('passEnv', section.passEnv);
  const scratch = texts('scratch', section.scratch);
  const {shell: written = []} = section;
  const shell = texts('shell', typeof written === 'string' ? written.trim().split(/\s+/) : written);
  return {
    seeded,
    read(variant, outputs, seed) {
      const values = params?.(variant) ?? {};
      const lookUp = lookUpIn({variant, outputs, seed, params: values}, scope);
      const common = {
        env: toEnvironment(evaluate(env, lookUp), [...path, 'env'], report),
        passEnv: passEnv(variant),
        scratch: scratch(variant),
      };
      if (argv) {
        return {
          params: values,
          spec: {form: 'argv', argv: toArgv(argv, lookUp, [...path, 'command'], report), ...common},
        };
      }
      const text = script ? toText(evaluate(script, lookUp), [...path, 'script'], report) : '';
      return {params: values, spec: {form: 'shell', shell: shell(variant), script: text, ...common}};
    },
  };
}

function checkParams(value: Json, path: Path, report: Report): JsonObject {
  if (!isObject(value)) {
    const message = `\`params\` must be a mapping, not ${valueText(value)}`;
    report({code: 'bad-value', message, path, at: 'value', traced: true});
    return {};
  }
  if (!Object.hasOwn(value, '$command')) return value;
  const message = 'the param name `$command` is reserved';
  report({code: 'bad-value', message, path: [...path, '$command'], at: 'key'});
  return value;
}

function nameIn(
  what: 'input' | 'output',
  names: readonly string[],
  report: Report,
  found: (name: string) => ReturnType<Resolve>,
): Resolve {
  return (placeholder, path) => {
    // The name of a command's input is a file name and may hold dots.
    const name = placeholder.parts.slice(1).join('.');
    if (names.includes(name)) return found(name);
    const code: Problem['code'] = what === 'input' ? 'unknown-input' : 'unknown-output';
    const message = `the command has no ${what} \`${name}\``;
    report({code, message, hint: () => didYouMean(name, names), path, at: 'value', span: placeholder.span});
    return undefined;
  };
}

function memberOf(params: JsonObject, report: Report): Resolve {
  return (placeholder, path) => {
    const name = placeholder.parts[1] ?? '';
    if (Object.hasOwn(params, name)) return 'later';
    const message = `the command has no param \`${name}\``;
    const hint = () => didYouMean(name, Object.keys(params)) ?? `add it to \`params\``;
    report({code: 'unknown-param', message, hint, path, at: 'value', span: placeholder.span});
    return undefined;
  };
}

interface Values {
  readonly variant: Variant;
  readonly outputs: Readonly<Record<string, OutputPort>>;
  readonly params: JsonObject;
  readonly seed: number;
}

function lookUpIn({variant, outputs, params, seed}: Values, {variables, report}: Scope): LookUp {
  const valueOf = (placeholder: Placeholder): Json | undefined => {
    const {parts} = placeholder;
    const [space, first = '', ...rest] = parts;
    if (space === 'vars') return variables.lookUp(placeholder, variant).value;
    if (space === 'seed') return seed;
    if (space === 'matrix') return variant[first];
    if (space === 'outputs') return outputs[parts.slice(1).join('.')]?.name;
    return rest.reduce<Json | undefined>(memberAt, params[first]);
  };
  return (placeholder, path, spot) => {
    const value = valueOf(placeholder);
    const at = {path, at: 'value', span: placeholder.span} as const;
    if (value === undefined) {
      report({code: 'unknown-param', message: `\`${placeholder.text}\` refers to nothing`, ...at});
      return '';
    }
    if (fits(value, spot)) return value;
    report(unfit(placeholder, value, path));
    return '';
  };
}

function memberAt(value: Json | undefined, member: string): Json | undefined {
  if (isArray(value)) return value[Number(member)];
  return isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined;
}

/** A list that stands for a whole argument becomes as many arguments as it has members. */
function toArgv(template: Template, lookUp: LookUp, path: Path, report: Report): readonly string[] {
  const value = evaluate(template, lookUp);
  const words: string[] = [];
  (isArray(value) ? value : [value]).forEach((word, index) => {
    for (const part of isArray(word) ? word : [word]) {
      if (part !== null && typeof part !== 'object') words.push(String(part));
      else
        report({
          code: 'bad-value',
          message: `an argument is a text, not ${valueText(part)}`,
          path: [...path, index],
          at: 'value',
          traced: true,
        });
    }
  });
  return words;
}

function toEnvironment(value: Json, path: Path, report: Report): Readonly<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const [key, member] of Object.entries(isObject(value) ? value : {})) {
    if (member !== undefined && member !== null && typeof member !== 'object') entries.push([key, String(member)]);
    else
      report({
        code: 'bad-value',
        message: `\`${key}\` must be a text, not ${valueText(member)}`,
        path: [...path, key],
        at: 'value',
        traced: true,
      });
  }
  return Object.fromEntries(entries);
}
