import {didYouMean} from '../core/closest.ts';
import type {SourceRange} from '../core/failure.ts';
import type {InputBinding, PipelineNode} from '../core/pipeline.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {bind, placeOf, type PortSpec} from './bindings.ts';
import type {StageNodeSection} from './document.ts';
import {bindEach, type EachEntry} from './each.ts';
import {readSide} from './held-out.ts';
import {readEngine, readSeed, readSettings} from './node-settings.ts';
import type {ParamChecker} from './param-checker.ts';
import type {Path} from './problem.ts';
import {readParams} from './stage-params.ts';
import type {Resolve} from './template.ts';
import {nodeResolver, perVariant, type PerVariant, type Report, type Scope} from './scope.ts';

export interface StageNodeContext extends Scope {
  readonly params: ParamChecker | undefined;
}

/** All variants of a stage node. What is wrong is reported; the nodes are then not to be used. */
export function expandStageNode(
  name: string,
  section: StageNodeSection,
  stage: StageDeclaration,
  range: SourceRange | undefined,
  scope: StageNodeContext,
): PipelineNode[] {
  const variants = scope.matrices.of(name);
  const resolve = nodeResolver(name, variants, scope);
  const sliced = readEach(name, section, stage, scope);
  const each = bindEach(name, sliced.entries, resolve, scope);
  const bindings = readInputs(name, section, stage, sliced, resolve, scope);
  const params = readParams(name, section.params ?? {}, stage, resolve, scope);
  const settings = readSettings(name, section, stage.resources, resolve, scope);
  const engineOf = readEngine(name, section, stage, resolve, scope);
  const seed = readSeed(name, section, resolve, scope);
  const sideOf = readSide(name, section, stage, resolve, scope);
  const outputs = readOutputs(name, section, stage, scope);
  if (section.seed !== undefined && !stage.seeded) {
    const message = `stage \`${stage.name}\` does not use a seed`;
    const hint = 'remove `seed`, or let the stage say `seeded: true`';
    scope.report({code: 'bad-value', message, hint, path: ['nodes', name, 'seed'], at: 'key'});
  }
  return variants.variants.map((variant, index) => {
    const inputs: Record<string, InputBinding> = {};
    for (const [port, binding] of bindings) {
      const bound = binding(variant);
      if (bound) inputs[port] = bound;
    }
    const collections = each(variant);
    const engine = engineOf(variant);
    const given = params(variant);
    return {
      id: variants.ids[index] ?? name,
      name,
      variant,
      stage: stage.name,
      params: given,
      seed: stage.seeded ? seed(variant) : 0,
      inputs,
      ports: stage.inputs,
      ...(collections ? {each: collections} : {}),
      outputs,
      ...(stage.compareMetrics === undefined ? {} : {compareMetrics: stage.compareMetrics}),
      ...sideOf(variant, given),
      ...settings(variant),
      ...(engine === undefined ? {} : {engine}),
      ...(range ? {range} : {}),
    };
  });
}

/** The stage's outputs, compared as the node says. */
function readOutputs(
  name: string,
  {compare = {}}: StageNodeSection,
  stage: StageDeclaration,
  {report}: StageNodeContext,
): StageDeclaration['outputs'] {
  const outputs = {...stage.outputs};
  for (const [output, how] of Object.entries(compare)) {
    const declared = Object.hasOwn(outputs, output) ? outputs[output] : undefined;
    if (declared) {
      outputs[output] = {...declared, compare: how};
      continue;
    }
    const message = `stage \`${stage.name}\` has no output \`${output}\``;
    const hint = (): string | undefined => didYouMean(output, Object.keys(outputs));
    report({code: 'unknown-output', message, hint, path: ['nodes', name, 'compare', output], at: 'key'});
  }
  return outputs;
}

function readInputs(
  name: string,
  section: StageNodeSection,
  stage: StageDeclaration,
  sliced: Sliced,
  resolve: Resolve,
  scope: Scope,
): readonly (readonly [string, PerVariant<InputBinding | undefined>])[] {
  const {report} = scope;
  const variants = scope.matrices.of(name);
  const slicedPorts = new Set(sliced.entries.map(({port}) => port));
  const bindings: (readonly [string, PerVariant<InputBinding | undefined>])[] = [];
  for (const [port, value] of Object.entries(section.inputs ?? {})) {
    const path = ['nodes', name, 'inputs', port];
    const declared = Object.hasOwn(stage.inputs, port) ? stage.inputs[port] : undefined;
    if (!declared) {
      const message = `stage \`${stage.name}\` has no input \`${port}\``;
      report({
        code: 'unknown-input',
        message,
        hint: () => didYouMean(port, Object.keys(stage.inputs)),
        path,
        at: 'key',
      });
      continue;
    }
    if (slicedPorts.has(port)) {
      const message = `input \`${port}\` is bound twice: here and by \`each\``;
      report({code: 'bad-value', message, path, at: 'key'});
      continue;
    }
    const place = placeOf(value, path, variants.axes);
    const spec = {name: port, port: declared, owner: `stage \`${stage.name}\``};
    const binding = perVariant(value, path, resolve, scope, (found, reportHere) =>
      found === null ? unbound(spec, path, reportHere) : bind(found, spec, place, scope, reportHere)?.binding,
    );
    if (binding) bindings.push([port, binding]);
  }
  const given = new Set(Object.keys(section.inputs ?? {}));
  for (const [port, {optional, kind}] of Object.entries(stage.inputs)) {
    if (optional || given.has(port) || slicedPorts.has(port)) continue;
    // Which port `each` feeds could not be told, and that was reported.
    if (sliced.broken && kind === 'file') continue;
    const message = `node \`${name}\` does not bind the input \`${port}\` of stage \`${stage.name}\` (a ${kind})`;
    const hint = section.inputs ? `add \`${port}: …\` to \`inputs\`` : `write \`inputs: {${port}: …}\``;
    report({code: 'missing-input', message, hint, path: ['nodes', name, 'inputs'], at: 'key'});
  }
  return bindings;
}

/** `null` leaves an optional port without an artifact, as if it were not named: a variable can switch an input off. */
function unbound({name, port, owner}: PortSpec, path: Path, report: Report): undefined {
  if (port?.optional) return;
  const message = `input \`${name}\` of ${owner} is not optional: \`null\` leaves it without an artifact`;
  report({code: 'missing-input', message, path, at: 'value', traced: true});
}

/** Ports that `each` feeds. */
interface Sliced {
  readonly entries: readonly EachEntry[];
  /** What it says is wrong and was reported, so that a port is missing here. */
  readonly broken: boolean;
}

function readEach(name: string, section: StageNodeSection, stage: StageDeclaration, scope: Scope): Sliced {
  const {each} = section;
  if (each === undefined) return {entries: [], broken: false};
  const path = ['nodes', name, 'each'];
  if (typeof each === 'string') {
    const port = onlyFreePort(name, section, each, stage, scope);
    return port === undefined ? {entries: [], broken: true} : {entries: [{port, value: each, path}], broken: false};
  }
  const named = Object.entries(each).map(([port, value]): EachEntry => ({port, value, path: [...path, port]}));
  const entries = named.filter(({port}) => checkPort(name, port, stage, scope));
  return {entries, broken: entries.length < named.length};
}

function checkPort(name: string, port: string, stage: StageDeclaration, {report}: Scope): boolean {
  const declared = Object.hasOwn(stage.inputs, port) ? stage.inputs[port] : undefined;
  const path = ['nodes', name, 'each', port];
  if (!declared) {
    const message = `stage \`${stage.name}\` has no input \`${port}\``;
    report({code: 'unknown-input', message, hint: () => didYouMean(port, Object.keys(stage.inputs)), path, at: 'key'});
    return false;
  }
  if (declared.kind === 'file' && !declared.many) return true;
  const what = declared.many ? 'a list' : 'a tree';
  const message = `\`each\` gives one file at a time, and input \`${port}\` of stage \`${stage.name}\` takes ${what}`;
  report({code: 'kind-mismatch', message, path, at: 'key'});
  return false;
}

function onlyFreePort(
  name: string,
  section: StageNodeSection,
  collection: string,
  stage: StageDeclaration,
  {report}: Scope,
): string | undefined {
  const bound = new Set(Object.keys(section.inputs ?? {}));
  const free = Object.entries(stage.inputs)
    .filter(([port, {kind, many, optional}]) => kind === 'file' && !many && !optional && !bound.has(port))
    .map(([port]) => port);
  if (free.length === 1) return free[0];
  const form = (port: string) => `\`each: {${port}: ${collection}}\``;
  const message =
    free.length === 0
      ? `stage \`${stage.name}\` has no file input left for the items of \`${collection}\``
      : `stage \`${stage.name}\` has ${free.length} file inputs that could take the items of \`${collection}\``;
  const hint = free.length === 0 ? undefined : `write ${free.map(form).join(' or ')}`;
  report({code: 'bad-reference', message, ...(hint ? {hint} : {}), path: ['nodes', name, 'each'], at: 'value'});
  return undefined;
}
