import {statSync} from 'node:fs';
import pLimit from 'p-limit';
import type {ActionResult, SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import {failure} from '../core/failure.ts';
import type {JsonObject} from '../core/json.ts';
import type {Builder, Voucher} from '../core/origin.ts';
import {blobBody} from './blobs.ts';
import {contentsOf, readSlices, type Reading} from './contents.ts';
import type {RemoteParts} from './parts.ts';
import type {Records} from './records.ts';
import type {Requests} from './requests.ts';
import type {SliceLists} from './slice-lists.ts';
import type {Whereabouts} from './whereabouts.ts';

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

/** What the sending needs of the other rooms. */
export interface SendingRooms {
  readonly requests: Requests;
  readonly records: Records;
  readonly whereabouts: Whereabouts;
  readonly sliceLists: SliceLists;
  readonly reading: Reading;
}

/** Blobs up to this size are sent without a question first: it would take as long. */
const askAboveBytes = 64 << 10;

const onlyRead = 'Where results are only to be read, set MIXDOWN_CACHE=read-only.';
const keyHint = `\`mixdown cache key\` makes one: name its file under \`sign\`, and its public half under \`trust\`. ${onlyRead}`;
const lackHint = `Put it there; \`mixdown cache key\` makes one. ${onlyRead}`;

/** Gives results away in the background. */
export class Sending {
  readonly #parts: RemoteParts;
  readonly #rooms: SendingRooms;
  readonly #share = pLimit(4);
  readonly #sending = new Map<Sha256, Promise<boolean>>();
  readonly #pending = new Set<Promise<void>>();
  #uploads: Uploads = {results: 0, failed: 0, blobs: 0, bytes: 0};
  /** What the last upload met that came to nothing here. */
  #localTrouble: string | undefined;
  #toldUnwritable = false;

  constructor(parts: RemoteParts, rooms: SendingRooms) {
    this.#parts = parts;
    this.#rooms = rooms;
  }

  /** Results that wait to be sent. */
  get waiting(): number {
    return this.#pending.size;
  }

  share(result: ActionResult): void {
    const {mode, steady} = this.#parts;
    if (mode === 'read-only' || result.borrowed) return;
    if (!this.mayWrite()) return;
    if (steady.ended('write')) {
      this.#uploads = {...this.#uploads, failed: this.#uploads.failed + 1};
      return;
    }
    const upload: Promise<void> = this.#share(async () => {
      const whole = await this.#tryUpload(result);
      const {results, failed} = this.#uploads;
      this.#uploads = {...this.#uploads, ...(whole ? {results: results + 1} : {failed: failed + 1})};
    }).finally(() => this.#pending.delete(upload));
    this.#pending.add(upload);
  }

  /** Waits until all is sent; after an abort what is not is left out. */
  async finish(signal: AbortSignal): Promise<Uploads> {
    const stop = (): void => this.#rooms.requests.stop();
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, {once: true});
    await Promise.all(this.#pending);
    signal.removeEventListener('abort', stop);
    const why = this.#parts.steady.lastTrouble ?? this.#localTrouble;
    return {...this.#uploads, ...(why === undefined ? {} : {why})};
  }

  /** True when the blob is there afterwards. */
  readonly send = (digest: Digest): Promise<boolean> => {
    const {hash} = digest;
    if (this.#rooms.whereabouts.isThere(digest)) return Promise.resolve(true);
    let sending = this.#sending.get(hash);
    if (!sending) {
      sending = this.#sendOne(digest).finally(() => this.#sending.delete(hash));
      this.#sending.set(hash, sending);
    }
    return sending;
  };

  /** What readers would refuse is not sent; that is told once. */
  mayWrite(): boolean {
    const {namespace, signingKey, noKey, transport, warn} = this.#parts;
    if (this.#rooms.records.writable) return true;
    if (this.#toldUnwritable) return false;
    this.#toldUnwritable = true;
    const why = signingKey
      ? `the key here (${signingKey.id.slice(0, 16)}…) is none of those`
      : (noKey ?? 'there is no key here');
    const message = `nothing is written to ${transport.name}: in the namespace ${namespace} only what certain keys sign is used, and ${why}`;
    warn(failure('remote-config', message, {hint: noKey === undefined ? keyHint : lackHint}));
    return false;
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
    const {records, sliceLists, reading} = this.#rooms;
    // What a list names need not be sent.
    if (result.slices) await sliceLists.find(result.action);
    const contents = await contentsOf(result, reading);
    if (!contents) return false;
    const sent = await Promise.all(contents.needed.map(this.send));
    if (sent.includes(false) || steady.ended('write')) return false;
    await Promise.all(
      contents.helpful.map(async (hash) => {
        const size = statSync(cas.pathOf({hash, size: 0}), {throwIfNoEntry: false})?.size;
        return size === undefined ? true : this.send({hash, size});
      }),
    );
    const slices = (result.slices && (await readSlices(result.slices, reading))) ?? [];
    const builder = await this.#parts.builder?.();
    if (!(await records.put(result.fingerprint, entryOf(result, viaOf(result, slices, records.voucher), builder)))) {
      return false;
    }
    return result.slices === undefined || sliceLists.share(result.action, slices, result.slices, this.send);
  }

  async #sendOne(digest: Digest): Promise<boolean> {
    const {cas} = this.#parts;
    const {requests, whereabouts} = this.#rooms;
    if (digest.size > askAboveBytes && !whereabouts.lacks(digest)) {
      const asked = await requests.has('write', 'cas', digest.hash);
      if (!asked.done) return false;
      if (asked.value) {
        whereabouts.see(digest);
        return true;
      }
    }
    if (!cas.holds(digest)) return false;
    if (!(await requests.put('cas', digest.hash, blobBody(digest, cas)))) return false;
    whereabouts.see(digest);
    const {blobs, bytes} = this.#uploads;
    this.#uploads = {...this.#uploads, blobs: blobs + 1, bytes: bytes + digest.size};
    return true;
  }
}

/** The result as others are to read it. */
function entryOf(result: ActionResult, via: readonly Voucher[], builder: Builder | undefined): JsonObject {
  const {borrowed: _, via: __, ...made} = result;
  const entry = {...made, ...(via.length > 0 ? {via} : {}), ...(builder ? {builder: {...builder}} : {})};
  return entry as unknown as JsonObject;
}

/** Others who made slices of it. */
function viaOf({via = []}: ActionResult, slices: readonly SliceRecord[], own: Voucher): readonly Voucher[] {
  const others = new Set(via);
  for (const {from} of slices) if (from !== undefined) others.add(from);
  others.delete(own);
  return [...others].sort();
}
