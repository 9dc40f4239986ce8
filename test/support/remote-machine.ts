import {expect, onTestFinished} from 'vitest';
import type {ActionResult} from '../../src/core/action.ts';
import type {Failure} from '../../src/core/failure.ts';
import {openRemote, type OpenOptions} from '../../src/remote/open.ts';
import type {RemoteClient} from '../../src/remote/remote-cache.ts';
import {plainSettings, type RemoteSettings} from '../../src/remote/settings.ts';
import {readResult} from '../../src/store/action-cache.ts';
import {parseSlices} from '../../src/store/validate.ts';
import type {CacheServer} from './cache-server.ts';
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
    parseSlices,
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
