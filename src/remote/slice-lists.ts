import {templateKey, type Action, type SliceManifest, type SliceRecord} from '../core/action.ts';
import {isSha256, sha256, type Digest, type Sha256} from '../core/digest.ts';
import {canonicalJson, isObject, type Json} from '../core/json.ts';
import {collect} from './blobs.ts';
import {readSlices, type Reading} from './contents.ts';
import {locally, type RemoteParts} from './parts.ts';
import {mostRecordBytes, type Requests} from './requests.ts';
import {RemoteError} from './transport.ts';
import type {Whereabouts} from './whereabouts.ts';

/** Slices of others that a list of slices takes along, besides as many as it has itself. */
const extraSlices = 10_000;

/** Lists of the slices of one template, whatever collection they were made for. Each is asked for once. */
export class SliceLists {
  readonly #parts: RemoteParts;
  readonly #requests: Requests;
  readonly #whereabouts: Whereabouts;
  readonly #reading: Reading;
  readonly #found = new Map<Sha256, Promise<readonly SliceRecord[]>>();

  constructor(parts: RemoteParts, requests: Requests, whereabouts: Whereabouts, reading: Reading) {
    this.#parts = parts;
    this.#requests = requests;
    this.#whereabouts = whereabouts;
    this.#reading = reading;
  }

  /** Slices that were made with this action on any items; their outputs are promised from then on. */
  find(action: Action): Promise<readonly SliceRecord[]> {
    const key = keyOf(action);
    let found = this.#found.get(key);
    if (!found) this.#found.set(key, (found = this.#find(key)));
    return found;
  }

  async #find(key: Sha256): Promise<readonly SliceRecord[]> {
    if (this.#parts.mode === 'write-only') return [];
    const digest = await this.#requests.get('ac', key, mostRecordBytes, async (bytes) =>
      parsePointer(await collect(bytes)),
    );
    if (!digest) return [];
    this.#whereabouts.promise([digest]);
    const slices = (await readSlices(digest, this.#reading)) ?? [];
    for (const {outputs} of slices) this.#whereabouts.promise(Object.values(outputs));
    return slices;
  }

  /** Lists slices for those whose collection holds other items as well. False when that did not work. */
  async share(
    action: Action,
    own: Digest,
    theirs: readonly SliceRecord[],
    send: (digest: Digest) => Promise<boolean>,
  ): Promise<boolean> {
    const ours = (await readSlices(own, this.#reading)) ?? [];
    const known = new Set(ours.map(({fingerprint}) => fingerprint));
    const others = theirs
      .filter(({fingerprint, outputs}) => {
        return !known.has(fingerprint) && !Object.values(outputs).some((digest) => this.#whereabouts.lacks(digest));
      })
      .slice(0, ours.length + extraSlices);
    let list = own;
    if (others.length > 0) {
      const manifest: SliceManifest = {type: 'slices/1', slices: [...ours, ...others]};
      const put = await locally(() => this.#parts.cas.putBytes(canonicalJson(manifest as unknown as Json)));
      if (!put || !(await send(put))) return false;
      list = put;
    }
    return this.#requests.putJson('ac', keyOf(action), {type: 'slices-of/1', manifest: list});
  }
}

function keyOf(action: Action): Sha256 {
  return sha256(canonicalJson(['slices-of/1', templateKey(action)]));
}

/** @throws RemoteError `wrong` */
function parsePointer(bytes: Buffer): Digest {
  let value: Json;
  try {
    value = JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    value = null;
  }
  const manifest = isObject(value) && value['type'] === 'slices-of/1' ? value['manifest'] : undefined;
  if (manifest !== undefined && isObject(manifest)) {
    const {hash, size} = manifest;
    if (typeof hash === 'string' && isSha256(hash) && Number.isSafeInteger(size) && (size as number) >= 0) {
      return {hash, size: size as number};
    }
  }
  throw new RemoteError('wrong', 'a list of slices is damaged');
}
