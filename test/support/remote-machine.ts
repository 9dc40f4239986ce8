import {expect, onTestFinished} from 'vitest';
import {
  fingerprintOf as fingerprintOfAction,
  sliceFingerprinter,
  type Action,
  type ActionResult,
  type SliceManifest,
} from '../../src/core/action.ts';
import {digestOf, type Digest} from '../../src/core/digest.ts';
import type {Failure} from '../../src/core/failure.ts';
import {canonicalJson, type Json} from '../../src/core/json.ts';
import type {Voucher} from '../../src/core/origin.ts';
import {sliceSeed} from '../../src/core/seed.ts';
import {makeTree, type TreeEntry} from '../../src/core/tree.ts';
import {openRemote, type OpenOptions} from '../../src/remote/open.ts';
import type {RemoteClient} from '../../src/remote/remote-cache.ts';
import {plainSettings, type RemoteSettings} from '../../src/remote/settings.ts';
import {readResult} from '../../src/store/action-cache.ts';
import type {CacheServer} from './cache-server.ts';
import {anAction, aResult} from './store-records.ts';
import {openedStore, tempFolder, type OpenedStore} from './store-fixture.ts';

/** One of the machines that share a server. */
export interface RemoteMachine {
  readonly store: OpenedStore;
  readonly client: RemoteClient;
  readonly warnings: Failure[];
}

type Options = Pick<OpenOptions, 'signingKey' | 'isDistrusted' | 'builder'>;

/** Ends with the test. Without a store it has an empty one. */
export function remoteMachine(
  server: Pick<CacheServer, 'url'>,
  settings: Partial<RemoteSettings> = {},
  {store = openedStore(tempFolder()), ...options}: Options & {readonly store?: OpenedStore} = {},
): RemoteMachine {
  const warnings: Failure[] = [];
  const client = openRemote({
    ...store,
    settings: {...plainSettings, url: server.url, mode: 'read-write', ...settings},
    lacks: [],
    now: () => 0,
    warn: (failure) => warnings.push(failure),
    parseResult: readResult,
    ...options,
  });
  onTestFinished(() => client.close());
  return {store, client, warnings};
}

/** Gives a result away whose blobs are in the machine's store. */
export async function shareAll({client}: RemoteMachine, ...results: readonly ActionResult[]): Promise<void> {
  for (const result of results) client.share(result);
  expect(await client.finish(new AbortController().signal)).toMatchObject({results: results.length, failed: 0});
}

/** The action of an `each` node whose slices make a tree each. */
export function slicedAction(items: string): Action {
  return anAction({each: 'item', inputs: {item: digestOf(items)}, outputs: {out: {kind: 'tree', name: 'out'}}});
}

/** The result of an `each` node over items; those of `others` came from somebody else. */
export async function slicedResult(
  {store}: RemoteMachine,
  items: readonly string[],
  others: Readonly<Record<string, Voucher>> = {},
): Promise<ActionResult> {
  const slices = [];
  const files: TreeEntry[] = [];
  const about = slicedAction(items.join());
  const fingerprintOf = sliceFingerprinter(about);
  for (const key of items) {
    const file = await store.cas.putBytes(`made of ${key}`);
    const {artifact, text} = makeTree([{path: 'file', digest: file}]);
    await store.cas.putBytes(text);
    files.push({path: `${key}/file`, digest: file});
    const from = others[key];
    const item = digestOf(key);
    const fingerprint = fingerprintOf([item], sliceSeed(about.seed, key));
    slices.push({...{key, item, fingerprint, wallMs: 1}, outputs: {out: artifact.digest}, ...(from ? {from} : {})});
  }
  const {artifact, text} = makeTree(files);
  await store.cas.putBytes(text);
  const manifest: SliceManifest = {type: 'slices/1', slices};
  const slicesDigest: Digest = await store.cas.putBytes(canonicalJson(manifest as unknown as Json));
  const result = {...aResult({}, about), outputs: {out: artifact}, slices: slicesDigest};
  return {...result, action: about, fingerprint: fingerprintOfAction(about)};
}
