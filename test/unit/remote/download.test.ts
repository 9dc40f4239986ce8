import {createHash} from 'node:crypto';
import {chmodSync, existsSync, mkdirSync, readdirSync, statSync, watch, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ServerResponse} from 'node:http';
import fc from 'fast-check';
import {describe, expect, it, onTestFinished} from 'vitest';
import {digestOf, type Digest} from '../../../src/core/digest.ts';
import {Download, type Ask} from '../../../src/remote/download.ts';
import {httpTransport} from '../../../src/remote/http-transport.ts';
import {Steady} from '../../../src/remote/steady.ts';
import type {Transport} from '../../../src/remote/transport.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {compile} from '../../support/child.ts';
import {nginxPath, startNginx} from '../../support/nginx.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';

const never = new AbortController().signal;
const mebibyte = 2 ** 20;

/** Bytes that differ everywhere, so that no part can be taken for another. */
function bytesOf(size: number, seed = 'x'): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < size; at += 32) blocks.push(createHash('sha256').update(`${seed}${at}`).digest());
  return Buffer.concat(blocks).subarray(0, size);
}

const large = bytesOf(3 * mebibyte);
const blob = digestOf(large);
const path = `/cas/${blob.hash}`;

function transportTo(url: URL): Transport {
  const transport = httpTransport({base: url, connections: 4, idleMs: 5000, minBytesPerSecond: 1, decoders: {}});
  onTestFinished(() => transport.close());
  return transport;
}

/** What a process does with one blob; true when it is in the store afterwards. */
async function receive(transport: Transport, store: OpenedStore, digest: Digest = blob): Promise<boolean> {
  const steady = new Steady({name: 'there', warn: () => {}, random: () => 0, pauseMs: 0});
  await steady.run('read', () => transport.has('cas', digest.hash, never), never);
  const download = new Download(digest, store);
  const ask: Ask = (read, from) => transport.get('cas', digest.hash, digest.size, read, never, from);
  await steady.run(
    'read',
    () => download.attempt(ask),
    never,
    () => download.reachedMiB,
  );
  await download.close();
  return store.cas.holds(digest);
}

const leftIn = ({layout}: OpenedStore): string[] => (existsSync(layout.tmp) ? readdirSync(layout.tmp) : []);
const partialOf = ({layout}: OpenedStore): string => `${layout.tmp}/partial-${blob.hash}`;
const ranges = (server: CacheServer): (string | undefined)[] =>
  server.seen.filter(({line}) => line === `GET ${path}`).map(({range}) => range);

/** Serves the blob and breaks each answer off after so many bytes, the last of them not at all. */
async function breaking(lengths: readonly number[]): Promise<CacheServer> {
  const server = await cacheServer();
  server.entries.set(path, large);
  const left = [...lengths];
  server.fault = (request, response) => {
    const length = request.method === 'GET' ? left.shift() : undefined;
    if (length === undefined) return false;
    cutOff(response, length);
    return false;
  };
  return server;
}

/** Lets so many bytes of the body pass, and then breaks the connection. */
function cutOff(response: ServerResponse, length: number): void {
  response.end = ((body?: Buffer) => {
    response.flushHeaders();
    response.write((body ?? Buffer.alloc(0)).subarray(0, length), () => response.destroy());
    return response;
  }) as typeof response.end;
}

/** What is under way inside this process when a line breaks is lost. */
const underWay = 512 << 10;

describe('a line that breaks', () => {
  it('anywhere, any number of times: the rest is fetched', async () => {
    const lengths = fc.array(fc.integer({min: 0, max: large.byteLength}), {maxLength: 2});
    await fc.assert(
      fc.asyncProperty(lengths, fc.boolean(), async (cuts, understood) => {
        const server = await breaking(cuts);
        server.ranges = understood;
        const store = openedStore(tempFolder());
        expect(await receive(transportTo(server.url), store)).toBe(true);
        expect(leftIn(store)).toEqual([]);
        store.close();
        let most = 0;
        for (const [index, range] of ranges(server).entries()) {
          const from = Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]);
          expect(from).toBeLessThanOrEqual(most);
          expect(from).toBeGreaterThanOrEqual(most - underWay);
          most = (understood ? from : 0) + (cuts[index] ?? 0);
        }
      }),
      {numRuns: 25},
    );
  }, 60_000);

  it('as often as it likes, when each time it got a good deal further', async () => {
    const server = await breaking([1.2 * mebibyte, 1.2 * mebibyte, 1000]);
    const store = openedStore(tempFolder());
    expect(await receive(transportTo(server.url), store)).toBe(true);
    const hopeless = await breaking([1000, 1000, 1000]);
    expect(await receive(transportTo(hopeless.url), openedStore(tempFolder()))).toBe(false);
  });
});

describe('what was kept', () => {
  it('is gone on with by the next process', async () => {
    const dir = tempFolder();
    const first = openedStore(dir);
    const server = await breaking([2 * mebibyte, 10, 10]);
    expect(await receive(transportTo(server.url), first)).toBe(false);
    const {size} = statSync(partialOf(first));
    expect(size).toBeGreaterThan(2 * mebibyte - underWay);
    const second = openedStore(dir);
    expect(await receive(transportTo(server.url), second)).toBe(true);
    expect(ranges(server).at(-1)).toBe(`bytes=${size}-`);
    expect(leftIn(second)).toEqual([]);
  });

  const kept: readonly (readonly [what: string, bytes: Buffer])[] = [
    ['other bytes', bytesOf(mebibyte, 'y')],
    ['as many other bytes', bytesOf(3 * mebibyte, 'y')],
    ['more bytes', Buffer.concat([large, Buffer.from('more')])],
    ['zeros, as after a power failure', Buffer.alloc(2 * mebibyte)],
    ['nothing', Buffer.alloc(0)],
    ['all of it', large],
  ];
  it.each(kept)('may be %s', async (what, bytes) => {
    const server = await breaking([]);
    const store = openedStore(tempFolder());
    mkdirSync(store.layout.tmp, {recursive: true});
    writeFileSync(partialOf(store), bytes);
    if (bytes === large) chmodSync(partialOf(store), 0o444);
    expect(await receive(transportTo(server.url), store)).toBe(true);
    expect(ranges(server)).toHaveLength(what === 'all of it' ? 0 : /^(other|zeros)/.test(what) ? 2 : 1);
    expect(leftIn(store)).toEqual([]);
  });

  it('is of no use when the server lacks the blob', async () => {
    const server = await breaking([]);
    const store = openedStore(tempFolder());
    mkdirSync(store.layout.tmp, {recursive: true});
    writeFileSync(partialOf(store), large.subarray(0, 5));
    server.entries.clear();
    expect(await receive(transportTo(server.url), store)).toBe(false);
    expect(leftIn(store)).toEqual([]);
  });

  it('is not begun when there is no room for the whole', async () => {
    const store = openedStore(tempFolder());
    const download = new Download({...blob, size: 2 ** 50}, store);
    await expect(download.attempt(() => expect.unreachable())).rejects.toMatchObject({trouble: 'local'});
    await download.close();
    expect(leftIn(store)).toEqual([]);
  });

  it('belongs to one process at a time: another receives the blob by itself', async () => {
    const dir = tempFolder();
    const [first, second] = [openedStore(dir), openedStore(dir)];
    const server = await breaking([]);
    const transport = transportTo(server.url);
    const download = new Download(blob, first);
    const halfway = download.attempt(async (read) => {
      const half = async function* (): AsyncGenerator<Uint8Array> {
        yield large.subarray(0, mebibyte);
        expect(await receive(transport, second)).toBe(true);
        yield large.subarray(mebibyte);
      };
      return read(half(), 0);
    });
    expect(await halfway).toBe(true);
    await download.close();
    expect(leftIn(first)).toEqual([]);
    expect(first.cas.holds(blob)).toBe(true);
  });
});

describe('a server that lies about ranges', () => {
  const lies: readonly (readonly [what: string, fault: CacheServer['fault']])[] = [
    ['another part than was asked for', (_, response) => part(response, 7, large.subarray(7))],
    ['no place', (_, response) => Boolean(response.writeHead(206).end(large.subarray(mebibyte)))],
    ['other content', (_, response) => part(response, mebibyte, bytesOf(2 * mebibyte, 'y'))],
    ['too much', (_, response) => part(response, mebibyte, large)],
    ['too little', (_, response) => part(response, mebibyte, large.subarray(mebibyte, -1))],
    [
      'an encoding',
      (_, response) => {
        response.setHeader('content-encoding', 'zstd');
        return part(response, mebibyte, large.subarray(mebibyte));
      },
    ],
    ['that there is nothing more', (_, response) => Boolean(response.writeHead(416).end())],
  ];
  function part(response: ServerResponse, from: number, bytes: Buffer): boolean {
    const range = `bytes ${from}-${from + bytes.byteLength - 1}/${large.byteLength}`;
    return Boolean(response.writeHead(206, {'content-range': range}).end(bytes));
  }

  it.each(lies)('with %s is asked for the whole', async (_, fault) => {
    const server = await breaking([]);
    server.fault = (request, response) => request.headers.range !== undefined && fault(request, response);
    const store = openedStore(tempFolder());
    mkdirSync(store.layout.tmp, {recursive: true});
    writeFileSync(partialOf(store), large.subarray(0, mebibyte));
    expect(await receive(transportTo(server.url), store)).toBe(true);
    expect(ranges(server)).toEqual([`bytes=${mebibyte}-`, undefined]);
    expect(leftIn(store)).toEqual([]);
  });
});

it.runIf(nginxPath)('nginx is killed in the middle of a blob and started again', async () => {
  const nginx = await startNginx({extra: 'limit_rate 4m; limit_rate_after 6m;'});
  onTestFinished(() => nginx.stop());
  const transport = transportTo(new URL(nginx.url));
  const bytes = bytesOf(9 * mebibyte);
  const digest = digestOf(bytes);
  mkdirSync(join(nginx.root, 'cas'));
  writeFileSync(join(nginx.root, 'cas', digest.hash), bytes);
  const starts: number[] = [];
  const dying: Transport = {
    ...transport,
    get: (space, hash, maxBytes, read, signal, from) => {
      const watched = (part: AsyncIterable<Uint8Array>, start: number) => {
        starts.push(start);
        return read(starts.length > 1 ? part : killing(part), start);
      };
      return transport.get(space, hash, maxBytes, watched, signal, from);
    },
  };
  async function* killing(part: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of part) {
      size += chunk.byteLength;
      yield chunk;
      if (size < 3 * mebibyte || size - chunk.byteLength >= 3 * mebibyte) continue;
      await nginx.kill();
      await nginx.startAgain();
    }
  }
  const store = openedStore(tempFolder());
  expect(await receive(dying, store, digest)).toBe(true);
  expect(starts[0]).toBe(0);
  expect(starts[1]).toBeGreaterThanOrEqual(3 * mebibyte);
  expect(starts).toHaveLength(2);
  expect(nginx.requests().at(-1)).toBe(`GET /cas/${digest.hash} 206`);
});

it('killed in the middle of a blob, a process leaves what came of it to the next', async () => {
  const fetcher = await compile(join(import.meta.dirname, 'children/fetcher.ts'));
  onTestFinished(() => fetcher.remove());
  const server = await cacheServer();
  server.entries.set(path, large);
  let held = true;
  server.fault = (request, response) => {
    if (!held || request.method !== 'GET') return false;
    response.writeHead(200, {'content-length': large.byteLength}).write(large.subarray(0, 2 * mebibyte));
    return true;
  };
  const dir = tempFolder();
  const store = openedStore(dir);
  mkdirSync(store.layout.tmp, {recursive: true});
  const child = fetcher.start([dir, server.url.href, blob.hash, String(blob.size)]);
  const watcher = watch(store.layout.tmp);
  onTestFinished(() => watcher.close());
  await new Promise<void>((resolve) => {
    watcher.on('change', () => {
      if ((statSync(partialOf(store), {throwIfNoEntry: false})?.size ?? 0) >= 2 * mebibyte) resolve();
    });
  });
  child.process.kill('SIGKILL');
  expect(await child.ended).toBe('SIGKILL');
  held = false;
  const next = fetcher.start([dir, server.url.href, blob.hash, String(blob.size)]);
  expect(await next.ended).toBe(0);
  expect(ranges(server)).toEqual([undefined, `bytes=${2 * mebibyte}-`]);
  expect(store.cas.holds(blob)).toBe(true);
  expect(leftIn(store)).toEqual([]);
});
