import {existsSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test, type TestContext} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {nginxPath, startNginx, type Nginx} from '../support/nginx.ts';
import {hasSlurm, SlurmCluster} from '../support/slurm-cluster.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

let cluster: SlurmCluster;

function checkout({onTestFinished}: TestContext, template = toyProject): Workspace {
  const workspace = new Workspace(template === '' ? undefined : template);
  onTestFinished(() => workspace.dispose());
  return workspace;
}

async function server({onTestFinished}: TestContext): Promise<Nginx> {
  const nginx = await startNginx();
  onTestFinished(() => nginx.stop());
  return nginx;
}

const onCluster = ['run', '--executor', 'slurm', '--json', '--set', 'executors.slurm.poll=0.2'];

function start(workspace: Workspace, remote: string, args: readonly string[]) {
  return workspace.start(args, {...cluster.env, MIXDOWN_CACHE: remote, XDG_CONFIG_HOME: workspace.path('config')});
}

const run = (workspace: Workspace, remote: string, ...args: readonly string[]): Promise<CliResult> =>
  ended(start(workspace, remote, args));

function eventsOf({stdout}: CliResult): readonly Event[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
}

function outcomes(end: CliResult): Record<string, string> {
  const found: Record<string, string> = {};
  for (const event of eventsOf(end)) if (event.type === 'node-finished') found[event.node] = event.outcome;
  return found;
}

const results = (workspace: Workspace) => workspace.hashes('runs/latest/out');

// Slurm takes its time for everything: tests wait side by side.
describe
  .runIf(hasSlurm() && nginxPath !== undefined)
  .concurrent('a cluster and a remote cache', {timeout: 240_000}, () => {
    beforeAll(async () => {
      cluster = await SlurmCluster.start();
    });
    afterAll(async () => cluster.stop());

    test('what the remote cache has is no job; what runs there gets inputs that lay only in the remote cache', async (context) => {
      const nginx = await server(context);
      const [maker, second, alone] = [checkout(context), checkout(context), checkout(context)];
      await run(maker, nginx.url, 'run');
      const hit = await run(second, nginx.url, ...onCluster);
      expect(hit).toMatchObject({code: 0, stderr: ''});
      expect(new Set(Object.values(outcomes(hit)))).toEqual(new Set(['cached']));
      expect(hit.stdout).not.toContain('submitted as Slurm job');
      for (const one of [second, alone]) one.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
      nginx.requests();
      const changed = await run(second, nginx.url, ...onCluster);
      expect(changed).toMatchObject({code: 0, stderr: ''});
      expect(outcomes(changed)).toMatchObject({totals: 'up-to-date', 'scaled[by=4]': 'executed', report: 'executed'});
      // The total, and the variant that the report reads and nothing before it did.
      expect(nginx.requests().filter((line) => line.startsWith('GET /cas/'))).toHaveLength(2);
      await run(alone, 'off', 'run');
      expect(results(second)).toEqual(results(alone));
      // What the cluster made is there for all.
      const third = checkout(context);
      third.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
      expect(new Set(Object.values(outcomes(await run(third, nginx.url, 'run', '--json'))))).toEqual(
        new Set(['cached']),
      );
    });

    test('of slices only those are sent to the cluster that nobody made', async (context) => {
      const nginx = await server(context);
      const [maker, second, alone] = [checkout(context), checkout(context), checkout(context)];
      await run(maker, nginx.url, 'run');
      for (const one of [second, alone]) one.write('notes/new.txt', 'more letters');
      const built = await run(second, nginx.url, ...onCluster, 'counts');
      expect(built).toMatchObject({code: 0, stderr: ''});
      const made = eventsOf(built).flatMap((event) => (event.type === 'slice-finished' ? [event.key] : []));
      expect(made).toEqual(['new']);
      await run(alone, 'off', 'run', 'counts');
      expect(results(second)).toEqual(results(alone));
    });

    test('a driver that was killed is succeeded by one that shares what its job made', async (context) => {
      const nginx = await server(context);
      const [first, other] = [checkout(context, ''), checkout(context, '')];
      const gate = first.path('gate');
      const script = `echo x >> ${first.path('starts')}; until [ -e ${gate} ]; do sleep 0.05; done; cp early late.txt`;
      for (const one of [first, other]) {
        one.write(
          'pipeline.yaml',
          `version: 1
nodes:
  early: {shell: sh, script: 'echo made > early.txt', outputs: {out: early.txt}}
  late: {shell: sh, script: '${script}', inputs: {early: early}, outputs: {out: late.txt}}
`,
        );
      }
      await run(other, nginx.url, 'run', 'early');
      const killed = start(first, nginx.url, onCluster);
      await cluster.whenJobs('the job', () => (existsSync(first.path('starts')) ? true : undefined));
      killed.kill('SIGKILL');
      await ended(killed);
      const next = start(first, nginx.url, onCluster);
      next.stdout!.on('data', (text: Buffer) => {
        if (String(text).includes('goes on with')) first.write('gate', '');
      });
      const end = await ended(next);
      expect(end).toMatchObject({code: 0, stderr: ''});
      expect(first.read('starts')).toBe('x\n');
      expect(outcomes(end)).toMatchObject({late: 'executed'});
      const shared = await run(other, nginx.url, 'run', '--json');
      expect(outcomes(shared)).toEqual({early: 'up-to-date', late: 'cached'});
      expect(other.read('runs/latest/out/late/late.txt')).toBe('made\n');
    });

    test('without the server costs one warning, and no result', async (context) => {
      const [workspace, alone] = [checkout(context), checkout(context)];
      const built = await run(workspace, 'http://127.0.0.1:9', ...onCluster);
      expect(built.code).toBe(0);
      expect(`${built.stdout}${built.stderr}`.split('"remote-unavailable"')).toHaveLength(2);
      await run(alone, 'off', 'run');
      expect(results(workspace)).toEqual(results(alone));
    });

    test('what the server loses is made again on the cluster', async (context) => {
      const nginx = await server(context);
      const [maker, second] = [checkout(context), checkout(context)];
      await run(maker, nginx.url, 'run');
      await run(second, nginx.url, ...onCluster);
      const cas = join(nginx.root, 'cas');
      for (const name of readdirSync(cas)) rmSync(join(cas, name));
      second.write('notes/new.txt', 'more letters');
      maker.write('notes/new.txt', 'more letters');
      const built = await run(second, nginx.url, ...onCluster);
      expect(built.code).toBe(0);
      await run(maker, 'off', 'run');
      expect(results(second)).toEqual(results(maker));
    });
  });
