import {didYouMean} from '../core/closest.ts';
import type {Json, JsonObject} from '../core/json.ts';
import type {Variant} from '../core/matrix.ts';
import type {StageDeclaration} from '../core/stage.ts';
import type {ParamChecker} from './param-checker.ts';
import {variantLookUp, type PerVariant, type Scope} from './scope.ts';
import {compileTemplate, evaluate, type Resolve, type Template} from './template.ts';

/** The params of a stage node: defaults filled in, checked against the declaration. */
export function readParams(
  name: string,
  written: JsonObject,
  stage: StageDeclaration,
  resolve: Resolve,
  scope: Scope & {readonly params: ParamChecker | undefined},
): PerVariant<JsonObject> {
  const {report} = scope;
  const path = ['nodes', name, 'params'];
  const known = Object.keys(stage.params);
  const templates: (readonly [string, Template])[] = [];
  for (const [param, value] of Object.entries(written)) {
    if (!Object.hasOwn(stage.params, param)) {
      const message = `stage \`${stage.name}\` has no param \`${param}\``;
      report({code: 'unknown-param', message, hint: () => didYouMean(param, known), path: [...path, param], at: 'key'});
      continue;
    }
    const template = compileTemplate(value ?? null, [...path, param], resolve, report);
    if (template) templates.push([param, template]);
  }
  for (const param of known) {
    if (Object.hasOwn(written, param) || stage.params[param]?.['default'] !== undefined) continue;
    const about = stage.params[param]?.about;
    const message = `node \`${name}\` gives no value for the param \`${param}\` of stage \`${stage.name}\``;
    report({code: 'missing-param', message, ...(about ? {hint: `\`${param}\`: ${about}`} : {}), path, at: 'key'});
  }
  const defaults: Record<string, Json> = {};
  for (const param of known) {
    const value = stage.params[param]?.['default'];
    if (value !== undefined && !Object.hasOwn(written, param)) defaults[param] = value;
  }
  const complete = (variant: Variant): JsonObject => {
    const lookUp = variantLookUp(variant);
    const given: Record<string, Json> = {};
    for (const [param, template] of templates) given[param] = evaluate(template, lookUp);
    for (const problem of scope.params?.check(stage, given, path) ?? []) report(problem);
    return {...defaults, ...given};
  };
  if (templates.some(([, template]) => template.kind !== 'constant')) return complete;
  const constant = complete({});
  return () => constant;
}
