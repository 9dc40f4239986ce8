import {readdirSync, readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {Ajv2020} from 'ajv/dist/2020.js';

const folder = fileURLToPath(new URL('../../schemas/', import.meta.url));
const ajv = new Ajv2020({
  strict: true,
  strictTuples: false,
  allErrors: true,
  allowUnionTypes: true,
  // What messages of pipeline.yaml say.
  keywords: ['expects'],
  formats: {'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/},
});
for (const file of readdirSync(folder)) ajv.addSchema(JSON.parse(readFileSync(folder + file, 'utf8')) as object);

/** What `schemas/<name>.schema.json`, or one of its definitions, has against the value. */
export function errorsOf(name: string, value: unknown, definition?: string): readonly string[] {
  const validate = ajv.getSchema(`urn:mixdown:${name}:1${definition === undefined ? '' : `#/$defs/${definition}`}`);
  if (validate === undefined) throw new Error(`There is no such definition in schemas/${name}.schema.json`);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({instancePath, message}) => `${instancePath} ${message}`);
}

export function linesOf(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]));
}
