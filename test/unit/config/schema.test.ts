import {Ajv2020} from 'ajv/dist/2020.js';
import {readFileSync} from 'node:fs';
import {expect, test} from 'vitest';

interface Schema {
  readonly examples?: readonly unknown[];
  readonly description?: string;
  readonly [key: string]: unknown;
}

const schema = JSON.parse(
  readFileSync(new URL('../../../schemas/pipeline.schema.json', import.meta.url), 'utf8'),
) as Schema;

/** Every schema inside with its JSON pointer. */
function subschemas(value: unknown, pointer: string): (readonly [string, Schema])[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, member]) =>
    key === 'examples' ? [] : subschemas(member, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
  return Array.isArray(value) ? inner : [[pointer, value as Schema], ...inner];
}

const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allowUnionTypes: true,
  keywords: ['expects'],
});

test('is a JSON Schema of draft 2020-12', () => {
  expect(ajv.validateSchema(schema)).toBe(true);
  expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
});

test('has examples that fit', () => {
  ajv.addSchema(schema, 'pipeline');
  const withExamples = subschemas(schema, '#').filter(([, {examples}]) => Array.isArray(examples));
  expect(withExamples.length).toBeGreaterThan(15);
  for (const [pointer, {examples = []}] of withExamples) {
    for (const example of examples)
      expect([pointer, example, ajv.validate({$ref: `pipeline${pointer}`}, example)]).toEqual([pointer, example, true]);
  }
});

test('describes every key that a pipeline may have', () => {
  const {properties, $defs} = schema as {
    properties: Record<string, Schema>;
    $defs: Record<string, {properties?: Record<string, Schema>}>;
  };
  const tables = [
    properties,
    ...['source', 'stageNode', 'commandNode', 'resources', 'matrix'].map((name) => $defs[name]?.properties ?? {}),
  ];
  const titleOf = (property: Schema): unknown =>
    property['title'] ?? $defs[String(property['$ref']).split('/').at(-1) ?? '']?.['title' as 'properties'];
  for (const [key, property] of tables.flatMap((table) => Object.entries(table)))
    expect([key, typeof titleOf(property)]).toEqual([key, 'string']);
});
