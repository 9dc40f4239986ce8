import {sha256} from '../core/digest.ts';
import type {SourceRange} from '../core/failure.ts';
import {canonicalJson, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {CommandSpec, InputBinding, PipelineNode} from '../core/pipeline.ts';
import {defaultResources} from '../core/resources.ts';
import type {CodeManifest, InputPort, OutputPort, StageDeclaration} from '../core/stage.ts';
import {bind, placeOf, type Bound} from './bindings.ts';
import {readCommand} from './command-text.ts';
import type {CommandNodeSection} from './document.ts';
import {bindEach, type EachEntry} from './each.ts';
import {readSide} from './held-out.ts';
import {readSeed, readSettings} from './node-settings.ts';
import {checkInputPaths, checkWorkPaths} from './work-paths.ts';
import {nodeResolver, perVariant, toText, type PerVariant, type Report, type Scope} from './scope.ts';

const manifest: CodeManifest = {type: 'code/1', files: {}, packages: {'mixdown/command': '1'}};

/** The stage that all command nodes share; what each runs is among its params, under `$command`. */
export const commandStage: StageDeclaration = {
  name: 'command',
  summary: 'Any program: `command: [program, argument]`, or `shell` with `script`.',
  params: {},
  inputs: {},
  outputs: {},
  resources: defaultResources,
  numericBackend: false,
  seeded: true,
  deterministic: true,
  code: sha256(canonicalJson(manifest as unknown as Json)),
  manifest,
};

/** Kinds of a command's outputs as its section declares them. */
export function commandOutputKinds({outputs}: CommandNodeSection): Record<string, 'file' | 'tree'> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => [
      name,
      (typeof output === 'string' ? undefined : output.kind) ?? 'file',
    ]),
  );
}

/** All variants of a command node. What is wrong is reported; the nodes are then not to be used. */
export function expandCommandNode(
  name: string,
  section: CommandNodeSection,
  range: SourceRange | undefined,
  scope: Scope,
): PipelineNode[] {
  const variants = scope.matrices.of(name);
  const resolve = nodeResolver(name, variants, scope);
  const sliced = readEach(name, section, scope);
  const each = bindEach(name, sliced, resolve, scope);
  const slicedPorts = sliced.map(({port}) => port);
  const bindings = readInputs(name, section, slicedPorts, scope);
  const outputs = readOutputs(name, section, scope);
  const settings = readSettings(name, section, defaultResources, resolve, scope);
  const seed = readSeed(name, section, resolve, scope);
  const sideOf = readSide(name, section, commandStage, resolve, scope);
  const ports = [...Object.keys(section.inputs ?? {}), ...slicedPorts];
  const placeOf = (port: string) => ['nodes', name, slicedPorts.includes(port) ? 'each' : 'inputs', port];
  checkInputPaths(ports, placeOf, scope.report);
  const command = readCommand(name, section, ports, scope);
  return variants.variants.map((variant, index) => {
    const inputs: Record<string, InputBinding> = {};
    const kinds: Record<string, InputPort> = {};
    for (const [port, read] of bindings) {
      const bound = read(variant);
      if (!bound) continue;
      inputs[port] = bound.binding;
      kinds[port] = bound.port;
    }
    const collections = each(variant);
    for (const port of slicedPorts) kinds[port] = {kind: 'file'};
    const made = outputs(variant);
    const nodeSeed = command.seeded || section.seed !== undefined ? seed(variant) : 0;
    const {spec, params} = command.read(variant, made, nodeSeed);
    return {
      id: variants.ids[index] ?? name,
      name,
      variant,
      stage: commandStage.name,
      params: {...params, $command: keyPart(spec)},
      seed: nodeSeed,
      inputs,
      ports: kinds,
      ...(collections ? {each: collections} : {}),
      outputs: made,
      command: spec,
      ...sideOf(variant, {}),
      ...settings(variant),
      ...(range ? {range} : {}),
    };
  });
}

/** What of a command may change the bytes it makes. */
function keyPart(spec: CommandSpec): JsonObject {
  if (spec.form === 'argv') return {argv: spec.argv, env: spec.env};
  return {shell: spec.shell, script: spec.script, env: spec.env};
}

function readInputs(
  name: string,
  section: CommandNodeSection,
  slicedPorts: readonly string[],
  scope: Scope,
): readonly (readonly [string, PerVariant<Bound | undefined>])[] {
  const variants = scope.matrices.of(name);
  const resolve = nodeResolver(name, variants, scope);
  const bindings: (readonly [string, PerVariant<Bound | undefined>])[] = [];
  for (const [port, value] of Object.entries(section.inputs ?? {})) {
    const path = ['nodes', name, 'inputs', port];
    if (slicedPorts.includes(port)) {
      scope.report({
        code: 'bad-value',
        message: `input \`${port}\` is bound twice: here and by \`each\``,
        path,
        at: 'key',
      });
      continue;
    }
    const place = placeOf(value, path, variants.axes);
    const spec = {name: port, port: undefined, owner: `node \`${name}\``};
    const read = perVariant(value, path, resolve, scope, (found, report) => bind(found, spec, place, scope, report));
    if (read) bindings.push([port, read]);
  }
  return bindings;
}

function readEach(name: string, {each = {}}: CommandNodeSection, {report}: Scope): readonly EachEntry[] {
  const path = ['nodes', name, 'each'];
  if (typeof each === 'object') {
    return Object.entries(each).map(([port, value]) => ({port, value, path: [...path, port]}));
  }
  const message = 'a command says which input gets the item of `each`';
  const hint = `write \`each: {NAME: ${each}}\`; the item is then the file NAME`;
  report({code: 'bad-reference', message, hint, path, at: 'value'});
  return [];
}

function readOutputs(
  name: string,
  section: CommandNodeSection,
  scope: Scope,
): PerVariant<Readonly<Record<string, OutputPort>>> {
  const path = ['nodes', name, 'outputs'];
  const resolve = nodeResolver(name, scope.matrices.of(name), scope);
  const eachPort = typeof section.each === 'object' ? Object.keys(section.each) : [];
  const ports = [...Object.keys(section.inputs ?? {}), ...eachPort];
  const rest = Object.entries(section.outputs).map(([output, value]) => {
    const {kind = 'file', display = false, show, optional = false, compare} = typeof value === 'string' ? {} : value;
    if (optional && (kind === 'tree' || section.each === undefined)) {
      const message = `output \`${output}\` cannot be optional: only a file under \`each\` may be left unwritten`;
      const hint = kind === 'tree' ? 'a tree may be left empty' : undefined;
      const at = {path: [...path, output, 'optional'], at: 'key'} as const;
      scope.report({code: 'bad-value', message, ...(hint ? {hint} : {}), ...at});
    }
    if (show !== undefined && kind === 'tree') {
      const message = `output \`${output}\` cannot be shown so: only a .csv file can`;
      scope.report({code: 'bad-value', message, path: [...path, output, 'show'], at: 'key'});
    }
    const port = {
      kind,
      ...(display ? {display} : {}),
      ...(show === undefined ? {} : {show}),
      ...(optional ? {optional} : {}),
      ...(compare === undefined ? {} : {compare}),
    } as const;
    return [output, port] as const;
  });
  const paths = Object.fromEntries(
    Object.entries(section.outputs).map(([output, value]) => [output, typeof value === 'string' ? value : value.path]),
  );
  const shaped = (output: string) => (typeof section.outputs[output] === 'string' ? [output] : [output, 'path']);
  const convert = (value: Json, report: Report): Readonly<Record<string, OutputPort>> => {
    const found = Object.entries(isObject(value) ? value : {}).map(
      ([output, at]) => [output, toText(at ?? '', [...path, ...shaped(output)], report)] as const,
    );
    checkWorkPaths(ports, found, (output) => [...path, ...shaped(output)], report);
    const names = Object.fromEntries(found);
    return Object.fromEntries(rest.map(([output, port]) => [output, {...port, name: names[output] ?? ''}]));
  };
  return perVariant(paths, path, resolve, scope, convert) ?? (() => ({}));
}
