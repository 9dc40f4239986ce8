import {setMaxListeners} from 'node:events';
import pLimit from 'p-limit';
import type {Digest, Sha256} from '../core/digest.ts';
import {Download, type Ask, type LocalBlobs} from './download.ts';
import type {RemoteParts} from './parts.ts';
import type {Attempt, Way} from './steady.ts';
import type {Body, Space} from './transport.ts';

/** Longer records are taken for a mistake. */
export const mostRecordBytes = 64 << 20;

/** Requests of one remote cache: so many at a time, and given up together. */
export class Requests {
  readonly #parts: Pick<RemoteParts, 'transport' | 'steady'>;
  /** Apart, so that what is needed now does not wait behind what is given away. */
  readonly #limits: Readonly<Record<Way, <T>(work: () => Promise<T>) => Promise<T>>>;
  readonly #stop = new AbortController();

  constructor(parts: Pick<RemoteParts, 'transport' | 'steady' | 'parallel'>) {
    this.#parts = parts;
    this.#limits = {read: pLimit(parts.parallel), write: pLimit(parts.parallel)};
  }

  /** Ends all requests that are made with it. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Undefined when it is not there, or cannot be had. */
  async get<T>(
    space: Space,
    hash: Sha256,
    maxBytes: number,
    read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
    signal: AbortSignal = this.signal,
  ): Promise<T | undefined> {
    const {transport} = this.#parts;
    const got = await this.#run('read', () => transport.get(space, hash, maxBytes, read, signal), signal);
    return got.done ? got.value : undefined;
  }

  /** Fetches a blob, with what had come of it before. True when it is here afterwards. */
  async receive(digest: Digest, local: LocalBlobs, signal: AbortSignal): Promise<boolean> {
    const {hash, size} = digest;
    const ask: Ask = (read, from) => this.#parts.transport.get('cas', hash, size, read, signal, from);
    const download = new Download(digest, local);
    try {
      const came = await this.#run(
        'read',
        () => download.attempt(ask),
        signal,
        () => download.reachedMiB,
      );
      return came.done && came.value === true;
    } finally {
      await download.close();
    }
  }

  /** @param way - whose turn it is: a question before something is sent is part of the sending */
  has(way: Way, space: Space, hash: Sha256, signal: AbortSignal = this.signal): Promise<Attempt<boolean>> {
    return this.#run(way, () => this.#parts.transport.has(space, hash, signal), signal);
  }

  /** True when it is there afterwards. */
  async put(space: Space, hash: Sha256, body: Body): Promise<boolean> {
    const {signal} = this;
    return (await this.#run('write', () => this.#parts.transport.put(space, hash, body, signal), signal)).done;
  }

  /** True when the record is there afterwards. */
  putJson(space: Space, key: Sha256, value: unknown): Promise<boolean> {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const open = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    return this.put(space, key, {size: bytes.byteLength, open});
  }

  stop(): void {
    this.#stop.abort();
  }

  #run<T>(way: Way, work: () => Promise<T>, signal: AbortSignal, progress?: () => number): Promise<Attempt<T>> {
    // Each request listens to it, and there are more of them than Node takes for a leak.
    setMaxListeners(0, signal);
    return this.#limits[way](() => this.#parts.steady.run(way, work, signal, progress));
  }
}
