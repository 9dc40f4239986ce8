import {generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {authorizationOf, signingKeyOf} from '../../../src/remote/credentials.ts';
import {tempFolder} from '../../support/store-fixture.ts';

describe('credentials', () => {
  it('are read from the environment or a file', async () => {
    const file = `${tempFolder()}/secret`;
    writeFileSync(file, 'anna:pass word\n');
    const bearer = await authorizationOf({scheme: 'bearer', secret: {env: 'TOKEN'}}, {TOKEN: 'abc'});
    expect(bearer).toEqual({ok: true, value: 'Bearer abc'});
    const basic = await authorizationOf({scheme: 'basic', secret: {file}}, {});
    expect(basic).toEqual({ok: true, value: `Basic ${Buffer.from('anna:pass word').toString('base64')}`});
  });

  it.each([
    ['bearer', undefined, 'is not there or empty'],
    ['bearer', '  ', 'is not there or empty'],
    ['bearer', 'two words', 'holds something else'],
    ['bearer', 'a\r\nx-other: header', 'holds something else'],
    ['basic', 'nocolon', 'holds something else'],
    ['basic', 'user:pass\nmore', 'holds something else'],
  ] as const)('%s %j is refused without being told', async (scheme, value, why) => {
    const result = await authorizationOf({scheme, secret: {env: 'TOKEN'}}, {TOKEN: value});
    const message = result.ok ? '' : result.error;
    expect(message).toContain('the environment variable TOKEN');
    expect(message).toContain(why);
    if (value?.trim()) expect(message).not.toContain(value.trim());
  });

  it('of a file that is not there name the file', async () => {
    const result = await authorizationOf({scheme: 'bearer', secret: {file: '/gone/token'}}, {});
    expect(result).toEqual({ok: false, error: expect.stringContaining('/gone/token')});
  });
});

describe('a signing key', () => {
  const pem = (type: 'ed25519' | 'x25519'): string =>
    String(generateKeyPairSync(type as 'ed25519').privateKey.export({type: 'pkcs8', format: 'pem'}));

  it('is PKCS #8 PEM, also on one line as some places hold it', async () => {
    const key = pem('ed25519');
    for (const text of [key, `\n${key}\n`, key.replaceAll('\n', String.raw`\n`)]) {
      expect(await signingKeyOf({env: 'KEY'}, {KEY: text})).toEqual({ok: true, value: key.trim()});
    }
  });

  it.each([
    ['', 'is not there or empty'],
    ['nonsense', 'holds something else'],
    [pem('x25519'), 'holds something else'],
  ])('is nothing else, and %j is not told', async (text, why) => {
    const result = await signingKeyOf({env: 'KEY'}, {KEY: text});
    expect(result).toEqual({ok: false, error: expect.stringContaining(why)});
    if (text !== '') expect(JSON.stringify(result)).not.toContain(text.split('\n').at(-3) ?? text);
  });
});
