import {chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {connect, createServer, type AddressInfo} from 'node:net';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {cacheServer} from '../support/cache-server.ts';
import {canLimitDisk, nginxPath, startNginx, type Nginx, type NginxOptions} from '../support/nginx.ts';
import {errorsOf} from '../support/schemas.ts';
import {tempFolder} from '../support/store-fixture.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

function checkout(template = toyProject): Workspace {
  const workspace = new Workspace(template);
  onTestFinished(() => workspace.dispose());
  return workspace;
}

async function server(options?: NginxOptions): Promise<Nginx> {
  const nginx = await startNginx(options);
  onTestFinished(() => nginx.stop());
  return nginx;
}

/** Runs with a home of its own, so that no configuration of the user gets in. */
function run(workspace: Workspace, remote: string, ...args: string[]): Promise<CliResult> {
  return ended(workspace.start(args, {MIXDOWN_CACHE: remote, XDG_CONFIG_HOME: workspace.path('config')}));
}

const last = ({stdout}: CliResult): string | undefined =>
  stdout.split('\n').find((line) => /^done|^up to date/.test(line));
const results = (workspace: Workspace) => workspace.hashes('runs/latest/out');
const warnings = ({stdout, stderr}: CliResult): number => `${stdout}${stderr}`.split('[remote-').length - 1;

/** One node that makes a large file; the command takes long to send it. */
const large = (mebibytes: number): string => `version: 1
sources: {note: note.txt}
nodes:
  large:
    command: [sh, -c, 'head -c ${mebibytes * 1024 * 1024} /dev/zero > large.bin; cat note >> large.bin']
    inputs: {note: note}
    outputs: {file: large.bin}
`;

function largeProject(mebibytes: number): Workspace {
  const workspace = new Workspace();
  onTestFinished(() => workspace.dispose());
  workspace.write('pipeline.yaml', large(mebibytes));
  workspace.write('note.txt', 'a note');
  return workspace;
}

describe.runIf(nginxPath !== undefined)('two checkouts that share nginx', () => {
  test('build everything once, and fetch only what was asked for', async () => {
    const nginx = await server();
    const [first, second] = [checkout(), checkout()];
    expect(last(await run(first, nginx.url, 'run'))).toContain('5 executed');
    nginx.requests();
    expect((await run(second, nginx.url, 'plan')).stdout).toBe('5 cached\n');
    const built = await run(second, nginx.url, 'run');
    expect(last(built)).toContain('5 cached');
    expect(built.stderr).toBe('');
    expect(results(second)).toEqual(results(first));
    expect(nginx.requests().filter((line) => line.startsWith('GET /cas/'))).toHaveLength(1);
    expect(last(await run(second, nginx.url, 'run'))).toContain('nothing to do');
    expect(nginx.requests()).toEqual([]);
  });

  test('build a changed item once more, and the rest with what lies there', async () => {
    const nginx = await server();
    const [first, second, alone] = [checkout(), checkout(), checkout()];
    await run(first, nginx.url, 'run');
    for (const one of [second, alone]) one.write('notes/new.txt', 'more letters');
    const built = await run(second, nginx.url, 'run');
    expect(built.stdout).toContain('4 slices, 1 stale');
    await run(alone, 'off', 'run');
    expect(results(second)).toEqual(results(alone));
    // And the first checkout gets that as well.
    first.write('notes/new.txt', 'more letters');
    expect(last(await run(first, nginx.url, 'run'))).toContain('5 cached');
  });

  test('what was borrowed is explained, shown and verified like what was made here', async () => {
    const nginx = await server();
    const [first, second] = [checkout(), checkout()];
    await run(first, nginx.url, 'run');
    await run(second, nginx.url, 'run');
    expect(await second.run('verify')).toMatchObject({code: 0});
    expect(errorsOf('show', await second.json('show', 'totals'))).toEqual([]);
    // Its bytes were needed by nothing.
    const bytes = await second.run('show', 'totals.total');
    expect(bytes).toMatchObject({code: 1, stderr: expect.stringContaining("mixdown run 'totals'")});
    await run(second, nginx.url, 'run', 'totals');
    expect(await second.run('show', 'totals.total')).toMatchObject({code: 0});
    second.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
    const explained = await second.run('explain', 'report');
    expect(explained.stdout).not.toContain('never built');
  });

  test('a blob that is damaged on the server is made again, and put right there', async () => {
    const nginx = await server();
    const [first, second, third] = [checkout(), checkout(), checkout()];
    await run(first, nginx.url, 'run');
    const cas = join(nginx.root, 'cas');
    for (const name of readdirSync(cas)) {
      const bytes = readFileSync(join(cas, name));
      bytes[0] = bytes[0]! ^ 1;
      writeFileSync(join(cas, name), bytes);
    }
    const built = await run(second, nginx.url, 'run');
    expect(built.code).toBe(0);
    expect(warnings(built)).toBe(1);
    expect(`${built.stdout}${built.stderr}`).toContain('[remote-corrupt]');
    expect(results(second)).toEqual(results(first));
    expect(await second.run('verify')).toMatchObject({code: 0});
    const after = await run(third, nginx.url, 'run');
    expect(after.code).toBe(0);
    expect(results(third)).toEqual(results(first));
  });

  test.runIf(canLimitDisk)('a full disk of the server costs a remark, and no result', async () => {
    const nginx = await server({diskMiB: 1});
    const maker = largeProject(3);
    const built = await run(maker, nginx.url, 'run');
    expect(built.code).toBe(0);
    expect(built.stderr).toMatch(/1 result was not sent to .*: .* answered 500/);
    expect(statSync(maker.path('runs/latest/out/large/large.bin')).size).toBeGreaterThan(3 << 20);
    const other = await run(largeProject(3), nginx.url, 'run');
    expect(last(other)).toContain('1 executed');
    expect(other.stdout).not.toContain('[remote-corrupt]');
  });

  test('a sender that is killed leaves nothing that a reader sees', async () => {
    const nginx = await server();
    // Lets a part of the blob through to the server, and then the sender dies.
    const gate = createServer((client) => {
      const upstream = connect(Number(new URL(nginx.url).port), '127.0.0.1');
      let bytes = 0;
      client.on('data', (chunk) => {
        upstream.write(chunk);
        bytes += chunk.byteLength;
        if (bytes > 1 << 20) child.kill('SIGKILL');
      });
      upstream.pipe(client);
      for (const end of ['error', 'close']) client.on(end, () => upstream.destroy());
      upstream.on('error', () => client.destroy());
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void gate.close());
    const maker = largeProject(8);
    const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
    const child = maker.start(['run'], {MIXDOWN_CACHE: url, XDG_CONFIG_HOME: maker.path('config')});
    expect((await ended(child)).code).toBeNull();
    expect(readdirSync(nginx.root)).not.toContain('ac');
    expect(nginx.requests().filter((line) => /^PUT \/cas\/.* 20/.test(line))).toEqual([]);
    // What it had made is here all the same.
    expect(last(await run(maker, 'off', 'run'))).toMatch(/nothing to do|1 cached/);
    const again = maker.start(['cache', 'push'], {MIXDOWN_CACHE: nginx.url, XDG_CONFIG_HOME: maker.path('config')});
    expect((await ended(again)).code).toBe(0);
    expect(last(await run(largeProject(8), nginx.url, 'run'))).toContain('1 cached');
  });

  test('push, pull and stat', async () => {
    const nginx = await server();
    const [first, second] = [checkout(), checkout()];
    await run(first, 'off', 'run');
    const json = async (workspace: Workspace, ...args: string[]): Promise<unknown> =>
      JSON.parse((await run(workspace, nginx.url, 'cache', ...args, '--json')).stdout);
    const empty = await json(first, 'stat');
    expect(errorsOf('cache', empty, 'stat')).toEqual([]);
    expect(empty).toMatchObject({remote: nginx.url, from: ['MIXDOWN_CACHE'], mode: 'read-write'});
    expect((empty as {nodes: {there: boolean}[]}).nodes.map(({there}) => there)).toEqual(Array(5).fill(false));
    const entry = {voucher: 'namespace:pr-7', since: 0, node: 'totals', why: 'all of it differs'};
    first.write('cache/distrusted.json', JSON.stringify({type: 'distrusted/1', entries: [entry]}));
    const warned = await json(first, 'stat');
    expect(errorsOf('cache', warned, 'stat')).toEqual([]);
    expect(warned).toMatchObject({distrusted: [entry]});
    const said = await run(first, nginx.url, 'cache', 'stat');
    expect(said.stdout).toMatch(/not from {2,}namespace pr-7, found .* in totals: all of it differs/);
    first.write('cache/distrusted.json', '{');
    expect(await json(first, 'stat')).toMatchObject({distrusted: null});
    first.remove('cache/distrusted.json');
    const tooEarly = await run(second, nginx.url, 'cache', 'pull');
    expect(tooEarly).toMatchObject({code: 1, stdout: '0 results of 1 node here\n'});
    expect(tooEarly.stderr).toBe(`neither here nor at ${nginx.url}: report\n`);
    const pushed = await json(first, 'push');
    expect(errorsOf('cache', pushed, 'push')).toEqual([]);
    expect(pushed).toMatchObject({sent: 5, failed: 0, missing: []});
    const pulled = await json(second, 'pull', '+report');
    expect(errorsOf('cache', pulled, 'pull')).toEqual([]);
    expect(pulled).toEqual({remote: nginx.url, here: 5, missing: [], incomplete: []});
    // All of it, for work without the server.
    expect(last(await run(second, 'off', 'run'))).toContain('5 cached');
    expect(await run(second, nginx.url, 'cache', 'push')).toMatchObject({code: 0});
    second.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
    expect(last(await run(second, 'off', 'run'))).toContain('2 executed');
  });
});

describe('a shared folder', () => {
  test('does the same', async () => {
    const folder = tempFolder();
    const [first, second] = [checkout(), checkout()];
    first.write('config/mixdown/config.yaml', `cache: {remote: {url: ${folder}}}`);
    second.edit('pipeline.yaml', 'version: 1', `version: 1\ncache: {remote: {url: '${folder}', mode: read-only}}`);
    expect(last(await run(first, '', 'run'))).toContain('5 executed');
    const before = readdirSync(folder, {recursive: true}).length;
    second.write('notes/new.txt', 'more');
    expect((await run(second, '', 'run')).stdout).toContain('4 slices, 1 stale');
    expect(readdirSync(folder, {recursive: true})).toHaveLength(before);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    const said = (await run(first, '', 'cache', 'stat')).stdout;
    expect(said).toContain(`${folder}, read-write\n`);
    expect(said).toContain(first.path('config/mixdown/config.yaml'));
    expect((await run(first, 'write-only', 'cache', 'stat')).stdout).toContain('write-only');
  });

  test('that cannot be written to costs one warning', async () => {
    const folder = join(tempFolder(), 'not', 'mounted');
    const built = await run(checkout(), folder, 'run');
    expect(built.code).toBe(0);
    expect(warnings(built)).toBe(1);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('trouble', () => {
  test('a server that is not there costs one warning', async () => {
    const built = await run(checkout(), 'http://127.0.0.1:9', 'run');
    expect(built.code).toBe(0);
    expect(last(built)).toContain('5 executed');
    expect(warnings(built)).toBe(1);
    expect(built.stdout + built.stderr).toContain('127.0.0.1:9 is not used in this run');
  });

  test('a server that refuses writing is read', async () => {
    const remote = await cacheServer();
    const url = remote.url.href.replace(/\/$/, '');
    await run(checkout(), url, 'run');
    remote.fault = (request, response) => {
      if (request.method !== 'PUT') return false;
      request.resume();
      return Boolean(response.writeHead(405).end());
    };
    const second = checkout();
    second.write('notes/new.txt', 'more');
    const built = await run(second, url, 'run');
    expect(built.code).toBe(0);
    expect(warnings(built)).toBe(1);
    expect(built.stdout).toContain('4 slices, 1 stale');
  });

  test('Ctrl-C ends the wait for what is still to be sent', async () => {
    const remote = await cacheServer();
    const maker = largeProject(2);
    const child = maker.start(['run'], {
      MIXDOWN_CACHE: remote.url.href,
      XDG_CONFIG_HOME: maker.path('config'),
    });
    remote.fault = (request) => request.method !== 'GET';
    child.stderr?.on('data', (text: Buffer) => {
      if (String(text).includes('sending 1 result')) child.kill('SIGINT');
    });
    const {code, stderr} = await ended(child);
    expect(code).toBe(0);
    expect(stderr).toContain('1 result was not sent');
  });

  test('a configuration that is not understood is told, not obeyed', async () => {
    const workspace = checkout();
    const url = 'https://user:hunter2@cache.example.org/';
    const built = await run(workspace, url, 'run');
    expect(built.code).toBe(0);
    expect(built.stdout + built.stderr).not.toContain('hunter2');
    expect(warnings(built)).toBe(1);
    const stat = await run(workspace, url, 'cache', 'stat');
    expect(stat).toMatchObject({code: 2});
    expect(stat.stderr).not.toContain('hunter2');
    expect(stat.stderr.match(/more than a host/g)).toHaveLength(1);
    const none = await run(workspace, 'off', 'cache', 'stat');
    expect(none).toMatchObject({code: 2, stderr: expect.stringContaining('no remote cache is configured')});
    workspace.edit('pipeline.yaml', 'version: 1', 'version: 1\ncache: {remote: {adress: x}}');
    expect((await run(workspace, '', 'run')).stderr).toContain('pipeline.yaml:2');
  });
});

test('a secret goes to the server, and nowhere else', async () => {
  const remote = await cacheServer();
  const secret = 'tok-3f9c1d27';
  const workspace = checkout();
  const url = remote.url.href;
  workspace.edit(
    'pipeline.yaml',
    'version: 1',
    `version: 1\ncache: {remote: {url: '${url}', credentials: {bearer: {env: CACHE_TOKEN}}}}`,
  );
  const env = {CACHE_TOKEN: secret, XDG_CONFIG_HOME: workspace.path('config')};
  const built = await ended(workspace.start(['run', '--verbose'], env));
  expect(built.code).toBe(0);
  remote.fault = (request, response) => {
    request.resume();
    return Boolean(response.writeHead(401).end());
  };
  workspace.write('notes/new.txt', 'more');
  const refused = await ended(workspace.start(['run', '--json'], env));
  expect(refused.code).toBe(0);
  expect(new Set(remote.seen.map(({authorization}) => authorization))).toEqual(new Set([`Bearer ${secret}`]));
  for (const {stdout, stderr} of [built, refused]) expect(stdout + stderr).not.toContain(secret);
  for (const folder of ['runs', 'cache']) {
    for (const name of readdirSync(workspace.path(folder), {recursive: true, encoding: 'utf8'})) {
      const path = workspace.path(join(folder, name));
      if (statSync(path).isFile()) expect(readFileSync(path, 'utf8')).not.toContain(secret);
    }
  }
  for (const bytes of remote.entries.values()) expect(String(bytes)).not.toContain(secret);
  const file = workspace.path('token');
  writeFileSync(file, `${secret}\n`);
  chmodSync(file, 0o600);
  workspace.edit('pipeline.yaml', '{env: CACHE_TOKEN}', '{file: token}');
  remote.fault = () => false;
  remote.seen.length = 0;
  await run(workspace, url, 'cache', 'push');
  expect(new Set(remote.seen.map(({authorization}) => authorization))).toEqual(new Set([`Bearer ${secret}`]));
});

test('a secret that is not there leaves reading on; what would be written is told once', async () => {
  const remote = await cacheServer();
  remote.fault = (request, response) => {
    if (request.method !== 'PUT' || request.headers.authorization === 'Bearer abc') return false;
    request.resume();
    return Boolean(response.writeHead(401).end());
  };
  const shared = `{url: '${remote.url.href}', credentials: {bearer: {env: CACHE_TOKEN}}}`;
  const member = (): Workspace => {
    const workspace = checkout();
    workspace.edit('pipeline.yaml', 'version: 1', `version: 1\ncache: {remote: ${shared}}`);
    return workspace;
  };
  const start = (workspace: Workspace, env: Record<string, string>): Promise<CliResult> =>
    ended(workspace.start(['run'], {XDG_CONFIG_HOME: workspace.path('config'), ...env}));
  const [ci, fork] = [member(), member()];
  expect(last(await start(ci, {CACHE_TOKEN: 'abc'}))).toContain('5 executed');
  const reading = await start(fork, {});
  expect(last(reading)).toContain('5 cached');
  expect([reading.stderr, warnings(reading)]).toEqual(['', 0]);
  fork.write('notes/new.txt', 'more');
  const before = remote.entries.size;
  const writing = await start(fork, {});
  expect(writing.code).toBe(0);
  expect(warnings(writing)).toBe(1);
  expect(writing.stdout).toContain('the environment variable CACHE_TOKEN, which is to hold the token');
  expect(remote.entries.size).toBe(before);
  // What the user adds about the same cache is laid over, and needs no change of the project.
  fork.write('config/mixdown/config.yaml', 'cache: {remote: {mode: read-only, builder: ada}}');
  fork.write('notes/newer.txt', 'still more');
  expect(warnings(await start(fork, {}))).toBe(0);
});
