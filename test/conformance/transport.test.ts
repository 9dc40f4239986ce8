import {setMaxListeners} from 'node:events';
import {mkdirSync, readdirSync} from 'node:fs';
import {describe, expect, it, onTestFinished} from 'vitest';
import {sha256, type Sha256} from '../../src/core/digest.ts';
import {collect} from '../../src/remote/blobs.ts';
import {folderTransport} from '../../src/remote/folder-transport.ts';
import {httpTransport} from '../../src/remote/http-transport.ts';
import type {Body, Transport} from '../../src/remote/transport.ts';
import {cacheServer} from '../support/cache-server.ts';
import {nginxPath, startNginx} from '../support/nginx.ts';
import {tempFolder} from '../support/store-fixture.ts';

const never = new AbortController().signal;
setMaxListeners(0, never);

function httpTo(base: URL): Transport {
  const transport = httpTransport({base, connections: 8, idleMs: 5000, minBytesPerSecond: 1, decoders: {}});
  onTestFinished(() => transport.close());
  return transport;
}

/** Each with the way to see what it holds, temporary files included. */
const makers: readonly (readonly [
  name: string,
  there: boolean,
  make: () => Promise<readonly [Transport, () => string[]]>,
])[] = [
  [
    'a folder',
    true,
    async () => {
      const dir = tempFolder();
      return [folderTransport(dir, () => 0), () => filesBelow(dir)];
    },
  ],
  [
    'a server in this process',
    true,
    async () => {
      const server = await cacheServer();
      return [httpTo(server.url), () => [...server.entries.keys()].map((path) => path.slice(1)).sort()];
    },
  ],
  [
    'nginx with WebDAV',
    nginxPath !== undefined,
    async () => {
      const nginx = await startNginx();
      onTestFinished(() => nginx.stop());
      return [httpTo(new URL(`${nginx.url}/some/base`)), () => filesBelow(`${nginx.root}/some/base`)];
    },
  ],
];

function filesBelow(dir: string): string[] {
  mkdirSync(dir, {recursive: true});
  return readdirSync(dir, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(dir.length + 1))
    .sort();
}

function bodyOf(chunks: readonly Buffer[]): Body {
  return {
    size: chunks.reduce((sum, {byteLength}) => sum + byteLength, 0),
    async *open() {
      yield* chunks;
    },
  };
}

describe.each(makers)('%s', (_, there, make) => {
  const get = (transport: Transport, hash: Sha256, maxBytes = 1 << 24): Promise<Buffer | undefined> =>
    transport.get('cas', hash, maxBytes, collect, never);

  it.runIf(there)('keeps the records of each namespace apart', async () => {
    const [transport, files] = await make();
    const [key, record] = [sha256('a'), Buffer.from('{}')];
    await transport.put('pr-1/ac', key, bodyOf([record]), never);
    expect(await transport.get('pr-1/ac', key, 10, collect, never)).toEqual(record);
    expect(await transport.has('pr-1/ac', key, never)).toBe(true);
    for (const space of ['ac', 'pr-2/ac'] as const) {
      expect(await transport.get(space, key, 10, collect, never)).toBeUndefined();
      expect(await transport.has(space, key, never)).toBe(false);
    }
    expect(files()).toEqual([`pr-1/ac/${key}`]);
  });

  it.runIf(there)('gives back what was put, empty and large entries too', async () => {
    const [transport, files] = await make();
    const contents = [Buffer.alloc(0), Buffer.from('small'), Buffer.alloc(5_000_000, 'large')];
    for (const bytes of contents) await transport.put('cas', sha256(bytes), bodyOf([bytes]), never);
    for (const bytes of contents) {
      expect(await transport.has('cas', sha256(bytes), never)).toBe(true);
      expect((await get(transport, sha256(bytes)))?.equals(bytes)).toBe(true);
    }
    expect(files()).toEqual(contents.map((bytes) => `cas/${sha256(bytes)}`).sort());
  });

  it.runIf(there)('keeps action results and blobs apart', async () => {
    const [transport] = await make();
    await transport.put('ac', sha256('x'), bodyOf([Buffer.from('a record')]), never);
    expect(await transport.has('cas', sha256('x'), never)).toBe(false);
    expect(await get(transport, sha256('x'))).toBeUndefined();
    expect(await transport.has('ac', sha256('x'), never)).toBe(true);
  });

  it.runIf(there)('replaces an entry', async () => {
    const [transport] = await make();
    for (const text of ['a longer first text', 'second']) {
      await transport.put('ac', sha256('x'), bodyOf([Buffer.from(text)]), never);
    }
    expect(String(await transport.get('ac', sha256('x'), 100, collect, never))).toBe('second');
  });

  it.runIf(there)('holds nothing of an entry whose sending failed in the middle', async () => {
    const [transport, files] = await make();
    const failing: Body = {
      size: 3_000_000,
      async *open() {
        yield Buffer.alloc(2_000_000);
        throw Object.assign(new Error('the disk went away'), {code: 'EIO'});
      },
    };
    await expect(transport.put('cas', sha256('x'), failing, never)).rejects.toMatchObject({
      name: expect.stringMatching(/Error/),
    });
    expect(await transport.has('cas', sha256('x'), never)).toBe(false);
    expect(files()).toEqual([]);
  });

  it.runIf(there)('cuts off an entry that is too long', async () => {
    const [transport] = await make();
    await transport.put('cas', sha256('x'), bodyOf([Buffer.alloc(1000)]), never);
    await expect(get(transport, sha256('x'), 999)).rejects.toMatchObject({
      trouble: 'wrong',
      message: `cas/${sha256('x')} is longer than it may be`,
    });
  });

  it.runIf(there)('begins at any byte that there is, and otherwise at the first', async () => {
    const [transport] = await make();
    const bytes = Buffer.from('0123456789');
    await transport.put('cas', sha256(bytes), bodyOf([bytes]), never);
    const from = (start: number, maxBytes = 10): Promise<unknown> => {
      const read = async (part: AsyncIterable<Uint8Array>, begin: number) => [begin, String(await collect(part))];
      return transport.get('cas', sha256(bytes), maxBytes, read, never, start);
    };
    for (const start of [0, 1, 9]) expect(await from(start)).toEqual([start, String(bytes.subarray(start))]);
    for (const start of [10, 11]) expect(await from(start)).toEqual([0, String(bytes)]);
    await expect(from(4, 9)).rejects.toMatchObject({trouble: 'wrong'});
    expect(await transport.get('cas', sha256('nothing'), 10, async () => 1, never, 5)).toBeUndefined();
  });

  it.runIf(there)('serves many at once', async () => {
    const [transport] = await make();
    const texts = Array.from({length: 200}, (__, index) => `text ${index}`);
    await Promise.all(texts.map((text) => transport.put('cas', sha256(text), bodyOf([Buffer.from(text)]), never)));
    const got = await Promise.all(texts.map((text) => get(transport, sha256(text))));
    expect(got.map(String)).toEqual(texts);
  });
});
