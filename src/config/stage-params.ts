import {didYouMean} from '../core/closest.ts';
import {isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import type {StageDeclaration} from '../core/stage.ts';
import {reportsAtSource, type ReportOf} from './lookup-place.ts';
import type {ParamChecker} from './param-checker.ts';
import type {Path} from './problem.ts';
import {valueText} from './schema-problem.ts';
import {keepForLater, variantLookUp, type PerVariant, type Report, type Scope} from './scope.ts';
import {compileTemplate, evaluate, type Resolve, type Template} from './template.ts';

interface ParamScope extends Scope {
  readonly params: ParamChecker | undefined;
}

/**
 * The params of a stage node: defaults filled in, checked against the declaration.
 *
 * @param written - the values, or one reference to a mapping of them
 */
export function readParams(
  name: string,
  written: JsonObject | string,
  stage: StageDeclaration,
  resolve: Resolve,
  scope: ParamScope,
): PerVariant<JsonObject> {
  const {report, variables} = scope;
  const path = ['nodes', name, 'params'];
  if (typeof written === 'string') return readWhole(written, path, stage, resolve, scope);
  checkNames(written, path, stage, report);
  const templates: (readonly [string, Template])[] = [];
  const reports = new Map<string, ReportOf>();
  for (const [param, value] of Object.entries(written)) {
    if (!Object.hasOwn(stage.params, param)) continue;
    const template = compileTemplate(value ?? null, [...path, param], resolve, report);
    if (!template) continue;
    templates.push([param, template]);
    reports.set(param, reportsAtSource(template, name, variables, report));
  }
  const defaults = defaultsBeside(written, stage);
  const complete = (variant: Variant): JsonObject => {
    const lookUp = variantLookUp(variant, variables);
    const given: Record<string, Json> = {};
    for (const [param, template] of templates) given[param] = evaluate(template, lookUp);
    for (const problem of scope.params?.check(stage, given, path) ?? []) {
      const reportHere = reports.get(String(problem.path[path.length]))?.(variant) ?? report;
      reportHere(problem);
    }
    return {...defaults, ...given};
  };
  if (templates.some(([, template]) => template.kind !== 'constant')) return complete;
  const constant = complete({});
  return () => constant;
}

/** `params: '${vars.settings[matrix.model]}'`. A mapping that many variants share is checked once. */
function readWhole(
  written: string,
  path: Path,
  stage: StageDeclaration,
  resolve: Resolve,
  {report, variables, params}: ParamScope,
): PerVariant<JsonObject> {
  const template = compileTemplate(written, path, keepForLater(resolve), report);
  if (!template) return () => ({});
  const reportOf = reportsAtSource(template, String(path[1]), variables, report);
  const done = new Map<Json, JsonObject>();
  return (variant) => {
    const value = evaluate(template, variantLookUp(variant, variables));
    const before = done.get(value);
    if (before) return before;
    const complete = completed(value, path, stage, params, reportOf(variant));
    done.set(value, complete);
    return complete;
  };
}

function completed(
  value: Json,
  path: Path,
  stage: StageDeclaration,
  checker: ParamChecker | undefined,
  report: Report,
): JsonObject {
  if (!isObject(value)) {
    const message = `\`params\` must be a mapping, not ${valueText(value)}`;
    report({code: 'bad-value', message, path, at: 'value', traced: true});
    return {};
  }
  checkNames(value, path, stage, report);
  const entries = Object.entries(value).filter(([param]) => Object.hasOwn(stage.params, param));
  const given = Object.fromEntries(entries);
  for (const problem of checker?.check(stage, given, path) ?? []) report(problem);
  return {...defaultsBeside(value, stage), ...given};
}

/** Reports params that the stage does not have, and those that it needs and is not given. */
function checkNames(given: JsonObject, path: Path, stage: StageDeclaration, report: Report): void {
  const known = Object.keys(stage.params);
  for (const param of Object.keys(given)) {
    if (Object.hasOwn(stage.params, param)) continue;
    const message = `stage \`${stage.name}\` has no param \`${param}\``;
    report({code: 'unknown-param', message, hint: () => didYouMean(param, known), path: [...path, param], at: 'key'});
  }
  for (const param of known) {
    if (Object.hasOwn(given, param) || stage.params[param]?.['default'] !== undefined) continue;
    const about = stage.params[param]?.about;
    const message = `node \`${path[1]}\` gives no value for the param \`${param}\` of stage \`${stage.name}\``;
    report({code: 'missing-param', message, ...(about ? {hint: `\`${param}\`: ${about}`} : {}), path, at: 'key'});
  }
}

function defaultsBeside(given: JsonObject, stage: StageDeclaration): JsonObject {
  const defaults: Record<string, Json> = {};
  for (const [param, {default: value}] of Object.entries(stage.params))
    if (value !== undefined && !Object.hasOwn(given, param)) defaults[param] = value;
  return defaults;
}
