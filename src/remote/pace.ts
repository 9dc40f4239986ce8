import type {Socket} from 'node:net';

export interface PaceOptions {
  /** The longest time without a byte, connecting included. */
  readonly idleMs: number;
  readonly minBytesPerSecond: number;
  /** What will be sent or received, as far as others say. */
  readonly expectedBytes: number;
  readonly onTooSlow: () => void;
}

/** What a timer can wait. */
const longestMs = 2 ** 31 - 1;
/** Waits without a byte that fit into the time over which the speed is taken. */
const waits = 6;

/**
 * Watches that an exchange is fast enough, on the whole and all the time: a server that sends a byte now and then must not hold
 * a run up for as long as a large blob may take.
 */
export class Pace {
  readonly #whole: NodeJS.Timeout;
  readonly #often: NodeJS.Timeout;
  #socket: Socket | undefined;
  /** Bytes that it had moved when it was last looked at. */
  #before = 0;

  constructor({idleMs, minBytesPerSecond, expectedBytes, onTooSlow}: PaceOptions) {
    const wholeMs = idleMs + (expectedBytes / minBytesPerSecond) * 1000;
    this.#whole = setTimeout(onTooSlow, Math.min(longestMs, wholeMs));
    const leastBytes = (minBytesPerSecond * (waits - 1) * idleMs) / 1000;
    this.#often = setInterval(() => {
      const moved = movedBy(this.#socket);
      if (moved - this.#before < leastBytes) onTooSlow();
      this.#before = moved;
    }, waits * idleMs);
  }

  /** From here on the bytes of this connection count. */
  follow(socket: Socket): void {
    this.#socket = socket;
    this.#before = movedBy(socket);
  }

  stop(): void {
    clearTimeout(this.#whole);
    clearInterval(this.#often);
  }
}

function movedBy(socket: Socket | undefined): number {
  return socket ? socket.bytesRead + socket.bytesWritten : 0;
}
