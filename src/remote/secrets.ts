import {statSync} from 'node:fs';
import {failure, type Failure} from '../core/failure.ts';
import {ok} from '../core/result.ts';
import {authorizationOf, secretFile, signingKeyOf, type Environment} from './credentials.ts';
import {trustedIn} from './namespaces.ts';
import type {RemoteSettings} from './settings.ts';

/** What a process holds of the secrets that its settings name. */
export interface Secrets {
  /** Value of the Authorization header. */
  readonly authorization?: string;
  /** PKCS #8 PEM of an Ed25519 key. */
  readonly signingKey?: string;
  /** Those that are named and not there. */
  readonly lacks: readonly Lack[];
}

/** A secret that is not there. */
export interface Lack {
  readonly secret: 'credentials' | 'signing key';
  /** Names its place. */
  readonly message: string;
  /** Whether nothing is written without it; reading goes on in any case. */
  readonly needed: boolean;
}

/** Reads the secrets. That one is not there is told by those who need it: many who only read have none. */
export async function readSecrets(
  {url, credentials, sign, trust, namespace}: RemoteSettings,
  env: Environment,
): Promise<Secrets> {
  const toServer = url.protocol !== 'file:';
  const authorization = credentials && toServer ? await authorizationOf(credentials, env) : ok(undefined);
  const signingKey = sign ? await signingKeyOf(sign, env) : ok(undefined);
  const lacks: Lack[] = [];
  if (!authorization.ok) lacks.push({secret: 'credentials', message: authorization.error, needed: true});
  if (!signingKey.ok) {
    const needed = trustedIn(trust, namespace) !== undefined;
    lacks.push({secret: 'signing key', message: signingKey.error, needed});
  }
  return {
    ...(authorization.ok && authorization.value !== undefined ? {authorization: authorization.value} : {}),
    ...(signingKey.ok && signingKey.value !== undefined ? {signingKey: signingKey.value} : {}),
    lacks,
  };
}

/** A remark when others on this machine may read the file of the private key. */
export function exposedKey({sign}: Pick<RemoteSettings, 'sign'>): Failure | undefined {
  const file = sign && secretFile(sign);
  const mode = file === undefined ? undefined : statSync(file, {throwIfNoEntry: false})?.mode;
  if (file === undefined || mode === undefined || (mode & 0o077) === 0) return undefined;
  const message = `others on this machine may use the key ${file}, which signs results`;
  return failure('remote-config', message, {hint: `chmod 600 ${file}`});
}
