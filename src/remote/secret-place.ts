import {isObject, type Json} from '../core/json.ts';
import {mistake, right, type Reading} from './reading.ts';

/** Where a secret is kept; never the secret itself. A file is absolute, or starts with `~/`. */
export type SecretPlace = {readonly env: string} | {readonly file: string};

export interface Credentials {
  readonly scheme: 'bearer' | 'basic';
  readonly secret: SecretPlace;
}

/** @param absolute - makes a path absolute */
export function readCredentials(section: Json, absolute: (path: string) => string): Reading<Credentials> {
  const entries = isObject(section) ? Object.entries(section) : [];
  const [scheme, place] = entries[0] ?? [];
  if (entries.length !== 1 || (scheme !== 'bearer' && scheme !== 'basic') || place === undefined) {
    return mistake('`credentials` is {bearer: PLACE} or {basic: PLACE}', credentialsHint);
  }
  const secret = readPlace(place, absolute);
  return secret === undefined ? mistake(placeForm, credentialsHint) : right({scheme, secret});
}

/** Place of the private key. */
export function readSign(section: Json, absolute: (path: string) => string): Reading<SecretPlace> {
  const place = readPlace(section, absolute);
  if (place !== undefined) return right(place);
  return mistake(
    `\`sign\` names the place of the private key; ${placeForm}`,
    'for instance `sign: {env: MIXDOWN_KEY}`',
  );
}

function readPlace(section: Json, absolute: (path: string) => string): SecretPlace | undefined {
  if (!isObject(section) || Object.keys(section).length !== 1) return undefined;
  const {env, file} = section;
  if (typeof env === 'string' && /^[^=\0]+$/.test(env)) return {env};
  if (typeof file !== 'string' || file === '') return undefined;
  return {file: file.startsWith('~/') ? file : absolute(file)};
}

const placeForm = 'the place of a secret is {env: NAME} or {file: PATH}';
const credentialsHint =
  'for instance `credentials: {bearer: {env: CACHE_TOKEN}}`; of `basic` the secret is `user:password`';
