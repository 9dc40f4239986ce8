import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {resolve} from 'node:path';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';
import type {Credentials} from './settings.ts';

/** The value of the Authorization header. Only the place of the secret is named in messages. */
export async function authorizationOf(
  {scheme, secret}: Credentials,
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
): Promise<Result<string>> {
  let text: string | undefined;
  let place: string;
  if ('env' in secret) {
    place = `the environment variable ${secret.env}`;
    text = env[secret.env];
  } else {
    place = secret.file;
    const path = secret.file.startsWith('~/') ? homedir() + secret.file.slice(1) : resolve(folder, secret.file);
    text = await readFile(path, 'utf8').catch(() => undefined);
  }
  const value = text?.trim() ?? '';
  if (scheme === 'bearer' ? /^[\x21-\x7e]+$/.test(value) : /^[^\0-\x1f\x7f]*:[^\0-\x1f\x7f]*$/.test(value)) {
    return ok(scheme === 'bearer' ? `Bearer ${value}` : `Basic ${Buffer.from(value).toString('base64')}`);
  }
  const problem = value === '' ? 'is not there or empty' : 'holds something else';
  return err([
    failure('remote-config', `${place}, which is to hold the ${nounOf[scheme]} of the remote cache, ${problem}`),
  ]);
}

const nounOf = {bearer: 'token', basic: '`user:password`'} as const;
