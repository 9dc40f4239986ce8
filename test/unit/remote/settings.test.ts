import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {expect, it} from 'vitest';
import {readRemote, type RemoteSection} from '../../../src/remote/settings.ts';
import {trustedIn} from '../../../src/remote/namespaces.ts';
import type {Failure} from '../../../src/core/failure.ts';
import type {Json} from '../../../src/core/json.ts';
import {errorsOf} from '../../support/schemas.ts';

const folder = new URL('file:///home/ada/.config/mixdown/');
const key = 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
const der = (object: KeyObject, type: 'spki' | 'pkcs8'): string =>
  (object.export({format: 'der', type: type as 'spki'}) as Buffer).toString('base64');
const pair = generateKeyPairSync('ed25519');
const privateLine = der(pair.privateKey, 'pkcs8');
const privatePem = String(pair.privateKey.export({format: 'pem', type: 'pkcs8'}));
const rsa = generateKeyPairSync('rsa', {modulusLength: 1024});

function read(section: Json): RemoteSection | readonly Failure[] {
  const result = readRemote(section, 'there', folder);
  return result.ok ? result.value : result.error;
}

it.each([
  [{url: 'https://a.example/b'}, {url: new URL('https://a.example/b')}],
  [{}, {}],
  [{mode: 'read-only'}, {mode: 'read-only'}],
  [{namespace: 'pr-12'}, {namespace: 'pr-12'}],
  [{namespace: 'v1.2_x'}, {namespace: 'v1.2_x'}],
  [{read: ['main', 'next', 'main']}, {read: ['main', 'next']}],
  [{read: []}, {read: []}],
  [{trust: {main: {ci: key}, 'pr-*': {}}}, {trust: {main: {ci: key}, 'pr-*': {}}}],
  [{sign: {env: 'KEY'}}, {sign: {env: 'KEY'}}],
  [{sign: {file: 'my key.pem'}}, {sign: {file: '/home/ada/.config/mixdown/my key.pem'}}],
  [{sign: {file: '/etc/key.pem'}}, {sign: {file: '/etc/key.pem'}}],
  [{sign: {file: '~/key.pem'}}, {sign: {file: '~/key.pem'}}],
  [{salt: '2'}, {salt: '2'}],
  [{recheck: '1%'}, {recheck: 0.01}],
  [{recheck: '0.5 %'}, {recheck: 0.005}],
  [{recheck: '100%'}, {recheck: 1}],
  [{recheck: 0.25}, {recheck: 0.25}],
  [{recheck: 0}, {recheck: 0}],
  [{builder: 'ada@lab 7'}, {builder: 'ada@lab 7'}],
  [
    {url: 'a', credentials: {basic: {file: 's'}}},
    {
      url: new URL('file:///home/ada/.config/mixdown/a'),
      credentials: {scheme: 'basic', secret: {file: '/home/ada/.config/mixdown/s'}},
    },
  ],
])('reads %j, as the schema does', (section: Json, expected) => {
  expect(read(section)).toEqual(expected);
  expect(errorsOf('config', {cache: {remote: section}})).toEqual([]);
});

const secrets = [privateLine, privateLine.slice(20), 'hunter2', ...privatePem.split('\n').slice(1, 2)];

const refused: readonly (readonly [section: Json, message: RegExp, hint?: RegExp])[] = [
  ['https://hunter2@host', /is no mapping/, /remote: \{url/],
  [[], /is no mapping/],
  [{adress: 'b'}, /unknown key `adress`/, /known: `url`/],
  [{namspace: 'b'}, /unknown key `namspace`/, /did you mean `namespace`/],
  [{token: 'hunter2'}, /unknown key `token`/],
  [{url: ''}, /address of the remote cache is empty/],
  [{url: 7}, /`url` of the remote cache is a text/],
  [{url: 'https://u:hunter2@host/'}, /more than a host/, /under `credentials`/],
  [{mode: 'read_only'}, /the mode of a remote cache is/, /did you mean `read-only`/],
  [{mode: 7}, /the mode of a remote cache is/],
  [{credentials: {bearer: {env: 'A'}}}, /`credentials` are without a `url`/, /to its host alone/],
  [{url: 'a', credentials: {bearer: 'hunter2'}}, /\{env: NAME\}/, /CACHE_TOKEN/],
  [{url: 'a', credentials: {bearer: {env: 'A'}, basic: {env: 'B'}}}, /\{bearer: PLACE\}/],
  [{url: 'a', credentials: {digest: {env: 'A'}}}, /\{bearer: PLACE\}/],
  [{url: 'a', credentials: {bearer: {env: 'A', file: 'b'}}}, /\{env: NAME\}/],
  [{url: 'a', credentials: {basic: {env: 7}}}, /\{env: NAME\}/],
  [{url: 'a', credentials: {basic: {file: ''}}}, /\{env: NAME\}/],
  [{namespace: 'PR/12'}, /a namespace is made of/, /for instance `pr-12`/],
  [{namespace: 'feature/Föö bar'}, /a namespace is made of/, /for instance `feature-f-bar`/],
  [{namespace: 'ac'}, /no namespace can be called `ac`/],
  [{namespace: 'tmp'}, /no namespace can be called `tmp`/],
  [{namespace: '..'}, /a namespace is made of/],
  [{namespace: 'a'.repeat(65)}, /up to 64/],
  [{namespace: 12}, /a namespace is a text/],
  [{namespace: 'pr-*'}, /a namespace is made of/, /pr-/],
  [{read: 'main'}, /`read` is a list/, /read: \[main\]/],
  [{read: ['Main']}, /`read`: a namespace is made of/],
  [{read: [null]}, /`read`: a namespace is a text/],
  [{trust: key}, /`trust` names public keys/, /mixdown cache key/],
  [{trust: {main: null}}, /no mapping of builders/, /main: \{\}/],
  [{trust: {main: key}}, /no mapping of builders/],
  [{trust: {Main: {ci: key}}}, /`trust`: a namespace/],
  [{trust: {cas: {ci: key}}}, /`cas`/],
  [{trust: {main: {ci: 7}}}, /the key of ci in `main` is no text/],
  [{trust: {main: {ci: privateLine}}}, /ci in `main`: that is a private key/, /make another/],
  [{trust: {main: {ci: privateLine.slice(0, 40)}}}, /that is a private key/],
  [{trust: {main: {ci: privatePem}}}, /that is a private key/],
  [{trust: {main: {ci: der(rsa.privateKey, 'pkcs8')}}}, /that is a private key/],
  [{trust: {main: {ci: der(rsa.publicKey, 'spki')}}}, /a key for rsa, not for ed25519/],
  [{trust: {main: {ci: der(generateKeyPairSync('x25519').publicKey, 'spki')}}}, /a key for x25519/],
  [{trust: {main: {ci: `-----BEGIN PUBLIC KEY-----\n${key}\n-----END PUBLIC KEY-----\n`}}}, /lines of dashes/],
  [{trust: {main: {ci: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI'}}}, /in the form of OpenSSH/, /openssl pkey/],
  [{trust: {main: {ci: key.slice(0, -2)}}}, /that is no public key/, /mixdown cache key/],
  [{trust: {main: {ci: `${key} `}}}, /that is no public key/],
  [{trust: {main: {ci: ''}}}, /that is no public key/],
  [{sign: privatePem}, /`sign` names the place/, /sign: \{env/],
  [{sign: {key: 'hunter2'}}, /`sign` names the place/],
  [{sign: null}, /`sign` names the place/],
  [{salt: 2}, /`salt` is a text/, /in quotes/],
  [{recheck: 5}, /from 0% to 100%/, /`5%`/],
  [{recheck: '101%'}, /from 0% to 100%/, /1%/],
  [{recheck: -0.1}, /from 0% to 100%/],
  [{recheck: '0.01'}, /from 0% to 100%/],
  [{recheck: true}, /from 0% to 100%/],
  [{builder: ''}, /`builder` is a name/],
  [{builder: '  '}, /`builder` is a name/],
  [{builder: 'a\nb'}, /`builder` is a name/],
  [{builder: 'a'.repeat(101)}, /`builder` is a name/],
];

it.each(refused.map(([section, message, hint]) => ({section, message, hint})))(
  'refuses $section without showing a secret, as the schema does',
  ({section, message, hint}) => {
    const failures = read(section) as readonly Failure[];
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({code: 'remote-config', message: expect.stringMatching(message)});
    expect(failures[0]!.message).toMatch(/^there: /);
    if (hint) expect(failures[0]!.hint).toMatch(hint);
    for (const secret of secrets) expect(JSON.stringify(failures)).not.toContain(secret);
    expect(errorsOf('config', {cache: {remote: section}})).not.toEqual([]);
  },
);

it('tells all mistakes at once', () => {
  expect(read({url: 7, mode: 7, salt: 7, other: 7})).toHaveLength(4);
});

it('has the keys of a namespace from its name, else from the longest pattern that fits', () => {
  const keys = (name: string) => ({[name]: key});
  const trust = {
    '*': keys('all'),
    'pr-*': keys('pr'),
    'pr-1*': keys('one'),
    'pr-12': keys('twelve'),
    'a.b': keys('dot'),
  };
  const whose = (namespace: string) => Object.keys(trustedIn(trust, namespace) ?? {})[0];
  expect(['pr-12', 'pr-13', 'pr-2', 'main', 'axb', 'a.b'].map(whose)).toEqual([
    'twelve',
    'one',
    'pr',
    'all',
    'all',
    'dot',
  ]);
  expect(trustedIn({'pr-*': keys('pr')}, 'main')).toBeUndefined();
  expect(trustedIn({}, 'constructor')).toBeUndefined();
});
