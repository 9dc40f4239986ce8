import {describe, expect, it} from 'vitest';
import type {JsonObject} from '../../../src/core/json.ts';
import type {Voucher} from '../../../src/core/origin.ts';
import type {Trust} from '../../../src/remote/namespaces.ts';
import {signEntry, readSigningKey, type Place} from '../../../src/remote/signature.ts';
import {judge, trustedKeys, vouchersOf, type Trusted} from '../../../src/remote/trust.ts';
import {keyPair, type KeyPair} from '../../support/key-pair.ts';
import {aResult} from '../../support/store-records.ts';

const [ci, ann, pr] = [keyPair(), keyPair(), keyPair()];
const table = {
  main: {ci: ci.publicKey, ann: ann.publicKey},
  'pr-*': {pr: pr.publicKey},
  'pr-special-*': {ann: ann.publicKey},
  'pr-open': {},
};
const main: Place = {namespace: 'main', salt: ''};
const nobody = (): boolean => false;
const entry = {
  ...aResult(),
  slices: {hash: 'a'.repeat(64), size: 7},
  via: [`key:${ann.id}`],
  builder: {name: 'ci', commit: 'abc'},
} as unknown as JsonObject;

const trusted = (trust: Trust = table): Trusted => trustedKeys(trust);

function signed(by: KeyPair, place = main, what = entry): JsonObject {
  return {...what, signature: {...signEntry(what, place, readSigningKey(by.privateKey)!)}};
}

describe('an entry is used', () => {
  it('when a key signed it that is trusted there', () => {
    expect(judge(signed(ci), main, trusted(), nobody)).toEqual({voucher: `key:${ci.id}`});
    expect(judge(signed(ann), main, trusted(), nobody)).toEqual({voucher: `key:${ann.id}`});
  });

  it('without a signature, and with any, where none is needed', () => {
    const place = {namespace: 'default', salt: ''};
    for (const record of [entry, signed(pr, place), {...entry, signature: 'none'}]) {
      expect(judge(record, place, trusted(), nobody)).toEqual({voucher: 'namespace:default'});
    }
  });
});

describe('an entry is refused', () => {
  const forged = {refused: 'forged', key: ci.id};
  const outputs = entry['outputs'] as JsonObject;
  it.each<[string, JsonObject]>([
    ['outputs', {outputs: {patches: {...(outputs['patches'] as JsonObject), digest: {hash: 'b'.repeat(64), size: 1}}}}],
    ['one more output', {outputs: {...outputs, more: outputs['patches']}}],
    ['metrics', {metrics: {loss: 0.24}}],
    ['no metrics', {metrics: {}}],
    ['slices', {slices: {hash: 'b'.repeat(64), size: 7}}],
    ['no slices', {slices: undefined}],
    ['no others', {via: undefined}],
    ['a builder', {builder: {name: 'ci', commit: 'abd'}}],
    ['no builder', {builder: undefined}],
    ['times', {execution: {...(entry['execution'] as JsonObject), wallMs: 1}}],
    ['fingerprint', {fingerprint: 'c'.repeat(64)}],
    ['params of its action', {action: {...(entry['action'] as JsonObject), params: {}}}],
    ['another member', {anything: true}],
    ['an inherited one', JSON.parse('{"__proto__": {"x": 1}}') as JsonObject],
  ])('that was changed after it was signed: %s', (_, change) => {
    const record = signed(ci);
    const changed = Object.fromEntries([...Object.entries(record), ...Object.entries(change)]);
    Object.defineProperties(changed, Object.getOwnPropertyDescriptors(change));
    expect(judge(changed, main, trusted(), nobody)).toEqual(forged);
  });

  it('that was signed for another namespace or salt', () => {
    const both = trusted({main: table.main, lab: table.main});
    expect(judge(signed(ci, {...main, namespace: 'lab'}), main, both, nobody)).toEqual(forged);
    expect(judge(signed(ci), {...main, namespace: 'lab'}, both, nobody)).toEqual(forged);
    expect(judge(signed(ci, {...main, salt: '1'}), main, both, nobody)).toEqual(forged);
    expect(judge(signed(ci), {...main, salt: '1'}, both, nobody)).toEqual(forged);
  });

  it('that is not signed, where that is needed', () => {
    expect(judge(entry, main, trusted(), nobody)).toEqual({refused: 'unsigned'});
    expect(judge({}, main, trusted(), nobody)).toEqual({refused: 'unsigned'});
  });

  it.each([[null], [''], [7], [[]], [{}], [{key: ci.id}], [{key: ci.id, value: 'AAAA'}], [{key: 'x', value: 'y'}]])(
    'whose signature is %j',
    (signature) => {
      expect(judge({...entry, signature}, main, trusted(), nobody)).toEqual({refused: 'malformed'});
    },
  );

  it('that is signed by a key nobody knows, or that is trusted elsewhere', () => {
    const unknown = keyPair();
    expect(judge(signed(unknown), main, trusted(), nobody)).toEqual({refused: 'unknown-key', key: unknown.id});
    expect(judge(signed(pr), main, trusted(), nobody)).toEqual({refused: 'unknown-key', key: pr.id});
    const there = {namespace: 'pr-12', salt: ''};
    expect(judge(signed(ci, there), there, trusted(), nobody)).toEqual({refused: 'unknown-key', key: ci.id});
  });

  it('that claims the key of somebody else', () => {
    const {signature} = signed(pr);
    const record = {...entry, signature: {...(signature as JsonObject), key: ci.id}};
    expect(judge(record, main, trusted(), nobody)).toEqual(forged);
  });

  it('that comes from somebody who is distrusted', () => {
    const distrusted = (voucher: Voucher): boolean => voucher === `key:${ci.id}` || voucher === 'namespace:default';
    expect(judge(signed(ci), main, trusted(), distrusted)).toEqual({refused: 'distrusted'});
    expect(judge(signed(ann), main, trusted(), distrusted)).toEqual({voucher: `key:${ann.id}`});
    expect(judge(entry, {...main, namespace: 'default'}, trusted(), distrusted)).toEqual({refused: 'distrusted'});
  });
});

describe('the table of keys', () => {
  it('goes by the exact name, then by the longest pattern', () => {
    const ids = (namespace: string): readonly string[] | undefined => {
      const keys = trusted()(namespace);
      return keys && [...keys.keys()];
    };
    expect(ids('main')).toEqual([ci.id, ann.id]);
    expect(ids('pr-12')).toEqual([pr.id]);
    expect(ids('pr-special-1')).toEqual([ann.id]);
    expect(ids('pr-open')).toEqual([]);
    expect(ids('mainly')).toBeUndefined();
    expect(ids('xpr-12')).toBeUndefined();
    expect(ids('default')).toBeUndefined();
    expect(trusted({'a.*': {}})('abc')).toBeUndefined();
    expect(trusted({'*': {}})('abc')?.size).toBe(0);
  });

  it('names all who answer for what is in some namespaces', () => {
    expect(vouchersOf(['pr-12', 'main', 'default', 'pr-open'], trusted())).toEqual([
      `key:${pr.id}`,
      `key:${ci.id}`,
      `key:${ann.id}`,
      'namespace:default',
    ]);
  });

  it('trusts nobody by what is no key', () => {
    expect(trusted({main: {ci: 'MCow'}})('main')?.size).toBe(0);
    expect(judge(signed(ci), main, trusted({main: {ci: 'MCow'}}), nobody)).toMatchObject({refused: 'unknown-key'});
  });
});
