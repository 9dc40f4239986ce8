import type {ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import type {Origin} from '../core/origin.ts';
import {builderOf} from './builders.ts';
import {isReadable} from './contents.ts';
import {locally, type RemoteParts} from './parts.ts';
import {damaged, type Accepted, type Records} from './records.ts';
import {hasShowableMaking} from './showable.ts';
import type {Refused} from './trust.ts';
import type {Whereabouts} from './whereabouts.ts';

/** A result of others, as a record of our own. */
export interface Borrowed extends ActionResult {
  readonly borrowed: Origin;
}

/** Results of others. Each is asked for once. */
export class Results {
  readonly #parts: RemoteParts;
  readonly #records: Records;
  readonly #whereabouts: Whereabouts;
  readonly #asked = new Map<Sha256, Promise<void>>();

  constructor(parts: RemoteParts, records: Records, whereabouts: Whereabouts) {
    this.#parts = parts;
    this.#records = records;
    this.#whereabouts = whereabouts;
  }

  /** Takes over those that are there. */
  async find(fingerprints: Iterable<Sha256>): Promise<void> {
    if (this.#parts.mode === 'write-only') return;
    await Promise.all(
      [...fingerprints].map((fingerprint) => {
        let asked = this.#asked.get(fingerprint);
        if (!asked) this.#asked.set(fingerprint, (asked = this.#find(fingerprint)));
        return asked;
      }),
    );
  }

  /** The result of this action in a namespace; undefined when there is none that may be used. */
  get(namespace: string, fingerprint: Sha256, readable: readonly string[]): Promise<Borrowed | undefined> {
    return this.#records.get(namespace, fingerprint, (found) => this.#read(found, fingerprint, readable));
  }

  async #find(fingerprint: Sha256): Promise<void> {
    const {namespaces} = this.#records;
    let result: Borrowed | undefined;
    for (const namespace of namespaces) {
      result = await this.get(namespace, fingerprint, namespaces);
      if (result) break;
    }
    if (!result) return;
    this.#whereabouts.promise(Object.values(result.outputs).map(({digest}) => digest));
    if (result.slices) this.#whereabouts.promise([result.slices]);
    const {actions, isDistrusted} = this.#parts;
    const known = actions.get(fingerprint);
    // A result of our own stands: what it says of its making is about this machine.
    if (known && !(known.borrowed && isDistrusted(known.borrowed.voucher))) return;
    await locally(() => actions.put(result));
  }

  #read(
    {entry, text, voucher, namespace}: Accepted,
    fingerprint: Sha256,
    readable: readonly string[],
  ): Borrowed | Refused {
    if (voucher.startsWith('key:') && entry['fingerprint'] !== fingerprint) return {refused: 'moved'};
    const result = this.#parts.parseResult(text, fingerprint);
    if (!result || !hasShowableMaking(result) || !hasReadableLists(result)) throw damaged(fingerprint);
    const {type, action, outputs, metrics, execution, slices, via} = result;
    const trusted = this.#records.trustedIn(readable);
    if (via?.some((other) => !trusted.includes(other))) return {refused: 'through-others'};
    const [builder, promotedBy] = [builderOf(entry['builder']), builderOf(entry['promotedBy'])];
    return {
      ...{type, fingerprint, action, outputs, metrics, execution},
      ...(slices ? {slices} : {}),
      ...(via ? {via} : {}),
      borrowed: {voucher, namespace, ...(builder ? {builder} : {}), ...(promotedBy ? {promotedBy} : {})},
    };
  }
}

function hasReadableLists({outputs, slices}: ActionResult): boolean {
  const trees = Object.values(outputs).filter(({kind}) => kind === 'tree');
  return trees.every(({digest}) => isReadable(digest)) && (!slices || isReadable(slices));
}
