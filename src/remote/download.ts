import {createHash, type Hash} from 'node:crypto';
import {mkdir, open, rm, statfs, type FileHandle} from 'node:fs/promises';
import {dirname} from 'node:path';
import {digestOf, type Digest, type Sha256} from '../core/digest.ts';
import {FailureError} from '../core/failure.ts';
import type {Cas} from '../core/ports.ts';
import {collect} from './blobs.ts';
import {RemoteError} from './transport.ts';

/** Where blobs are kept on this side. */
export interface LocalBlobs {
  readonly cas: Cas;
  /** The file in which this blob arrives. */
  readonly takePartial: (hash: Sha256) => PartialFile;
}

/** A file that is being received, which nobody else writes to. It may hold what came of it before. */
export interface PartialFile {
  /** Absolute, on the store's file system. */
  readonly path: string;
  /** Another may go on with it. */
  release(): void;
}

/** Asks for the blob from some byte on; undefined when it is not there. */
export type Ask = (
  read: (bytes: AsyncIterable<Uint8Array>, start: number) => Promise<true>,
  from: number,
) => Promise<true | undefined>;

/** Blobs up to this size are held in memory while they come, and begun anew when they break off. */
const smallBytes = 1 << 20;

/**
 * One blob on its way here. What came of a large one before the line broke is kept, for the next attempt and for the next
 * process. Nothing reaches the store unless the whole has the digest, so nothing depends on what was kept.
 */
export class Download {
  readonly #digest: Digest;
  readonly #local: LocalBlobs;
  #partial: PartialFile | undefined;
  #file: FileHandle | undefined;
  /** Of what is in the file. */
  #hash: Hash = createHash('sha256');
  #size = 0;
  #furthest = 0;

  constructor(digest: Digest, local: LocalBlobs) {
    this.#digest = digest;
    this.#local = local;
  }

  /** How much of it was here at best, in whole MiB. */
  get reachedMiB(): number {
    return Math.floor(this.#furthest / 2 ** 20);
  }

  /**
   * Fetches what is missing; undefined when the blob is not there.
   *
   * @throws RemoteError of the request, `cut-short` or `wrong` when other content came, `local` when it cannot be stored
   */
  async attempt(ask: Ask): Promise<true | undefined> {
    if (this.#digest.size <= smallBytes) return ask((bytes) => this.#receiveSmall(bytes), 0);
    if (!this.#file) await locally(() => this.#open());
    if (this.#size === this.#digest.size && (await this.#isKeptWhole())) return true;
    await this.#checkRoom();
    const from = this.#size;
    const request = (start: number): Promise<true | undefined> =>
      ask((bytes, begin) => this.#receive(bytes, begin), start);
    try {
      const came = await request(from);
      if (!came) await this.#empty();
      return came;
    } catch (error) {
      const isContent = error instanceof RemoteError && (error.trouble === 'wrong' || error.trouble === 'cut-short');
      // The fault may lie in what was kept.
      if (isContent && from > 0 && this.#size === 0) return request(0);
      throw error;
    }
  }

  /** Ends the use of the file. What is in it stays for the next process, unless that is no use. */
  async close(): Promise<void> {
    await this.#closeFile();
    if (this.#partial && this.#size === 0) await rm(this.#partial.path, {force: true});
    this.#partial?.release();
  }

  async #receiveSmall(bytes: AsyncIterable<Uint8Array>): Promise<true> {
    const data = await collect(bytes);
    checkReceived(this.#digest, digestOf(data));
    await locally(() => this.#local.cas.putBytes(data));
    return true;
  }

  async #receive(bytes: AsyncIterable<Uint8Array>, start: number): Promise<true> {
    if (start !== this.#size) await this.#empty();
    let ended = false;
    try {
      for await (const chunk of bytes) {
        const written = locally(() => this.#file!.writeFile(chunk));
        this.#count(chunk);
        await written;
      }
      ended = true;
      await this.#store();
      return true;
    } catch (error) {
      const spoilt = error instanceof RemoteError && (error.trouble === 'wrong' || error.trouble === 'local');
      if (ended || spoilt) await this.#empty();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const {path} = (this.#partial = this.#local.takePartial(this.#digest.hash));
    await mkdir(dirname(path), {recursive: true});
    this.#file = await open(path, 'a+').catch(async () => {
      // It was whole, and sealed, when the process that received it was killed.
      await rm(path, {force: true});
      return open(path, 'a+');
    });
    const kept = this.#file.createReadStream({start: 0, autoClose: false, highWaterMark: 1 << 20});
    for await (const chunk of kept as AsyncIterable<Uint8Array>) this.#count(chunk);
    if (this.#size > this.#digest.size) await this.#empty();
  }

  /** Whoever wrote the record has chosen the size: a disk is not filled for what cannot be whole in the end. */
  async #checkRoom(): Promise<void> {
    const {blocks, bavail, bsize} = await locally(() => statfs(dirname(this.#partial!.path)));
    // Some file systems do not say.
    if (blocks === 0 || this.#digest.size - this.#size <= bavail * bsize) return;
    throw new RemoteError('local', `there is no room for blob ${this.#digest.hash} of ${this.#digest.size} bytes`);
  }

  /** An earlier process may have been killed between the last byte and the store. */
  async #isKeptWhole(): Promise<boolean> {
    try {
      await this.#store();
      return true;
    } catch (error) {
      await this.#empty();
      if (error instanceof RemoteError && error.trouble === 'wrong') return false;
      throw error;
    }
  }

  #count(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#size += chunk.byteLength;
    this.#furthest = Math.max(this.#furthest, this.#size);
  }

  async #store(): Promise<void> {
    checkReceived(this.#digest, {hash: this.#hash.digest('hex') as Sha256, size: this.#size});
    await this.#closeFile();
    await locally(() => this.#local.cas.putFile(this.#partial!.path, 'move', this.#digest));
    this.#size = 0;
  }

  async #empty(): Promise<void> {
    await locally(async () => this.#file?.truncate(0));
    this.#hash = createHash('sha256');
    this.#size = 0;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

function checkReceived(wanted: Digest, got: Digest): void {
  if (got.size < wanted.size) {
    throw new RemoteError('cut-short', `blob ${wanted.hash} ended after ${got.size} of ${wanted.size} bytes`);
  }
  if (got.hash !== wanted.hash) throw new RemoteError('wrong', `blob ${wanted.hash} came with other content`);
}

async function locally<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const expected = error instanceof FailureError || (error instanceof Error && 'code' in error);
    throw expected ? new RemoteError('local', (error as Error).message, error) : error;
  }
}
