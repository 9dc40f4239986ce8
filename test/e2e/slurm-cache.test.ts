import {spawnSync} from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, test, type TestContext} from 'vitest';
import type {Event, NodeFinished} from '../../src/core/events.ts';
import {nginxPath, startNginx, type Nginx, type NginxOptions} from '../support/nginx.ts';
import {hasSlurm, SlurmCluster} from '../support/slurm-cluster.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Whether a process can be shown other disks, and another network, than the others. */
const canHide = spawnSync('unshare', ['-mn', 'true']).status === 0;

let cluster: SlurmCluster;
/** What compute nodes have: mixdown as it is installed, and a folder of their own. */
let host: string;

async function server({onTestFinished}: TestContext, options?: NginxOptions): Promise<Nginx> {
  const nginx = await startNginx(options);
  onTestFinished(() => nginx.stop());
  return nginx;
}

function project({onTestFinished}: TestContext, template?: string): Workspace {
  const workspace = new Workspace(template);
  onTestFinished(() => workspace.dispose());
  return workspace;
}

/** Node.js as compute nodes have it: after this was done in a namespace of its own, of disks and maybe of networks. */
function nodeAfter(done: readonly string[], scratch: string, alone = false): string {
  const path = join(mkdtempSync(join(host, 'node-')), 'node');
  mkdirSync(scratch, {recursive: true});
  const shell = [...done, `exec ${process.execPath} "$@"`].join(' && ');
  const flags = alone ? '-mn' : '-m';
  writeFileSync(path, `#!/bin/sh\nexport TMPDIR=${scratch}\nexec unshare ${flags} sh -c '${shell}' sh "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What compute nodes keep of this project. */
const scratchOf = ({root}: Workspace): string => join(host, `scratch-${basename(root)}`);

interface Setting {
  readonly workspace: Workspace;
  readonly url: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Instead of what the profile says otherwise. */
  readonly profile?: Readonly<Record<string, string>>;
}

function start({workspace, url, env = {}, args = [], profile = {}}: Setting) {
  const node = nodeAfter([`mount -t tmpfs none ${workspace.root}`], scratchOf(workspace));
  const whole = {transport: 'cache', mixdown: `${host}/mixdown`, node, poll: 0.2, ...profile};
  const sets = Object.entries(whole).flatMap(([name, value]) => ['--set', `executors.slurm.${name}=${value}`]);
  return workspace.start(['run', '--executor', 'slurm', '--json', ...sets, ...args], {
    ...cluster.env,
    MIXDOWN_CACHE: url,
    XDG_CONFIG_HOME: workspace.path('config'),
    ...env,
  });
}

const run = (setting: Setting): Promise<CliResult> => ended(start(setting));

function eventsOf({stdout}: CliResult): readonly Event[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
}

const finished = (end: CliResult): readonly NodeFinished[] =>
  eventsOf(end).filter((event) => event.type === 'node-finished');

/** Outcome, fingerprint and output digests of each node. */
function results(end: CliResult): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const {node, outcome, fingerprint, outputs} of finished(end)) found[node] = [outcome, fingerprint, outputs];
  return found;
}

const failureOf = (end: CliResult) => finished(end).find(({failure}) => failure !== undefined)?.failure;

/** A place that compute nodes and tests see. */
function place(): {readonly gate: string; readonly starts: string} {
  const own = mkdtempSync(join(host, 'gate-'));
  return {gate: join(own, 'gate'), starts: join(own, 'starts')};
}

const count = (path: string): number => (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').length : 0);

/** One node that notes its start, and ends when the gate is there. */
function gated(workspace: Workspace, {gate, starts}: ReturnType<typeof place>): void {
  const script = `echo x >> ${starts}; until [ -e ${gate} ]; do sleep 0.05; done; echo made > out.txt`;
  workspace.write(
    'pipeline.yaml',
    `version: 1\nnodes:\n  slow: {shell: sh, script: '${script}', outputs: {out: out.txt}}\n`,
  );
}

/** Opens the gate when the next driver says that it goes on with a job. */
async function successor(setting: Setting, gate: string): Promise<CliResult> {
  const child = start(setting);
  createInterface({input: child.stdout!}).on('line', (line) => {
    if (line.includes('goes on with')) writeFileSync(gate, '');
  });
  return ended(child);
}

describe.skipIf(!hasSlurm() || nginxPath === undefined || !canHide)('a cluster that shares no disk', () => {
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
    host = mkdtempSync(join(tmpdir(), 'mixdown-host-'));
    for (const name of ['dist', 'package.json']) {
      cpSync(join(repository, name), join(host, 'mixdown', name), {recursive: true});
    }
    symlinkSync(join(repository, 'node_modules'), join(host, 'mixdown/node_modules'));
  });
  afterAll(async () => {
    await cluster.stop();
    rmSync(host, {recursive: true, force: true});
  });

  test.concurrent(
    'makes the same as this machine: slices, stages with a library and a package, commands',
    async (context) => {
      const nginx = await server(context);
      const [away, here] = [project(context, toyProject), project(context, toyProject)];
      for (const one of [away, here]) {
        // A package of the project's own, in a stage that has a library too and sees the names of its items.
        cpSync(join(repository, 'node_modules/picomatch'), one.path('node_modules/picomatch'), {recursive: true});
        const check = "if (!picomatch('/**/*.txt')(inputs.text)) throw new Error(inputs.text);";
        one.edit('stages/count-letters.ts', 'import', "import picomatch from 'picomatch';\nimport");
        one.edit('stages/count-letters.ts', 'outputs}) {', `outputs}) {\n    ${check}`);
        // Sources by their names, and one that is a program.
        one.write('tools/say.sh', '#!/bin/sh\necho said\n');
        chmodSync(one.path('tools/say.sh'), 0o755);
        one.edit(
          'pipeline.yaml',
          'nodes:\n',
          'nodes:\n  said:\n    command: [sh, -c, "tools/say.sh > s.txt; ls notes >> s.txt; cp -L lone t.txt; echo told"]\n    inputs: {tools: tools, notes: notes, lone: lone}\n    outputs: {s: s.txt, t: t.txt}\n',
        );
        one.edit('pipeline.yaml', 'sources:\n', 'sources:\n  tools: {path: tools}\n  lone: {path: notes/ant.txt}\n');
        one.edit('pipeline.yaml', '[report]', '[report, said]');
      }
      const end = await run({workspace: away, url: nginx.url, args: ['--set', 'executors.slurm.batches=2']});
      expect(end).toMatchObject({code: 0, stderr: ''});
      expect(results(end)).toEqual(results(await here.run('run', '--json')));
      expect(away.hashes('runs/latest/out')).toEqual(here.hashes('runs/latest/out'));
      expect(away.hashes('cache/slurm')).toEqual({});
      const {stdout} = await away.run('show', 'said', '--log');
      expect(stdout).toMatch(/^submitted as Slurm job \d+(_\d+)?\ntold\n$/);
    },
  );

  test.concurrent('jobs see neither the project nor a secret of others; secrets lie nowhere', async (context) => {
    const passwords = join(host, 'passwords');
    writeFileSync(passwords, 'me:{PLAIN}key-to-all\n');
    const nginx = await server(context, {extra: `auth_basic me; auth_basic_user_file ${passwords};`});
    const workspace = project(context);
    workspace.write(
      'config/mixdown/config.yaml',
      `cache: {remote: {url: '${nginx.url}', credentials: {basic: {env: LOGIN}}}}\n`,
    );
    // What other users of the host could see of the processes, and what the job is given.
    const script = `[ "$TOKEN" = pass"-on-me" ] && echo has it; ls ${workspace.root} | wc -l; cat $(grep -l job-main /proc/[0-9]*/cmdline 2>/dev/null) 2>/dev/null > all.txt; env | grep -v ^TOKEN= >> all.txt`;
    workspace.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  look: {shell: sh, script: '${script}', passEnv: [TOKEN], outputs: {all: all.txt}}\n`,
    );
    const env = {LOGIN: 'me:key-to-all', TOKEN: 'pass-on-me'};
    const child = start({workspace, url: nginx.url, env});
    const listings: string[] = [];
    createInterface({input: child.stdout!}).on('line', (line) => {
      if (line.includes('submitted as'))
        listings.push(cluster.call('scontrol', '-d', 'show', 'job'), cluster.call('squeue', '-a', '--format=%all'));
    });
    const end = await ended(child);
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(listings[0]).toContain('JobState');
    expect((await workspace.run('show', 'look', '--log')).stdout).toMatch(/\nhas it\n0\n$/);
    const secrets = ['key-to-all', 'pass-on-me', Buffer.from(env.LOGIN).toString('base64')];
    const told = [['listings', listings.join('\n')] as const, ['events', end.stdout] as const];
    const texts = [...told, ...[nginx.root, workspace.path('runs'), workspace.path('cache')].flatMap(filesBelow)];
    expect(texts.map(([name]) => name).filter((name) => name.includes('/cas/')).length).toBeGreaterThan(0);
    for (const secret of secrets)
      expect(texts.flatMap(([name, text]) => (text.includes(secret) ? name : []))).toEqual([]);
  });

  test.concurrent('a driver that was killed is succeeded by one that goes on with its job', async (context) => {
    const nginx = await server(context);
    const workspace = project(context);
    const {gate, starts} = place();
    gated(workspace, {gate, starts});
    const setting = {workspace, url: nginx.url};
    const first = start(setting);
    await cluster.whenJobs('the job', () => (count(starts) === 1 ? true : undefined));
    first.kill('SIGKILL');
    await ended(first);
    const end = await successor(setting, gate);
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(end.stdout).toContain('goes on with Slurm job');
    expect(workspace.read('runs/latest/out/slow/out.txt')).toBe('made\n');
    expect(count(starts)).toBe(1);
    expect(workspace.hashes('cache/slurm')).toEqual({});
  });

  test.concurrent(
    'what slices made while nobody waited is taken over; those that Slurm starts again are done once',
    async (context) => {
      const nginx = await server(context);
      const workspace = project(context);
      const {gate, starts} = place();
      for (const [name, text] of Object.entries({a: 'go', b: 'wait', c: 'go'})) workspace.write(`in/${name}`, text);
      const script = `cat item >> ${starts}; echo >> ${starts}; if grep -q wait item; then until [ -e ${gate} ]; do sleep 0.05; done; fi; cp item out.txt`;
      workspace.write(
        'pipeline.yaml',
        `version: 1
sources: {items: {path: in}}
nodes:
  slices: {shell: sh, script: '${script}', each: {item: items}, outputs: {out: out.txt}}
executors: {slurm: {batches: 1}}
`,
      );
      const setting = {workspace, url: nginx.url};
      const first = start(setting);
      const submitted = await new Promise<string>((resolve) => {
        createInterface({input: first.stdout!}).on('line', (line) => {
          const id = /submitted as Slurm job (\d+)/.exec(line)?.[1];
          if (id !== undefined) resolve(id);
        });
      });
      const waits = (times: number) => () => {
        const lines = existsSync(starts) ? readFileSync(starts, 'utf8').split('\n') : [];
        return lines.filter((line) => line === 'wait').length === times ? lines : undefined;
      };
      await cluster.whenJobs('the slice that waits', waits(1));
      const reports = join(nginx.root, 'ac');
      await cluster.whenJobs('a report', () => (existsSync(reports) ? readdirSync(reports)[0] : undefined));
      cluster.call('scontrol', 'requeue', submitted);
      await cluster.whenJobs('the slice that waits again', waits(2));
      first.kill('SIGKILL');
      await ended(first);
      writeFileSync(gate, '');
      await cluster.whenJobs('the end', (jobs) =>
        jobs.find(({id, state}) => id === submitted && state === 'COMPLETED'),
      );
      const end = await run(setting);
      expect(end).toMatchObject({code: 0, stderr: ''});
      // Those before the one that waited, twice the one, and those after it.
      expect(readFileSync(starts, 'utf8').trim().split('\n').sort()).toEqual(['go', 'go', 'wait', 'wait']);
      expect(Object.values(workspace.hashes('runs/latest/out/slices'))).toEqual(Object.values(workspace.hashes('in')));
    },
  );

  test.concurrent('blobs that the server damages are sent again', async (context) => {
    const nginx = await server(context);
    const workspace = project(context, toyProject);
    const setting = {workspace, url: nginx.url};
    expect((await run({...setting, args: ['totals']})).code).toBe(0);
    rmSync(scratchOf(workspace), {recursive: true});
    for (const name of readdirSync(join(nginx.root, 'cas'))) {
      const path = join(nginx.root, 'cas', name);
      writeFileSync(path, Buffer.alloc(statSync(path).size, 'x'));
    }
    workspace.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2]');
    const end = await run(setting);
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(finished(end).map(({node, outcome}) => `${node} ${outcome}`)).toContain('report executed');
    expect(end.stdout).toContain('submitted again');
  });

  test.concurrent('a job that fails says why, with its log', async (context) => {
    const nginx = await server(context);
    const workspace = project(context);
    workspace.write(
      'pipeline.yaml',
      "version: 1\nnodes:\n  bad: {shell: sh, script: 'echo no such luck >&2; exit 3', outputs: {out: out.txt}}\n",
    );
    const end = await run({workspace, url: nginx.url});
    expect(end.code).toBe(1);
    expect(failureOf(end)).toMatchObject({code: 'command-failed'});
    expect(workspace.read('cache/failed/bad/log.txt')).toBe('no such luck\n');
  });

  test.concurrent.for([
    ['no mixdown', {mixdown: '/nowhere'}, 'the compute node has no mixdown: there is no file /nowhere/dist/cli'],
    ['no way to the cache', {}, 'the compute node could not use the remote cache http://127.0.0.1'],
  ] as const)('a node with %s says so', async ([, profile, message], context) => {
    const nginx = await server(context);
    const workspace = project(context);
    workspace.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  one: {shell: sh, script: 'echo > out', outputs: {out: out}}\n`,
    );
    const end = await run({
      workspace,
      url: nginx.url,
      profile: {node: nodeAfter([], scratchOf(workspace), true), ...profile},
    });
    expect(end.code).toBe(1);
    expect(failureOf(end)).toMatchObject({code: 'no-executor', message: expect.stringContaining(message)});
  });

  test.concurrent('a node without the package that a stage imports says so', async (context) => {
    const nginx = await server(context);
    const workspace = project(context, toyProject);
    workspace.write('node_modules/own/package.json', '{"name": "own", "version": "1.2.3", "main": "own.js"}');
    workspace.write('node_modules/own/own.js', 'module.exports = 1;\n');
    workspace.edit('stages/total.ts', 'export default', "import 'own';\nexport default");
    const end = await run({workspace, url: nginx.url, args: ['totals']});
    expect(end.code).toBe(1);
    const message = 'the compute node lacks the npm package own; the stage imports own 1.2.3';
    expect(failureOf(end)).toMatchObject({code: 'no-executor', message: expect.stringContaining(message)});
  });

  test.concurrent('what a full server cannot take fails the job, and says so', async (context) => {
    const nginx = await server(context, {diskMiB: 4});
    const workspace = project(context);
    workspace.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  big: {shell: sh, script: 'head -c 8000000 /dev/urandom > out', outputs: {out: out}}\n`,
    );
    const end = await run({workspace, url: nginx.url});
    expect(end.code).toBe(1);
    // As far as there is room for a report.
    expect(failureOf(end)?.message).toMatch(/what the job made could not be sent|could not send results/);
  });

  test.concurrent('a server that goes while a job runs fails the job, and says so', async (context) => {
    const nginx = await startNginx();
    const workspace = project(context);
    const {gate, starts} = place();
    gated(workspace, {gate, starts});
    const child = start({workspace, url: nginx.url});
    const end = ended(child);
    await cluster.whenJobs('the job', () => (count(starts) === 1 ? true : undefined));
    await nginx.stop();
    writeFileSync(gate, '');
    expect((await end).code).toBe(1);
    expect(failureOf(await end)?.message).toMatch(/could not send results|cannot be used/);
  });
});

test.concurrent.for([
  ['off', 'there is none'],
  ['http://127.0.0.1:9', 'cannot be reached'],
] as const)('without a remote cache (%s) nothing is begun', async ([url, why], context) => {
  const workspace = project(context, toyProject);
  appendFileSync(workspace.path('pipeline.yaml'), 'executors: {slurm: {transport: cache}}\n');
  const env = {MIXDOWN_CACHE: url, XDG_CONFIG_HOME: workspace.path('config')};
  const {code, stderr} = await ended(workspace.start(['run', '--executor', 'slurm'], env));
  expect(code).toBe(2);
  expect(stderr).toContain('`executors.slurm.transport` is cache: jobs need a remote cache, and');
  expect(stderr).toContain(why);
});

/** Path and content of all files below a folder. */
function filesBelow(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [[path, readFileSync(path, 'latin1')] as const] : [];
  });
}
