import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import type {ActionResult, SliceManifest} from '../../src/core/action.ts';
import type {Digest, Sha256} from '../../src/core/digest.ts';
import type {Distrusted} from '../../src/core/origin.ts';
import {makeTree} from '../../src/core/tree.ts';
import {keyPair, type KeyPair} from '../support/key-pair.ts';
import {keyIdOf, makeSigningKey, publicLineOf} from '../../src/remote/key-pair.ts';
import {errorsOf} from '../support/schemas.ts';
import {tempFolder} from '../support/store-fixture.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

interface Policy {
  readonly namespace: string;
  readonly read?: readonly string[];
  readonly recheck?: string;
  readonly sign?: {readonly file: string};
  readonly trust?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a pull request has: it writes where main does not. */
const pr: Policy = {namespace: 'pr'};
/** Somebody who reads what pull requests made, and makes all of it again. */
const wary: Policy = {namespace: 'main', read: ['pr'], recheck: '100%'};

const users = new WeakMap<Workspace, string>();

function checkout(folder: string, policy: Policy): Workspace {
  const workspace = new Workspace(toyProject);
  onTestFinished(() => workspace.dispose());
  configure(workspace, folder, policy);
  return workspace;
}

/** The configuration lies beside the project, in whose folder it would be seen. */
function configure(workspace: Workspace, folder: string, policy: Policy): void {
  const home = users.get(workspace) ?? tempFolder();
  users.set(workspace, home);
  mkdirSync(join(home, 'mixdown'), {recursive: true});
  writeFileSync(join(home, 'mixdown', 'config.yaml'), JSON.stringify({cache: {remote: {url: folder, ...policy}}}));
}

const start = (workspace: Workspace, ...args: string[]) =>
  workspace.start(args, {XDG_CONFIG_HOME: users.get(workspace)!, MIXDOWN_CACHE: ''});
const run = (workspace: Workspace, ...args: string[]): Promise<CliResult> => ended(start(workspace, ...args));
const results = (workspace: Workspace) => workspace.hashes('runs/latest/out');
const said = ({stdout, stderr}: CliResult): string => stdout + stderr;
const lastLine = (end: CliResult): string | undefined =>
  end.stdout.split('\n').find((line) => /^done|^up to date/.test(line));

function put(folder: string, text: string): Digest {
  const hash = createHash('sha256').update(text).digest('hex') as Sha256;
  writeFileSync(join(folder, 'cas', hash), text);
  return {hash, size: Buffer.byteLength(text)};
}

/** Changes a record of the pull request's as whoever may write there can. */
function forge(folder: string, stage: string, change: (result: ActionResult) => ActionResult): void {
  const dir = join(folder, 'pr', 'ac');
  let found = 0;
  for (const name of readdirSync(dir)) {
    const record = JSON.parse(readFileSync(join(dir, name), 'utf8')) as ActionResult;
    if (record.action?.stage !== stage) continue;
    writeFileSync(join(dir, name), JSON.stringify(change(record)));
    found++;
  }
  expect(found).toBeGreaterThan(0);
}

/** Has the total be another one, in the file and as a metric. */
function forgeTotal(folder: string, text: string): void {
  forge(folder, 'total', (result) => ({
    ...result,
    outputs: {total: {kind: 'file', digest: put(folder, text)}},
    metrics: {sum: Number(text)},
  }));
}

async function honestResults(): Promise<ReturnType<typeof results>> {
  const alone = checkout(tempFolder(), pr);
  await ended(alone.start(['run'], {MIXDOWN_CACHE: 'off'}));
  return results(alone);
}

const distrusted = (workspace: Workspace): readonly Distrusted[] =>
  (JSON.parse(workspace.read('cache/distrusted.json')) as {readonly entries: readonly Distrusted[]}).entries;

describe('of the results of others', () => {
  test('those of an honest one all agree, and a run with nothing to do makes nothing again', async () => {
    const folder = tempFolder();
    await run(checkout(folder, pr), 'run');
    const main = checkout(folder, wary);
    expect((await run(main, 'plan')).stdout).toBe('5 cached\n');
    const built = await run(main, 'run');
    expect(built).toMatchObject({code: 0, stderr: ''});
    expect(lastLine(built)).toContain('5 cached');
    expect(built.stdout).toContain('7 of 7 results of others made again: all agree');
    const [record] = await main.json<readonly {readonly id: string; readonly recheck: unknown}[]>('runs');
    expect(record?.recheck).toMatchObject({taken: 7, agreed: 7});
    expect(errorsOf('run', JSON.parse(main.read('runs/latest/run.json')))).toEqual([]);
    const again = await run(main, 'run');
    expect(lastLine(again)).toContain('nothing to do');
    expect(again.stdout).not.toContain('made again');
  });

  test('a wrong one is found, whoever vouched for it is not believed any more, and the run ends with the right bytes', async () => {
    const folder = tempFolder();
    await run(checkout(folder, pr), 'run');
    forgeTotal(folder, '666\n');
    // Believed by somebody who does not look.
    const gullible = checkout(folder, {namespace: 'main', read: ['pr']});
    await run(gullible, 'run', 'totals');
    expect(gullible.read('runs/latest/out/totals/total.json')).toBe('666\n');

    const main = checkout(folder, wary);
    const built = await run(main, 'run');
    expect(built.code).toBe(0);
    expect(said(built)).toContain('[result-differs]');
    expect(said(built)).toContain("mixdown cache trust 'namespace:pr'");
    expect(results(main)).toEqual(await honestResults());
    expect(distrusted(main)).toMatchObject([{voucher: 'namespace:pr', node: 'totals'}]);
    // Nothing of it is asked for or used from now on.
    main.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
    forge(folder, 'scale', (result) => ({...result, outputs: {scaled: {kind: 'file', digest: put(folder, '0\n')}}}));
    main.remove('runs');
    expect(await run(main, 'run')).toMatchObject({code: 0});
    expect(main.read('runs/latest/out/report/report.txt')).not.toContain('0\n0\n');
    expect((await run(main, 'cache', 'trust')).stdout).toMatch(
      /^not trusted: .*namespace pr.*, found [^:]*: totals: output /,
    );
  });

  test('those that were taken before are not used either, until a person trusts them again', async () => {
    const folder = tempFolder();
    await run(checkout(folder, pr), 'run');
    const main = checkout(folder, {namespace: 'main', read: ['pr']});
    await run(main, 'run');
    expect((await run(main, 'plan')).stdout).toBe('5 up to date\n');
    const maker = expect.stringMatching(/made by .+; from namespace pr, not signed/) as string;
    expect(await run(main, 'show', 'totals')).toMatchObject({code: 0, stdout: maker});
    expect(await run(main, 'explain', 'report')).toMatchObject({code: 0, stdout: maker});
    const shown = JSON.parse((await run(main, 'show', 'totals', '--json')).stdout) as unknown;
    expect(shown).toMatchObject({borrowed: {voucher: 'namespace:pr', namespace: 'pr'}});
    expect(errorsOf('show', shown)).toEqual([]);
    const prov = JSON.parse((await run(main, 'prov')).stdout) as {readonly agent: Readonly<Record<string, object>>};
    expect(errorsOf('prov', prov)).toEqual([]);
    expect(Object.values(prov.agent)).toContainEqual(
      expect.objectContaining({'mixdown:voucher': 'namespace:pr', 'mixdown:signed': false}),
    );
    await run(main, 'report', '--json', '-o', 'page.json');
    const page = JSON.parse(main.read('page.json')) as {readonly nodes: readonly unknown[]};
    expect(page.nodes).toContainEqual(expect.objectContaining({id: 'totals', origin: maker}));
    expect(errorsOf('page', page)).toEqual([]);
    const entry: Distrusted = {
      voucher: 'namespace:pr',
      since: 1,
      builder: {name: 'ada'},
      node: 'totals',
      why: 'it differs',
    };
    main.write('cache/distrusted.json', JSON.stringify({type: 'distrusted/1', entries: [entry]}));
    const explained = await run(main, 'explain', 'counts');
    expect(explained.stdout).toContain(
      'the result that is here is not used: ada (namespace pr) vouched for a wrong one',
    );
    expect(errorsOf('explanation', JSON.parse((await run(main, 'explain', 'counts', '--json')).stdout))).toEqual([]);
    expect((await run(main, 'plan')).stdout).toContain('1 to run');
    const trusted = await run(main, 'cache', 'trust', 'ada', '--json');
    expect(JSON.parse(trusted.stdout)).toEqual({trusted: ['namespace:pr']});
    expect(errorsOf('cache', JSON.parse(trusted.stdout))).toEqual([]);
    expect((await run(main, 'plan')).stdout).toBe('5 up to date\n');
    expect(await run(main, 'cache', 'trust', 'ada')).toMatchObject({code: 2});
  });

  test('is put there by hand too, under a name that nobody else can take', async () => {
    const folder = tempFolder();
    await run(checkout(folder, pr), 'run');
    const main = checkout(folder, {namespace: 'main', read: ['pr']});
    await run(main, 'run');
    const key = publicLineOf(makeSigningKey())!;
    const told = await run(main, 'cache', 'distrust', 'namespace:pr', key, '--reason', 'a laptop was stolen', '--json');
    expect(JSON.parse(told.stdout)).toEqual({distrusted: ['namespace:pr', `key:${keyIdOf(key)}`]});
    expect(errorsOf('cache', JSON.parse(told.stdout))).toEqual([]);
    expect(errorsOf('distrusted', JSON.parse(main.read('cache/distrusted.json')))).toEqual([]);
    expect((await run(main, 'cache', 'trust')).stdout).toMatch(
      /^not trusted: namespace pr, since .*: a laptop was stolen$/m,
    );
    expect(lastLine(await run(main, 'run'))).toContain('5 executed');
    const secret = makeSigningKey().split('\n')[1]!;
    const refused = await run(main, 'cache', 'distrust', secret, '--reason', 'x');
    expect(refused).toMatchObject({code: 2, stdout: ''});
    expect(refused.stderr).not.toContain(secret);
    for (const name of ['ada', 'namespace:', 'key:12']) {
      expect(await run(main, 'cache', 'distrust', name, '--reason', 'x')).toMatchObject({code: 2});
    }
  });

  test('a list that is damaged, or cannot be written, is told', async () => {
    const main = checkout(tempFolder(), {namespace: 'main'});
    main.write('cache/distrusted.json', '{');
    const lifted = 'everybody is trusted again; the damaged list is gone\n';
    expect(await run(main, 'cache', 'trust', '--all')).toMatchObject({code: 0, stdout: lifted});
    const none = 'nothing was known against anybody\n';
    expect(await run(main, 'cache', 'trust', '--all')).toMatchObject({code: 0, stdout: none});
    main.write('cache/distrusted.json/in-the-way', '');
    const stuck = await run(main, 'cache', 'trust', '--all');
    expect(stuck).toMatchObject({code: 1, stdout: ''});
    expect(stuck.stderr).toContain('error: Could not write the list of those who are distrusted');
    expect(stuck.stderr).not.toContain('internal error');
  });

  test('a wrong slice is found among those that are right', async () => {
    const folder = tempFolder();
    await run(checkout(folder, pr), 'run');
    forge(folder, 'count-letters', (result) => {
      const {slices} = JSON.parse(readFileSync(join(folder, 'cas', result.slices!.hash), 'utf8')) as SliceManifest;
      const changed = slices.map((slice) =>
        slice.key === 'bee' ? {...slice, outputs: {count: put(folder, '9\n')}} : slice,
      );
      const {artifact, text} = makeTree(
        changed.map(({key, outputs}) => ({path: `${key}.json`, digest: outputs['count']!})),
      );
      put(folder, text);
      const list = put(folder, JSON.stringify({type: 'slices/1', slices: changed}));
      return {...result, outputs: {count: artifact}, slices: list};
    });
    const main = checkout(folder, wary);
    const built = await run(main, 'run');
    expect(built.code).toBe(0);
    expect(said(built)).toContain('counts, slice bee');
    expect(results(main)).toEqual(await honestResults());
  });

  test('a wrong one that is signed takes the key that signed it out, and no other', async () => {
    const [folder, keys] = [tempFolder(), tempFolder()];
    const [good, bad] = [keyPair(), keyPair()];
    const signer = (name: string, {privateKey}: KeyPair): Policy => {
      writeFileSync(join(keys, name), privateKey, {mode: 0o600});
      return {namespace: 'pr', sign: {file: join(keys, name)}, trust};
    };
    const trust = {pr: {good: good.publicKey, bad: bad.publicKey}};
    const careless = (workspace: Workspace): Workspace => {
      // What it reads besides its inputs is in no key.
      const command = 'cat parts/* > report.txt; ! test -e ../../../../../evil || echo evil > report.txt';
      workspace.edit('pipeline.yaml', 'cat parts/* > report.txt', command);
      return workspace;
    };
    await run(careless(checkout(folder, signer('good', good))), 'run', 'counts');
    const liar = careless(checkout(folder, signer('bad', bad)));
    liar.write('evil', '');
    await run(liar, 'run');
    const main = careless(checkout(folder, {...wary, trust}));
    const built = await run(main, 'run');
    expect(built.code).toBe(0);
    expect(distrusted(main)).toMatchObject([{voucher: expect.stringMatching(/^key:[0-9a-f]{64}$/), node: 'report'}]);
    expect(main.read('runs/latest/out/report/report.txt')).not.toContain('evil');
    main.remove('runs');
    main.remove('cache/actions');
    const [, planned = ''] = /^(.*)$/m.exec((await run(main, 'plan')).stdout) ?? [];
    expect(planned).toContain('1 cached');
  });

  test('one within the tolerance stands, and its bytes are fetched to be compared', async () => {
    const folder = tempFolder();
    const tolerant = (workspace: Workspace): Workspace => {
      workspace.edit('stages/total.ts', "about: 'the sum'", "compare: {as: 'text', absolute: 1}, about: 'the sum'");
      workspace.edit('stages/total.ts', "metric('sum', sum);", '');
      workspace.edit('stages/total.ts', 'outputs, metric}', 'outputs}');
      return workspace;
    };
    const liar = tolerant(checkout(folder, pr));
    await run(liar, 'run', 'totals');
    const right = Number(liar.read('runs/latest/out/totals/total.json'));
    const close = `${right + 0.5}\n`;
    forge(folder, 'total', (result) => ({...result, outputs: {total: {kind: 'file', digest: put(folder, close)}}}));
    const main = tolerant(checkout(folder, wary));
    const built = await run(main, 'run', 'totals');
    expect(built).toMatchObject({code: 0, stderr: ''});
    expect(built.stdout).toContain('all agree');
    expect(main.read('runs/latest/out/totals/total.json')).toBe(close);
    // And one beyond it does not.
    forge(folder, 'total', (result) => ({
      ...result,
      outputs: {total: {kind: 'file', digest: put(folder, `${right + 2}\n`)}},
    }));
    const other = tolerant(checkout(folder, wary));
    expect(said(await run(other, 'run', 'totals'))).toContain('[result-differs]');
    expect(Number(other.read('runs/latest/out/totals/total.json'))).toBe(right);
  });

  test('one of a node that makes something else each time is nobody’s fault', async () => {
    const folder = tempFolder();
    const random = (workspace: Workspace): Workspace => {
      workspace.edit(
        'pipeline.yaml',
        'cat parts/* > report.txt',
        'cat /proc/sys/kernel/random/uuid parts/* > report.txt',
      );
      return workspace;
    };
    await run(random(checkout(folder, pr)), 'run');
    const main = random(checkout(folder, wary));
    const built = await run(main, 'run');
    expect(built.code).toBe(0);
    expect(said(built)).toContain('[not-deterministic]');
    expect(existsSync(main.path('cache/distrusted.json'))).toBe(false);
    expect(built.stdout).toContain('7 of 7 results of others made again: 1 cannot be told, 6 agree');
  });

  test('one that is being made again when the run is killed is made again by the next', async () => {
    const folder = tempFolder();
    const slow = (workspace: Workspace): Workspace => {
      workspace.edit(
        'pipeline.yaml',
        'cat parts/* > report.txt',
        'cat parts/* > report.txt; test ! -e ../../../../../hold || sleep 60',
      );
      return workspace;
    };
    await run(slow(checkout(folder, pr)), 'run');
    const main = slow(checkout(folder, wary));
    main.write('hold', '');
    const child = start(main, 'run', '--json');
    let text = '';
    const working = new Promise<void>((resolve) => {
      child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (/"node-started"[^\n]*"node":"report"/.test(text)) resolve();
      });
    });
    await working;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    main.remove('hold');
    const built = await run(main, 'run');
    expect(built).toMatchObject({code: 0, stderr: ''});
    expect(built.stdout).toContain('1 of 1 result of others made again: all agree');
    expect(Object.keys(results(main))).toEqual(['report/report.txt']);
    expect(await main.run('verify')).toMatchObject({code: 0});
  });
});

test('what rests on somebody who is distrusted by now is not given on', async () => {
  const folder = tempFolder();
  const one = checkout(folder, pr);
  expect((await run(one, 'run')).code).toBe(0);
  const records = join(one.root, 'cache', 'actions');
  let touched = 0;
  for (const path of readdirSync(records, {recursive: true, encoding: 'utf8'})) {
    if (!path.endsWith('.json')) continue;
    const file = join(records, path);
    const record = JSON.parse(readFileSync(file, 'utf8')) as ActionResult;
    if (record.slices === undefined) continue;
    writeFileSync(file, JSON.stringify({...record, via: ['namespace:lab']}));
    touched++;
  }
  expect(touched).toBeGreaterThan(0);
  const entry: Distrusted = {voucher: 'namespace:lab', since: 1, node: 'prep', why: 'it differs'};
  one.write('cache/distrusted.json', JSON.stringify({type: 'distrusted/1', entries: [entry]}));
  rmSync(join(folder, 'pr'), {recursive: true});
  const pushed = JSON.parse((await run(one, '--json', 'cache', 'push')).stdout) as {missing: readonly string[]};
  expect(pushed.missing).not.toEqual([]);
  const given = readdirSync(join(folder, 'pr', 'ac')).map((name) =>
    readFileSync(join(folder, 'pr', 'ac', name), 'utf8'),
  );
  expect(given.filter((text) => text.includes('namespace:lab'))).toEqual([]);
});
