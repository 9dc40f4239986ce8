import {templateKey, type ActionResult, type SliceManifest, type SliceRecord} from '../../src/core/action.ts';
import {digestOf, type Digest, type Sha256} from '../../src/core/digest.ts';
import type {Builder, Voucher} from '../../src/core/origin.ts';
import type {RemoteCache} from '../../src/core/ports.ts';
import {parseTree} from '../../src/core/tree.ts';
import type {SharedStore} from './engine-rig.ts';

/** What a remote cache holds, and what was asked of it. */
export class MemoryServer {
  readonly results = new Map<Sha256, ActionResult>();
  readonly blobs = new Map<Sha256, Uint8Array>();
  readonly slices = new Map<Sha256, SliceRecord[]>();
  /** Hashes of the blobs that were fetched, in order. */
  readonly fetched: Sha256[] = [];
  /** Who is said to have made what is here. */
  voucher: Voucher = 'namespace:default';
  builder: Builder | undefined;
  promotedBy: Builder | undefined;
  /** How often results or slices were looked for. */
  questions = 0;
  /** How often results were looked for, any number at a time. */
  rounds = 0;

  lose(...digests: readonly Digest[]): void {
    for (const {hash} of digests) this.blobs.delete(hash);
  }
}

/** The remote cache as one run sees it. What is shared is there at once. */
export function memoryRemote(server: MemoryServer, {cas, actions, files, distrusted}: SharedStore): RemoteCache {
  const {voucher, builder, promotedBy} = server;
  const made = {...(builder ? {builder} : {}), ...(promotedBy ? {promotedBy} : {})};
  const origin = {voucher, namespace: 'default', ...made};
  const promised = new Set<Sha256>();
  const lost = new Set<Sha256>();
  const asked = new Set<Sha256>();
  const promise = (digests: Iterable<Digest>): void => {
    for (const {hash} of digests) if (!lost.has(hash)) promised.add(hash);
  };
  const give = (digest: Digest): string | undefined => {
    const bytes = files.get(cas.pathOf(digest));
    if (bytes) server.blobs.set(digest.hash, bytes);
    return bytes && new TextDecoder().decode(bytes);
  };
  return {
    async findResults(fingerprints) {
      server.rounds++;
      for (const fingerprint of fingerprints) {
        if (asked.has(fingerprint)) continue;
        asked.add(fingerprint);
        server.questions++;
        const result = server.results.get(fingerprint);
        if (!result || distrusted.has(voucher)) continue;
        promise(Object.values(result.outputs).map(({digest}) => digest));
        if (result.slices) promise([result.slices]);
        const borrowed = actions.get(fingerprint)?.borrowed;
        if (!actions.get(fingerprint) || (borrowed && distrusted.has(borrowed.voucher))) {
          await actions.put({...result, borrowed: origin});
        }
      }
    },
    async findSlices(action) {
      server.questions++;
      const found = server.slices.get(templateKey(action)) ?? [];
      for (const {outputs} of found) promise(Object.values(outputs));
      return found.map((slice) => ({...slice, from: voucher}));
    },
    promises: ({hash}) => promised.has(hash),
    lacks: ({hash}) => lost.has(hash),
    promise,
    async fetch(digests) {
      for (const digest of digests) {
        if (!promised.has(digest.hash)) continue;
        if (!cas.holds(digest)) {
          server.fetched.push(digest.hash);
          const bytes = server.blobs.get(digest.hash);
          if (bytes && digestOf(bytes).hash === digest.hash) await cas.putBytes(bytes);
          else lost.add(digest.hash);
        }
        promised.delete(digest.hash);
      }
    },
    share(result) {
      if (result.borrowed) throw new Error('share: the result is of others');
      for (const {kind, digest} of Object.values(result.outputs)) {
        const tree = kind === 'tree' ? parseTree(give(digest) ?? '') : void give(digest);
        for (const entry of tree?.entries ?? []) give(entry.digest);
      }
      if (result.slices) {
        const {slices} = JSON.parse(give(result.slices)!) as SliceManifest;
        for (const {outputs} of slices) {
          for (const digest of Object.values(outputs)) {
            for (const entry of parseTree(give(digest) ?? '')?.entries ?? []) give(entry.digest);
          }
        }
        const key = templateKey(result.action);
        const own = slices.filter(({from}) => from === undefined);
        const made = new Set(own.map(({fingerprint}) => fingerprint));
        const before = (server.slices.get(key) ?? []).filter(({fingerprint}) => !made.has(fingerprint));
        server.slices.set(key, [...before, ...own]);
      }
      server.results.set(result.fingerprint, structuredClone(result));
    },
  };
}
