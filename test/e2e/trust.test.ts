import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {digestOf, type Digest} from '../../src/core/digest.ts';
import {isObject, type JsonObject} from '../../src/core/json.ts';
import {readSigningKey, signEntry} from '../../src/remote/signature.ts';
import {keyPair, type KeyPair} from '../support/key-pair.ts';
import {nginxPath, startNginx, type Nginx} from '../support/nginx.ts';
import {errorsOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

const [ci, pr] = [keyPair(), keyPair()];
const [mainLogin, prLogin] = ['main:of-main', 'pr-12:of-the-pull-request'];

/** Each namespace with its own password; blobs with both. */
async function separated(): Promise<Nginx> {
  const writers = {cas: [mainLogin, prLogin], main: [mainLogin], 'pr-12': [prLogin]};
  const nginx = await startNginx({writers});
  onTestFinished(() => nginx.stop());
  return nginx;
}

/** Who can write can write anything. */
async function open(): Promise<Nginx> {
  const nginx = await startNginx();
  onTestFinished(() => nginx.stop());
  return nginx;
}

interface Role {
  readonly namespace?: string;
  readonly read?: readonly string[];
  readonly key?: KeyPair;
  readonly login?: string;
  readonly trusts?: boolean;
}

const asMain: Role = {namespace: 'main', key: ci, login: mainLogin};
const asPr: Role = {namespace: 'pr-12', read: ['main'], key: pr, login: prLogin};

/** A checkout with a configuration of its own. */
class Checkout extends Workspace {
  readonly #login: string;

  constructor({url}: Nginx, {namespace = 'main', read = [], key, login = '', trusts = true}: Role) {
    super(toyProject);
    onTestFinished(() => this.dispose());
    this.#login = login;
    const remote: Record<string, unknown> = {url, namespace, read};
    if (trusts) remote['trust'] = {main: {ci: ci.publicKey}, 'pr-*': {pr: pr.publicKey}};
    if (login !== '') remote['credentials'] = {basic: {env: 'CACHE_LOGIN'}};
    if (key) {
      this.write('config/key.pem', key.privateKey);
      chmodSync(this.path('config/key.pem'), 0o600);
      remote['sign'] = {file: this.path('config/key.pem')};
    } else remote['mode'] = 'read-only';
    this.write('config/mixdown/config.yaml', JSON.stringify({cache: {remote}}));
  }

  cli(...args: string[]): Promise<CliResult> {
    const env = {XDG_CONFIG_HOME: this.path('config'), CACHE_LOGIN: this.#login, MIXDOWN_CACHE: ''};
    return ended(this.start(args, env));
  }

  async alone(...args: string[]): Promise<CliResult> {
    return ended(this.start(args, {MIXDOWN_CACHE: 'off'}));
  }

  get results(): Record<string, string> {
    return this.hashes('runs/latest/out');
  }
}

const last = ({stdout}: CliResult): string | undefined =>
  stdout.split('\n').find((line) => /^done|^up to date/.test(line));
const warnings = ({stdout, stderr}: CliResult): string[] => `${stdout}${stderr}`.match(/\[remote-[a-z]+\]/g) ?? [];

const recordsIn = ({root}: Nginx, namespace: string): string[] => {
  const dir = join(root, namespace, 'ac');
  return existsSync(dir) ? readdirSync(dir).map((name) => join(dir, name)) : [];
};
const readRecord = (path: string): JsonObject => JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
const isResult = (record: JsonObject): boolean => record['type'] === 'action-result/1';

function unsigned(record: JsonObject): JsonObject {
  const {signature: _, ...entry} = record;
  return entry;
}

function signed(record: JsonObject, {privateKey}: KeyPair, namespace: string): JsonObject {
  const entry = unsigned(record);
  return {...entry, signature: {...signEntry(entry, {namespace, salt: ''}, readSigningKey(privateKey)!)}};
}

const poison = 'poison\n';

/** The record with something else in it; that of the report with other bytes. */
function poisoned(record: JsonObject): JsonObject {
  const {outputs} = record;
  const isReport = isObject(outputs) && Object.hasOwn(outputs, 'report');
  if (!isReport) return {...record, metrics: {forged: 1}};
  return {...record, outputs: {report: {kind: 'file', digest: {...digestOf(poison)}}}};
}

function plant({root}: Nginx, path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), {recursive: true});
  writeFileSync(join(root, path), content);
}

/** What everybody who has this checkout should get. */
async function rightResults(nginx: Nginx, change?: (to: Workspace) => void): Promise<Record<string, string>> {
  const checkout = new Checkout(nginx, {});
  change?.(checkout);
  await checkout.alone('run');
  return checkout.results;
}

async function put(nginx: Nginx, path: string, body: string, login: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(login).toString('base64')}`;
  return (await fetch(`${nginx.url}${path}`, {method: 'PUT', body, headers: {authorization}})).status;
}

describe.runIf(nginxPath !== undefined)('a pull request that means harm', () => {
  test('poisons its own namespace, is kept out of that of main, and main builds its own', async () => {
    const nginx = await separated();
    const attacker = new Checkout(nginx, asPr);
    await attacker.cli('run');
    expect(await put(nginx, `/cas/${digestOf(poison).hash}`, poison, prLogin)).toBe(201);
    const statuses = new Set<number>();
    for (const path of recordsIn(nginx, 'pr-12')) {
      const [name, record] = [path.split('/').at(-1)!, poisoned(readRecord(path))];
      expect(await put(nginx, `/pr-12/ac/${name}`, JSON.stringify(signed(record, pr, 'pr-12')), prLogin)).toBe(204);
      statuses.add(await put(nginx, `/main/ac/${name}`, JSON.stringify(signed(record, pr, 'main')), prLogin));
    }
    expect([...statuses]).toEqual([401]);
    expect(recordsIn(nginx, 'main')).toEqual([]);
    // In its own namespace it has what it wrote: the attack as such works.
    const victim = new Checkout(nginx, asPr);
    expect(last(await victim.cli('run'))).toContain('5 cached');
    expect(victim.read('runs/latest/out/report/report.txt')).toBe(poison);
    nginx.requests();
    const main = new Checkout(nginx, asMain);
    const built = await main.cli('run');
    expect(last(built)).toContain('5 executed');
    expect(warnings(built)).toEqual([]);
    expect(main.results).toEqual(await rightResults(nginx));
    expect(nginx.requests().filter((line) => line.includes('/pr-12/'))).toEqual([]);
  });

  test('gets a remark when it is configured to write where it may not', async () => {
    const nginx = await separated();
    const attacker = new Checkout(nginx, {...asMain, login: prLogin});
    const built = await attacker.cli('run');
    expect(built).toMatchObject({code: 0});
    expect(warnings(built)).toEqual(['[remote-unavailable]']);
    expect(recordsIn(nginx, 'main')).toEqual([]);
  });
});

describe.runIf(nginxPath !== undefined)('on a server where everybody can write everything', () => {
  type Attack = (record: JsonObject, other: JsonObject) => JsonObject;
  test.each<[string, Attack]>([
    ['records without a signature', (record) => unsigned(poisoned(record))],
    ['records signed by a key that nobody knows', (record) => signed(poisoned(record), keyPair(), 'main')],
    ['records signed by the key of pull requests', (record) => signed(poisoned(record), pr, 'main')],
    ['genuine records that were changed', poisoned],
    ['genuine records of other results', (_, other) => other],
    ['genuine records of another namespace', (record) => signed(record, ci, 'lab')],
  ])('%s cost one warning, and are made again', async (_, attack) => {
    const nginx = await open();
    await new Checkout(nginx, asMain).cli('run');
    plant(nginx, `cas/${digestOf(poison).hash}`, poison);
    const paths = recordsIn(nginx, 'main');
    const genuine = paths.map(readRecord);
    const attacks = genuine.map((record, index) => attack(record, genuine[(index + 1) % genuine.length]!));
    paths.forEach((path, index) => writeFileSync(path, JSON.stringify(attacks[index])));
    const main = new Checkout(nginx, {namespace: 'main'});
    expect(warnings(await main.cli('plan'))).toEqual(['[remote-untrusted]']);
    const built = await main.cli('run');
    expect(built.code).toBe(0);
    expect(last(built)).toContain('5 executed');
    expect(warnings(built)).toEqual(['[remote-untrusted]']);
    expect(`${built.stdout}${built.stderr}`).toContain('of the namespace main');
    expect(main.results).toEqual(await rightResults(nginx));
    // What is told is on record as well.
    expect(main.read('runs/latest/events.ndjson')).toContain('remote-untrusted');
  });

  test('the same records are used by whoever asks for no signature', async () => {
    const nginx = await open();
    await new Checkout(nginx, asMain).cli('run');
    plant(nginx, `cas/${digestOf(poison).hash}`, poison);
    for (const path of recordsIn(nginx, 'main')) {
      writeFileSync(path, JSON.stringify(unsigned(poisoned(readRecord(path)))));
    }
    const victim = new Checkout(nginx, {namespace: 'main', trusts: false});
    await victim.cli('run');
    expect(victim.read('runs/latest/out/report/report.txt')).toBe(poison);
  });

  test('slices that others list are not used', async () => {
    const nginx = await open();
    const add = (to: Workspace): void => to.write('notes/new.txt', 'more letters');
    await new Checkout(nginx, asMain).cli('run');
    plant(nginx, `cas/${digestOf(poison).hash}`, poison);
    // Nothing else is there, so that slices are looked for.
    for (const path of recordsIn(nginx, 'main')) {
      const record = readRecord(path);
      if (isResult(record)) {
        rmSync(path);
        continue;
      }
      const {hash} = record['manifest'] as unknown as Digest;
      const manifest = JSON.parse(readFileSync(join(nginx.root, 'cas', hash), 'utf8')) as {slices: JsonObject[]};
      const slices = manifest.slices.map((slice) => ({...slice, outputs: {counts: {...digestOf(poison)}}}));
      const text = JSON.stringify({...manifest, slices});
      plant(nginx, `cas/${digestOf(text).hash}`, text);
      const list = signed({...record, manifest: {...digestOf(text)}}, pr, 'main');
      writeFileSync(path, JSON.stringify(list));
    }
    const main = new Checkout(nginx, {namespace: 'main'});
    add(main);
    const built = await main.cli('run');
    expect(built.stdout).toContain('4 slices');
    expect(built.stdout).not.toContain('1 stale');
    expect(warnings(built)).toEqual(['[remote-untrusted]']);
    expect(main.results).toEqual(await rightResults(nginx, add));
  });
});

describe.runIf(nginxPath !== undefined)('a pull request that means well', () => {
  const change = (to: Workspace): void => to.write('notes/new.txt', 'more letters');

  test('builds only its change, and its merge builds nothing', async () => {
    const nginx = await separated();
    await new Checkout(nginx, asMain).cli('run');
    const contributor = new Checkout(nginx, asPr);
    change(contributor);
    const built = await contributor.cli('run');
    expect(built.stdout).toContain('4 slices, 1 stale');
    expect(warnings(built)).toEqual([]);

    const merged = new Checkout(nginx, asMain);
    change(merged);
    const promoted = await merged.cli('cache', 'promote', '--from', 'pr-12', '--json');
    const report = JSON.parse(promoted.stdout) as JsonObject;
    expect(errorsOf('cache', report, 'promote')).toEqual([]);
    const nodes = ['counts', 'totals', 'scaled[by=2]', 'scaled[by=3]', 'report'];
    const none = {there: [], differs: [], missing: [], incomplete: [], unsent: []};
    expect(report).toEqual({remote: nginx.url, from: 'pr-12', to: 'main', promoted: expect.any(Array), ...none});
    expect([...(report['promoted'] as string[])].sort()).toEqual([...nodes].sort());
    expect(warnings(promoted)).toEqual([]);
    // Nothing of it came into this checkout's cache but bytes.
    expect(merged.hashes('cache/actions')).toEqual({});

    nginx.requests();
    const next = new Checkout(nginx, asMain);
    change(next);
    expect(last(await next.cli('run'))).toContain('5 cached');
    expect(nginx.requests().filter((line) => line.includes('/pr-12/'))).toEqual([]);
    expect(next.results).toEqual(contributor.results);
    expect(next.results).toEqual(await rightResults(nginx, change));
    for (const record of recordsIn(nginx, 'main').map(readRecord)) expect(record).not.toHaveProperty('via');
    // Its slices are those of main now.
    next.write('notes/newer.txt', 'and more');
    expect((await next.cli('run')).stdout).toContain('5 slices, 1 stale');
    const again = await next.cli('cache', 'promote', '--from', 'pr-12');
    expect(again).toMatchObject({code: 0, stdout: expect.stringMatching(/^0 results/)});
  });

  test('whose bytes were damaged on the server is not promoted, unless they are whole here', async () => {
    const nginx = await separated();
    const contributor = new Checkout(nginx, asPr);
    await contributor.cli('run');
    const cas = join(nginx.root, 'cas');
    const report = digestOf(contributor.read('runs/latest/out/report/report.txt'));
    const damage = (): void => writeFileSync(join(cas, report.hash), 'x'.repeat(report.size));
    damage();
    const main = new Checkout(nginx, asMain);
    const refused = await main.cli('cache', 'promote', '--from', 'pr-12', '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({incomplete: ['report'], missing: []});
    expect(recordsIn(nginx, 'main').map(readRecord).filter(isResult)).toHaveLength(4);
    expect(readFileSync(join(cas, report.hash), 'utf8')).toBe('x'.repeat(report.size));
    await main.alone('run');
    expect(await main.cli('cache', 'promote', '--from', 'pr-12')).toMatchObject({code: 0});
    expect(digestOf(readFileSync(join(cas, report.hash)))).toEqual(report);
    expect(recordsIn(nginx, 'main').map(readRecord).filter(isResult)).toHaveLength(5);
  });

  test('is promoted with a word of warning where nothing has to be signed', async () => {
    const nginx = await open();
    await new Checkout(nginx, {...asPr, namespace: 'ann-1'}).cli('run');
    const main = new Checkout(nginx, asMain);
    expect((await main.cli('cache', 'promote', '--from', 'ann-1')).stderr).toContain(
      'nothing in ann-1 has to be signed',
    );
    expect((await main.cli('cache', 'promote', '--from', 'ann-1')).stderr).not.toContain('has to be signed');
  });

  test('is promoted only by whom main trusts, and only what its own key signed', async () => {
    const nginx = await separated();
    await new Checkout(nginx, asPr).cli('run');
    const nobody = await new Checkout(nginx, {...asMain, key: pr}).cli('cache', 'promote', '--from', 'pr-12');
    expect(nobody.code).toBe(1);
    expect(warnings(nobody)).toEqual(['[remote-config]']);
    for (const path of recordsIn(nginx, 'pr-12')) {
      writeFileSync(path, JSON.stringify(signed(readRecord(path), keyPair(), 'pr-12')));
    }
    const main = new Checkout(nginx, asMain);
    const refused = await main.cli('cache', 'promote', '--from', 'pr-12');
    expect(refused.stdout).toContain('0 results of 5 nodes promoted');
    expect(warnings(refused)).toEqual(['[remote-untrusted]']);
    expect(recordsIn(nginx, 'main')).toEqual([]);
    expect(await main.cli('cache', 'promote', '--from', 'main')).toMatchObject({code: 2});
    expect(await main.cli('cache', 'promote', '--from', '../cas')).toMatchObject({code: 2});
  });
});
