import {readFileSync} from 'node:fs';
import type {ErrorObject} from 'ajv/dist/2020.js';
import type {Failure} from '../core/failure.ts';
import {isObject, type Json} from '../core/json.ts';
import {err, ok, type Result} from '../core/result.ts';
import {Problems} from './problem.ts';
import {isRemoteSecret, refineRemote} from './remote-problem.ts';
import {reportProblems} from './report.ts';
import {schemaProblems} from './schema-problem.ts';
import {parseYaml, type YamlText} from './yaml-text.ts';

/** A user's configuration file. */
export interface UserConfig {
  /** `cache.remote`, of which nothing is checked yet. */
  readonly remote?: Json;
  /** What is wrong with the file, with the places of the mistakes; empty when nothing is that a schema can tell. */
  readonly explain: () => Promise<readonly Failure[]>;
}

/**
 * Reads the text of a user's configuration file. It is checked without a schema, since Ajv would cost a small build as much
 * again; only mistakes are told with its help.
 */
export async function readUserConfig(text: string, file: string): Promise<Result<UserConfig>> {
  const yaml = await parseYaml(text);
  const {value} = yaml;
  const explain = (): Promise<readonly Failure[]> => mistakesOf(text, file, yaml);
  if (value === undefined) return err(await explain());
  if (value === null) return ok({explain});
  if (!hasOnly(value, 'cache')) return err(await explain());
  const cache = value.cache ?? null;
  if (cache === null) return ok({explain});
  if (!hasOnly(cache, 'remote')) return err(await explain());
  const {remote} = cache;
  return ok({explain, ...(remote === undefined || remote === null ? {} : {remote})});
}

function hasOnly<K extends string>(value: Json, key: K): value is {readonly [name in K]?: Json} {
  return isObject(value) && Object.keys(value).every((name) => name === key);
}

async function mistakesOf(text: string, file: string, yaml: YamlText): Promise<readonly Failure[]> {
  const problems = new Problems();
  const {value} = yaml;
  for (const problem of yaml.problems) problems.add(problem);
  if (value !== undefined) {
    const {Ajv2020} = await import('ajv/dist/2020.js');
    // The folder depth is the same under src/ and dist/.
    const schema = readFileSync(new URL('../../schemas/config.schema.json', import.meta.url), 'utf8');
    const ajv = new Ajv2020({allErrors: true, verbose: true, strict: false, addUsedSchema: false});
    const validate = ajv.compile(JSON.parse(schema) as object);
    if (!validate(value)) {
      const found = schemaProblems(validate.errors as ErrorObject[], [], {
        whole: 'the configuration',
        isSecret: isRemoteSecret,
      });
      for (const problem of found) problems.add(refineRemote(problem, value));
    }
  }
  return reportProblems(problems, {text, file, yaml, origins: [], merged: value});
}
