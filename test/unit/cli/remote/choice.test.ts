import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import type {JsonObject} from '../../../../src/core/json.ts';
import {chooseRemote, mayHaveRemote, type RemoteChoice} from '../../../../src/cli/remote/choice.ts';
import {plainSettings} from '../../../../src/remote/settings.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

/** A machine with these three places to say which cache is used. */
async function choose(parts: {variable?: string; pipeline?: JsonObject; user?: string}): Promise<{
  readonly chosen: RemoteChoice | undefined;
  readonly problem: string | undefined;
  readonly may: boolean;
  readonly home: string;
}> {
  const home = tempFolder();
  if (parts.user !== undefined) {
    mkdirSync(join(home, 'mixdown'));
    writeFileSync(join(home, 'mixdown/config.yaml'), parts.user);
  }
  const env = {XDG_CONFIG_HOME: home, ...(parts.variable === undefined ? {} : {MIXDOWN_CACHE: parts.variable})};
  const project = {root: '/project', file: '/project/pipeline.yaml', cacheDir: '', runsDir: ''};
  const wish = {
    io: {env, cwd: '/somewhere', now: () => 0},
    project,
    ...(parts.pipeline ? {remote: parts.pipeline} : {}),
  };
  const result = await chooseRemote(wish);
  return {
    chosen: result.ok ? result.value : undefined,
    problem: result.ok ? undefined : result.error[0]?.message,
    may: mayHaveRemote(wish),
    home,
  };
}

const pipeline = {url: 'https://one.example/cache', mode: 'read-only', credentials: {bearer: {env: 'TOKEN'}}};
const user = 'cache: {remote: {url: "https://two.example/cache", credentials: {basic: {file: secret}}}}';

it('is none when nobody names one', async () => {
  expect(await choose({})).toMatchObject({chosen: undefined, problem: undefined, may: false});
  expect(await choose({user: 'other: 1'})).toMatchObject({chosen: undefined, problem: undefined});
  expect(await choose({user: ''})).toMatchObject({chosen: undefined, problem: undefined});
});

it('is what pipeline.yaml says before what the user says', async () => {
  const {chosen, may} = await choose({pipeline, user});
  expect(may).toBe(true);
  expect(chosen?.settings).toEqual({
    ...plainSettings,
    url: new URL('https://one.example/cache'),
    mode: 'read-only',
    credentials: {scheme: 'bearer', secret: {env: 'TOKEN'}},
  });
  expect(chosen?.from).toBe('pipeline.yaml');
  const own = await choose({user});
  expect(own.chosen).toMatchObject({from: join(own.home, 'mixdown/config.yaml'), folder: join(own.home, 'mixdown')});
});

it('is off when the variable says so', async () => {
  expect(await choose({variable: 'off', pipeline, user})).toMatchObject({chosen: undefined, may: false});
});

it('has another mode when the variable names one', async () => {
  const {chosen} = await choose({variable: 'write-only', pipeline});
  expect(chosen?.settings).toMatchObject({url: new URL('https://one.example/cache'), mode: 'write-only'});
  expect(await choose({variable: 'write-only'})).toMatchObject({chosen: undefined, may: false});
});

it('is what the variable names, with the credentials of its host and no other', async () => {
  const same = await choose({variable: 'https://two.example/other', pipeline, user});
  expect(same.chosen).toMatchObject({from: 'MIXDOWN_CACHE', settings: {url: new URL('https://two.example/other')}});
  expect(same.chosen?.settings.credentials).toEqual({scheme: 'basic', secret: {file: 'secret'}});
  for (const variable of ['https://three.example/cache', 'http://one.example/cache', 'https://one.example:8443/']) {
    const other = await choose({variable, pipeline, user});
    expect(other.chosen?.settings).toEqual({...plainSettings, url: new URL(variable), mode: 'read-write'});
  }
});

it('may be a folder: of the variable from here, of pipeline.yaml from the project', async () => {
  const hrefOf = ({chosen}: {chosen: RemoteChoice | undefined}) => chosen?.settings.url.href;
  expect(hrefOf(await choose({variable: '../shared cache'}))).toBe('file:///shared%20cache');
  expect(hrefOf(await choose({variable: '/mnt/a#b?c'}))).toBe('file:///mnt/a%23b%3Fc');
  expect(hrefOf(await choose({pipeline: {url: 'shared'}}))).toBe('file:///project/shared');
  expect(hrefOf(await choose({pipeline: {url: 'file:///mnt/cache'}}))).toBe('file:///mnt/cache');
});

it.each([
  'https://user:hunter2@host/cache',
  'https://host/cache?sig=hunter2',
  'https://host/cache#hunter2',
  'ftp://hunter2/cache',
  'http://[hunter2',
])('refuses %s, and does not print it', async (variable) => {
  const {problem, may} = await choose({variable});
  expect(may).toBe(true);
  expect(problem).toContain('MIXDOWN_CACHE');
  expect(problem).not.toContain('hunter2');
});

it.each([
  ['a text', 'cache: {remote: here}', 'no mapping'],
  ['no url', 'cache: {remote: {}}', 'lacks a `url`'],
  ['an unknown key', 'cache: {remote: {url: a, adress: b}}', 'unknown key `adress`'],
  ['an unknown mode', 'cache: {remote: {url: a, mode: rw}}', 'the mode of a remote cache is'],
  ['a secret in the open', 'cache: {remote: {url: a, credentials: {bearer: hunter2}}}', '{bearer: PLACE}'],
  ['two places', 'cache: {remote: {url: a, credentials: {bearer: {env: A, file: b}}}}', '{env: NAME}'],
  ['no place', 'cache: {remote: {url: a, credentials: {basic: {env: 7}}}}', '{env: NAME}'],
  ['no YAML', 'cache: {remote: [', 'is not understood'],
])('says what is wrong with the user file: %s', async (_, text, message) => {
  const {problem} = await choose({user: text});
  expect(problem).toContain(message);
  expect(problem).not.toContain('hunter2');
});
