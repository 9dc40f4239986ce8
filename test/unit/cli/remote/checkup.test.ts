import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {makeContext, noGlobals} from '../../../../src/cli/context.ts';
import {remoteFindings} from '../../../../src/cli/remote/checkup.ts';
import {cacheServer} from '../../../support/cache-server.ts';
import {fakeIo} from '../../../support/fake-io.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

/** What doctor says of a project whose pipeline.yaml has this for `cache.remote`. */
async function findings(remote: object | undefined, env: Record<string, string> = {}): Promise<readonly string[]> {
  const root = tempFolder();
  const file = join(root, 'pipeline.yaml');
  // Other mistakes in it do not matter.
  writeFileSync(file, JSON.stringify({version: 'none', ...(remote ? {cache: {remote}} : {})}));
  const io = fakeIo(root, [], {env: {XDG_CONFIG_HOME: join(root, 'config'), ...env}});
  const project = {root, file, cacheDir: join(root, 'cache'), runsDir: ''};
  const found = await remoteFindings(makeContext(io, noGlobals), project);
  return found.map(({what, state, text, hint}) => `${state} ${what}: ${text}${hint ? ` (${hint})` : ''}`);
}

it('says nothing where no remote cache is configured', async () => {
  expect(await findings(undefined)).toEqual([]);
  expect(await findings({namespace: 'main'})).toEqual([]);
  expect(await findings({url: 'https://one.example'}, {MIXDOWN_CACHE: 'off'})).toEqual([]);
});

it('tells a server that answers, and whether it takes results', async () => {
  const server = await cacheServer();
  const url = server.url.href;
  const answers = `good remote: ${url.replace(/\/$/, '')} answers`;
  expect(await findings({url})).toEqual([answers, 'good sharing: writes default, unsigned']);
  expect([...server.entries.values()].map(String)).toEqual(['mixdown doctor\n']);
  server.entries.clear();
  expect(await findings({url, mode: 'read-only'})).toEqual([answers, 'note sharing: writes nothing']);
  expect(await findings({url, sign: {env: 'KEY'}, trust: {default: {}}})).toEqual([
    answers,
    expect.stringMatching(/^warn sharing: writes nothing: the environment variable KEY/),
  ]);
  expect(server.entries.size).toBe(0);
  server.fault = (request, response) => {
    if (request.method !== 'PUT') return false;
    request.resume();
    return Boolean(response.writeHead(403).end());
  };
  expect(await findings({url})).toEqual([answers, expect.stringMatching(/^warn sharing: it does not take .*403/)]);
});

it('tells a server that does not answer, and what is missing', async () => {
  expect(await findings({url: 'http://127.0.0.1:9'})).toEqual([
    expect.stringMatching(/^warn remote: .*127\.0\.0\.1:9/),
  ]);
  const server = await cacheServer();
  server.fault = (_, response) => Boolean(response.writeHead(401).end());
  expect(await findings({url: server.url.href, credentials: {bearer: {env: 'TOKEN'}}})).toEqual([
    expect.stringMatching(/^warn remote: .*401.*\(the environment variable TOKEN/),
  ]);
});

it('tells a folder, and mistakes in what is configured', async () => {
  const folder = tempFolder();
  expect(await findings({url: folder})).toEqual([
    `good remote: ${folder} answers`,
    'good sharing: writes default, unsigned',
  ]);
  expect(await findings({url: join(folder, 'none')})).toEqual([expect.stringMatching(/^warn remote: .*none/)]);
  expect(await findings({url: 'ftp://hunter2/'})).toEqual([
    expect.stringMatching(/^warn remote: pipeline.yaml: .*not by ftp:/),
  ]);
});
