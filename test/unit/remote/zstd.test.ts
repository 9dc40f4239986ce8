import {execFileSync, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import fc from 'fast-check';
import {describe, expect, it, onTestFinished} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import {collect} from '../../../src/remote/blobs.ts';
import {httpTransport} from '../../../src/remote/http-transport.ts';
import {limited} from '../../../src/remote/transport.ts';
import {decodeZstd} from '../../../src/remote/zstd.ts';
import {cacheServer} from '../../support/cache-server.ts';

const there = spawnSync('zstd', ['--version']).status === 0;
const zstd = (bytes: Uint8Array, ...args: string[]): Buffer =>
  execFileSync('zstd', ['-q', '-c', ...args], {input: bytes, maxBuffer: 2 ** 28});

/** Text and noise, so that there are blocks of every kind. */
const content = Buffer.concat([
  Buffer.alloc(300_000),
  ...Array.from({length: 20_000}, (_, n) => Buffer.from(`line ${n} of many, `)),
  ...Array.from({length: 10_000}, (_, n) => createHash('sha256').update(`${n}`).digest()),
]);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const decode = (bytes: Uint8Array, pieceBytes = 1 << 16): Promise<Buffer> =>
  collect(decodeZstd(inPieces(bytes, pieceBytes)));

describe.runIf(there)('what the zstd tool made', () => {
  it.each(['-1', '-3', '-19', '--fast=5', '--no-check'])('with %s comes out as it went in', async (option) => {
    expect((await decode(zstd(content, option))).equals(content)).toBe(true);
  });

  it('of any size, in pieces of any size, in any number of frames', async () => {
    const part = fc.record({from: fc.nat(content.byteLength), size: fc.nat(200_000)});
    await fc.assert(
      fc.asyncProperty(fc.array(part, {maxLength: 3}), fc.integer({min: 1, max: 70_000}), async (parts, pieceBytes) => {
        const contents = parts.map(({from, size}) => content.subarray(from, from + size));
        const frames = contents.flatMap((bytes) => [zstd(bytes), skippable(7)]);
        expect((await decode(Buffer.concat(frames), pieceBytes)).equals(Buffer.concat(contents))).toBe(true);
      }),
      {numRuns: 40},
    );
  }, 30_000);

  it('and was cut short anywhere is wrong', async () => {
    const whole = zstd(content.subarray(290_000, 310_000));
    for (const length of [1, 3, 4, 5, 8, 20, whole.byteLength - 5, whole.byteLength - 1]) {
      await expect(decode(whole.subarray(0, length))).rejects.toMatchObject({trouble: 'wrong'});
    }
  });

  it('and has something after its end is wrong', async () => {
    for (const garbage of ['g', 'garbage', 'garbage and more garbage']) {
      const bytes = Buffer.concat([zstd(Buffer.from('a blob')), Buffer.from(garbage)]);
      await expect(decode(bytes)).rejects.toMatchObject({trouble: 'wrong'});
    }
  });

  it('and was damaged is wrong, or other bytes; it neither hangs nor fails in another way', async () => {
    const whole = zstd(content.subarray(290_000, 330_000));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.byteLength - 1), fc.integer({min: 1, max: 255}), async (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at] = bytes[at]! ^ change;
        const got = await collect(limited(decodeZstd(inPieces(bytes, 5000)), 1e6, 'it')).catch(
          (error: unknown) => error,
        );
        expect(Buffer.isBuffer(got) ? 'wrong' : (got as {trouble?: string}).trouble).toBe('wrong');
      }),
      {numRuns: 300},
    );
  });

  it('asks for more memory than it may', async () => {
    const bytes = zstd(Buffer.alloc(32 << 20), '--ultra', '--long=25', '--zstd=wlog=25');
    await expect(decode(bytes)).rejects.toMatchObject({
      trouble: 'wrong',
      message: expect.stringContaining('window'),
    });
  });

  it('is understood on the wire', async () => {
    const server = await cacheServer();
    let asked: unknown;
    server.fault = ({headers}, response) => {
      asked = headers['accept-encoding'];
      response.writeHead(200, {'content-encoding': 'zstd'}).end(zstd(content));
      return true;
    };
    const options = {
      base: server.url,
      connections: 1,
      idleMs: 5000,
      minBytesPerSecond: 1,
      decoders: {zstd: decodeZstd},
    };
    const transport = httpTransport(options);
    onTestFinished(() => transport.close());
    const {signal} = new AbortController();
    const get = (maxBytes: number): Promise<Buffer | undefined> =>
      transport.get('cas', sha256('x'), maxBytes, collect, signal);
    expect((await get(content.byteLength))?.equals(content)).toBe(true);
    expect(asked).toBe('zstd');
    await expect(get(content.byteLength - 1)).rejects.toMatchObject({trouble: 'wrong'});
    server.fault = (_, response) =>
      Boolean(response.writeHead(200, {'content-encoding': 'zstd'}).end('no zstd at all'));
    await expect(get(content.byteLength)).rejects.toMatchObject({trouble: 'wrong'});
    server.fault = (_, response) => {
      const bytes = zstd(content);
      response.writeHead(200, {'content-encoding': 'zstd', 'content-length': bytes.byteLength});
      response.write(bytes.subarray(0, -1000), () => response.destroy());
      return true;
    };
    await expect(get(content.byteLength)).rejects.toMatchObject({trouble: 'cut-short'});
  });
});

function skippable(size: number): Buffer {
  const head = Buffer.alloc(8 + size);
  head.writeUInt32LE(0x184d2a57);
  head.writeUInt32LE(size, 4);
  return head;
}

/** A frame of blocks that each repeat one byte 128 Ki times: four bytes become 131072. */
function bomb(blocks: number): Buffer {
  const run = 128 << 10;
  const window = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
  const block = (isLast: boolean): Buffer => {
    const bytes = Buffer.alloc(4, 'x');
    bytes.writeUIntLE((isLast ? 1 : 0) | (1 << 1) | (run << 3), 0, 3);
    return bytes;
  };
  return Buffer.concat([window, ...Array.from({length: blocks}, (_, index) => block(index === blocks - 1))]);
}

describe('a bomb', () => {
  it('of a hundred blocks is decoded', async () => {
    expect((await decode(bomb(100))).equals(Buffer.alloc(100 * 131_072, 'x'))).toBe(true);
  });

  it('is cut off at the limit, and no more is decoded than a little beyond it', async () => {
    let decoded = 0;
    const counting = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of decodeZstd(inPieces(bomb(100_000), 1 << 16))) {
        decoded += chunk.byteLength;
        yield chunk;
      }
    };
    await expect(collect(limited(counting(), 1 << 20, 'it'))).rejects.toMatchObject({trouble: 'wrong'});
    expect(decoded).toBeLessThan(3 << 20);
  });
});
