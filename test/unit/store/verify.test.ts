import {chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {fingerprintOf, type SliceManifest} from '../../../src/core/action.ts';
import {digestOf} from '../../../src/core/digest.ts';
import {canonicalJson, type Json} from '../../../src/core/json.ts';
import {makeTree, type Artifact} from '../../../src/core/tree.ts';
import {recordPath} from '../../../src/store/layout.ts';
import {sealMs} from '../../../src/store/seal.ts';
import {verifyStore, type VerifyProgress} from '../../../src/store/verify.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';
import {aFile, aResult, anAction} from '../../support/store-records.ts';

async function put(store: OpenedStore, text: string): Promise<ReturnType<typeof aResult>> {
  const result = aResult({out: aFile(await store.cas.putBytes(text))}, anAction({salt: text}));
  await store.actions.put(result);
  return result;
}

test('an empty store is whole', async () => {
  expect(await verifyStore(openedStore(join(tempFolder(), 'cache')))).toEqual({
    blobs: 0,
    bytes: 0,
    damagedBlobs: [],
    records: 0,
    damagedRecords: [],
    danglingRecords: [],
  });
});

test('finds damage that keeps size and seal, and removes the records that need it', async () => {
  const store = openedStore(join(tempFolder(), 'cache'));
  const good = await put(store, 'good');
  const bad = await put(store, 'evil');
  const path = store.cas.pathOf(digestOf('evil'));
  chmodSync(path, 0o644);
  writeFileSync(path, 'EVIL');
  utimesSync(path, sealMs / 1000, sealMs / 1000);
  const progress: VerifyProgress[] = [];
  const report = await verifyStore(store, {onProgress: (step) => progress.push(step)});
  expect(report).toEqual({
    blobs: 2,
    bytes: 8,
    damagedBlobs: [digestOf('evil').hash],
    records: 2,
    damagedRecords: [],
    danglingRecords: [{fingerprint: bad.fingerprint, missing: digestOf('evil').hash}],
  });
  expect(progress.at(-1)).toEqual({blobs: 2, totalBlobs: 2, bytes: 8, totalBytes: 8});
  expect(store.actions.get(good.fingerprint)).toEqual(good);
  expect(store.actions.get(bad.fingerprint)).toBeUndefined();
  expect(await verifyStore(store)).toMatchObject({blobs: 1, records: 1, damagedBlobs: [], danglingRecords: []});
});

test('finds what is missing from a tree, and records that cannot be read', async () => {
  const folder = tempFolder();
  const store = openedStore(join(folder, 'cache'));
  mkdirSync(join(folder, 'out'));
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'out', name), `entry ${name}`);
  const tree = await store.cas.putTree(join(folder, 'out'));
  const result = aResult({out: tree});
  await store.actions.put(result);
  rmSync(store.cas.pathOf(digestOf('entry b')));
  const other = await put(store, 'other');
  const record = recordPath(store.layout.actions, other.fingerprint);
  writeFileSync(record, '{');
  expect(await verifyStore(store)).toMatchObject({
    damagedRecords: [other.fingerprint],
    danglingRecords: [{fingerprint: fingerprintOf(result.action), missing: digestOf('entry b').hash}],
  });
});

test('finds the slice whose tree lacks a file, and the node that was put together of it', async () => {
  const folder = tempFolder();
  const store = openedStore(join(folder, 'cache'));
  const treeOf = async (name: string): Promise<Artifact> => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'x'), `entry ${name}`);
    return store.cas.putTree(join(folder, name));
  };
  const slices = [];
  for (const key of ['a', 'b']) {
    const out = await treeOf(key);
    const slice = aResult({out}, anAction({salt: key}));
    await store.actions.put(slice);
    const {fingerprint} = slice;
    slices.push({key, item: digestOf(key), fingerprint, outputs: {out: out.digest}, wallMs: 1});
  }
  const manifest: SliceManifest = {type: 'slices/1', slices};
  const {artifact, text} = makeTree(['a', 'b'].map((key) => ({path: `${key}/x`, digest: digestOf(`entry ${key}`)})));
  await store.cas.putBytes(text);
  const node = aResult({out: artifact}, anAction({each: 'waveform'}), {
    slices: await store.cas.putBytes(canonicalJson(manifest as unknown as Json)),
  });
  await store.actions.put(node);
  expect((await verifyStore(store)).danglingRecords).toEqual([]);
  rmSync(store.cas.pathOf(digestOf('entry b')));
  const missing = digestOf('entry b').hash;
  const {danglingRecords} = await verifyStore(store);
  expect(danglingRecords.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))).toEqual(
    [node.fingerprint, slices[1]!.fingerprint].toSorted().map((fingerprint) => ({fingerprint, missing})),
  );
});

test('missing logs and manifests do not make a result worthless', async () => {
  const store = openedStore(join(tempFolder(), 'cache'));
  const output = await store.cas.putBytes('output');
  const {execution} = aResult();
  await store.actions.put(
    aResult({out: aFile(output)}, anAction(), {execution: {...execution, log: digestOf('lost log')}}),
  );
  expect((await verifyStore(store)).danglingRecords).toEqual([]);
});

test('can be stopped', async () => {
  const store = openedStore(join(tempFolder(), 'cache'));
  for (let index = 0; index < 10; index++) await put(store, `${index}`);
  const stop = new AbortController();
  await expect(verifyStore(store, {signal: stop.signal, onProgress: () => stop.abort()})).rejects.toThrow('aborted');
});
