import type {ActionResult} from '../core/action.ts';
import type {Sha256} from '../core/digest.ts';
import {collect} from './blobs.ts';
import {locally, type RemoteParts} from './parts.ts';
import {mostRecordBytes, type Requests} from './requests.ts';
import {RemoteError} from './transport.ts';
import type {Whereabouts} from './whereabouts.ts';

/** Results of others. Each is asked for once. */
export class Results {
  readonly #parts: RemoteParts;
  readonly #requests: Requests;
  readonly #whereabouts: Whereabouts;
  readonly #asked = new Map<Sha256, Promise<void>>();

  constructor(parts: RemoteParts, requests: Requests, whereabouts: Whereabouts) {
    this.#parts = parts;
    this.#requests = requests;
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

  async #find(fingerprint: Sha256): Promise<void> {
    const result = await this.#get(fingerprint);
    if (!result) return;
    this.#whereabouts.promise(Object.values(result.outputs).map(({digest}) => digest));
    if (result.slices) this.#whereabouts.promise([result.slices]);
    const {actions} = this.#parts;
    // A result of our own stands: what it says of its making is about this machine.
    if (actions.get(fingerprint)) return;
    await locally(() => actions.put({...result, borrowed: {voucher: 'namespace:default', namespace: 'default'}}));
  }

  #get(fingerprint: Sha256): Promise<ActionResult | undefined> {
    return this.#requests.get('ac', fingerprint, mostRecordBytes, async (bytes) => {
      const parsed = this.#parts.parseResult((await collect(bytes)).toString('utf8'), fingerprint);
      if (!parsed) throw new RemoteError('wrong', `the record ${fingerprint} is damaged or of another version`);
      return parsed;
    });
  }
}
