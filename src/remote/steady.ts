import {setTimeout as pause} from 'node:timers/promises';
import {failure, type Failure} from '../core/failure.ts';
import {passingTrouble, RemoteError} from './transport.ts';

export type Way = 'read' | 'write';

export interface SteadyOptions {
  /** For people. */
  readonly name: string;
  readonly warn: (failure: Failure) => void;
  /** 0 ... 1, for the jitter of the pauses. */
  readonly random: () => number;
  readonly attempts?: number;
  /** The pause before the second attempt; doubled before each further one. */
  readonly pauseMs?: number;
  /** So many requests in a row that failed in spite of all attempts end the use of the remote. */
  readonly patience?: number;
}

/** A request that was made, or given up. */
export type Attempt<T> = {readonly done: true; readonly value: T} | {readonly done: false};

/**
 * Makes requests again that failed for the moment, and stops making any when it is no use: reading and writing each end with
 * one warning, and cost nothing from then on.
 */
export class Steady {
  readonly #options: Required<SteadyOptions>;
  readonly #failures: Record<Way, number> = {read: 0, write: 0};
  readonly #ended = new Set<Way>();
  #answered = false;
  #lastTrouble: string | undefined;
  #warned = false;

  constructor(options: SteadyOptions) {
    this.#options = {attempts: 3, pauseMs: 100, patience: 3, ...options};
  }

  ended(way: Way): boolean {
    return this.#ended.has(way);
  }

  /** What the last request that was given up met. */
  get lastTrouble(): string | undefined {
    return this.#lastTrouble;
  }

  /** @param progress - grows as a request gets further: attempts are counted anew then. It must not grow for ever. */
  async run<T>(
    way: Way,
    request: () => Promise<T>,
    signal: AbortSignal,
    progress: () => number = () => 0,
  ): Promise<Attempt<T>> {
    const {attempts, pauseMs, random} = this.#options;
    let furthest = progress();
    for (let attempt = 1; !this.#ended.has(way) && !signal.aborted; attempt++) {
      try {
        const value = await request();
        this.#answered = true;
        this.#failures[way] = 0;
        return {done: true, value};
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        if (error.trouble === 'stopped') return {done: false};
        // One that is too slow is no better for what it got.
        if (error.trouble !== 'timeout' && progress() > furthest) attempt = 1;
        furthest = progress();
        const hopeless = error.trouble === 'unreachable' || error.trouble === 'timeout' ? !this.#answered : false;
        if (passingTrouble.has(error.trouble) && attempt < attempts && !hopeless) {
          const waitMs = pauseMs * 2 ** (attempt - 1) * (0.5 + random());
          await pause(waitMs, undefined, {signal}).catch(() => {});
          continue;
        }
        this.#giveUp(way, error, hopeless);
        return {done: false};
      }
    }
    return {done: false};
  }

  #giveUp(way: Way, error: RemoteError, hopeless: boolean): void {
    const {patience} = this.#options;
    this.#failures[way]++;
    this.#lastTrouble = error.message;
    if (error.trouble === 'local') {
      this.#tell(failure('remote-unavailable', `${this.#use(way)} met trouble on this side: ${error.message}`));
    } else if (hopeless) {
      this.#ended.add('read').add('write');
      this.#tellEnd('', error);
    } else if (error.trouble === 'refused' || error.trouble === 'full') {
      this.#ended.add(way);
      this.#tellEnd(way === 'read' ? 'reading from ' : 'writing to ', error);
    } else if (error.trouble === 'wrong' && this.#failures[way] < patience) {
      const hint = 'What it holds is damaged; it was not used.';
      this.#tell(failure('remote-corrupt', `the remote cache ${this.#options.name}: ${error.message}`, {hint}));
    } else if (this.#failures[way] >= patience) {
      this.#ended.add(way);
      this.#tellEnd(way === 'read' ? 'reading from ' : 'writing to ', error);
    }
  }

  #use(way: Way): string {
    return `${way === 'read' ? 'reading from' : 'writing to'} the remote cache ${this.#options.name}`;
  }

  #tellEnd(doing: string, {message, trouble, hint: known}: RemoteError): void {
    const {name} = this.#options;
    const usual =
      trouble === 'refused'
        ? 'Check the credentials and the mode of the remote cache.'
        : trouble === 'full'
          ? 'Make room there.'
          : trouble === 'unreachable' || trouble === 'timeout'
            ? 'Check the address, or set MIXDOWN_CACHE=off.'
            : 'See what the log of the server says, or set MIXDOWN_CACHE=off.';
    const hint = known ?? usual;
    const what = doing === '' ? `the remote cache ${name} is not used` : `${doing}the remote cache ${name} ended`;
    this.#tell(failure('remote-unavailable', `${what} in this run: ${message}`, {hint}));
  }

  /** One warning a run: what follows has the same cause, or is of no use to a reader. */
  #tell(problem: Failure): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn(problem);
  }
}
