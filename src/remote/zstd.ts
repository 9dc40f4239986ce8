import {pipeline, Readable, type Transform} from 'node:stream';
import * as zlib from 'node:zlib';
import {RemoteError} from './transport.ts';

/** Bytes of one frame, cut after its header and after each of its blocks. */
type Frame = AsyncIterable<Uint8Array>;

/** What may be sent under this name over HTTP (RFC 9659): more would be memory that the sender decides about. */
const mostWindowBytes = 8 << 20;
const mostBlockBytes = 128 << 10;
const frameMagic = 0xfd2fb528;
/** With its last four bits at will: something that is no content. */
const skippableMagic = 0x184d2a50;

/**
 * Undoes the encoding `zstd` (RFC 8878), any number of frames. What comes out of one step is at most 128 KiB, so a reader that
 * stops at a limit has spent no more.
 *
 * @throws RemoteError `wrong` when it is damaged or ends early
 */
export async function* decodeZstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(bytes);
  const decode = (zlib as {readonly createZstdDecompress?: () => Transform}).createZstdDecompress
    ? decodeNatively
    : await portableDecoder();
  while (!(await input.isAtEnd())) {
    const magic = (await input.take(4)).readUInt32LE();
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      for (let left = (await input.take(4)).readUInt32LE(); left > 0; left -= mostWindowBytes) {
        await input.take(Math.min(left, mostWindowBytes));
      }
    } else if (magic === frameMagic) yield* decode(frameOf(input));
    else throw damaged();
  }
}

/** Node's own, from 22.15 on. It ends with the first frame that it is given. */
async function* decodeNatively(frame: Frame): AsyncGenerator<Uint8Array> {
  const {createZstdDecompress} = zlib as unknown as {readonly createZstdDecompress: () => Transform};
  const decoder = pipeline(Readable.from(frame, {objectMode: false}), createZstdDecompress(), () => {});
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    throw /^(ERR_ZSTD|ZSTD)/.test(code) ? damaged(error) : error;
  }
}

async function portableDecoder(): Promise<(frame: Frame) => AsyncIterable<Uint8Array>> {
  const {Decompress} = await import('fzstd');
  return async function* (frame) {
    const made: Uint8Array[] = [];
    const decoder = new Decompress((chunk) => made.push(chunk));
    const push = (piece: Uint8Array, isLast: boolean): readonly Uint8Array[] => {
      try {
        decoder.push(piece, isLast);
      } catch (error) {
        throw damaged(error);
      }
      return made.splice(0);
    };
    for await (const piece of frame) yield* push(piece, false);
    // Very short frames are held back until then.
    yield* push(new Uint8Array(0), true);
  };
}

/** The rest of a frame whose magic number has been read. */
async function* frameOf(input: Input): AsyncGenerator<Uint8Array> {
  const flags = await input.take(1);
  const descriptor = flags[0]!;
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeBytes = descriptor >> 6 === 0 ? (isSingle ? 1 : 0) : 1 << (descriptor >> 6);
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const window = await input.take(isSingle ? 0 : 1);
  const dictionary = await input.take(dictionaryBytes);
  const size = await input.take(sizeBytes);
  if ((isSingle ? contentSize(size) : windowSize(window[0]!)) > mostWindowBytes) {
    throw new RemoteError('wrong', `the answer is encoded with a window of more than ${mostWindowBytes} bytes`);
  }
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(frameMagic);
  yield Buffer.concat([magic, flags, window, dictionary, size]);
  for (let isLast = false; !isLast;) {
    const head = await input.take(3);
    const bits = head.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    const isRun = ((bits >> 1) & 3) === 1;
    if (bits >> 3 > mostBlockBytes) throw damaged();
    const block = await input.take(isRun ? 1 : bits >> 3);
    const checksum = await input.take(isLast && (descriptor & 4) !== 0 ? 4 : 0);
    yield Buffer.concat([head, block, checksum]);
  }
}

function windowSize(descriptor: number): number {
  return 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8);
}

function contentSize(field: Buffer): number {
  if (field.byteLength === 2) return field.readUInt16LE() + 256;
  return field.byteLength === 8 ? Number(field.readBigUInt64LE()) : field.readUIntLE(0, field.byteLength);
}

/** Bytes as they are asked for. */
class Input {
  readonly #bytes: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes[Symbol.asyncIterator]();
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#rest.byteLength === 0) {
      const next: IteratorResult<Uint8Array, unknown> = await this.#bytes.next();
      if (next.done === true) return true;
      this.#rest = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    }
    return false;
  }

  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0;) {
      if (await this.isAtEnd()) throw damaged();
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(left);
      parts.push(part);
      left -= part.byteLength;
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }
}

function damaged(cause?: unknown): RemoteError {
  return new RemoteError('wrong', 'the answer cannot be decoded', cause);
}
