import type {Action, ActionResult, SliceRecord} from '../core/action.ts';
import type {Digest, Sha256} from '../core/digest.ts';
import type {RemoteCache} from '../core/ports.ts';
import {contentsOf, type Reading} from './contents.ts';
import {Fetching} from './fetching.ts';
import type {RemoteParts} from './parts.ts';
import {Promoting, type Promotion} from './promoting.ts';
import {Records} from './records.ts';
import {Refusals} from './refusals.ts';
import {Requests} from './requests.ts';
import {Results} from './results.ts';
import {Sending, type Uploads} from './sending.ts';
import {SliceLists} from './slice-lists.ts';
import {Whereabouts} from './whereabouts.ts';

/** Results that wait to be sent. */
export interface Waiting {
  readonly results: number;
}

/**
 * A remote cache as the engine sees it. What is there is remembered for the life of this object, so that nothing is asked
 * twice; trouble is told by `Steady` and otherwise means that a result is not there.
 */
export class RemoteClient implements RemoteCache {
  readonly #parts: RemoteParts;
  readonly #requests: Requests;
  readonly #whereabouts = new Whereabouts();
  readonly #fetching: Fetching;
  readonly #reading: Reading;
  readonly #refusals: Refusals;
  readonly #records: Records;
  readonly #results: Results;
  readonly #sliceLists: SliceLists;
  readonly #sending: Sending;
  readonly #promoting: Promoting;

  constructor(parts: RemoteParts) {
    const {cas} = parts;
    const requests = new Requests(parts);
    const whereabouts = this.#whereabouts;
    const fetching = new Fetching(parts, requests, whereabouts);
    const reading: Reading = {cas, bring: (digests) => fetching.fetch(digests)};
    const refusals = new Refusals(parts.transport.name, parts.warn);
    const records = new Records(parts, requests, refusals);
    const sliceLists = new SliceLists(parts, records, whereabouts, reading);
    this.#parts = parts;
    this.#requests = requests;
    this.#fetching = fetching;
    this.#reading = reading;
    this.#refusals = refusals;
    this.#records = records;
    this.#results = new Results(parts, records, whereabouts);
    this.#sliceLists = sliceLists;
    const rooms = {requests, records, whereabouts, sliceLists, reading};
    const sending = new Sending(parts, rooms);
    this.#sending = sending;
    this.#promoting = new Promoting(parts, {...rooms, results: this.#results, fetching, sending});
  }

  /** For people; without credentials. */
  get name(): string {
    return this.#parts.transport.name;
  }

  promises(digest: Digest): boolean {
    return this.#whereabouts.promises(digest);
  }

  lacks(digest: Digest): boolean {
    return this.#whereabouts.lacks(digest);
  }

  promise(digests: Iterable<Digest>): void {
    this.#whereabouts.promise(digests);
  }

  findResults(fingerprints: Iterable<Sha256>): Promise<void> {
    return this.#results.find(fingerprints);
  }

  findSlices(action: Action): Promise<readonly SliceRecord[]> {
    return this.#sliceLists.find(action);
  }

  fetch(digests: Iterable<Digest>, signal?: AbortSignal): Promise<void> {
    return this.#fetching.fetch(digests, signal);
  }

  share(result: ActionResult): void {
    this.#sending.share(result);
  }

  get waiting(): Waiting {
    return {results: this.#sending.waiting};
  }

  /** Waits until all is sent; after an abort what is not is left out. */
  finish(signal: AbortSignal): Promise<Uploads> {
    return this.#sending.finish(signal);
  }

  /** Whether the remote has a result of this action; undefined when it does not say. */
  async has(fingerprint: Sha256, signal: AbortSignal): Promise<boolean | undefined> {
    let answered = true;
    for (const namespace of this.#records.namespaces) {
      const there = await this.#records.has(namespace, fingerprint, signal);
      if (there) return true;
      if (there === undefined) answered = false;
    }
    return answered ? false : undefined;
  }

  /** Fetches all that a result is made of and explained by. True when what it is made of is here. */
  async fetchWhole(result: ActionResult, signal: AbortSignal): Promise<boolean> {
    const {cas} = this.#parts;
    const bring = async (digests: readonly Digest[]): Promise<void> => {
      const missing = digests.filter((digest) => !cas.holds(digest));
      this.promise(missing);
      await this.fetch(missing, signal);
    };
    const contents = await contentsOf(result, {...this.#reading, bring});
    if (!contents) return false;
    const {log} = result.execution;
    await bring([...contents.needed, ...(log ? [log] : [])]);
    return contents.needed.every((digest) => cas.holds(digest));
  }

  /** False, with a warning, when readers of our namespace would refuse what is written. */
  mayWrite(): boolean {
    return this.#sending.mayWrite();
  }

  /** Takes the result of this action over from another namespace into ours. */
  promote(fingerprint: Sha256, from: string): Promise<Promotion> {
    return this.#promoting.promote(fingerprint, from);
  }

  /** Tells what was there and not used; once. */
  tellRefused(): void {
    this.#refusals.tell();
  }

  close(): void {
    this.tellRefused();
    this.#requests.stop();
    this.#parts.transport.close();
  }
}
