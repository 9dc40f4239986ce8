import {writeFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {authorizationOf} from '../../../src/remote/credentials.ts';
import {tempFolder} from '../../support/store-fixture.ts';

it('are read from the environment or a file', async () => {
  const folder = tempFolder();
  writeFileSync(`${folder}/secret`, 'anna:pass word\n');
  const bearer = await authorizationOf({scheme: 'bearer', secret: {env: 'TOKEN'}}, {TOKEN: 'abc'}, folder);
  expect(bearer).toEqual({ok: true, value: 'Bearer abc'});
  const basic = await authorizationOf({scheme: 'basic', secret: {file: 'secret'}}, {}, folder);
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
  const result = await authorizationOf({scheme, secret: {env: 'TOKEN'}}, {TOKEN: value}, '/');
  expect(result).toMatchObject({ok: false, error: [{code: 'remote-config'}]});
  const message = result.ok ? '' : result.error[0]!.message;
  expect(message).toContain('the environment variable TOKEN');
  expect(message).toContain(why);
  if (value?.trim()) expect(message).not.toContain(value.trim());
});

it('of a file that is not there name the file', async () => {
  const result = await authorizationOf({scheme: 'bearer', secret: {file: 'gone'}}, {}, tempFolder());
  expect(result).toMatchObject({ok: false, error: [{message: expect.stringContaining('gone')}]});
});
