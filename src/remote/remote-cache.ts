import {setMaxListeners} from 'node:events';
import {statSync} from 'node:fs';
import pLimit from 'p-limit';
import {templateKey, type Action, type ActionResult, type SliceManifest, type SliceRecord} from '../core/action.ts';
import {isSha256, sha256, type Digest, type Sha256} from '../core/digest.ts';
import {canonicalJson, isObject, type Json} from '../core/json.ts';
import type {ActionCache, RemoteCache} from '../core/ports.ts';
import {blobBody, collect, receiveBlob, type LocalBlobs} from './blobs.ts';
import {contentsOf, readSlices, type Reading} from './contents.ts';
import type {RemoteMode} from './settings.ts';
import type {Attempt, Steady, Way} from './steady.ts';
import {RemoteError, type Space, type Transport} from './transport.ts';

export interface RemoteParts extends LocalBlobs {
  readonly transport: Transport;
  readonly mode: RemoteMode;
  readonly steady: Steady;
  readonly actions: ActionCache;
  /** Checks what came as the record of this action; undefined when it is none. */
  readonly parseResult: (text: string, fingerprint: Sha256) => ActionResult | undefined;
  readonly parseSlices: (text: string) => SliceManifest | undefined;
  /** Requests at a time. */
  readonly parallel: number;
}

/** What became of the results that were given away. */
export interface Uploads {
  /** Results that are there now. */
  readonly results: number;
  /** Results that are not, or not whole; and the last reason, when there was one. */
  readonly failed: number;
  readonly why?: string;
  /** Blobs and bytes that were sent. */
  readonly blobs: number;
  readonly bytes: number;
}

/** Results that wait to be sent. */
export interface Waiting {
  readonly results: number;
}

/** Longer records are taken for a mistake. */
const mostRecordBytes = 64 << 20;
/** Blobs up to this size are sent without a question first: it would take as long. */
const askAboveBytes = 64 << 10;
/** Slices of others that a list of slices takes along, besides as many as it has itself. */
const extraSlices = 10_000;

/**
 * A remote cache as the engine sees it. What is there is remembered for the life of this object, so that nothing is asked
 * twice; trouble is told by `Steady` and otherwise means that a result is not there.
 */
export class RemoteClient implements RemoteCache {
  readonly #parts: RemoteParts;
  /** Apart, so that what is needed now does not wait behind what is given away. */
  readonly #limits: Readonly<Record<Way, <T>(work: () => Promise<T>) => Promise<T>>>;
  readonly #share = pLimit(4);
  readonly #sending = new Map<Sha256, Promise<boolean>>();
  /** Hashes of blobs that may still have to be fetched. */
  readonly #promised = new Set<Sha256>();
  /** Hashes of blobs that the remote has. */
  readonly #present = new Set<Sha256>();
  /** Hashes of blobs that the remote was said to have, and has not. */
  readonly #lost = new Set<Sha256>();
  readonly #asked = new Map<Sha256, Promise<void>>();
  readonly #coming = new Map<Sha256, Promise<void>>();
  readonly #slices = new Map<Sha256, Promise<readonly SliceRecord[]>>();
  readonly #pending = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #uploads: Uploads = {results: 0, failed: 0, blobs: 0, bytes: 0};
  /** What the last upload met that came to nothing here. */
  #localTrouble: string | undefined;

  constructor(parts: RemoteParts) {
    this.#parts = parts;
    this.#limits = {read: pLimit(parts.parallel), write: pLimit(parts.parallel)};
  }

  /** For people; without credentials. */
  get name(): string {
    return this.#parts.transport.name;
  }

  promises(digest: Digest): boolean {
    return this.#promised.has(digest.hash);
  }

  lacks(digest: Digest): boolean {
    return this.#lost.has(digest.hash);
  }

  promise(digests: Iterable<Digest>): void {
    for (const {hash} of digests) {
      if (this.#lost.has(hash)) continue;
      this.#promised.add(hash);
      this.#present.add(hash);
    }
  }

  async findResults(fingerprints: Iterable<Sha256>): Promise<void> {
    if (this.#parts.mode === 'write-only') return;
    await Promise.all(
      [...fingerprints].map((fingerprint) => {
        let asked = this.#asked.get(fingerprint);
        if (!asked) this.#asked.set(fingerprint, (asked = this.#findResult(fingerprint)));
        return asked;
      }),
    );
  }

  async #findResult(fingerprint: Sha256): Promise<void> {
    const {actions, parseResult} = this.#parts;
    const result = await this.#get('ac', fingerprint, mostRecordBytes, async (bytes) => {
      const parsed = parseResult((await collect(bytes)).toString('utf8'), fingerprint);
      if (!parsed) throw new RemoteError('wrong', `the record ${fingerprint} is damaged or of another version`);
      return parsed;
    });
    if (!result) return;
    this.promise(Object.values(result.outputs).map(({digest}) => digest));
    if (result.slices) this.promise([result.slices]);
    // A result of our own stands: what it says of its making is about this machine.
    if (actions.get(fingerprint)) return;
    await this.#locally(() => actions.put({...result, borrowed: {voucher: 'namespace:default', namespace: 'default'}}));
  }

  findSlices(action: Action): Promise<readonly SliceRecord[]> {
    const key = slicesKey(action);
    let found = this.#slices.get(key);
    if (!found) this.#slices.set(key, (found = this.#findSlices(key)));
    return found;
  }

  async #findSlices(key: Sha256): Promise<readonly SliceRecord[]> {
    if (this.#parts.mode === 'write-only') return [];
    const digest = await this.#get('ac', key, mostRecordBytes, async (bytes) => parsePointer(await collect(bytes)));
    if (!digest) return [];
    this.promise([digest]);
    const slices = (await readSlices(digest, this.#reading())) ?? [];
    for (const {outputs} of slices) this.promise(Object.values(outputs));
    return slices;
  }

  async fetch(digests: Iterable<Digest>, signal: AbortSignal = this.#stop.signal): Promise<void> {
    const {cas} = this.#parts;
    const wanted: Digest[] = [];
    for (const digest of digests) {
      if (!this.#promised.has(digest.hash)) continue;
      if (cas.holds(digest)) this.#promised.delete(digest.hash);
      else wanted.push(digest);
    }
    await Promise.all(
      wanted.map((digest) => {
        let coming = this.#coming.get(digest.hash);
        if (!coming) {
          coming = this.#fetchOne(digest, signal).finally(() => this.#coming.delete(digest.hash));
          this.#coming.set(digest.hash, coming);
        }
        return coming;
      }),
    );
  }

  async #fetchOne(digest: Digest, signal: AbortSignal): Promise<void> {
    const read = async (bytes: AsyncIterable<Uint8Array>): Promise<true> => {
      await receiveBlob(digest, bytes, this.#parts);
      return true;
    };
    const came = await this.#get('cas', digest.hash, digest.size, read, signal);
    this.#promised.delete(digest.hash);
    if (came || signal.aborted) return;
    this.#lost.add(digest.hash);
    this.#present.delete(digest.hash);
  }

  share(result: ActionResult): void {
    const {mode, steady} = this.#parts;
    if (mode === 'read-only' || result.borrowed || steady.ended('write')) return;
    const upload: Promise<void> = this.#share(async () => {
      const whole = await this.#tryUpload(result);
      const {results, failed} = this.#uploads;
      this.#uploads = {...this.#uploads, ...(whole ? {results: results + 1} : {failed: failed + 1})};
    }).finally(() => this.#pending.delete(upload));
    this.#pending.add(upload);
  }

  get waiting(): Waiting {
    return {results: this.#pending.size};
  }

  /** Waits until all is sent; after an abort what is not is left out. */
  async finish(signal: AbortSignal): Promise<Uploads> {
    const stop = (): void => this.#stop.abort();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, {once: true});
    await Promise.all(this.#pending);
    signal.removeEventListener('abort', stop);
    const why = this.#parts.steady.lastTrouble ?? this.#localTrouble;
    return {...this.#uploads, ...(why === undefined ? {} : {why})};
  }

  /** Whether the remote has a result of this action; undefined when it does not say. */
  async has(fingerprint: Sha256, signal: AbortSignal): Promise<boolean | undefined> {
    const {transport} = this.#parts;
    const answer = await this.#run('read', () => transport.has('ac', fingerprint, signal), signal);
    return answer.done ? answer.value : undefined;
  }

  /** Fetches all that a result is made of and explained by. True when what it is made of is here. */
  async fetchWhole(result: ActionResult, signal: AbortSignal): Promise<boolean> {
    const {cas} = this.#parts;
    const bring = async (digests: readonly Digest[]): Promise<void> => {
      const missing = digests.filter((digest) => !cas.holds(digest));
      this.promise(missing);
      await this.fetch(missing, signal);
    };
    const contents = await contentsOf(result, {...this.#reading(), bring});
    if (!contents) return false;
    const {log} = result.execution;
    await bring([...contents.needed, ...(log ? [log] : [])]);
    return contents.needed.every((digest) => cas.holds(digest));
  }

  close(): void {
    this.#stop.abort();
    this.#parts.transport.close();
  }

  /** Nobody waits for an upload who could take an error, and no result is worse for one. */
  async #tryUpload(result: ActionResult): Promise<boolean> {
    try {
      return await this.#upload(result);
    } catch (error) {
      this.#localTrouble = (error as Error).message;
      return false;
    }
  }

  /** Blobs first, the record last: whoever sees the record finds its blobs. */
  async #upload(result: ActionResult): Promise<boolean> {
    const {cas, steady} = this.#parts;
    const theirs = result.slices ? await this.findSlices(result.action) : [];
    const contents = await contentsOf(result, this.#reading());
    if (!contents) return false;
    const sent = await Promise.all(contents.needed.map((digest) => this.#send(digest)));
    if (sent.includes(false) || steady.ended('write')) return false;
    await Promise.all(
      contents.helpful.map(async (hash) => {
        const size = statSync(cas.pathOf({hash, size: 0}), {throwIfNoEntry: false})?.size;
        return size === undefined ? true : this.#send({hash, size});
      }),
    );
    if (!(await this.#putJson(result.fingerprint, result))) return false;
    return result.slices === undefined || this.#shareSlices(result, result.slices, theirs);
  }

  /** Lists the slices for those whose collection holds other items as well. */
  async #shareSlices(result: ActionResult, own: Digest, theirs: readonly SliceRecord[]): Promise<boolean> {
    const ours = (await readSlices(own, this.#reading())) ?? [];
    const known = new Set(ours.map(({fingerprint}) => fingerprint));
    const others = theirs
      .filter(({fingerprint, outputs}) => {
        return !known.has(fingerprint) && Object.values(outputs).every(({hash}) => !this.#lost.has(hash));
      })
      .slice(0, ours.length + extraSlices);
    let list = own;
    if (others.length > 0) {
      const manifest: SliceManifest = {type: 'slices/1', slices: [...ours, ...others]};
      const put = await this.#locally(() => this.#parts.cas.putBytes(canonicalJson(manifest as unknown as Json)));
      if (!put || !(await this.#send(put))) return false;
      list = put;
    }
    return this.#putJson(slicesKey(result.action), {type: 'slices-of/1', manifest: list});
  }

  /** True when the blob is there afterwards. */
  #send(digest: Digest): Promise<boolean> {
    const {hash} = digest;
    if (this.#present.has(hash)) return Promise.resolve(true);
    let sending = this.#sending.get(hash);
    if (!sending) {
      sending = this.#sendOne(digest).finally(() => this.#sending.delete(hash));
      this.#sending.set(hash, sending);
    }
    return sending;
  }

  async #sendOne(digest: Digest): Promise<boolean> {
    const {transport, cas} = this.#parts;
    const {hash, size} = digest;
    const {signal} = this.#stop;
    if (size > askAboveBytes && !this.#lost.has(hash)) {
      const asked = await this.#run('write', () => transport.has('cas', hash, signal), signal);
      if (!asked.done) return false;
      if (asked.value) {
        this.#present.add(hash);
        return true;
      }
    }
    if (!cas.holds(digest)) return false;
    const put = await this.#run('write', () => transport.put('cas', hash, blobBody(digest, cas), signal), signal);
    if (!put.done) return false;
    this.#present.add(hash);
    const {blobs, bytes} = this.#uploads;
    this.#uploads = {...this.#uploads, blobs: blobs + 1, bytes: bytes + size};
    return true;
  }

  async #putJson(key: Sha256, value: unknown): Promise<boolean> {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const body = {
      size: bytes.byteLength,
      async *open() {
        yield bytes;
      },
    };
    const {signal} = this.#stop;
    return (await this.#run('write', () => this.#parts.transport.put('ac', key, body, signal), signal)).done;
  }

  async #get<T>(
    space: Space,
    hash: Sha256,
    maxBytes: number,
    read: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
    signal: AbortSignal = this.#stop.signal,
  ): Promise<T | undefined> {
    const got = await this.#run('read', () => this.#parts.transport.get(space, hash, maxBytes, read, signal), signal);
    return got.done ? got.value : undefined;
  }

  #run<T>(way: Way, work: () => Promise<T>, signal: AbortSignal): Promise<Attempt<T>> {
    // Each request listens to it, and there are more of them than Node takes for a leak.
    setMaxListeners(0, signal);
    return this.#limits[way](() => this.#parts.steady.run(way, work, signal));
  }

  #reading(): Reading {
    const {cas, parseSlices} = this.#parts;
    return {cas, parseSlices, bring: (digests) => this.fetch(digests)};
  }

  /** A store that cannot be written to is reported by what needs it. */
  async #locally<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch {
      return undefined;
    }
  }
}

/** Where the slices of one template are listed, whatever collection they were made for. */
function slicesKey(action: Action): Sha256 {
  return sha256(canonicalJson(['slices-of/1', templateKey(action)]));
}

function parsePointer(bytes: Buffer): Digest {
  let value: Json;
  try {
    value = JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    value = null;
  }
  const manifest = isObject(value) && value['type'] === 'slices-of/1' ? value['manifest'] : undefined;
  if (manifest !== undefined && isObject(manifest)) {
    const {hash, size} = manifest;
    if (typeof hash === 'string' && isSha256(hash) && Number.isSafeInteger(size) && (size as number) >= 0) {
      return {hash, size: size as number};
    }
  }
  throw new RemoteError('wrong', 'a list of slices is damaged');
}
