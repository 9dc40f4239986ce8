import {didYouMean} from '../core/closest.ts';
import {failure, type Failure} from '../core/failure.ts';
import {isObject, type Json} from '../core/json.ts';
import {err, ok, type Result} from '../core/result.ts';
import {fileURLToPath} from 'node:url';
import {readAddress} from './address.ts';
import {readNamespace, readNamespaces, readTrust, type Trust} from './namespaces.ts';
import {mistake, right, type Reading} from './reading.ts';
import {readCredentials, readSign, type Credentials, type SecretPlace} from './secret-place.ts';

export const remoteModes = ['read-write', 'read-only', 'write-only'] as const;
export type RemoteMode = (typeof remoteModes)[number];

export interface RemoteSettings {
  /** `http:`, `https:` or `file:`. */
  readonly url: URL;
  readonly mode: RemoteMode;
  /** Of the host of `url`, and for no other. */
  readonly credentials?: Credentials;
  /** Where results are written, and looked for first. */
  readonly namespace: string;
  /** Namespaces that are read besides, in this order. */
  readonly read: readonly string[];
  /** For namespaces whose results must be signed, by name or pattern (`pr-*`): public keys by the name of their builder. */
  readonly trust: Trust;
  /** Place of the private key that signs what is written. */
  readonly sign?: SecretPlace;
  /** Part of the names of records: another one, and nothing of before is found. */
  readonly salt: string;
  /** Share of the results found that are made again to see whether they are right: 0 ... 1. */
  readonly recheck: number;
  /** What people are to know the maker of results by. */
  readonly builder?: string;
}

/** What one file says. */
export type RemoteSection = Partial<RemoteSettings>;

/** The namespace without a name of its own in addresses. */
const defaultNamespace = 'default';

/** What holds where a configuration says nothing. */
export const plainSettings = {
  mode: 'read-write',
  namespace: defaultNamespace,
  read: [],
  trust: {},
  salt: '',
  recheck: 0,
} as const;

/**
 * Reads the `remote` part of a configuration. Every mistake is told at once.
 *
 * @param where - what is read, for messages: `pipeline.yaml`
 * @param folder - as a `file:` URL that ends in a slash: what a relative path starts at
 */
export function readRemote(section: Json, where: string, folder: URL): Result<RemoteSection> {
  const failures: Failure[] = [];
  const refuse = (message: string, hint?: string): void => {
    failures.push(failure('remote-config', `${where}: ${message}`, hint === undefined ? {} : {hint}));
  };
  if (!isObject(section)) {
    refuse('`cache.remote` is no mapping', 'for instance `remote: {url: https://cache.example.org/mixdown}`');
    return err(failures);
  }
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(section)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(readers, key)) {
      refuse(`\`cache.remote\` has the unknown key \`${key}\``, didYouMean(key, Object.keys(readers)));
      continue;
    }
    const reading = readers[key as keyof RemoteSection](value, folder);
    if (reading.ok) found[key] = reading.value;
    else refuse(reading.message, reading.hint);
  }
  if ('credentials' in section && !('url' in section)) {
    // Else another file could name the host that they are sent to.
    refuse('`credentials` are without a `url`', 'write the address beside them: they are sent to its host alone');
  }
  return failures.length > 0 ? err(failures) : ok(found);
}

const readers: {
  readonly [K in keyof RemoteSection]-?: (value: Json, folder: URL) => Reading<NonNullable<RemoteSection[K]>>;
} = {
  url: (value, folder) =>
    typeof value === 'string' ? readAddress(value, folder) : mistake('the `url` of the remote cache is a text'),
  mode: (value) =>
    isMode(value)
      ? right(value)
      : mistake(
          `the mode of a remote cache is ${remoteModes.join(', ')}`,
          typeof value === 'string' ? didYouMean(value, remoteModes) : undefined,
        ),
  credentials: (value, folder) => readCredentials(value, absoluteIn(folder)),
  namespace: readNamespace,
  read: readNamespaces,
  trust: readTrust,
  sign: (value, folder) => readSign(value, absoluteIn(folder)),
  salt: (value) =>
    typeof value === 'string'
      ? right(value)
      : mistake('`salt` is a text', 'put it in quotes, for instance `salt: "2"`'),
  recheck: readShare,
  builder: (value) =>
    typeof value === 'string' && /^[^\p{Cc}]{1,100}$/u.test(value) && value.trim() !== ''
      ? right(value)
      : mistake('`builder` is a name of up to 100 characters, on one line', 'for instance `builder: ci`'),
};

export function isMode(value: unknown): value is RemoteMode {
  return remoteModes.includes(value as RemoteMode);
}

/** `1%`, or 0.01. */
function readShare(value: Json): Reading<number> {
  const percent = typeof value === 'string' ? /^(100(?:\.0+)?|\d{1,2}(?:\.\d+)?) ?%$/.exec(value)?.[1] : undefined;
  const share = percent === undefined ? value : Number(percent) / 100;
  if (typeof share === 'number' && share >= 0 && share <= 1) return right(share);
  const hint =
    typeof value === 'number' && value > 1 && value <= 100 ? `for ${value} of 100: \`${value}%\`` : undefined;
  return mistake('`recheck` is a share from 0% to 100%, or from 0 to 1', hint ?? 'for instance `recheck: 1%`');
}

function absoluteIn(folder: URL): (path: string) => string {
  return (path) => fileURLToPath(new URL(path.split('/').map(encodeURIComponent).join('/'), folder));
}
