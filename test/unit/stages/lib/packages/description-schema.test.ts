import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {DESCRIPTION_SCHEMA} from '../../../../../stages/lib/packages/description-schema.ts';

it('is the schema that is published', () => {
  expect(JSON.parse(readFileSync('schemas/model.schema.json', 'utf8'))).toEqual(DESCRIPTION_SCHEMA);
});
