import {generateKeyPairSync} from 'node:crypto';
import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import type {ActionResult} from '../../../src/core/action.ts';
import type {Failure} from '../../../src/core/failure.ts';
import {openRemote} from '../../../src/remote/open.ts';
import type {RemoteClient} from '../../../src/remote/remote-cache.ts';
import {exposedKey, readSecrets} from '../../../src/remote/secrets.ts';
import {plainSettings, type RemoteSection, type RemoteSettings} from '../../../src/remote/settings.ts';
import {readResult} from '../../../src/store/action-cache.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';
import {aFile, anAction, aResult} from '../../support/store-records.ts';

const never = new AbortController().signal;
const pem = String(generateKeyPairSync('ed25519').privateKey.export({type: 'pkcs8', format: 'pem'})).trim();
const someKey = 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
const credentials = {scheme: 'bearer', secret: {env: 'TOKEN'}} as const;

interface Machine {
  readonly store: OpenedStore;
  readonly client: RemoteClient;
  readonly warnings: Failure[];
}

/** A server that only reads without a token. */
async function closedServer(toRead = false): Promise<CacheServer> {
  const server = await cacheServer();
  server.fault = (request, response) => {
    if (request.headers.authorization === 'Bearer abc' || (request.method !== 'PUT' && !toRead)) return false;
    request.resume();
    return Boolean(response.writeHead(401).end());
  };
  return server;
}

async function machine({url}: CacheServer, section: RemoteSection, env: Record<string, string> = {}): Promise<Machine> {
  const store = openedStore(tempFolder());
  const warnings: Failure[] = [];
  const settings: RemoteSettings = {...plainSettings, ...section, url};
  const {cas, actions, takePartial} = store;
  const client = openRemote({
    ...(await readSecrets(settings, env)),
    settings,
    cas,
    actions,
    takePartial,
    now: () => 0,
    warn: (failure) => warnings.push(failure),
    parseResult: readResult,
  });
  onTestFinished(() => client.close());
  return {store, client, warnings};
}

/** Gives some new results away. */
async function share({store, client}: Machine, count = 1): Promise<readonly ActionResult[]> {
  const results: ActionResult[] = [];
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.from(`${index}${'x'.repeat(index * 100_000)}`);
    const result = aResult({patches: aFile(await store.cas.putBytes(bytes))}, anAction({seed: index}));
    await store.actions.put(result);
    client.share(result);
    results.push(result);
  }
  await client.finish(never);
  return results;
}

describe('without the credentials that are named', () => {
  it('nothing is written, with one warning that names their place', async () => {
    const server = await closedServer();
    const it = await machine(server, {credentials});
    await share(it, 4);
    expect(server.entries.size).toBe(0);
    expect(server.seen.filter(({line}) => line.startsWith('PUT'))).toEqual([]);
    expect(it.warnings).toHaveLength(1);
    expect(it.warnings[0]!.message).toMatch(/^writing to .* ended in this run: the environment variable TOKEN/);
    expect(it.warnings[0]!.hint).toContain('MIXDOWN_CACHE=read-only');
    // Also those that came when the writing had ended.
    await share(it, 2);
    expect(await it.client.finish(never)).toMatchObject({results: 0, failed: 6});
    expect(it.warnings).toHaveLength(1);
  });

  it('results are found as ever, and nothing is said', async () => {
    const server = await closedServer();
    const [result] = await share(await machine(server, {credentials}, {TOKEN: 'abc'}));
    const reader = await machine(server, {credentials});
    await reader.client.findResults([result!.fingerprint]);
    expect(reader.store.actions.get(result!.fingerprint)).toBeDefined();
    expect(reader.warnings).toEqual([]);
  });

  it('a server that lets nobody read says why', async () => {
    const reader = await machine(await closedServer(true), {credentials, mode: 'read-only'});
    await reader.client.findResults([aResult().fingerprint]);
    expect(reader.warnings).toHaveLength(1);
    expect(reader.warnings[0]!.message).toMatch(
      /reading from .* 401.*; the environment variable TOKEN, .* is not there/,
    );
  });
});

describe('without the signing key that is named', () => {
  const sign = {env: 'KEY'};

  it.each([['main'], ['m*']])('nothing is written where readers want a signature: %s', async (trusted) => {
    const server = await cacheServer();
    const it = await machine(server, {sign, namespace: 'main', trust: {[trusted]: {ci: someKey}}});
    await share(it, 3);
    expect(server.entries.size).toBe(0);
    expect(it.warnings.map(({message}) => message)).toEqual([expect.stringContaining('the environment variable KEY')]);
    expect(it.warnings[0]!.hint).toMatch(/^Put it there; `mixdown cache key` makes one/);
  });

  it('results go unsigned elsewhere, with one warning once there are any', async () => {
    const server = await cacheServer();
    const it = await machine(server, {sign, namespace: 'pr-1', trust: {main: {ci: someKey}}});
    expect(it.warnings).toEqual([]);
    await share(it, 3);
    expect(server.entries.size).toBe(6);
    expect(it.warnings.map(({message}) => message)).toEqual([
      'results are sent unsigned: the environment variable KEY, which is to hold the Ed25519 key that signs results, is not there or empty',
    ]);
  });
});

describe('secrets', () => {
  const url = new URL('https://one.example/');

  it('that are there are handed on; credentials only to a server', async () => {
    const env = {TOKEN: 'abc', KEY: pem};
    const settings = {...plainSettings, url, credentials, sign: {env: 'KEY'}};
    expect(await readSecrets(settings, env)).toEqual({authorization: 'Bearer abc', signingKey: pem, lacks: []});
    const folder = {...settings, url: new URL('file:///mnt/')};
    expect(await readSecrets(folder, env)).toEqual({signingKey: pem, lacks: []});
    expect(await readSecrets({...plainSettings, url}, env)).toEqual({lacks: []});
  });

  it('in a key file that others may read are worth a remark', () => {
    const file = join(tempFolder(), 'key.pem');
    writeFileSync(file, pem);
    for (const mode of [0o640, 0o604, 0o644]) {
      chmodSync(file, mode);
      expect(exposedKey({sign: {file}})).toMatchObject({hint: `chmod 600 ${file}`});
    }
    chmodSync(file, 0o600);
    expect(exposedKey({sign: {file}})).toBeUndefined();
    expect(exposedKey({sign: {env: 'KEY'}})).toBeUndefined();
    expect(exposedKey({sign: {file: `${file}.gone`}})).toBeUndefined();
    expect(exposedKey({})).toBeUndefined();
  });
});
