import type {Digest, Sha256} from '../core/digest.ts';
import type {LocalBlobs} from './download.ts';
import type {Requests} from './requests.ts';
import type {Whereabouts} from './whereabouts.ts';

/** Brings blobs here. Each comes once, whoever waits for it. */
export class Fetching {
  readonly #local: LocalBlobs;
  readonly #requests: Requests;
  readonly #whereabouts: Whereabouts;
  readonly #coming = new Map<Sha256, Promise<void>>();

  constructor(local: LocalBlobs, requests: Requests, whereabouts: Whereabouts) {
    this.#local = local;
    this.#requests = requests;
    this.#whereabouts = whereabouts;
  }

  /** Brings those that are promised and not here. */
  async fetch(digests: Iterable<Digest>, signal: AbortSignal = this.#requests.signal): Promise<void> {
    const wanted: Digest[] = [];
    for (const digest of digests) {
      if (!this.#whereabouts.promises(digest)) continue;
      if (this.#local.cas.holds(digest)) this.#whereabouts.keep(digest);
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
    const came = await this.#requests.receive(digest, this.#local, signal);
    this.#whereabouts.keep(digest);
    if (!came && !signal.aborted) this.#whereabouts.lose(digest);
  }
}
