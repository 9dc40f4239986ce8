import type {Sha256} from '../core/digest.ts';
import {failure, type Failure} from '../core/failure.ts';
import type {Refusal, Refused} from './trust.ts';

interface Tally {
  readonly namespace: string;
  readonly reason: Refusal;
  readonly keys: Set<Sha256>;
  count: number;
}

/** Entries that were there and not used: told once, all together. */
export class Refusals {
  readonly #name: string;
  readonly #warn: (failure: Failure) => void;
  readonly #tallies = new Map<string, Tally>();
  #told = false;

  /** @param name - of the remote cache, for people */
  constructor(name: string, warn: (failure: Failure) => void) {
    this.#name = name;
    this.#warn = warn;
  }

  add(namespace: string, {refused: reason, key}: Refused): void {
    const kind = `${namespace} ${reason}`;
    let tally = this.#tallies.get(kind);
    if (!tally) this.#tallies.set(kind, (tally = {namespace, reason, keys: new Set(), count: 0}));
    tally.count++;
    if (key !== undefined) tally.keys.add(key);
  }

  /** Tells what was refused so far; from then on nothing more. */
  tell(): void {
    if (this.#told || this.#tallies.size === 0) return;
    this.#told = true;
    const byNamespace = new Map<string, string[]>();
    for (const tally of this.#tallies.values()) {
      byNamespace.set(tally.namespace, [...(byNamespace.get(tally.namespace) ?? []), textOf(tally)]);
    }
    const parts = [...byNamespace].map(([namespace, texts]) => `of the namespace ${namespace} ${texts.join(', ')}`);
    this.#warn(
      failure('remote-untrusted', `records at ${this.#name} were not used: ${parts.join('; ')}`, {
        hint: 'Nodes without another result are made here. See who can write there, and whose keys `trust` names.',
      }),
    );
  }
}

function textOf({count, reason, keys}: Tally): string {
  const said = `${count} ${count === 1 ? saying[reason][0] : saying[reason][1]}`;
  const [first] = keys;
  if (first === undefined) return said;
  return `${said} (${first.slice(0, 16)}…${keys.size > 1 ? ` and ${keys.size - 1} more` : ''})`;
}

const saying: Readonly<Record<Refusal, readonly [one: string, many: string]>> = {
  unsigned: ['is not signed', 'are not signed'],
  malformed: ['has a signature that is none', 'have signatures that are none'],
  'unknown-key': ['is signed by a key that is not trusted there', 'are signed by keys that are not trusted there'],
  forged: ['does not match its signature', 'do not match their signatures'],
  moved: ['was signed for another result', 'were signed for other results'],
  distrusted: ['is by somebody who is distrusted', 'are by somebody who is distrusted'],
  'through-others': ['is made in part by others who are not trusted', 'are made in part by others who are not trusted'],
};
