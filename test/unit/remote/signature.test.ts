import {execFileSync, spawnSync} from 'node:child_process';
import {generateKeyPairSync, randomBytes} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {JsonObject} from '../../../src/core/json.ts';
import {
  isSignedBy,
  readPublicKey,
  readSignature,
  signedText,
  signEntry,
  readSigningKey,
  type Place,
} from '../../../src/remote/signature.ts';
import {keyPair} from '../../support/key-pair.ts';
import {tempFolder} from '../../support/store-fixture.ts';
import {aResult} from '../../support/store-records.ts';

const place: Place = {namespace: 'main', salt: ''};
const entry = {...aResult(), builder: {name: 'ci'}} as unknown as JsonObject;

describe('a signature', () => {
  const pair = keyPair();
  const key = readSigningKey(pair.privateKey)!;
  const known = readPublicKey(pair.publicKey)!;
  const signature = signEntry(entry, place, key);

  it('is that of the entry, under the id of its key', () => {
    expect(signature.key).toBe(pair.id);
    expect(known.id).toBe(pair.id);
    expect(isSignedBy(entry, place, signature, known)).toBe(true);
    // However the members are ordered.
    expect(isSignedBy(Object.fromEntries(Object.entries(entry).reverse()), place, signature, known)).toBe(true);
  });

  it('is of nobody else, and for nowhere else', () => {
    expect(isSignedBy(entry, place, signature, readPublicKey(keyPair().publicKey)!)).toBe(false);
    expect(isSignedBy(entry, {...place, namespace: 'pr-1'}, signature, known)).toBe(false);
    expect(isSignedBy(entry, {...place, salt: '2'}, signature, known)).toBe(false);
    expect(isSignedBy({...entry, metrics: {loss: 0.1}}, place, signature, known)).toBe(false);
    expect(isSignedBy({}, place, signature, known)).toBe(false);
  });

  it('is spoilt by a change of any byte of what was signed, or of itself', () => {
    const text = Buffer.from(signedText(entry, place));
    const spoilt = (bytes: Buffer, at: number, bit: number): Buffer => {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1 << bit;
      return copy;
    };
    const flip = fc.record({at: fc.nat(text.length - 1), bit: fc.nat(7)});
    fc.assert(
      fc.property(flip, ({at, bit}) => {
        let changed: {entry?: JsonObject; namespace?: string; salt?: string};
        try {
          changed = JSON.parse(spoilt(text, at, bit).toString('utf8')) as typeof changed;
        } catch {
          return true;
        }
        const {entry: other = {}, namespace = '', salt = ''} = changed;
        // A byte of the words around them: what is checked is put together anew.
        if (signedText(other, {namespace, salt}) === text.toString()) return true;
        return !isSignedBy(other, {namespace, salt}, signature, known);
      }),
      {numRuns: 500},
    );
    for (let at = 0; at < 64; at++) {
      const value = spoilt(Buffer.from(signature.value, 'base64'), at, at % 8).toString('base64');
      expect(isSignedBy(entry, place, {...signature, value}, known)).toBe(false);
    }
  });

  it('of an entry that is nested without end is none, without a throw', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as [];
    expect(isSignedBy({...entry, deep}, place, signature, known)).toBe(false);
  });

  it('of an entry with a number that JSON cannot hold is none, without a throw', () => {
    const {huge} = JSON.parse('{"huge": 1e999}') as {huge: number};
    expect(isSignedBy({...entry, huge}, place, signature, known)).toBe(false);
  });

  const {value} = signature;
  it.each<[unknown]>([
    [undefined],
    [null],
    [''],
    [[]],
    [{}],
    [{key: pair.id}],
    [{value}],
    [{key: pair.id.toUpperCase(), value}],
    [{key: `${pair.id}0`, value}],
    [{key: 7, value}],
    [{key: pair.id, value: ''}],
    [{key: pair.id, value: 7}],
    [{key: pair.id, value: value.slice(0, -4)}],
    [{key: pair.id, value: `${value}AAAA`}],
    [{key: pair.id, value: ` ${value}`}],
    [{key: pair.id, value: value.replace(/=+$/, '')}],
    [{key: pair.id, value: 'é'.repeat(88)}],
  ])('is not %j', (given) => {
    expect(readSignature(given as null)).toBeUndefined();
  });

  it('is read as it was written', () => {
    expect(readSignature({...signature})).toEqual(signature);
  });
});

describe('keys', () => {
  it('are read only in their one form', () => {
    const pair = keyPair();
    const rsa = generateKeyPairSync('rsa', {modulusLength: 2048});
    const x25519 = generateKeyPairSync('x25519');
    const notPublic = [
      '',
      'ci',
      ` ${pair.publicKey}`,
      pair.publicKey.slice(4),
      `${pair.publicKey}AAAA`,
      pair.privateKey,
      rsa.publicKey.export({format: 'der', type: 'spki'}).toString('base64'),
      x25519.publicKey.export({format: 'der', type: 'spki'}).toString('base64'),
    ];
    for (const text of notPublic) expect(readPublicKey(text)).toBeUndefined();
    const notPrivate = [
      '',
      'a key',
      pair.publicKey,
      pair.privateKey.slice(0, 60),
      rsa.privateKey.export({format: 'pem', type: 'pkcs8'}).toString(),
      x25519.privateKey.export({format: 'pem', type: 'pkcs8'}).toString(),
      generateKeyPairSync('ed25519')
        .privateKey.export({format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'secret'})
        .toString(),
    ];
    for (const text of notPrivate) expect(readSigningKey(text)).toBeUndefined();
  });

  it('of any bytes do no harm', () => {
    const start = Buffer.from('302a300506032b6570032100', 'hex');
    for (let round = 0; round < 200; round++) {
      const key = readPublicKey(Buffer.concat([start, randomBytes(32)]).toString('base64'))!;
      const signature = {key: key.id, value: randomBytes(64).toString('base64')};
      expect(isSignedBy(entry, place, signature, key)).toBe(false);
    }
  });
});

describe.runIf(spawnSync('openssl', ['version']).status === 0)('openssl', () => {
  const openssl = (...args: readonly string[]): string =>
    execFileSync('openssl', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});

  it('checks what is signed here, with a key of its own', () => {
    const dir = tempFolder();
    openssl('genpkey', '-algorithm', 'ed25519', '-out', `${dir}/key.pem`);
    const key = readSigningKey(readFileSync(`${dir}/key.pem`, 'utf8'))!;
    const [, line = ''] = openssl('pkey', '-in', `${dir}/key.pem`, '-pubout', '-out', `${dir}/pub.pem`)
      .concat(readFileSync(`${dir}/pub.pem`, 'utf8'))
      .split('\n');
    expect(readPublicKey(line)?.id).toBe(key.id);
    writeFileSync(`${dir}/text`, signedText(entry, place));
    writeFileSync(`${dir}/signature`, Buffer.from(signEntry(entry, place, key).value, 'base64'));
    const check = [
      'pkeyutl',
      '-verify',
      '-rawin',
      '-pubin',
      '-inkey',
      `${dir}/pub.pem`,
      '-sigfile',
      `${dir}/signature`,
    ];
    expect(openssl(...check, '-in', `${dir}/text`)).toContain('Verified Successfully');
    writeFileSync(`${dir}/text`, signedText(entry, {...place, namespace: 'pr-1'}));
    expect(() => openssl(...check, '-in', `${dir}/text`)).toThrow('Command failed');
  });

  it('signs what is checked here', () => {
    const dir = tempFolder();
    openssl('genpkey', '-algorithm', 'ed25519', '-out', `${dir}/key.pem`);
    const [, line = ''] = openssl('pkey', '-in', `${dir}/key.pem`, '-pubout').split('\n');
    writeFileSync(`${dir}/text`, signedText(entry, place));
    openssl('pkeyutl', '-sign', '-rawin', '-inkey', `${dir}/key.pem`, '-in', `${dir}/text`, '-out', `${dir}/signature`);
    const key = readPublicKey(line)!;
    const signature = {key: key.id, value: readFileSync(`${dir}/signature`).toString('base64')};
    expect(isSignedBy(entry, place, signature, key)).toBe(true);
    expect(isSignedBy(entry, {...place, salt: 'x'}, signature, key)).toBe(false);
  });
});
