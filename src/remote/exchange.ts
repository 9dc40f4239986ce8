import {randomInt} from 'node:crypto';
import {setMaxListeners} from 'node:events';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import pLimit from 'p-limit';
import {digestOf, sha256, type Digest, type Sha256} from '../core/digest.ts';
import {failure, FailureError, type Failure} from '../core/failure.ts';
import type {Exchange, ExchangeAddress} from '../core/ports.ts';
import {err, ok, type Result} from '../core/result.ts';
import {blobBody, collect} from './blobs.ts';
import {Download, type LocalBlobs} from './download.ts';
import {folderTransport} from './folder-transport.ts';
import {httpTransport} from './http-transport.ts';
import {passingTrouble, RemoteError, type Body, type Transport} from './transport.ts';

/** Requests at a time. */
const parallel = 16;
/** Longer messages are taken for a mistake. */
const mostMessageBytes = 256 << 20;

/** Pauses before further attempts: a job of hours is not lost to a server that is started again. */
const pausesMs = [500, 1000, 2000, 4000, 8000];

/** A remote cache as a place to exchange files. Nothing is sent yet. */
export function openExchange(address: ExchangeAddress, local: LocalBlobs, now: () => number): Exchange {
  return new RemoteExchange(address, transportAt(address, now), local);
}

/** A remote cache as a place to exchange files, in spite of trouble that passes. */
class RemoteExchange implements Exchange {
  readonly address: ExchangeAddress;
  readonly #transport: Transport;
  readonly #local: LocalBlobs;
  readonly #limit = pLimit(parallel);
  /** Hashes of blobs that are there. */
  readonly #present = new Set<Sha256>();
  /** Hashes of blobs that are there and not to be used. */
  readonly #mistrusted = new Set<Sha256>();
  /** It did not answer in spite of all patience: the next requests get none until one is answered. */
  #gone = false;
  readonly #under = new Map<string, Promise<Failure | undefined>>();

  constructor(address: ExchangeAddress, transport: Transport, local: LocalBlobs) {
    this.address = address;
    this.#transport = transport;
    this.#local = local;
  }

  get name(): string {
    return this.#transport.name;
  }

  async reach(signal: AbortSignal): Promise<Failure | undefined> {
    const asked = await this.#try(() => this.#transport.has('cas', sha256(''), signal), signal, 0);
    return asked.ok ? undefined : this.#failureOf(asked.error);
  }

  give(digest: Digest, file: string, signal: AbortSignal): Promise<Failure | undefined> {
    const body = blobBody(digest, {...this.#local.cas, pathOf: () => file});
    return this.#once(`give ${digest.hash}`, signal, () => this.#give(digest, body, file, signal));
  }

  async giveBytes(bytes: Uint8Array, signal: AbortSignal): Promise<Result<Digest, Failure>> {
    const digest = digestOf(bytes);
    const problem = await this.#give(digest, bodyOf(bytes), '', signal);
    return problem ? err(problem) : ok(digest);
  }

  take(digest: Digest, signal: AbortSignal): Promise<Failure | undefined> {
    return this.#once(`take ${digest.hash}`, signal, async () => {
      if (this.#local.cas.holds(digest)) return undefined;
      const {hash} = digest;
      const got = await this.#download(digest, signal);
      if (got.ok) return got.value ? undefined : this.#blobFailure('blob-missing', hash, 'is not there');
      const {trouble, message} = got.error;
      if (trouble === 'wrong' || trouble === 'cut-short') return this.#blobFailure('blob-corrupt', hash, message);
      return this.#failureOf(got.error);
    });
  }

  async post(name: Sha256, message: Uint8Array, signal: AbortSignal): Promise<Failure | undefined> {
    const {messages} = this.address;
    const put = await this.#try(() => this.#transport.put(messages, name, bodyOf(message), signal), signal);
    return put.ok ? undefined : this.#failureOf(put.error);
  }

  async collect(name: Sha256, signal: AbortSignal): Promise<Result<Uint8Array | undefined, Failure>> {
    const {messages} = this.address;
    const got = await this.#try(
      () => this.#transport.get(messages, name, mostMessageBytes, (bytes) => collect(bytes), signal),
      signal,
    );
    return got.ok ? got : err(this.#failureOf(got.error));
  }

  mistrust(hashes: Iterable<Sha256>): void {
    for (const hash of hashes) {
      this.#present.delete(hash);
      this.#mistrusted.add(hash);
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #give({hash}: Digest, body: Body, file: string, signal: AbortSignal): Promise<Failure | undefined> {
    if (this.#present.has(hash)) return undefined;
    const asked = this.#mistrusted.has(hash)
      ? ok(false)
      : await this.#try(() => this.#transport.has('cas', hash, signal), signal);
    if (!asked.ok) return this.#failureOf(asked.error);
    if (!asked.value) {
      const put = await this.#try(() => this.#transport.put('cas', hash, body, signal), signal);
      if (!put.ok) {
        if (put.error.trouble !== 'local') return this.#failureOf(put.error);
        return failure('input-changed', `${file} cannot be read as it was, and was not sent`, {hint: 'run again'});
      }
    }
    this.#mistrusted.delete(hash);
    this.#present.add(hash);
    return undefined;
  }

  async #download(digest: Digest, signal: AbortSignal): Promise<Result<true | undefined, RemoteError>> {
    const {hash, size} = digest;
    const download = new Download(digest, this.#local);
    try {
      return await this.#try(
        () => download.attempt((read, from) => this.#transport.get('cas', hash, size, read, signal, from)),
        signal,
      );
    } finally {
      await download.close();
    }
  }

  /** What is under way is waited for, whoever began it and may yet give it up. */
  async #once(
    what: string,
    signal: AbortSignal,
    work: () => Promise<Failure | undefined>,
  ): Promise<Failure | undefined> {
    for (;;) {
      const before = this.#under.get(what);
      const under = before ?? work().finally(() => this.#under.delete(what));
      if (!before) this.#under.set(what, under);
      const problem = await under;
      if (!before || problem?.code !== 'cancelled' || signal.aborted) return problem;
    }
  }

  #try<T>(request: () => Promise<T>, signal: AbortSignal, attempts = pausesMs.length): Promise<Result<T, RemoteError>> {
    // Each request listens to it, and there are more of them than Node takes for a leak.
    setMaxListeners(0, signal);
    return this.#limit(async () => {
      for (let attempt = 0; ; attempt++) {
        try {
          const value = await request();
          this.#gone = false;
          return ok(value);
        } catch (error) {
          if (!(error instanceof RemoteError)) throw error;
          if (!passingTrouble.has(error.trouble)) return err(error);
          const waitMs = attempt < attempts && !this.#gone ? pausesMs[attempt] : undefined;
          if (waitMs === undefined) {
            this.#gone = error.trouble === 'unreachable' || error.trouble === 'timeout';
            return err(error);
          }
          await pause(waitMs * (0.5 + randomInt(1000) / 1000), undefined, {signal}).catch(() => {});
          if (signal.aborted) return err(error);
        }
      }
    });
  }

  #blobFailure(code: 'blob-missing' | 'blob-corrupt', hash: Sha256, why: string): Failure {
    return failure(code, `blob ${hash} of the remote cache ${this.name} cannot be used: ${why}`);
  }

  #failureOf({trouble, message, cause}: RemoteError): Failure {
    if (trouble === 'stopped') return failure('cancelled', message);
    if (trouble === 'local')
      return cause instanceof FailureError ? cause.failure : failure('cache-unwritable', message);
    const hint = trouble === 'full' ? 'make room there' : trouble === 'refused' ? 'check the credentials' : undefined;
    const text = `the remote cache ${this.name} cannot be used: ${message}`;
    return failure('remote-unavailable', text, hint === undefined ? {} : {hint});
  }
}

function transportAt({url, authorization}: ExchangeAddress, now: () => number): Transport {
  const base = new URL(url);
  if (base.protocol === 'file:') return folderTransport(fileURLToPath(base).replace(/\/+$/, ''), now);
  const limits = {connections: parallel, idleMs: 10_000, minBytesPerSecond: 16_384, decoders: {}};
  return httpTransport({base, ...limits, ...(authorization === undefined ? {} : {authorization})});
}

function bodyOf(bytes: Uint8Array): Body {
  return {
    size: bytes.byteLength,
    async *open() {
      yield bytes;
    },
  };
}
