import type {Digest, Sha256} from '../core/digest.ts';

/** What is known of where blobs are. Remembered for a run: nothing is asked twice, and nobody is believed twice. */
export class Whereabouts {
  /** Hashes of blobs that may still have to be fetched. */
  readonly #promised = new Set<Sha256>();
  /** Hashes of blobs that the remote has. */
  readonly #present = new Set<Sha256>();
  /** Hashes of blobs that the remote was said to have, and has not. */
  readonly #lost = new Set<Sha256>();

  /** The remote is said to have these. */
  promise(digests: Iterable<Digest>): void {
    for (const {hash} of digests) {
      if (this.#lost.has(hash)) continue;
      this.#promised.add(hash);
      this.#present.add(hash);
    }
  }

  promises({hash}: Pick<Digest, 'hash'>): boolean {
    return this.#promised.has(hash);
  }

  lacks({hash}: Pick<Digest, 'hash'>): boolean {
    return this.#lost.has(hash);
  }

  isThere({hash}: Pick<Digest, 'hash'>): boolean {
    return this.#present.has(hash);
  }

  /** Nothing more is to be fetched: it is here, or cannot be had. */
  keep({hash}: Pick<Digest, 'hash'>): void {
    this.#promised.delete(hash);
  }

  lose({hash}: Pick<Digest, 'hash'>): void {
    this.#lost.add(hash);
    this.#present.delete(hash);
  }

  /** It was seen there, or sent. */
  see({hash}: Pick<Digest, 'hash'>): void {
    this.#present.add(hash);
  }
}
