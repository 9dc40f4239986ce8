import {describe, expect, it} from 'vitest';
import type {ActionResult, SliceManifest, SliceRecord} from '../../../src/core/action.ts';
import {digestOf} from '../../../src/core/digest.ts';
import {canonicalJson, type Json, type JsonObject} from '../../../src/core/json.ts';
import type {Builder} from '../../../src/core/origin.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {keyPair} from '../../support/key-pair.ts';
import {remoteMachine, shareAll, slicedAction, slicedResult, type RemoteMachine} from '../../support/remote-machine.ts';
import {aFile, anAction, aResult} from '../../support/store-records.ts';

const [ci, pr, ann] = [keyPair(), keyPair(), keyPair()];
const trust = {main: {ci: ci.publicKey}, 'pr-*': {pr: pr.publicKey}, lab: {ann: ann.publicKey}};
const by = (name: string) => async (): Promise<Builder> => ({name});
const asMain = {namespace: 'main', trust};

function contributor(server: CacheServer, read = ['main']): RemoteMachine {
  return remoteMachine(
    server,
    {namespace: 'pr-12', read, trust},
    {signingKey: pr.privateKey, builder: by('contributor')},
  );
}

function promoter(server: CacheServer): RemoteMachine {
  return remoteMachine(server, asMain, {signingKey: ci.privateKey, builder: by('promoter')});
}

async function made({store}: RemoteMachine, content: string): Promise<ActionResult> {
  return aResult({patches: aFile(await store.cas.putBytes(content))}, anAction());
}

const wire = (server: CacheServer, path: string): JsonObject =>
  JSON.parse(String(server.entries.get(path))) as JsonObject;

describe('a result is promoted', () => {
  it('as it was made, named after its maker and who promoted it, and signed by the latter', async () => {
    const server = await cacheServer();
    const maker = contributor(server);
    const result = await made(maker, 'made');
    await shareAll(maker, result);
    const main = promoter(server);
    expect(await main.client.promote(result.fingerprint, 'pr-12')).toBe('promoted');
    const {signature, builder, promotedBy, ...entry} = wire(server, `/main/ac/${result.fingerprint}`);
    expect(entry).toEqual(result);
    expect([builder, promotedBy]).toEqual([{name: 'contributor'}, {name: 'promoter'}]);
    expect(signature).toMatchObject({key: ci.id});
    const reader = remoteMachine(server, asMain);
    await reader.client.findResults([result.fingerprint]);
    expect(reader.store.actions.get(result.fingerprint)?.borrowed).toEqual({
      ...{voucher: `key:${ci.id}`, namespace: 'main'},
      ...{builder: {name: 'contributor'}, promotedBy: {name: 'promoter'}},
    });
    expect(main.store.actions.get(result.fingerprint)).toBeUndefined();
  });

  it('with its slices, which are those of the promoter then, whoever made them', async () => {
    const server = await cacheServer();
    const lab = remoteMachine(server, {namespace: 'lab', trust}, {signingKey: ann.privateKey});
    await shareAll(lab, await slicedResult(lab, ['a']));
    const maker = contributor(server, ['lab']);
    const result = await slicedResult(maker, ['a', 'b'], {a: `key:${ann.id}`});
    await shareAll(maker, result);
    expect(await promoter(server).client.promote(result.fingerprint, 'pr-12')).toBe('missing');
    const reads = remoteMachine(server, {...asMain, read: ['lab']}, {signingKey: ci.privateKey});
    expect(await reads.client.promote(result.fingerprint, 'pr-12')).toBe('promoted');
    const record = wire(server, `/main/ac/${result.fingerprint}`);
    expect(record).not.toHaveProperty('via');
    const {hash} = record['slices'] as unknown as {hash: string};
    const {slices} = JSON.parse(String(server.entries.get(`/cas/${hash}`))) as SliceManifest;
    expect(slices.map(({key, from}) => [key, from])).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
    const reader = remoteMachine(server, asMain);
    await reader.client.findResults([result.fingerprint]);
    expect(reader.store.actions.get(result.fingerprint)).toBeDefined();
    const found = await reader.client.findSlices(slicedAction('anything'));
    expect(found.map(({key, from}) => [key, from])).toEqual([
      ['a', `key:${ci.id}`],
      ['b', `key:${ci.id}`],
    ]);
  });
});

describe('a result is not promoted', () => {
  it('when there is none, or it is not signed by whom its namespace wants', async () => {
    const server = await cacheServer();
    const maker = contributor(server);
    const result = await made(maker, 'made');
    expect(await promoter(server).client.promote(result.fingerprint, 'pr-12')).toBe('missing');
    await shareAll(maker, result);
    const path = `/pr-12/ac/${result.fingerprint}`;
    server.entries.set(path, Buffer.from(JSON.stringify({...wire(server, path), metrics: {}})));
    const main = promoter(server);
    expect(await main.client.promote(result.fingerprint, 'pr-12')).toBe('missing');
    main.client.close();
    expect(main.warnings).toMatchObject([{code: 'remote-untrusted'}]);
  });

  it('when there is one already; one with other bytes stays', async () => {
    const server = await cacheServer();
    const [maker, main] = [contributor(server), promoter(server)];
    const [theirs, ours] = [await made(maker, 'made by them'), await made(main, 'made by us')];
    await shareAll(maker, theirs);
    await shareAll(main, ours);
    const before = server.entries.get(`/main/ac/${ours.fingerprint}`);
    expect(await promoter(server).client.promote(ours.fingerprint, 'pr-12')).toBe('differs');
    const same = contributor(server);
    await shareAll(same, await made(same, 'made by us'));
    expect(await promoter(server).client.promote(ours.fingerprint, 'pr-12')).toBe('there');
    expect(server.entries.get(`/main/ac/${ours.fingerprint}`)).toBe(before);
  });

  it.each([
    [
      'damaged, as long as it was,',
      (server: CacheServer, path: string) => server.entries.set(path, Buffer.from('as many !')),
    ],
    ['lost', (server: CacheServer, path: string) => server.entries.delete(path)],
  ])('when a file of a slice is %s, unless it is whole here', async (_, damage) => {
    const server = await cacheServer();
    const maker = contributor(server);
    const result = await slicedResult(maker, ['a', 'b']);
    await shareAll(maker, result);
    const path = `/cas/${digestOf('made of b').hash}`;
    damage(server, path);
    const main = promoter(server);
    expect(await main.client.promote(result.fingerprint, 'pr-12')).toBe('incomplete');
    expect([...server.entries.keys()].filter((each) => each.startsWith('/main/'))).toEqual([]);
    const other = promoter(server);
    const held = await other.store.cas.putBytes('made of b');
    // As a plan has it that found the result.
    other.client.promise([held]);
    server.fault = (request, response) => {
      if (request.method !== 'PUT' || !request.url?.startsWith('/cas/')) return false;
      request.resume();
      return Boolean(response.writeHead(503).end());
    };
    expect(await other.client.promote(result.fingerprint, 'pr-12')).toBe('incomplete');
    expect([...server.entries.keys()].filter((each) => each.startsWith('/main/'))).toEqual([]);
    server.fault = () => false;
    const again = promoter(server);
    await again.store.cas.putBytes('made of b');
    again.client.promise([held]);
    expect(await again.client.promote(result.fingerprint, 'pr-12')).toBe('promoted');
    expect(String(server.entries.get(path))).toBe('made of b');
  });

  it.each<[string, (slices: SliceRecord[]) => SliceRecord[]]>([
    ['a slice that the outputs do not show', ([a, b]) => [a!, b!, {...b!, key: 'c', item: digestOf('c')}]],
    [
      'what one item makes for another',
      ([a, b]) => [
        {...a!, fingerprint: b!.fingerprint},
        {...b!, fingerprint: a!.fingerprint},
      ],
    ],
    ['another item', ([a, b]) => [{...a!, item: digestOf('c')}, b!]],
    ['a slice twice', ([a, b]) => [a!, b!, b!]],
    ['a slice without an output', ([a, b]) => [a!, {...b!, outputs: {}}]],
    ['too little', ([a]) => [a!]],
  ])('when its list of slices names %s', async (_, change) => {
    const server = await cacheServer();
    const maker = contributor(server);
    const result = await slicedResult(maker, ['a', 'b']);
    const text = new TextDecoder().decode(await maker.store.cas.read(result.slices!));
    const {slices} = JSON.parse(text) as {slices: SliceRecord[]};
    const list = canonicalJson({type: 'slices/1', slices: change(slices)} as unknown as Json);
    await shareAll(maker, {...result, slices: await maker.store.cas.putBytes(list)});
    expect(await promoter(server).client.promote(result.fingerprint, 'pr-12')).toBe('incomplete');
    expect([...server.entries.keys()].filter((path) => path.startsWith('/main/'))).toEqual([]);
  });

  it('when it cannot be written', async () => {
    const server = await cacheServer();
    const maker = contributor(server);
    const result = await made(maker, 'made');
    await shareAll(maker, result);
    server.fault = (request, response) => {
      if (request.method !== 'PUT') return false;
      request.resume();
      return Boolean(response.writeHead(403).end());
    };
    expect(await promoter(server).client.promote(result.fingerprint, 'pr-12')).toBe('unsent');
  });

  it('by somebody whose key nobody trusts', async () => {
    const server = await cacheServer();
    const main = remoteMachine(server, asMain, {signingKey: pr.privateKey});
    expect(main.client.mayWrite()).toBe(false);
    expect(promoter(server).client.mayWrite()).toBe(true);
  });
});
