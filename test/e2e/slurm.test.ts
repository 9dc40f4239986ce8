import {cpSync, existsSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {ChildProcess} from 'node:child_process';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import type {Execution} from '../../src/core/action.ts';
import type {Event} from '../../src/core/events.ts';
import {hasSlurm, SlurmCluster, type ClusterJob} from '../support/slurm-cluster.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let cluster: SlurmCluster;
let workspace: Workspace;

/** A run on the cluster, from its start to its end. */
interface Running {
  readonly child: ChildProcess;
  readonly end: Promise<CliResult>;
  /** Resolves with the first event that the test accepts; fails when the run ends without. */
  readonly event: (accepts: (event: Event) => boolean) => Promise<Event>;
}

function start(...args: readonly string[]): Running {
  const child = workspace.start(
    ['run', '--executor', 'slurm', '--json', '--set', 'executors.slurm.poll=0.2', ...args],
    cluster.env,
  );
  const seen: Event[] = [];
  const waiting = new Set<(event: Event | undefined) => void>();
  const end = ended(child);
  createInterface({input: child.stdout!}).on('line', (line) => {
    const event = JSON.parse(line) as Event;
    seen.push(event);
    for (const tell of waiting) tell(event);
  });
  void end.then(() => waiting.forEach((tell) => tell(undefined)));
  return {
    child,
    end,
    event: (accepts) =>
      new Promise((resolve, reject) => {
        const before = seen.find(accepts);
        if (before) resolve(before);
        const tell = (event: Event | undefined): void => {
          if (event === undefined) void end.then(({stderr}) => reject(new Error(`no such event; ${stderr}`)));
          else if (accepts(event)) resolve(event);
        };
        waiting.add(tell);
      }),
  };
}

function eventsOf({stdout}: CliResult): readonly Event[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Event);
}

/** Fingerprint and output digests of each node that ended. */
function results(end: CliResult): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const event of eventsOf(end)) {
    if (event.type === 'node-finished') found[event.node] = [event.outcome, event.fingerprint, event.outputs];
  }
  return found;
}

/** Jobs of this workspace's fingerprints, whatever else the cluster has seen. */
function jobsOf(end: CliResult): readonly ClusterJob[] {
  const prints = new Set(eventsOf(end).flatMap((event) => (event.type === 'node-finished' ? [event.fingerprint] : [])));
  return cluster.jobs().filter(({comment}) => prints.has(comment.replace('mixdown:', '')));
}

const isOver = ({state}: ClusterJob): boolean => !/^(PENDING|CONFIGURING|RUNNING|COMPLETING)$/.test(state);

/** A node that notes its start in `starts`, and ends when the file `gate` is there. */
function gated(rest = ''): string {
  const script = `hostname >> ${workspace.path('starts')}; until [ -e ${workspace.path('gate')} ]; do sleep 0.05; done; echo made > out.txt`;
  return `version: 1
nodes:
  slow: {shell: sh, script: '${script}', outputs: {out: out.txt}${rest}}
`;
}

const open = (): void => workspace.write('gate', '');
const starts = (): number =>
  existsSync(workspace.path('starts')) ? workspace.read('starts').trim().split('\n').length : 0;
const submitted = (event: Event): boolean =>
  event.type === 'node-log' && event.text.startsWith('submitted as Slurm job');

/** Waits for a job of this workspace that runs. */
async function running(): Promise<ClusterJob> {
  return cluster.whenJobs('a running job', (jobs) =>
    starts() === 0 ? undefined : jobs.find(({state, comment}) => state === 'RUNNING' && comment.startsWith('mixdown:')),
  );
}

describe.skipIf(!hasSlurm())('on a Slurm cluster', () => {
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
  });
  afterAll(async () => cluster.stop());
  beforeEach(() => {
    workspace = new Workspace(toyProject);
  });
  afterEach(() => workspace.dispose());

  it('makes the same digests as this machine, in as many jobs as are ready at once', async () => {
    const remote = await start().end;
    expect(remote).toMatchObject({code: 0, stderr: ''});
    const here = new Workspace(toyProject);
    const local = await here.run('run', '--json');
    here.dispose();
    expect(results(remote)).toEqual(results(local));
    const record = workspace.hashes('runs/latest/out');
    expect(Object.keys(record)).toContain('report/report.txt');
    // The variants went out as one array.
    const {stdout} = await workspace.run('runs', 'latest', '--json');
    expect(stdout).toContain('slurm');
    const arrays = new Map<string, number>();
    for (const {id} of cluster.jobs()) arrays.set(id.split('_')[0]!, (arrays.get(id.split('_')[0]!) ?? 0) + 1);
    expect(Math.max(...arrays.values())).toBeGreaterThan(1);
    expect(workspace.hashes('cache/slurm')).toEqual({});
  });

  it('makes the same features of the demo as this machine', async () => {
    const targets = ['log-mel[of=waveforms]', 'folds', 'weights'];
    const here = new Workspace();
    try {
      for (const {root} of [workspace, here]) {
        cpSync(join(repository, 'pipeline.yaml'), join(root, 'pipeline.yaml'));
        cpSync(join(repository, 'stages'), join(root, 'stages'), {recursive: true});
        symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
      }
      const remote = await start('--set', 'executors.slurm.batches=4', ...targets).end;
      expect(remote).toMatchObject({code: 0, stderr: ''});
      const local = await here.run('run', '--json', ...targets);
      expect(Object.keys(results(remote))).toContain('waveforms');
      expect(results(remote)).toEqual(results(local));
    } finally {
      here.dispose();
    }
  }, 180_000);

  it('brings back what a job printed, used and reported', async () => {
    workspace.write(
      'pipeline.yaml',
      "version: 1\nnodes:\n  talk: {shell: sh, script: 'echo to out; echo to err >&2; seq 1000000 | sort -r > out.txt', outputs: {out: out.txt}}\n",
    );
    expect((await start().end).code).toBe(0);
    const {stdout} = await workspace.run('show', 'talk', '--log');
    expect(stdout).toMatch(/^submitted as Slurm job \d+\nto out\nto err\n$/);
    const {execution} = await workspace.json<{execution: Execution}>('show', 'talk');
    expect(execution).toMatchObject({device: 'cpu', host: expect.stringMatching(/^n[12]$/)});
    expect(execution.cpuMs).toBeGreaterThan(0);
    expect(execution.wallMs).toBeGreaterThan(0);
  });

  it('gives each GPU job a device of its own', async () => {
    const script = `echo "$CUDA_VISIBLE_DEVICES" > out.txt; touch ${workspace.path('here')}-\${matrix.n}; until [ $(ls ${workspace.path('')} | grep -c ^here-) = 4 ]; do sleep 0.05; done`;
    workspace.write(
      'pipeline.yaml',
      `version: 1
nodes:
  gpu: {shell: sh, script: '${script}', matrix: {n: [1, 2, 3, 4]}, outputs: {out: out.txt}, resources: {gpu: 1}}
`,
    );
    const end = await start().end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    const texts = Object.keys(workspace.hashes('runs/latest/out')).map((path) =>
      workspace.read(`runs/latest/out/${path}`),
    );
    expect(texts.sort()).toEqual(['0\n', '0\n', '1\n', '1\n']);
  });

  it('a driver that was killed in mid-run is succeeded by one that adopts its job', async () => {
    workspace.write('pipeline.yaml', gated());
    const first = start();
    const job = await running();
    first.child.kill('SIGKILL');
    await first.end;
    const second = start();
    const adopted = await second.event((event) => event.type === 'node-log' && event.text.includes('goes on with'));
    expect(adopted).toMatchObject({text: `goes on with Slurm job ${job.id}, which an earlier run submitted`});
    open();
    const end = await second.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(jobsOf(end)).toMatchObject([{id: job.id}]);
    expect(starts()).toBe(1);
    expect(workspace.read('runs/latest/out/slow/out.txt')).toBe('made\n');
  });

  it('slices in work when the driver was killed are each done once', async () => {
    const [marks, gate] = [workspace.path('starts'), workspace.path('gate')];
    const script = `echo x >> ${marks}; if grep -q wait item; then until [ -e ${gate} ]; do sleep 0.05; done; fi; cp item out.txt`;
    for (const [name, text] of Object.entries({a: 'go', b: 'wait', c: 'go', d: 'wait'}))
      workspace.write(`in/${name}`, text);
    workspace.write(
      'pipeline.yaml',
      `version: 1
sources: {items: {path: in}}
nodes:
  slices: {shell: sh, script: '${script}', each: {item: items}, outputs: {out: out.txt}}
executors: {slurm: {batches: 2}}
`,
    );
    const first = start();
    await cluster.whenJobs('two slices that wait', () => (starts() === 4 ? true : undefined));
    const before = cluster.jobs().length;
    first.child.kill('SIGKILL');
    await first.end;
    const second = start();
    await second.event((event) => event.type === 'node-log' && event.text.includes('goes on with'));
    open();
    const end = await second.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(starts()).toBe(4);
    expect(cluster.jobs()).toHaveLength(before);
  });

  it('what a job made while nobody waited is taken over', async () => {
    workspace.write('pipeline.yaml', gated());
    const first = start();
    const job = await running();
    first.child.kill('SIGKILL');
    await first.end;
    open();
    await cluster.whenJobs('the end of the job', (jobs) => jobs.find((other) => other.id === job.id && isOver(other)));
    const end = await start().end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(jobsOf(end)).toHaveLength(1);
    expect(starts()).toBe(1);
  });

  it('a forced run does not take over what an earlier one began', async () => {
    workspace.write('pipeline.yaml', gated());
    const first = start();
    const job = await running();
    first.child.kill('SIGKILL');
    await first.end;
    const second = start('--force');
    await second.event(submitted);
    open();
    const end = await second.end;
    expect(end.code).toBe(0);
    expect(jobsOf(end)).toHaveLength(2);
    expect(cluster.jobs().find(({id}) => id === job.id)?.state).toBe('CANCELLED');
  });

  it('a job whose host dies runs again on another, which is no attempt of its own', async () => {
    workspace.write('pipeline.yaml', gated());
    const run = start();
    const {id, host} = await running();
    cluster.killHost(host as 'n1' | 'n2');
    await cluster.whenJobs('a second start', (jobs) =>
      jobs.find((job) => job.id === id && job.state === 'RUNNING' && job.host !== host && starts() === 2),
    );
    open();
    const end = await run.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(eventsOf(end).some(({type}) => type === 'node-retry')).toBe(false);
    cluster.startHost(host as 'n1' | 'n2');
    await cluster.hostsAre('idle', 'idle');
  }, 240_000);

  it('a job that fails says why, and leaves its folder to look at', async () => {
    workspace.write(
      'pipeline.yaml',
      "version: 1\nnodes:\n  bad: {shell: sh, script: 'echo no such luck >&2; exit 3', outputs: {out: out.txt}}\n",
    );
    const end = await start().end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({outcome: 'failed', failure: {code: 'command-failed'}});
    expect(JSON.stringify(finished)).toContain('no such luck');
    expect(existsSync(workspace.path('cache/failed/bad/reproduce.sh'))).toBe(true);
    expect(readFileSync(workspace.path('cache/failed/bad/log.txt'), 'utf8')).toBe('no such luck\n');
  });

  it('a job that Slurm kills fails with what Slurm says', async () => {
    workspace.write('pipeline.yaml', gated());
    const run = start();
    const {id} = await running();
    cluster.call('scancel', id);
    const end = await run.end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({failure: {code: 'worker-crashed'}});
    expect(JSON.stringify(finished)).toContain(`Slurm job ${id} was cancelled by somebody else`);
  });

  it('what a program makes of the signal that ends it is no result', async () => {
    const script = `trap "echo half > out.txt; exit 0" TERM; hostname >> ${workspace.path('starts')}; while :; do sleep 0.01; done`;
    workspace.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  half: {shell: sh, script: '${script}', outputs: {out: out.txt}}\n`,
    );
    const run = start();
    const {id} = await running();
    cluster.call('scancel', id);
    const end = await run.end;
    expect(end.code).toBe(1);
    expect(JSON.stringify(eventsOf(end))).toContain(`Slurm job ${id} was cancelled by somebody else`);
  });

  it('an interrupt cancels the jobs', async () => {
    workspace.write('pipeline.yaml', gated());
    const run = start();
    const {id} = await running();
    run.child.kill('SIGINT');
    const end = await run.end;
    expect(end.code).toBe(130);
    expect(cluster.jobs().find((job) => job.id === id)?.state).toBe('CANCELLED');
    expect(workspace.hashes('cache/slurm')).toEqual({});
  });

  it('what nobody waits for is cancelled by `clean`', async () => {
    workspace.write('pipeline.yaml', gated());
    const run = start();
    const {id} = await running();
    run.child.kill('SIGKILL');
    await run.end;
    const cleaned = await ended(workspace.start(['clean'], cluster.env));
    expect(cleaned).toMatchObject({code: 0, stdout: expect.stringContaining('1 abandoned submission')});
    await cluster.whenJobs('the end of the job', (jobs) =>
      jobs.find((job) => job.id === id && job.state === 'CANCELLED'),
    );
    expect(workspace.hashes('cache/slurm')).toEqual({});
  });

  it('a submission that Slurm refuses is told in its own words', async () => {
    workspace.write('pipeline.yaml', `${gated()}executors: {slurm: {partition: gold}}\n`);
    const end = await start().end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({failure: {code: 'job-rejected'}});
    expect(JSON.stringify(finished)).toContain('invalid partition specified: gold');
  });
});

it('without Slurm says which program is missing', async () => {
  workspace = new Workspace(toyProject);
  try {
    writeFileSync(
      workspace.path('pipeline.yaml'),
      workspace.read('pipeline.yaml').replace('{stage: total,', '{stage: total, executor: slurm,'),
    );
    const child = workspace.start(['run'], {PATH: '/nowhere'});
    const {code, stdout} = await ended(child);
    expect(code).toBe(1);
    expect(stdout).toContain('the program sbatch was not found');
  } finally {
    workspace.dispose();
  }
});
