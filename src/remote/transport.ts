import type {Sha256} from '../core/digest.ts';

/** The halves of a remote cache: blobs by hash, and action results by fingerprint, of each namespace apart. */
export type Space = 'cas' | 'ac' | `${string}/ac`;

/** What is sent. It may be opened more than once, for another attempt. */
export interface Body {
  readonly size: number;
  open(): AsyncIterable<Uint8Array>;
}

/** A place that holds entries `<space>/<sha256>`. Every method throws `RemoteError`; what is not there is no error. */
export interface Transport {
  /** For people; without credentials. */
  readonly name: string;
  has(space: Space, hash: Sha256, signal: AbortSignal): Promise<boolean>;
  /**
   * Hands the entry's bytes to `read`; undefined when it is not there.
   *
   * @param maxBytes - a longer entry is cut off with an error
   * @param read - `start` is where in the entry the bytes begin
   * @param from - where they should begin; where that cannot be had, they begin at 0
   */
  get<T>(
    space: Space,
    hash: Sha256,
    maxBytes: number,
    read: (bytes: AsyncIterable<Uint8Array>, start: number) => Promise<T>,
    signal: AbortSignal,
    from?: number,
  ): Promise<T | undefined>;
  /** Afterwards the whole entry is there; after an error all of it or nothing. */
  put(space: Space, hash: Sha256, body: Body, signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * What went wrong. `unreachable`, `timeout`, `busy` and `cut-short` may go away; `refused` (credentials, method) and `full`
 * will not; `wrong` is an answer that is not what was asked for; `local` is trouble on this side; `stopped` was asked for.
 */
export type Trouble =
  'unreachable' | 'timeout' | 'busy' | 'cut-short' | 'refused' | 'full' | 'wrong' | 'local' | 'stopped';

/** Trouble that may go away. */
export const passingTrouble: ReadonlySet<Trouble> = new Set<Trouble>(['unreachable', 'timeout', 'busy', 'cut-short']);

export class RemoteError extends Error {
  override readonly name = 'RemoteError';
  readonly trouble: Trouble;
  /** What to do, where more is known than the kind of trouble. */
  readonly hint: string | undefined;

  constructor(trouble: Trouble, message: string, cause?: unknown, hint?: string) {
    super(message, {cause});
    this.trouble = trouble;
    this.hint = hint;
  }
}

/** Passes the bytes of an entry on, and throws when there are more than there may be. */
export async function* limited(
  bytes: AsyncIterable<Uint8Array>,
  maxBytes: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new RemoteError('wrong', `${name} is longer than it may be`);
    yield chunk;
  }
}
