import {pipeline, Readable} from 'node:stream';
import {createGunzip, gzipSync} from 'node:zlib';
import {describe, expect, it, onTestFinished} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import {collect} from '../../../src/remote/blobs.ts';
import {httpTransport, type HttpOptions} from '../../../src/remote/http-transport.ts';
import type {Body, Transport} from '../../../src/remote/transport.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';

const hash = sha256('a blob');
const never = new AbortController().signal;

function transportTo(server: CacheServer, change: Partial<HttpOptions> = {}): Transport {
  const base = {base: server.url, connections: 4, idleMs: 5000, minBytesPerSecond: 1, decoders: {}};
  const transport = httpTransport({...base, ...change});
  onTestFinished(() => transport.close());
  return transport;
}

function bodyOf(bytes: Buffer): Body {
  return {
    size: bytes.byteLength,
    async *open() {
      yield bytes;
    },
  };
}

const get = (transport: Transport, maxBytes = 1000, signal = never): Promise<Buffer | undefined> =>
  transport.get('cas', hash, maxBytes, collect, signal);

describe('trouble', () => {
  const answers: readonly (readonly [status: number, trouble: string])[] = [
    [401, 'refused'],
    [403, 'refused'],
    [413, 'full'],
    [507, 'full'],
    [429, 'busy'],
    [500, 'busy'],
    [503, 'busy'],
    [304, 'wrong'],
  ];
  it.each(answers)('%i is told as %s', async (status, trouble) => {
    const server = await cacheServer();
    server.fault = (request, response) => {
      request.resume();
      response.writeHead(status).end();
      return true;
    };
    const transport = transportTo(server);
    await expect(get(transport)).rejects.toMatchObject({name: 'RemoteError', trouble});
    await expect(transport.put('cas', hash, bodyOf(Buffer.alloc(9)), never)).rejects.toMatchObject({trouble});
    await expect(transport.has('cas', hash, never)).rejects.toMatchObject({trouble});
  });

  it('404 and 410 are none: the entry is not there', async () => {
    const server = await cacheServer();
    const transport = transportTo(server);
    expect(await get(transport)).toBeUndefined();
    server.fault = (_, response) => Boolean(response.writeHead(410).end());
    expect(await get(transport)).toBeUndefined();
    expect(await transport.has('cas', hash, never)).toBe(false);
  });

  it('an answer that comes before all was sent is heard', async () => {
    const server = await cacheServer();
    server.fault = (request, response) => {
      response.writeHead(507).end();
      response.once('close', () => request.destroy());
      return true;
    };
    const large = bodyOf(Buffer.alloc(8 << 20));
    await expect(transportTo(server).put('cas', hash, large, never)).rejects.toMatchObject({trouble: 'full'});
  });

  it('a connection that is broken off in the middle', async () => {
    const server = await cacheServer();
    server.fault = (_, response) => {
      response.writeHead(200, {'content-length': 100});
      response.write('half', () => response.destroy());
      return true;
    };
    await expect(get(transportTo(server))).rejects.toMatchObject({trouble: 'cut-short'});
  });

  it('more bytes than there may be are cut off', async () => {
    const server = await cacheServer();
    server.fault = (_, response) => {
      const pour = (): void => {
        while (response.write(Buffer.alloc(1 << 16)));
        response.once('drain', pour);
      };
      pour();
      return true;
    };
    await expect(get(transportTo(server), 10)).rejects.toMatchObject({trouble: 'wrong'});
  });

  it('silence ends after a while', async () => {
    const server = await cacheServer();
    server.fault = () => true;
    await expect(get(transportTo(server, {idleMs: 30}))).rejects.toMatchObject({trouble: 'timeout'});
  });

  it('so does a trickle', async () => {
    const server = await cacheServer();
    server.fault = (_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 5);
      response.once('close', () => clearInterval(timer));
      return true;
    };
    const slow = transportTo(server, {idleMs: 60, minBytesPerSecond: 1e6});
    await expect(get(slow)).rejects.toMatchObject({trouble: 'timeout'});
  });

  it('nobody listens', async () => {
    const transport = httpTransport({
      base: new URL('http://127.0.0.1:9/'),
      connections: 1,
      idleMs: 5000,
      minBytesPerSecond: 1,
      decoders: {},
    });
    await expect(get(transport)).rejects.toMatchObject({trouble: 'unreachable'});
  });

  it('a server that sends a byte now and then is too slow, however long the whole may take', async () => {
    const server = await cacheServer();
    server.fault = (_, response) => {
      response.writeHead(200, {'content-length': 2 ** 40});
      const timer = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(timer));
      return true;
    };
    const transport = transportTo(server, {idleMs: 100, minBytesPerSecond: 10_000});
    await expect(get(transport, 2 ** 40)).rejects.toMatchObject({trouble: 'timeout'});
  });

  it('an abort ends a request that is under way', async () => {
    const server = await cacheServer();
    const controller = new AbortController();
    server.fault = () => {
      controller.abort();
      return true;
    };
    await expect(get(transportTo(server), 10, controller.signal)).rejects.toMatchObject({trouble: 'stopped'});
  });
});

it('keeps no connection that the server closes', async () => {
  const server = await cacheServer();
  server.entries.set(`/cas/${hash}`, Buffer.from('a blob'));
  server.fault = (_, response) => {
    response.setHeader('connection', 'close');
    return false;
  };
  const transport = transportTo(server, {connections: 1});
  for (let time = 0; time < 5; time++) expect(String(await get(transport))).toBe('a blob');
});

describe('redirects', () => {
  it('are followed, and credentials go to no other host', async () => {
    const [first, second] = [await cacheServer(), await cacheServer()];
    second.entries.set(`/cas/${hash}`, Buffer.from('a blob'));
    first.fault = (request, response) => {
      request.resume();
      response.writeHead(307, {location: new URL(request.url!, second.url).href}).end();
      return true;
    };
    const transport = transportTo(first, {authorization: 'Bearer secret'});
    expect(String(await get(transport))).toBe('a blob');
    await transport.put('cas', hash, bodyOf(Buffer.from('other')), never);
    expect(String(second.entries.get(`/cas/${hash}`))).toBe('other');
    expect(first.seen.map(({authorization}) => authorization)).toEqual(['Bearer secret', 'Bearer secret']);
    expect(second.seen.map(({authorization}) => authorization)).toEqual([undefined, undefined]);
  });

  it('within the host keep them', async () => {
    const server = await cacheServer();
    server.entries.set('/elsewhere', Buffer.from('a blob'));
    server.fault = (request, response) =>
      request.url !== '/elsewhere' && Boolean(response.writeHead(302, {location: '/elsewhere'}).end());
    expect(String(await get(transportTo(server, {authorization: 'Basic eA=='})))).toBe('a blob');
    expect(server.seen.map(({authorization}) => authorization)).toEqual(['Basic eA==', 'Basic eA==']);
  });

  it('in a circle end, and so do those that lead out of HTTP', async () => {
    const server = await cacheServer();
    let location = `/cas/${hash}`;
    server.fault = (_, response) => Boolean(response.writeHead(302, {location}).end());
    await expect(get(transportTo(server))).rejects.toMatchObject({trouble: 'wrong'});
    location = 'file:///etc/passwd';
    await expect(get(transportTo(server))).rejects.toMatchObject({trouble: 'wrong'});
  });

  it('that would turn a PUT into a GET are not followed', async () => {
    const server = await cacheServer();
    server.fault = (request, response) => {
      request.resume();
      return Boolean(response.writeHead(302, {location: '/elsewhere'}).end());
    };
    const put = transportTo(server).put('cas', hash, bodyOf(Buffer.from('x')), never);
    await expect(put).rejects.toMatchObject({trouble: 'wrong'});
    expect(server.seen).toHaveLength(1);
  });
});

describe('encodings', () => {
  // Stands in for zstd: the transport knows encodings only by this table.
  const decoders = {
    gzip: (bytes: AsyncIterable<Uint8Array>) =>
      pipeline(Readable.from(bytes, {objectMode: false}), createGunzip(), () => {}),
  };

  async function encoded(bytes: Buffer): Promise<CacheServer & {asked: () => unknown}> {
    const server = await cacheServer();
    let asked: unknown;
    server.fault = (request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, {'content-encoding': 'gzip'}).end(bytes);
      return true;
    };
    return Object.assign(server, {asked: () => asked});
  }

  it('that can be undone are asked for and undone', async () => {
    const server = await encoded(gzipSync('a blob'));
    expect(String(await get(transportTo(server, {decoders})))).toBe('a blob');
    expect(server.asked()).toBe('gzip');
  });

  it('that cannot are not asked for, and not believed', async () => {
    const server = await encoded(gzipSync('a blob'));
    await expect(get(transportTo(server))).rejects.toMatchObject({trouble: 'wrong'});
    expect(server.asked()).toBe('identity');
  });

  it('count with what comes out of them: a bomb is cut off', async () => {
    const server = await encoded(gzipSync(Buffer.alloc(1 << 20)));
    await expect(get(transportTo(server, {decoders}), 1000)).rejects.toMatchObject({trouble: 'wrong'});
  });
});
