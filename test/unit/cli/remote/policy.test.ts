import {generateKeyPairSync} from 'node:crypto';
import {expect, it} from 'vitest';
import {policyLines, policyOf} from '../../../../src/cli/remote/policy.ts';
import {keyIdOf, publicLineOf} from '../../../../src/remote/key-pair.ts';
import type {Lack, Secrets} from '../../../../src/remote/secrets.ts';
import {plainSettings, type RemoteSection} from '../../../../src/remote/settings.ts';

const signingKey = String(generateKeyPairSync('ed25519').privateKey.export({type: 'pkcs8', format: 'pem'}));
const mine = publicLineOf(signingKey) ?? '';
const other = 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
const none: Secrets = {lacks: []};
const key: Secrets = {signingKey, lacks: []};
const lack = (secret: Lack['secret'], needed: boolean): Secrets => ({
  lacks: [{secret, needed, message: `$${secret === 'credentials' ? 'PASS' : 'KEY'} is not there`}],
});
const short = `key ${keyIdOf(mine).slice(0, 12)}…`;
const url = new URL('https://one.example/');

function lines(section: RemoteSection, secrets: Secrets): string {
  const policy = policyOf({...plainSettings, ...section, url}, secrets);
  return policyLines(policy)
    .map(([label, text]) => `${label} ${text}`)
    .join('\n');
}

it.each<readonly [RemoteSection, Secrets, string]>([
  [{}, none, 'writes default, unsigned\nreads default, whoever wrote it'],
  [
    {namespace: 'pr-1', read: ['main', 'next'], trust: {main: {ci: other, ada: mine}, next: {}}},
    none,
    'writes pr-1, unsigned\nreads pr-1, whoever wrote it\nthen main, signed by ci or ada\nthen next, where nobody is trusted',
  ],
  [
    {namespace: 'main', trust: {main: {ci: other, ada: mine}}},
    key,
    'writes main, signed as ada\nreads main, signed by ci or ada',
  ],
  [{namespace: 'pr-1'}, key, `writes pr-1, signed with ${short}\nreads pr-1, whoever wrote it`],
  [
    {namespace: 'main', trust: {'m*': {ci: other}}},
    key,
    `writes nothing: in main a signature is wanted, and ${short} is not trusted there\nreads main, signed by ci`,
  ],
  [
    {namespace: 'main', trust: {main: {ci: other}}},
    none,
    'writes nothing: in main a signature is wanted, and `sign` names no key\nreads main, signed by ci',
  ],
  [
    {namespace: 'main', trust: {main: {ci: other}}},
    lack('signing key', true),
    'writes nothing: $KEY is not there\nreads main, signed by ci',
  ],
  [{}, lack('signing key', false), 'writes default, unsigned: $KEY is not there\nreads default, whoever wrote it'],
  [{}, lack('credentials', true), 'writes nothing: $PASS is not there\nreads default, whoever wrote it'],
  [
    {mode: 'read-only'},
    lack('credentials', true),
    'writes nothing\nreads default, whoever wrote it\nwithout $PASS is not there',
  ],
  [{mode: 'read-only'}, lack('signing key', true), 'writes nothing\nreads default, whoever wrote it'],
  [{mode: 'write-only', read: ['main']}, none, 'writes default, unsigned\nreads nothing'],
  [
    {salt: '2', recheck: 0.005},
    none,
    'writes default, unsigned\nreads default, whoever wrote it\nsalt 2\nrechecks 0.5 % of what it takes',
  ],
])('%j is told', (section, secrets, text) => {
  expect(lines(section, secrets)).toBe(text);
});
