import {templateKey, type Action, type SliceManifest, type SliceRecord} from '../core/action.ts';
import {isSha256, sha256, type Digest, type Sha256} from '../core/digest.ts';
import {canonicalJson, isObject, type Json, type JsonObject} from '../core/json.ts';
import type {Voucher} from '../core/origin.ts';
import {readSlices, type Reading} from './contents.ts';
import {locally, type RemoteParts} from './parts.ts';
import type {Records} from './records.ts';
import {RemoteError} from './transport.ts';
import type {Whereabouts} from './whereabouts.ts';

/** Slices of earlier lists that a list of slices takes along, besides as many as it has itself. */
const extraSlices = 10_000;

/**
 * Lists of the slices of one template, whatever collection they were made for: one for each who answers for them. Each is
 * asked for once.
 */
export class SliceLists {
  readonly #parts: RemoteParts;
  readonly #records: Records;
  readonly #whereabouts: Whereabouts;
  readonly #reading: Reading;
  readonly #lists = new Map<string, Promise<readonly SliceRecord[]>>();
  readonly #merged = new Map<Sha256, Promise<readonly SliceRecord[]>>();

  constructor(parts: RemoteParts, records: Records, whereabouts: Whereabouts, reading: Reading) {
    this.#parts = parts;
    this.#records = records;
    this.#whereabouts = whereabouts;
    this.#reading = reading;
  }

  /** Slices that were made with this action on any items; their outputs are promised from then on. */
  async find(action: Action): Promise<readonly SliceRecord[]> {
    if (this.#parts.mode === 'write-only') return [];
    const template = templateKey(action);
    let merged = this.#merged.get(template);
    if (!merged) this.#merged.set(template, (merged = this.#findAll(template)));
    const slices = await merged;
    const distrusted = new Set(slices.map(({from}) => from!).filter(this.#parts.isDistrusted));
    return distrusted.size === 0 ? slices : slices.filter(({from}) => !distrusted.has(from!));
  }

  async #findAll(template: Sha256): Promise<readonly SliceRecord[]> {
    const lists = await Promise.all(
      this.#records.namespaces.flatMap((namespace) =>
        this.#records.trustedIn([namespace]).map((voucher) => this.#list(namespace, voucher, template)),
      ),
    );
    const merged = new Map<Sha256, SliceRecord>();
    for (const slice of lists.flat()) {
      if (merged.has(slice.fingerprint)) continue;
      merged.set(slice.fingerprint, slice);
      this.#whereabouts.promise(Object.values(slice.outputs));
    }
    return [...merged.values()];
  }

  #list(namespace: string, voucher: Voucher, template: Sha256): Promise<readonly SliceRecord[]> {
    const name = canonicalJson([namespace, voucher, template]);
    let list = this.#lists.get(name);
    if (!list) this.#lists.set(name, (list = this.#read(namespace, voucher, template)));
    return list;
  }

  async #read(namespace: string, voucher: Voucher, template: Sha256): Promise<readonly SliceRecord[]> {
    const found = await this.#records.get<Digest>(namespace, keyOf(template, voucher), ({entry, voucher: writer}) => {
      if (writer !== voucher || (writer.startsWith('key:') && entry['template'] !== template))
        return {refused: 'moved'};
      return manifestOf(entry);
    });
    if (!found) return [];
    this.#whereabouts.promise([found]);
    const slices = (await readSlices(found, this.#reading)) ?? [];
    // Of what somebody has from others he is no witness.
    return slices.filter(({from}) => from === undefined).map((slice) => ({...slice, from: voucher}));
  }

  /**
   * Lists slices for those whose collection holds other items as well. False when that did not work.
   *
   * @param slices - those of a result that is shared; what others made of them is left to the others
   * @param manifest - that lists just them
   */
  async share(
    action: Action,
    slices: readonly SliceRecord[],
    manifest: Digest,
    send: (digest: Digest) => Promise<boolean>,
  ): Promise<boolean> {
    const {mode, namespace} = this.#parts;
    const {voucher} = this.#records;
    const template = templateKey(action);
    const ours = slices.filter(({from}) => from === undefined || from === voucher);
    if (ours.length === 0) return true;
    const known = new Set(ours.map(({fingerprint}) => fingerprint));
    const earlier = (mode === 'write-only' ? [] : await this.#list(namespace, voucher, template))
      .filter(({fingerprint, outputs}) => {
        return !known.has(fingerprint) && !Object.values(outputs).some((digest) => this.#whereabouts.lacks(digest));
      })
      .slice(0, ours.length + extraSlices);
    let list = manifest;
    if (earlier.length > 0 || slices.some(({from}) => from !== undefined)) {
      const put = await this.putManifest([...ours, ...earlier]);
      if (!put || !(await send(put))) return false;
      list = put;
    }
    const {hash, size} = list;
    return this.#records.put(keyOf(template, voucher), {type: 'slices-of/1', template, manifest: {hash, size}});
  }

  /** Stores the list of slices as if we had made all of them. Undefined when that did not work. */
  async putManifest(slices: readonly SliceRecord[]): Promise<Digest | undefined> {
    const manifest: SliceManifest = {type: 'slices/1', slices: slices.map(ownSlice)};
    return locally(() => this.#parts.cas.putBytes(canonicalJson(manifest as unknown as Json)));
  }
}

/** Without whom it was taken from. */
export function ownSlice(slice: SliceRecord): SliceRecord {
  const {from: _, ...own} = slice;
  return own;
}

function keyOf(template: Sha256, voucher: Voucher): Sha256 {
  return sha256(canonicalJson(['slices-of/1', template, voucher]));
}

/** @throws RemoteError `wrong` */
function manifestOf({type, manifest}: JsonObject): Digest {
  if (type === 'slices-of/1' && isObject(manifest)) {
    const {hash, size} = manifest;
    if (typeof hash === 'string' && isSha256(hash) && Number.isSafeInteger(size) && (size as number) >= 0) {
      return {hash, size: size as number};
    }
  }
  throw new RemoteError('wrong', 'a list of slices is damaged');
}
