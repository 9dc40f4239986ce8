import {createHash} from 'node:crypto';
import pLimit from 'p-limit';
import {slicedPorts, type ActionResult, type SliceRecord} from '../core/action.ts';
import {sameDigest, type Digest, type Sha256} from '../core/digest.ts';
import type {JsonObject} from '../core/json.ts';
import {isListOf} from '../core/slice-proof.ts';
import {parseTree, type Tree} from '../core/tree.ts';
import {contentsOf, readSlices} from './contents.ts';
import type {Fetching} from './fetching.ts';
import type {RemoteParts} from './parts.ts';
import type {Borrowed, Results} from './results.ts';
import type {Sending, SendingRooms} from './sending.ts';
import {ownSlice} from './slice-lists.ts';

/**
 * What became of a result that was to be promoted: `there` was one already, with the same outputs or with others (`differs`);
 * none was found that may be used (`missing`); it is not whole, or says more of its slices than its outputs show
 * (`incomplete`); or it could not be written (`unsent`).
 */
export type Promotion = 'promoted' | 'there' | 'differs' | 'missing' | 'incomplete' | 'unsent';

/** What the promotion needs of the other rooms. */
export interface PromotingRooms extends SendingRooms {
  readonly results: Results;
  readonly fetching: Fetching;
  readonly sending: Sending;
}

/** Takes results of another namespace over into ours, as somebody who answers for every byte of them. */
export class Promoting {
  readonly #parts: RemoteParts;
  readonly #rooms: PromotingRooms;
  readonly #limit = pLimit(4);
  readonly #checked = new Map<Sha256, Promise<boolean>>();

  constructor(parts: RemoteParts, rooms: PromotingRooms) {
    this.#parts = parts;
    this.#rooms = rooms;
  }

  promote(fingerprint: Sha256, from: string): Promise<Promotion> {
    return this.#limit(() => this.#promote(fingerprint, from));
  }

  async #promote(fingerprint: Sha256, from: string): Promise<Promotion> {
    const {namespace} = this.#parts;
    const {results, records, sliceLists, sending} = this.#rooms;
    const [ours, theirs] = await Promise.all([
      results.get(namespace, fingerprint, [namespace]),
      results.get(from, fingerprint, [from, ...records.namespaces]),
    ]);
    if (ours) return theirs && !haveSameOutputs(ours, theirs) ? 'differs' : 'there';
    if (!theirs) return 'missing';
    const slices = await this.#wholeSlices(theirs);
    if (!slices) return 'incomplete';
    // Whoever reads ours may not know those whom the maker had some of it from.
    const manifest = slices.length > 0 ? await sliceLists.putManifest(slices) : undefined;
    if (manifest && !(await sending.send(manifest))) return 'unsent';
    const promotedBy = await this.#parts.builder?.();
    const entry = promotedEntry(theirs, manifest ?? theirs.slices, promotedBy && {...promotedBy});
    if (!(await records.put(fingerprint, entry))) return 'unsent';
    if (!manifest) return 'promoted';
    return (await sliceLists.share(theirs.action, slices, manifest, sending.send)) ? 'promoted' : 'unsent';
  }

  /** The slices of a result, as our own; undefined unless each of its blobs is whole, here and there. */
  async #wholeSlices(result: Borrowed): Promise<readonly SliceRecord[] | undefined> {
    const {cas} = this.#parts;
    const {reading, whereabouts, fetching} = this.#rooms;
    const fetched = new Set<Sha256>();
    const bring = async (digests: readonly Digest[]): Promise<void> => {
      const missing = digests.filter((digest) => !cas.holds(digest));
      for (const {hash} of missing) fetched.add(hash);
      whereabouts.promise(missing);
      await fetching.fetch(missing);
    };
    const contents = await contentsOf(result, {...reading, bring});
    if (!contents) return undefined;
    await bring(contents.needed);
    if (!contents.needed.every((digest) => cas.holds(digest))) return undefined;
    const held = contents.needed.filter(({hash}) => !fetched.has(hash));
    const there = await Promise.all(held.map((digest) => this.#putRight(digest)));
    if (there.includes(false)) return undefined;
    if (!result.slices) return [];
    const slices = (await readSlices(result.slices, reading)) ?? [];
    return (await this.#isProven(result, slices, bring)) ? slices.map(ownSlice) : undefined;
  }

  /** Our key vouches for each slice by itself from then on: nothing gets in beside what the outputs show. */
  async #isProven(
    result: Borrowed,
    slices: readonly SliceRecord[],
    bring: (digests: readonly Digest[]) => Promise<void>,
  ): Promise<boolean> {
    const {action} = result;
    const trees = new Map<Sha256, Tree>();
    const read = async (digest: Digest): Promise<void> => {
      const text = await this.#parts.cas.read(digest);
      const tree = text && parseTree(new TextDecoder().decode(text));
      if (tree) trees.set(digest.hash, tree);
    };
    const collections = slicedPorts(action).flatMap((port) => action.inputs[port] ?? []) as readonly Digest[];
    await bring(collections);
    for (const digest of collections) await read(digest);
    for (const {outputs} of slices) {
      for (const [name, digest] of Object.entries(outputs)) {
        if (action.outputs[name]?.kind === 'tree' && !trees.has(digest.hash)) await read(digest);
      }
    }
    const known = collections.flatMap(({hash}) => trees.get(hash) ?? []);
    const treeOf = ({hash}: Digest): Tree => trees.get(hash) ?? {entries: []};
    return isListOf(result, slices, known.length === collections.length ? known : undefined, treeOf);
  }

  /** What is here need not be whole there. */
  #putRight(digest: Digest): Promise<boolean> {
    let checked = this.#checked.get(digest.hash);
    if (!checked) this.#checked.set(digest.hash, (checked = this.#isThereOrSent(digest)));
    return checked;
  }

  async #isThereOrSent(digest: Digest): Promise<boolean> {
    const {requests, whereabouts, sending} = this.#rooms;
    const there = await requests.get('cas', digest.hash, digest.size, async (bytes) => {
      const hash = createHash('sha256');
      for await (const chunk of bytes) hash.update(chunk);
      return {hash: hash.digest('hex')};
    });
    if (there?.hash === digest.hash) return true;
    whereabouts.lose(digest);
    return sending.send(digest);
  }
}

function haveSameOutputs({outputs: ours}: ActionResult, {outputs: theirs}: ActionResult): boolean {
  const names = Object.keys(ours);
  if (names.length !== Object.keys(theirs).length) return false;
  return names.every((name) => {
    const [one, other] = [ours[name], theirs[name]];
    return one !== undefined && other !== undefined && sameDigest(one.digest, other.digest);
  });
}

function promotedEntry(
  {borrowed, type, fingerprint, action, outputs, metrics, execution}: Borrowed,
  slices: Digest | undefined,
  promotedBy: JsonObject | undefined,
): JsonObject {
  const {builder} = borrowed;
  const entry = {
    ...{type, fingerprint, action, outputs, metrics, execution},
    ...(slices ? {slices} : {}),
    ...(builder ? {builder} : {}),
    ...(promotedBy ? {promotedBy} : {}),
  };
  return entry as unknown as JsonObject;
}
