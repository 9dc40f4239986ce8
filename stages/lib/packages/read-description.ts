import {readFileSync} from 'node:fs';
import {Ajv2020} from 'ajv/dist/2020.js';
import {StageError} from 'mixdown/stage';
import {DESCRIPTION_SCHEMA} from './description-schema.ts';
import {PACKAGE_FILES, PACKAGE_TYPE, type PackageDescription} from './description.ts';

/** Where the files of a package lie; undefined for one that it does not have. */
export type PackagePlace = (path: string) => string | undefined;

/** Reads and checks a package's `mixdown.json`. Throws StageError when it is none, or of another version. */
export function readDescription(place: PackagePlace): PackageDescription {
  const file = PACKAGE_FILES.description;
  const path = place(file);
  if (path === undefined) {
    throw new StageError(`the model is no model package: it has no ${file}`, 'stage export-model makes one');
  }
  const value = parse(path);
  const type = (value as {type?: unknown} | null)?.type;
  if (type !== PACKAGE_TYPE) {
    const found = typeof type === 'string' ? `is of type \`${type}\`` : 'has no type';
    throw new StageError(`${file} of the model ${found}; this version of mixdown reads \`${PACKAGE_TYPE}\``);
  }
  const validate = new Ajv2020({strict: true}).compile(DESCRIPTION_SCHEMA);
  if (validate(value)) return value as unknown as PackageDescription;
  const {instancePath = '', message = 'is wrong', params = {}} = validate.errors?.[0] ?? {};
  const values: readonly unknown[] = Object.values(params);
  const detail = values.find((value): value is string => typeof value === 'string' && !message.includes(value));
  const told = detail === undefined ? message : `${message} (${detail})`;
  throw new StageError(`${file} of the model is damaged: ${instancePath || 'it'} ${told}`, 'export the model again');
}

function parse(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new StageError(`${PACKAGE_FILES.description} of the model is not JSON`, 'export the model again');
  }
}
