import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it, onTestFinished} from 'vitest';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import type {Exchange} from '../../../src/core/ports.ts';
import {openExchange} from '../../../src/remote/exchange.ts';
import {openStore, type Store} from '../../../src/store/store.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {tempFolder} from '../../support/store-fixture.ts';

const {signal} = new AbortController();

interface Side {
  readonly exchange: Exchange;
  readonly store: Store;
  readonly folder: string;
}

/** One of the machines that use the server. */
function side({url}: CacheServer, authorization?: string): Side {
  const folder = tempFolder();
  const store = openStore({dir: join(folder, 'cache'), warn: () => {}, what: 'a test'});
  if (!store.ok) throw new Error('no store');
  const address = {
    url: url.href,
    messages: 'team/ac',
    ...(authorization === undefined ? {} : {authorization}),
  } as const;
  const exchange = openExchange(address, store.value, () => 0);
  onTestFinished(() => {
    exchange.close();
    store.value.close();
  });
  return {exchange, store: store.value, folder};
}

function fileOf({folder}: Side, text: string) {
  const file = join(folder, sha256(text));
  writeFileSync(file, text);
  return {file, digest: digestOf(text)};
}

it('what one side gives the other takes: asked for first, sent once, kept by its hash', async () => {
  const server = await cacheServer();
  const [here, there] = [side(server, 'Bearer t'), side(server)];
  const {file, digest} = fileOf(here, 'content');
  for (const again of [1, 2])
    expect([again, await here.exchange.give(digest, file, signal)]).toEqual([again, undefined]);
  expect(server.seen).toEqual([
    {line: `HEAD /cas/${digest.hash}`, authorization: 'Bearer t'},
    {line: `PUT /cas/${digest.hash}`, authorization: 'Bearer t'},
  ]);
  expect(await there.exchange.take(digest, signal)).toBeUndefined();
  expect(Buffer.from((await there.store.cas.read(digest))!).toString()).toBe('content');
  // What is there is not sent by others either.
  await there.exchange.give(digest, file, signal);
  expect(server.seen.filter(({line}) => line.startsWith('PUT'))).toHaveLength(1);
});

it('messages lie by their name in the space of the address', async () => {
  const server = await cacheServer();
  const [here, there] = [side(server), side(server)];
  const name = sha256('a name');
  expect(await there.exchange.collect(name, signal)).toEqual({ok: true, value: undefined});
  expect(await here.exchange.post(name, Buffer.from('a message'), signal)).toBeUndefined();
  expect([...server.entries.keys()]).toEqual([`/team/ac/${name}`]);
  const found = await there.exchange.collect(name, signal);
  expect(found.ok && Buffer.from(found.value!).toString()).toBe('a message');
});

it('what is damaged or gone there is told by name, never taken, and sent again when it is mistrusted', async () => {
  const server = await cacheServer();
  const [here, there] = [side(server), side(server)];
  const {file, digest} = fileOf(here, 'content');
  expect(await there.exchange.take(digest, signal)).toMatchObject({code: 'blob-missing'});
  server.entries.set(`/cas/${digest.hash}`, Buffer.from('changed'));
  expect(await there.exchange.take(digest, signal)).toMatchObject({code: 'blob-corrupt'});
  expect(there.store.cas.holds(digest)).toBe(false);
  await here.exchange.give(digest, file, signal);
  expect(server.entries.get(`/cas/${digest.hash}`)?.toString()).toBe('changed');
  here.exchange.mistrust([digest.hash]);
  await here.exchange.give(digest, file, signal);
  expect(await there.exchange.take(digest, signal)).toBeUndefined();
});

it('a file with other content than it is said to have is not sent', async () => {
  const server = await cacheServer();
  const here = side(server);
  const {file} = fileOf(here, 'content');
  const digest = digestOf('another');
  expect(await here.exchange.give(digest, file, signal)).toMatchObject({code: 'input-changed'});
  expect([...server.entries.keys()]).toEqual([]);
});

it('trouble that passes costs nothing; what does not is told with what to do', async () => {
  const server = await cacheServer();
  const here = side(server);
  const {file, digest} = fileOf(here, 'content');
  let times = 2;
  server.fault = (request, response) => {
    if (request.method !== 'PUT' || times-- <= 0) return false;
    request.resume();
    response.writeHead(503).end();
    return true;
  };
  expect(await here.exchange.give(digest, file, signal)).toBeUndefined();
  for (const [status, hint] of [
    [403, 'check the credentials'],
    [507, 'make room there'],
  ] as const) {
    server.fault = (request, response) => {
      request.resume();
      response.writeHead(status).end();
      return true;
    };
    expect(await here.exchange.post(sha256('m'), Buffer.from('m'), signal)).toMatchObject({
      code: 'remote-unavailable',
      hint,
    });
    expect(await here.exchange.reach(signal)).toMatchObject({code: 'remote-unavailable'});
  }
});

it('giving up ends it at once', async () => {
  const server = await cacheServer();
  const here = side(server);
  const {file, digest} = fileOf(here, 'content');
  const stop = new AbortController();
  server.fault = () => {
    stop.abort();
    return true;
  };
  expect(await here.exchange.give(digest, file, stop.signal)).toMatchObject({code: 'cancelled'});
});
