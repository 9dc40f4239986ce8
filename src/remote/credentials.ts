import {createPrivateKey} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {err, ok, type Result} from '../core/result.ts';
import type {Credentials, SecretPlace} from './secret-place.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The value of the Authorization header; else why there is none. Only the place of the secret is named in messages. */
export async function authorizationOf(
  {scheme, secret}: Credentials,
  env: Environment,
): Promise<Result<string, string>> {
  const value = (await secretText(secret, env)).trim();
  if (scheme === 'bearer' ? /^[\x21-\x7e]+$/.test(value) : /^[^\0-\x1f\x7f]*:[^\0-\x1f\x7f]*$/.test(value)) {
    return ok(scheme === 'bearer' ? `Bearer ${value}` : `Basic ${Buffer.from(value).toString('base64')}`);
  }
  return err(lackText(secret, `the ${nounOf[scheme]} of the remote cache`, value));
}

const nounOf = {bearer: 'token', basic: '`user:password`'} as const;

/** The private key as PKCS #8 PEM; else why there is none. */
export async function signingKeyOf(place: SecretPlace, env: Environment): Promise<Result<string, string>> {
  // Some places hold one line only.
  const text = (await secretText(place, env)).replaceAll(String.raw`\n`, '\n').trim();
  return isSigningKey(text) ? ok(text) : err(lackText(place, 'the Ed25519 key that signs results', text));
}

/** Whether it is the PEM of an Ed25519 private key, without a password. */
function isSigningKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

/** Path of the file that holds a secret; undefined when no file does. */
export function secretFile(place: SecretPlace): string | undefined {
  if ('env' in place) return undefined;
  return place.file.startsWith('~/') ? homedir() + place.file.slice(1) : place.file;
}

/** What is kept at a place; empty when nothing is. */
async function secretText(place: SecretPlace, env: Environment): Promise<string> {
  if ('env' in place) return env[place.env] ?? '';
  return readFile(secretFile(place) ?? '', 'utf8').catch(() => '');
}

function lackText(place: SecretPlace, what: string, text: string): string {
  const where = 'env' in place ? `the environment variable ${place.env}` : place.file;
  return `${where}, which is to hold ${what}, ${text === '' ? 'is not there or empty' : 'holds something else'}`;
}
