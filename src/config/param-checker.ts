import type {ErrorObject, ValidateFunction} from 'ajv/dist/2020.js';
import type {JsonObject} from '../core/json.ts';
import type {StageDeclaration} from '../core/stage.ts';
import type {Path, Problem} from './problem.ts';
import {schemaProblems} from './schema-problem.ts';

/** Checks the params that nodes give to stages against the stages' declarations. */
export interface ParamChecker {
  check(stage: StageDeclaration, params: JsonObject, path: Path): readonly Problem[];
}

/** Loads Ajv, which takes as long as everything else in a build with nothing to do: callers remember a clean check. */
export async function createParamChecker(): Promise<ParamChecker> {
  const {Ajv2020} = await import('ajv/dist/2020.js');
  const ajv = new Ajv2020({allErrors: true, verbose: true, strict: false, validateSchema: false});
  const compiled = new Map<string, ValidateFunction>();
  return {
    check(stage, params, path) {
      let validate = compiled.get(stage.name);
      if (!validate) {
        validate = ajv.compile(paramSchema(stage));
        compiled.set(stage.name, validate);
      }
      if (validate(params)) return [];
      return schemaProblems(validate.errors as ErrorObject[], path).map((problem) => ({...problem, code: 'bad-value'}));
    },
  };
}

/** The declared params as one JSON Schema, without what is not of JSON Schema. */
export function paramSchema({params}: Pick<StageDeclaration, 'params'>): object {
  const properties = Object.entries(params).map(
    ([param, {about: _about, heldOut: _heldOut, ...schema}]) => [param, schema] as const,
  );
  return {type: 'object', properties: Object.fromEntries(properties)};
}
