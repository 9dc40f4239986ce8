import {chmodSync, existsSync, readdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {templateKey, type ActionResult, type SliceManifest} from '../../../src/core/action.ts';
import {digestOf, type Digest} from '../../../src/core/digest.ts';
import type {Failure} from '../../../src/core/failure.ts';
import {canonicalJson, type Json} from '../../../src/core/json.ts';
import {makeTree} from '../../../src/core/tree.ts';
import {httpTransport} from '../../../src/remote/http-transport.ts';
import {RemoteClient} from '../../../src/remote/remote-cache.ts';
import {plainSettings, type RemoteMode} from '../../../src/remote/settings.ts';
import {Steady} from '../../../src/remote/steady.ts';
import {readResult} from '../../../src/store/action-cache.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';
import {aFile, anAction, aResult} from '../../support/store-records.ts';

const never = new AbortController().signal;

interface Machine {
  readonly store: OpenedStore;
  readonly client: RemoteClient;
  readonly warnings: Failure[];
}

/** One of the machines that share a server. */
function machine(server: CacheServer, mode: RemoteMode = 'read-write'): Machine {
  const store = openedStore(tempFolder());
  const warnings: Failure[] = [];
  const steady = new Steady({name: 'there', warn: (failure) => warnings.push(failure), random: () => 0, pauseMs: 0});
  const transport = httpTransport({
    base: server.url,
    connections: 8,
    idleMs: 5000,
    minBytesPerSecond: 1000,
    decoders: {},
  });
  const {cas, actions, takePartial} = store;
  const client = new RemoteClient({
    ...plainSettings,
    transport,
    mode,
    steady,
    warn: (failure) => warnings.push(failure),
    trusted: () => undefined,
    isDistrusted: () => false,
    cas,
    actions,
    takePartial,
    parseResult: readResult,
    parallel: 8,
  });
  onTestFinished(() => client.close());
  return {store, client, warnings};
}

const bytesOf = (size: number): Buffer => Buffer.alloc(size, 'abc');

async function aRecord({store}: Machine, size = 10): Promise<ActionResult> {
  const result = aResult({patches: aFile(await store.cas.putBytes(bytesOf(size)))});
  await store.actions.put(result);
  return result;
}

async function shared(server: CacheServer, size?: number): Promise<ActionResult> {
  const maker = machine(server);
  const result = await aRecord(maker, size);
  maker.client.share(result);
  expect(await maker.client.finish(never)).toMatchObject({results: 1, failed: 0});
  return result;
}

const outputOf = (result: ActionResult): Digest => result.outputs['patches']!.digest;
const blobPath = (digest: Digest): string => `/cas/${digest.hash}`;
const lines = (server: CacheServer): string[] => server.seen.splice(0).map(({line}) => line);

describe('a result that another machine gave away', () => {
  it.each([10, 3_000_000])('is found, and its %i bytes come when they are wanted', async (size) => {
    const server = await cacheServer();
    const result = await shared(server, size);
    const {store, client, warnings} = machine(server);
    await client.findResults([result.fingerprint]);
    expect(store.actions.get(result.fingerprint)).toEqual({
      ...result,
      borrowed: {voucher: 'namespace:default', namespace: 'default'},
    });
    expect(client.promises(outputOf(result))).toBe(true);
    expect(store.cas.holds(outputOf(result))).toBe(false);
    await client.fetch([outputOf(result)], never);
    expect(Buffer.from((await store.cas.read(outputOf(result)))!).equals(bytesOf(size))).toBe(true);
    expect(client.promises(outputOf(result))).toBe(false);
    expect(warnings).toEqual([]);
    expect(existsSync(store.layout.tmp) ? readdirSync(store.layout.tmp) : []).toEqual([]);
  });

  it('is asked for once, and its blob is fetched once, whoever wants it', async () => {
    const server = await cacheServer();
    const {fingerprint, ...result} = await shared(server);
    const digest = result.outputs['patches']!.digest;
    const {client} = machine(server);
    lines(server);
    await Promise.all([client.findResults([fingerprint]), client.findResults([fingerprint])]);
    await client.findResults([fingerprint]);
    await Promise.all([client.fetch([digest], never), client.fetch([digest, digest], never)]);
    expect(lines(server)).toEqual([`GET /ac/${fingerprint}`, `GET ${blobPath(digest)}`]);
  });

  it('does not replace one of our own', async () => {
    const server = await cacheServer();
    const theirs = await shared(server);
    const {store, client} = machine(server);
    const ours = {...theirs, metrics: {loss: 0.5}};
    await store.actions.put(ours);
    await client.findResults([theirs.fingerprint]);
    expect(store.actions.get(theirs.fingerprint)).toEqual(ours);
  });

  it('is not looked for in a cache that is only written to, nor given to one that is only read', async () => {
    const server = await cacheServer();
    const result = await shared(server);
    lines(server);
    const writer = machine(server, 'write-only');
    await writer.client.findResults([result.fingerprint]);
    const reader = machine(server, 'read-only');
    reader.client.share(await aRecord(reader));
    await reader.client.finish(never);
    expect(lines(server)).toEqual([]);
  });
});

describe('what is given away', () => {
  it('goes blobs first, the record last', async () => {
    const server = await cacheServer();
    const result = await shared(server, 100_000);
    const seen = lines(server);
    expect(seen).toContain(`HEAD ${blobPath(outputOf(result))}`);
    expect(seen.at(-1)).toBe(`PUT /ac/${result.fingerprint}`);
    expect(seen.indexOf(`PUT ${blobPath(outputOf(result))}`)).toBeGreaterThan(-1);
  });

  it('is a large blob only once', async () => {
    const server = await cacheServer();
    const result = await shared(server, 100_000);
    lines(server);
    await shared(server, 100_000);
    expect(lines(server)).not.toContain(`PUT ${blobPath(outputOf(result))}`);
  });

  it('is no blob that is damaged here, and then no record either', async () => {
    const server = await cacheServer();
    const maker = machine(server);
    const result = await aRecord(maker, 100_000);
    const path = maker.store.cas.pathOf(outputOf(result));
    chmodSync(path, 0o644);
    writeFileSync(path, bytesOf(100_000).fill('x', 7, 8));
    maker.client.share(result);
    expect(await maker.client.finish(never)).toMatchObject({results: 0, failed: 1});
    expect([...server.entries.keys()]).toEqual([]);
  });

  it('is nothing that cannot be looked at here, which costs no run', async () => {
    const server = await cacheServer();
    const maker = machine(server);
    const result = await aRecord(maker);
    const folder = dirname(maker.store.cas.pathOf({hash: result.action.code, size: 0}));
    symlinkSync(folder, folder);
    maker.client.share(result);
    const uploads = await maker.client.finish(never);
    expect(uploads).toMatchObject({results: 0, failed: 1, why: expect.stringContaining('ELOOP')});
  });

  it('stops with an abort', async () => {
    const server = await cacheServer();
    const maker = machine(server);
    const stop = new AbortController();
    server.fault = () => {
      stop.abort();
      return true;
    };
    maker.client.share(await aRecord(maker, 100_000));
    expect(await maker.client.finish(stop.signal)).toMatchObject({results: 0, failed: 1});
    expect(maker.warnings).toEqual([]);
  });

  it('has one warning when there is no room, and reading goes on', async () => {
    const server = await cacheServer();
    const theirs = await shared(server);
    server.fault = (request, response) => {
      if (request.method !== 'PUT') return false;
      request.resume();
      return Boolean(response.writeHead(507).end());
    };
    const maker = machine(server);
    for (const size of [100, 200, 300]) maker.client.share(await aRecord(maker, size));
    await maker.client.finish(never);
    expect(maker.warnings).toMatchObject([{code: 'remote-unavailable', hint: 'Make room there.'}]);
    await maker.client.findResults([theirs.fingerprint]);
    expect(maker.client.promises(outputOf(theirs))).toBe(true);
  });
});

describe('a server that lies', () => {
  const lies: readonly (readonly [what: string, lie: (bytes: Buffer) => Buffer])[] = [
    ['other bytes', (bytes) => Buffer.from(bytes).fill('x', 5, 6)],
    ['more bytes', (bytes) => Buffer.concat([bytes, Buffer.from('more')])],
    ['fewer bytes', (bytes) => bytes.subarray(1)],
    ['no bytes', () => Buffer.alloc(0)],
  ];
  it.each(lies.flatMap(([what, lie]) => [10, 3_000_000].map((size) => [what, size, lie] as const)))(
    'with %s of a blob of %i: nothing of it gets into the store',
    async (_, size, lie) => {
      const server = await cacheServer();
      const result = await shared(server, size);
      const path = blobPath(outputOf(result));
      server.entries.set(path, lie(server.entries.get(path)!));
      const {store, client} = machine(server);
      await client.findResults([result.fingerprint]);
      await client.fetch([outputOf(result)], never);
      expect(store.cas.holds(outputOf(result))).toBe(false);
      expect([...store.blobs.list()]).toEqual([]);
      expect(existsSync(store.layout.tmp) ? readdirSync(store.layout.tmp) : []).toEqual([]);
      // It is not believed a second time, and what is made here replaces it.
      client.promise([outputOf(result)]);
      expect(client.promises(outputOf(result))).toBe(false);
      await store.cas.putBytes(bytesOf(size));
      client.share(result);
      await client.finish(never);
      expect(server.entries.get(path)?.equals(bytesOf(size))).toBe(true);
    },
  );

  it('with a record of another action, or none at all', async () => {
    const server = await cacheServer();
    const result = await shared(server);
    const other = aResult({patches: aFile(digestOf('p'))}, anAction({params: {bands: 7}}));
    const texts = [JSON.stringify(other), JSON.stringify({...result, outputs: {}}), 'half a rec', '[]', ''];
    for (const text of texts) {
      server.entries.set(`/ac/${result.fingerprint}`, Buffer.from(text));
      const {store, client, warnings} = machine(server);
      await client.findResults([result.fingerprint]);
      expect(store.actions.get(result.fingerprint)).toBeUndefined();
      expect(warnings).toMatchObject([{code: 'remote-corrupt'}]);
    }
  });

  it('about a list that is longer than any text', async () => {
    const server = await cacheServer();
    const result = await shared(server);
    const slices = {...outputOf(result), size: 2 ** 30};
    server.entries.set(`/ac/${result.fingerprint}`, Buffer.from(JSON.stringify({...result, slices})));
    const {store, client, warnings} = machine(server);
    await client.findResults([result.fingerprint]);
    expect(store.actions.get(result.fingerprint)).toBeUndefined();
    expect(warnings).toMatchObject([{code: 'remote-corrupt'}]);
    expect(await client.fetchWhole({...result, slices}, never)).toBe(false);
  });

  it.each([
    ['a host', {host: '\u001b]0;lab7\u0007'}],
    ['a run', {runId: 'one\ntwo'}],
    ['a device', {device: 7}],
    ['a time', {startedAt: 'now'}],
  ])('about %s, in a way that no terminal should be shown', async (_, lie) => {
    const server = await cacheServer();
    const result = await shared(server);
    const told = {...result, execution: {...result.execution, ...lie}};
    server.entries.set(`/ac/${result.fingerprint}`, Buffer.from(JSON.stringify(told)));
    const {store, client, warnings} = machine(server);
    await client.findResults([result.fingerprint]);
    expect(store.actions.get(result.fingerprint)).toBeUndefined();
    expect(warnings).toMatchObject([{code: 'remote-corrupt'}]);
  });
});

describe('slices', () => {
  const action = (items: string) =>
    anAction({each: 'item', inputs: {item: digestOf(items)}, outputs: {out: {kind: 'file', name: 'out.txt'}}});

  /** The result of an `each` node over items, all of them already in the store. */
  async function eachResult({store}: Machine, items: readonly string[]): Promise<ActionResult> {
    const slices = [];
    for (const item of items) {
      const digest = await store.cas.putBytes(`made of ${item}`);
      slices.push({
        key: item,
        item: digestOf(item),
        fingerprint: digestOf(item).hash,
        outputs: {out: digest},
        wallMs: 1,
      });
    }
    const {artifact, text} = makeTree(slices.map(({key, outputs}) => ({path: `${key}.txt`, digest: outputs.out})));
    await store.cas.putBytes(text);
    const manifest: SliceManifest = {type: 'slices/1', slices};
    const digest = await store.cas.putBytes(canonicalJson(manifest as unknown as Json));
    const about = action(items.join());
    const base = aResult({}, about);
    return {
      ...base,
      action: about,
      fingerprint: digestOf(canonicalJson(about as unknown as Json)).hash,
      outputs: {out: artifact},
      slices: digest,
    };
  }

  it('are found whatever collection they were made for, with two questions', async () => {
    const server = await cacheServer();
    const maker = machine(server);
    maker.client.share(await eachResult(maker, ['a', 'b']));
    expect(await maker.client.finish(never)).toMatchObject({results: 1});
    lines(server);
    const {client, store} = machine(server);
    expect(templateKey(action('a,b,c'))).toBe(templateKey(action('a,b')));
    const found = await client.findSlices(action('a,b,c'));
    expect(found.map(({key}) => key)).toEqual(['a', 'b']);
    expect(lines(server)).toHaveLength(2);
    await client.fetch([found[0]!.outputs['out']!], never);
    expect(String(await store.cas.read(found[0]!.outputs['out']!))).toBe('made of a');
  });

  it('of several machines come together, and nothing is sent twice', async () => {
    const server = await cacheServer();
    const first = machine(server);
    first.client.share(await eachResult(first, ['a', 'b']));
    await first.client.finish(never);
    const second = machine(server);
    lines(server);
    second.client.share(await eachResult(second, ['b', 'c']));
    await second.client.finish(never);
    expect(lines(server)).not.toContain(`PUT ${blobPath(digestOf('made of b'))}`);
    const found = await machine(server).client.findSlices(action('whatever'));
    expect(found.map(({key}) => key).sort()).toEqual(['a', 'b', 'c']);
  });

  it('whose list is damaged are none', async () => {
    const server = await cacheServer();
    const maker = machine(server);
    maker.client.share(await eachResult(maker, ['a']));
    await maker.client.finish(never);
    for (const [path, bytes] of server.entries) {
      if (path.startsWith('/ac/') && String(bytes).includes('slices-of/1')) server.entries.set(path, Buffer.from('{}'));
    }
    const {client, warnings} = machine(server);
    expect(await client.findSlices(action('a'))).toEqual([]);
    expect(warnings).toMatchObject([{code: 'remote-corrupt'}]);
  });
});

it('fetches a result whole: the files of its trees too', async () => {
  const server = await cacheServer();
  const maker = machine(server);
  const {cas} = maker.store;
  const {artifact, text} = makeTree([
    {path: 'a', digest: await cas.putBytes('one')},
    {path: 'b', digest: await cas.putBytes('two')},
  ]);
  await cas.putBytes(text);
  const result = aResult({out: artifact});
  maker.client.share(result);
  await maker.client.finish(never);
  const {store, client} = machine(server);
  await client.findResults([result.fingerprint]);
  expect(await client.fetchWhole(result, never)).toBe(true);
  expect(String(await store.cas.read(digestOf('two')))).toBe('two');
  server.entries.delete(blobPath(digestOf('one')));
  const other = machine(server);
  await other.client.findResults([result.fingerprint]);
  expect(await other.client.fetchWhole(result, never)).toBe(false);
});
