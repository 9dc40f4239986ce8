import {isObject, type Json} from '../core/json.ts';
import {failure} from '../core/failure.ts';
import {err, ok, type Result} from '../core/result.ts';

export const remoteModes = ['read-write', 'read-only', 'write-only'] as const;
export type RemoteMode = (typeof remoteModes)[number];

/** Where a secret is kept; never the secret itself. */
export type SecretPlace = {readonly env: string} | {readonly file: string};

export type Credentials =
  {readonly scheme: 'bearer'; readonly secret: SecretPlace} | {readonly scheme: 'basic'; readonly secret: SecretPlace};

export interface RemoteSettings {
  /** `http:`, `https:` or `file:`. */
  readonly url: URL;
  readonly mode: RemoteMode;
  readonly credentials?: Credentials;
  /** Where results are written, and looked for first. */
  readonly namespace: string;
  /** Namespaces that are read besides, in this order. */
  readonly read: readonly string[];
  /** For namespaces whose results must be signed, by name or pattern (`pr-*`): public keys by the name of their builder. */
  readonly trust: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Place of the private key that signs what is written. */
  readonly sign?: SecretPlace;
  /** Part of the names of records: another one, and nothing of before is found. */
  readonly salt: string;
  /** Share of the results found that are made again to see whether they are right: 0 ... 1. */
  readonly recheck: number;
}

/** The namespace without a name of its own in addresses. */
const defaultNamespace = 'default';

/** What holds where a configuration says nothing. */
export const plainSettings = {namespace: defaultNamespace, read: [], trust: {}, salt: '', recheck: 0} as const;

/**
 * Reads the `remote` part of a configuration.
 *
 * @param where - what is read, for messages: `pipeline.yaml`
 * @param folder - as a `file:` URL that ends in a slash: what a relative path starts at
 */
export function readRemote(section: Json, where: string, folder: URL): Result<RemoteSettings> {
  if (!isObject(section)) return bad(`${where}: \`cache.remote\` is no mapping with a \`url\``);
  const {url: text, mode = 'read-write', credentials: secret, ...rest} = section;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return bad(`${where}: \`cache.remote\` has the unknown key \`${unknown}\``);
  if (typeof text !== 'string') return bad(`${where}: \`cache.remote\` lacks a \`url\``);
  if (!isMode(mode)) return bad(`${where}: the mode of a remote cache is ${remoteModes.join(', ')}`);
  const url = readRemoteUrl(text, where, folder);
  if (!url.ok) return url;
  if (secret === undefined) return ok({...plainSettings, url: url.value, mode});
  const credentials = readCredentials(secret, where);
  return credentials.ok ? ok({...plainSettings, url: url.value, mode, credentials: credentials.value}) : credentials;
}

/** An address, or the path of a folder. The text itself is in no message: it may hold a password. */
export function readRemoteUrl(text: string, where: string, folder: URL): Result<URL> {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    const path = text.split('/').map(encodeURIComponent).join('/');
    return ok(new URL(path, folder));
  }
  if (!URL.canParse(text)) return bad(`${where}: the address of the remote cache is not understood`);
  const url = new URL(text);
  if (!['http:', 'https:', 'file:'].includes(url.protocol)) {
    return bad(`${where}: a remote cache is reached by http, https or a folder, not by ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return bad(
      `${where}: the address of the remote cache holds more than a host and a path`,
      'name the place of a password or token under `credentials`',
    );
  }
  return ok(url);
}

export function isMode(value: unknown): value is RemoteMode {
  return remoteModes.includes(value as RemoteMode);
}

function readCredentials(section: Json, where: string): Result<Credentials> {
  const entries = isObject(section) ? Object.entries(section) : [];
  const [scheme, place] = entries[0] ?? [];
  if (entries.length !== 1 || (scheme !== 'bearer' && scheme !== 'basic') || !isObject(place)) {
    return bad(`${where}: \`credentials\` is {bearer: PLACE} or {basic: PLACE}`, placeHint);
  }
  const {env, file} = place;
  if (Object.keys(place).length !== 1 || typeof (env ?? file) !== 'string') {
    return bad(`${where}: the place of a secret is {env: NAME} or {file: PATH}`, placeHint);
  }
  return ok({scheme, secret: env === undefined ? {file: file as string} : {env: env as string}});
}

const placeHint = 'for instance `credentials: {bearer: {env: CACHE_TOKEN}}`; of `basic` the secret is `user:password`';

function bad(message: string, hint?: string): ReturnType<typeof err<readonly ReturnType<typeof failure>[]>> {
  return err([failure('remote-config', message, hint === undefined ? {} : {hint})]);
}
