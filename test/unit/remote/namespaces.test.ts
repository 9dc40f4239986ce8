import {describe, expect, it} from 'vitest';
import {
  fingerprintOf,
  templateKey,
  type Action,
  type ActionResult,
  type SliceManifest,
} from '../../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../../src/core/digest.ts';
import {canonicalJson, type Json, type JsonObject} from '../../../src/core/json.ts';
import type {Voucher} from '../../../src/core/origin.ts';
import {makeTree} from '../../../src/core/tree.ts';
import {signEntry, readSigningKey} from '../../../src/remote/signature.ts';
import {cacheServer, type CacheServer} from '../../support/cache-server.ts';
import {keyPair, type KeyPair} from '../../support/key-pair.ts';
import {remoteMachine, shareAll, slicedAction, slicedResult, type RemoteMachine} from '../../support/remote-machine.ts';
import {aFile, anAction, aResult} from '../../support/store-records.ts';

const [ci, pr] = [keyPair(), keyPair()];
const trust = {main: {ci: ci.publicKey}, 'pr-*': {pr: pr.publicKey}};
const [asMain, asPr] = [
  {namespace: 'main', trust},
  {namespace: 'pr-12', read: ['main'], trust},
];
const [withCi, withPr] = [{signingKey: ci.privateKey}, {signingKey: pr.privateKey}];

async function made({store}: RemoteMachine, content: string, metrics = {loss: 0.25}): Promise<ActionResult> {
  const result = aResult({patches: aFile(await store.cas.putBytes(content))}, anAction(), {metrics});
  await store.actions.put(result);
  return result;
}

/** The one result of main, made and signed by its key. */
async function mainShares(server: CacheServer, content = 'made by main'): Promise<ActionResult> {
  const maker = remoteMachine(server, asMain, {...withCi, builder: async () => ({name: 'ci', commit: 'abc'})});
  const result = await made(maker, content);
  await shareAll(maker, result);
  return result;
}

async function found(machine: RemoteMachine, {fingerprint}: ActionResult): Promise<ActionResult | undefined> {
  await machine.client.findResults([fingerprint]);
  return machine.store.actions.get(fingerprint);
}

const unsigned = (record: JsonObject): JsonObject => {
  const {signature: _, ...entry} = record;
  return entry;
};
const signed = (entry: JsonObject, by: KeyPair, namespace = 'main', salt = ''): JsonObject => ({
  ...entry,
  signature: {...signEntry(entry, {namespace, salt}, readSigningKey(by.privateKey)!)},
});
const json = (value: object): JsonObject => value as JsonObject;
const records = (server: CacheServer): string[] => [...server.entries.keys()].filter((path) => path.includes('/ac/'));
const wire = (server: CacheServer, path: string): JsonObject =>
  JSON.parse(String(server.entries.get(path))) as JsonObject;
const put = (server: CacheServer, path: string, value: unknown): void =>
  void server.entries.set(path, Buffer.from(JSON.stringify(value)));

describe('a namespace', () => {
  it('is written to, and the ones that are read are not', async () => {
    const server = await cacheServer();
    const machine = remoteMachine(server, asPr, withPr);
    const result = await made(machine, 'made by the pull request');
    await shareAll(machine, result);
    expect(records(server)).toEqual([`/pr-12/ac/${result.fingerprint}`]);
    expect([...server.entries.keys()]).toContain(`/cas/${result.outputs['patches']!.digest.hash}`);
  });

  it('is looked into first, then the others in their order, and a refused record is none', async () => {
    const server = await cacheServer();
    const result = await mainShares(server);
    server.seen.splice(0);
    const reader = remoteMachine(server, {...asPr, read: ['lab', 'main']});
    put(server, `/pr-12/ac/${result.fingerprint}`, {...result, metrics: {loss: 0}});
    expect(await found(reader, result)).toEqual({
      ...result,
      borrowed: {voucher: `key:${ci.id}`, namespace: 'main', builder: {name: 'ci', commit: 'abc'}},
    });
    expect(server.seen.map(({line}) => line)).toEqual(
      ['pr-12', 'lab', 'main'].map((name) => `GET /${name}/ac/${result.fingerprint}`),
    );
    reader.client.close();
    expect(reader.warnings).toMatchObject([{code: 'remote-untrusted'}]);
    expect(reader.warnings[0]?.message).toContain('of the namespace pr-12 1 is not signed');
  });

  it('is not read by whom it is not named to', async () => {
    const server = await cacheServer();
    const attacker = remoteMachine(server, asPr, withPr);
    const poison = await made(attacker, 'poison');
    await shareAll(attacker, poison);
    const main = remoteMachine(server, asMain);
    expect(await found(main, poison)).toBeUndefined();
    expect(main.warnings).toEqual([]);
  });

  it('called default is where it was before there were others', async () => {
    const server = await cacheServer();
    const machine = remoteMachine(server);
    const result = await made(machine, 'made');
    await shareAll(machine, result);
    expect(records(server)).toEqual([`/ac/${result.fingerprint}`]);
    expect((await found(remoteMachine(server), result))?.borrowed).toEqual({
      voucher: 'namespace:default',
      namespace: 'default',
    });
  });
});

describe('a record in the namespace of main', () => {
  const path = ({fingerprint}: ActionResult): string => `/main/ac/${fingerprint}`;

  it.each<[string, string, (genuine: JsonObject) => JsonObject]>([
    ['is not signed', 'is not signed', unsigned],
    [
      'is signed by a key of their own',
      'a key that is not trusted there',
      (record) => signed(unsigned(record), keyPair()),
    ],
    ['is signed by the key of pull requests', pr.id.slice(0, 16), (record) => signed(unsigned(record), pr)],
    [
      'has another output',
      'does not match its signature',
      (record) => ({...record, outputs: {patches: json(aFile(digestOf('poison')))}}),
    ],
    ['has other metrics', 'does not match its signature', (record) => ({...record, metrics: {loss: 0}})],
    ['has another builder', 'does not match its signature', (record) => ({...record, builder: {name: 'somebody'}})],
    [
      'was signed for another namespace',
      'does not match its signature',
      (record) => signed(unsigned(record), ci, 'lab'),
    ],
    [
      'was signed for another salt',
      'does not match its signature',
      (record) => signed(unsigned(record), ci, 'main', '1'),
    ],
    ['has half a signature', 'a signature that is none', (record) => ({...record, signature: {key: ci.id, value: ''}})],
    [
      'is the signed record of another action',
      'signed for another result',
      () => {
        const other = aResult({patches: aFile(digestOf('poison'))}, anAction({seed: 7}));
        return signed(other as unknown as JsonObject, ci);
      },
    ],
    [
      'was made in part by somebody else',
      'in part by others',
      (record) => signed({...unsigned(record), via: [`key:${pr.id}`]}, ci),
    ],
  ])('that %s is not used, and costs one warning', async (_, said, change) => {
    const server = await cacheServer();
    const result = await mainShares(server);
    put(server, path(result), change(wire(server, path(result))));
    const reader = remoteMachine(server, asMain);
    expect(await found(reader, result)).toBeUndefined();
    expect(reader.client.promises(digestOf('poison'))).toBe(false);
    reader.client.tellRefused();
    reader.client.close();
    expect(reader.warnings).toMatchObject([{code: 'remote-untrusted'}]);
    expect(reader.warnings[0]?.message).toContain(`of the namespace main 1 `);
    expect(reader.warnings[0]?.message).toContain(said);
    // What is made here instead takes its place.
    const maker = remoteMachine(server, asMain, withCi);
    await shareAll(maker, await made(maker, 'made by main'));
    expect(await found(remoteMachine(server, asMain), result)).toMatchObject({outputs: result.outputs});
  });

  it('of somebody who is distrusted is not used, nor what was borrowed from him before', async () => {
    const server = await cacheServer();
    const result = await mainShares(server);
    const isDistrusted = (voucher: Voucher): boolean => voucher === `key:${ci.id}`;
    expect(await found(remoteMachine(server, asMain, {isDistrusted}), result)).toBeUndefined();
    // Of another key the same is taken in its place.
    const ann = keyPair();
    const both = {...asMain, trust: {main: {ci: ci.publicKey, ann: ann.publicKey}}};
    const reader = remoteMachine(server, both);
    expect((await found(reader, result))?.borrowed?.voucher).toBe(`key:${ci.id}`);
    const maker = remoteMachine(server, both, {signingKey: ann.privateKey});
    await shareAll(maker, await made(maker, 'made by ann'));
    const again = remoteMachine(server, both, {isDistrusted, store: reader.store});
    expect((await found(again, result))?.borrowed?.voucher).toBe(`key:${ann.id}`);
  });

  it('says nothing to a terminal but who made it', async () => {
    const server = await cacheServer();
    const maker = remoteMachine(server, {}, {builder: async () => ({name: 'a\u001b[2Jb', job: 'https://ci/7'})});
    const result = await made(maker, 'made');
    await shareAll(maker, result);
    expect((await found(remoteMachine(server), result))?.borrowed).not.toHaveProperty('builder');
  });
});

describe('what is written', () => {
  it('is signed as a whole, with who made it', async () => {
    const server = await cacheServer();
    const {fingerprint} = await mainShares(server);
    const {signature, ...entry} = wire(server, `/main/ac/${fingerprint}`);
    expect(entry['builder']).toEqual({name: 'ci', commit: 'abc'});
    expect(signature).toEqual(signEntry(entry, {namespace: 'main', salt: ''}, readSigningKey(ci.privateKey)!));
  });

  it('is nothing that was borrowed', async () => {
    const server = await cacheServer();
    const result = await mainShares(server);
    const borrower = remoteMachine(server, asPr, withPr);
    borrower.client.share((await found(borrower, result))!);
    expect(await borrower.client.finish(new AbortController().signal)).toMatchObject({results: 0, failed: 0});
    expect(records(server)).toEqual([`/main/ac/${result.fingerprint}`]);
  });

  it.each([
    ['without a key', {}, 'there is no key here'],
    ['with a key that is not trusted there', withPr, `(${pr.id.slice(0, 16)}…) is none of those`],
  ])('is nothing %s, where readers would refuse it', async (_, options, said) => {
    const server = await cacheServer();
    const machine = remoteMachine(server, asMain, options);
    machine.client.share(await made(machine, 'one'));
    machine.client.share(await made(machine, 'two'));
    expect(await machine.client.finish(new AbortController().signal)).toMatchObject({results: 0, failed: 0});
    expect([...server.entries.keys()]).toEqual([]);
    expect(machine.warnings).toMatchObject([{code: 'remote-config'}]);
    expect(machine.warnings[0]?.message).toContain(said);
  });

  it('is not found with another salt', async () => {
    const server = await cacheServer();
    const result = await mainShares(server);
    expect(await found(remoteMachine(server, {...asMain, salt: '2'}), result)).toBeUndefined();
    const maker = remoteMachine(server, {...asMain, salt: '2'}, withCi);
    await shareAll(maker, await made(maker, 'made again'));
    const key = sha256(canonicalJson(['salt', '2', result.fingerprint]));
    expect(records(server)).toContain(`/main/ac/${key}`);
    expect(await found(remoteMachine(server, {...asMain, salt: '2'}), result)).toMatchObject({
      outputs: {patches: aFile(digestOf('made again'))},
    });
    expect(await found(remoteMachine(server, asMain), result)).toMatchObject({outputs: result.outputs});
  });
});

describe('lists of slices', () => {
  const action = slicedAction;
  const template = templateKey(action(''));
  const listKey = (voucher: string): string => sha256(canonicalJson(['slices-of/1', template, voucher]));

  const manifestPath = (pointer: JsonObject): string => `/cas/${(pointer['manifest'] as unknown as Digest).hash}`;
  const slicesFor = async (machine: RemoteMachine): Promise<Record<string, string | undefined>> =>
    Object.fromEntries((await machine.client.findSlices(action('anything'))).map(({key, from}) => [key, from]));

  it('are kept for each who answers for them, and each names only his own', async () => {
    const server = await cacheServer();
    const main = remoteMachine(server, asMain, withCi);
    await shareAll(main, await slicedResult(main, ['a', 'b']));
    const pull = remoteMachine(server, asPr, withPr);
    expect(await slicesFor(pull)).toEqual({a: `key:${ci.id}`, b: `key:${ci.id}`});
    const result = await slicedResult(pull, ['b', 'c'], {b: `key:${ci.id}`});
    await shareAll(pull, result);
    expect(records(server)).toContain(`/main/ac/${listKey(`key:${ci.id}`)}`);
    expect(records(server)).toContain(`/pr-12/ac/${listKey(`key:${pr.id}`)}`);
    expect(wire(server, `/pr-12/ac/${result.fingerprint}`)['via']).toEqual([`key:${ci.id}`]);
    const next = remoteMachine(server, asPr);
    expect(await slicesFor(next)).toEqual({a: `key:${ci.id}`, b: `key:${ci.id}`, c: `key:${pr.id}`});
    expect(await slicesFor(remoteMachine(server, asMain))).toEqual({a: `key:${ci.id}`, b: `key:${ci.id}`});
    // Who does not read main does not take what is made of it.
    expect(await found(next, result)).toBeDefined();
    expect(await found(remoteMachine(server, {...asPr, read: []}), result)).toBeUndefined();
    const isDistrusted = (voucher: Voucher): boolean => voucher === `key:${ci.id}`;
    expect(await found(remoteMachine(server, asPr, {isDistrusted}), result)).toBeUndefined();
  });

  it('of a namespace without keys are one, and grow', async () => {
    const server = await cacheServer();
    for (const items of [['a', 'b'], ['b', 'c'], ['d']]) {
      const machine = remoteMachine(server);
      await shareAll(machine, await slicedResult(machine, items));
    }
    const all = Object.fromEntries(['a', 'b', 'c', 'd'].map((key) => [key, 'namespace:default']));
    expect(await slicesFor(remoteMachine(server))).toEqual(all);
    expect(records(server)).toContain(`/ac/${listKey('namespace:default')}`);
  });

  it('of one key grow with each machine that has it', async () => {
    const server = await cacheServer();
    for (const [items, others] of [
      [['a'], {}],
      [['a', 'b'], {a: `key:${ci.id}` as const}],
    ] as const) {
      const machine = remoteMachine(server, asMain, withCi);
      const result = await slicedResult(machine, items, others);
      await shareAll(machine, result);
      expect(wire(server, `/main/ac/${result.fingerprint}`)).not.toHaveProperty('via');
    }
    expect(await slicesFor(remoteMachine(server, asMain))).toEqual({a: `key:${ci.id}`, b: `key:${ci.id}`});
  });

  it('of one key keep what a machine used of it, however much that is', async () => {
    const server = await cacheServer();
    const own = `key:${ci.id}` as const;
    const many = Array.from({length: 10_020}, (_, index) => `${index}`);
    for (const added of [[], ['new']]) {
      const items = [...many, ...added];
      const from = added.length > 0 ? own : undefined;
      const machine = remoteMachine(server, asMain, withCi);
      const out = await machine.store.cas.putBytes('the same');
      const slices = items.map((key) => {
        const record = {key, item: digestOf(key), fingerprint: sha256(key), outputs: {out}, wallMs: 1};
        return from && key !== 'new' ? {...record, from} : record;
      });
      const manifest: SliceManifest = {type: 'slices/1', slices};
      const digest = await machine.store.cas.putBytes(canonicalJson(manifest as unknown as Json));
      const about = {...action(items.join()), outputs: {out: {kind: 'file', name: 'out'}}} as const;
      const {artifact, text} = makeTree([{path: 'a', digest: out}]);
      await machine.store.cas.putBytes(text);
      const result = {
        ...aResult({}, about),
        action: about,
        fingerprint: fingerprintOf(about),
        outputs: {out: artifact},
      };
      await shareAll(machine, {...result, slices: digest});
    }
    const [reader, about] = [
      remoteMachine(server, asMain),
      {...action(''), outputs: {out: {kind: 'file', name: 'out'}}},
    ];
    expect(await reader.client.findSlices(about as Action)).toHaveLength(10_021);
  });

  it('are no word for what somebody has from others', async () => {
    const server = await cacheServer();
    const main = remoteMachine(server, asMain, withCi);
    await shareAll(main, await slicedResult(main, ['a']));
    const path = `/main/ac/${listKey(`key:${ci.id}`)}`;
    const {slices} = JSON.parse(String(server.entries.get(manifestPath(wire(server, path))))) as SliceManifest;
    const text = canonicalJson({
      type: 'slices/1',
      slices: slices.map((slice) => ({...slice, from: `key:${pr.id}`})),
    } as unknown as Json);
    server.entries.set(`/cas/${sha256(text)}`, Buffer.from(text));
    put(server, path, signed({...unsigned(wire(server, path)), manifest: json(digestOf(text))}, ci));
    expect(await slicesFor(remoteMachine(server, {...asPr, trust}))).toEqual({});
  });

  it.each<[string, (genuine: JsonObject) => JsonObject]>([
    ['unsigned', unsigned],
    ['changed', (record) => ({...record, manifest: json(digestOf('poison'))})],
    ['signed by somebody else', (record) => signed(unsigned(record), pr)],
    ['of another template', (record) => signed({...unsigned(record), template: sha256('another')}, ci)],
  ])('that are %s are not used', async (_, change) => {
    const server = await cacheServer();
    const main = remoteMachine(server, asMain, withCi);
    await shareAll(main, await slicedResult(main, ['a']));
    const path = `/main/ac/${listKey(`key:${ci.id}`)}`;
    put(server, path, change(wire(server, path)));
    const reader = remoteMachine(server, asMain);
    expect(await slicesFor(reader)).toEqual({});
    reader.client.close();
    expect(reader.warnings).toMatchObject([{code: 'remote-untrusted'}]);
  });

  it('of one trusted key are not used as those of another', async () => {
    const server = await cacheServer();
    const ann = keyPair();
    const both = {...asMain, trust: {main: {ci: ci.publicKey, ann: ann.publicKey}}};
    const main = remoteMachine(server, both, withCi);
    await shareAll(main, await slicedResult(main, ['a']));
    const path = (pair: KeyPair): string => `/main/ac/${listKey(`key:${pair.id}`)}`;
    server.entries.set(path(ann), server.entries.get(path(ci))!);
    expect(await slicesFor(remoteMachine(server, both))).toEqual({a: `key:${ci.id}`});
    server.entries.delete(path(ci));
    expect(await slicesFor(remoteMachine(server, both))).toEqual({});
  });

  it('of somebody who is distrusted are not used', async () => {
    const server = await cacheServer();
    const main = remoteMachine(server, asMain, withCi);
    await shareAll(main, await slicedResult(main, ['a']));
    const distrusted = new Set<Voucher>();
    const reader = remoteMachine(server, asMain, {isDistrusted: (voucher) => distrusted.has(voucher)});
    expect(await slicesFor(reader)).toEqual({a: `key:${ci.id}`});
    distrusted.add(`key:${ci.id}`);
    expect(await slicesFor(reader)).toEqual({});
  });
});
