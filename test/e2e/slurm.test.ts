import {cpSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it, type TestContext} from 'vitest';
import type {Execution} from '../../src/core/action.ts';
import type {Event} from '../../src/core/events.ts';
import {ClusterProject, eventsOf, isAdoption, isOver, resultsOf, submittedAs} from '../support/cluster-project.ts';
import {hasSlurm, SlurmCluster} from '../support/slurm-cluster.ts';
import {Watching} from '../support/watching.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let cluster: SlurmCluster;

function trial({onTestFinished}: TestContext): ClusterProject {
  const project = new ClusterProject(cluster, toyProject);
  onTestFinished(() => project.dispose());
  return project;
}

// Slurm takes its time for everything: tests wait side by side.
// Slurm itself holds a job that a busy machine was too slow to start.
describe.skipIf(!hasSlurm()).concurrent('on a Slurm cluster', {timeout: 240_000, retry: 1}, () => {
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
  });
  afterAll(async () => cluster.stop());

  it('makes the same digests as this machine, in as many jobs as are ready at once', async (context) => {
    const project = trial(context);
    const remote = await project.onCluster().end;
    expect(remote).toMatchObject({code: 0, stderr: ''});
    const here = new Workspace(toyProject);
    const local = await here.run('run', '--json');
    here.dispose();
    expect(resultsOf(remote)).toEqual(resultsOf(local));
    const record = project.hashes('runs/latest/out');
    expect(Object.keys(record)).toContain('report/report.txt');
    // The variants went out as one array.
    const {stdout} = await project.run('runs', 'latest', '--json');
    expect(stdout).toContain('slurm');
    expect(eventsOf(remote).flatMap((event) => submittedAs(event)?.split('_')[1] ?? [])).toContain('1');
    expect(project.hashes('cache/slurm')).toEqual({});
  });

  it('makes the same features of the demo as this machine', async (context) => {
    const project = trial(context);
    const targets = ['log-mel[of=waveforms]', 'folds', 'weights'];
    const here = new Workspace();
    try {
      for (const {root} of [project, here]) {
        cpSync(join(repository, 'pipeline.yaml'), join(root, 'pipeline.yaml'));
        cpSync(join(repository, 'stages'), join(root, 'stages'), {recursive: true});
        symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
      }
      const remote = await project.onCluster('--set', 'executors.slurm.batches=4', ...targets).end;
      expect(remote).toMatchObject({code: 0, stderr: ''});
      const local = await here.run('run', '--json', ...targets);
      expect(Object.keys(resultsOf(remote))).toContain('waveforms');
      expect(resultsOf(remote)).toEqual(resultsOf(local));
    } finally {
      here.dispose();
    }
  }, 180_000);

  it('brings back what a job printed, used and reported', async (context) => {
    const project = trial(context);
    project.write(
      'pipeline.yaml',
      "version: 1\nnodes:\n  talk: {shell: sh, script: 'echo to out; echo to err >&2; seq 1000000 | sort -r > out.txt', outputs: {out: out.txt}}\n",
    );
    expect((await project.onCluster().end).code).toBe(0);
    const {stdout} = await project.run('show', 'talk', '--log');
    expect(stdout).toMatch(/^submitted as Slurm job \d+\nto out\nto err\n$/);
    const {execution} = await project.json<{execution: Execution}>('show', 'talk');
    expect(execution).toMatchObject({device: 'cpu', host: expect.stringMatching(/^n[12]$/)});
    expect(execution.cpuMs).toBeGreaterThan(0);
    expect(execution.wallMs).toBeGreaterThan(0);
  });

  it('gives each GPU job a device of its own', async (context) => {
    const project = trial(context);
    const script = `echo "$CUDA_VISIBLE_DEVICES" > out.txt; touch ${project.path('here')}-\${matrix.n}; until [ $(ls ${project.path('')} | grep -c ^here-) = 4 ]; do sleep 0.05; done`;
    project.write(
      'pipeline.yaml',
      `version: 1
nodes:
  gpu: {shell: sh, script: '${script}', matrix: {n: [1, 2, 3, 4]}, outputs: {out: out.txt}, resources: {gpu: 1}}
`,
    );
    const end = await project.onCluster().end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    const texts = Object.keys(project.hashes('runs/latest/out')).map((path) => project.read(`runs/latest/out/${path}`));
    expect(texts.sort()).toEqual(['0\n', '0\n', '1\n', '1\n']);
  });

  it('a driver that was killed in mid-run is succeeded by one that adopts its job', async (context) => {
    const project = trial(context);
    project.gated();
    const first = project.onCluster();
    const job = await project.working(first);
    first.child.kill('SIGKILL');
    await first.end;
    const second = project.onCluster();
    const adopted = await second.event(isAdoption);
    expect(adopted).toMatchObject({text: `goes on with Slurm job ${job.id}, which an earlier run submitted`});
    project.open();
    const end = await second.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(project.jobsOf(end)).toMatchObject([{id: job.id}]);
    expect(project.starts()).toBe(1);
    expect(project.read('runs/latest/out/slow/out.txt')).toBe('made\n');
  });

  it('slices in work when the driver was killed are each done once', async (context) => {
    const project = trial(context);
    const [marks, gate] = [project.path('starts'), project.path('gate')];
    const script = `echo x >> ${marks}; if grep -q wait item; then until [ -e ${gate} ]; do sleep 0.05; done; fi; cp item out.txt`;
    for (const [name, text] of Object.entries({a: 'go', b: 'wait', c: 'go', d: 'wait'}))
      project.write(`in/${name}`, text);
    project.write(
      'pipeline.yaml',
      `version: 1
sources: {items: {path: in}}
nodes:
  slices: {shell: sh, script: '${script}', each: {item: items}, outputs: {out: out.txt}}
executors: {slurm: {batches: 2}}
`,
    );
    const first = project.onCluster();
    await cluster.whenJobs('two slices that wait', () => (project.starts() === 4 ? true : undefined));
    first.child.kill('SIGKILL');
    await first.end;
    const second = project.onCluster();
    await second.event(isAdoption);
    project.open();
    const end = await second.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(project.starts()).toBe(4);
    expect(eventsOf(end).some((event) => submittedAs(event) !== undefined)).toBe(false);
  });

  it('what a job made while nobody waited is taken over', async (context) => {
    const project = trial(context);
    project.gated();
    const first = project.onCluster();
    const job = await project.working(first);
    first.child.kill('SIGKILL');
    await first.end;
    project.open();
    await project.whenJob(job.id, isOver);
    const end = await project.onCluster().end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(project.jobsOf(end)).toHaveLength(1);
    expect(project.starts()).toBe(1);
  });

  it('a job that nobody waits for is cancelled once its result came about in another way', async (context) => {
    const project = trial(context);
    project.gated();
    project.edit('pipeline.yaml', 'until [', `[ -e ${project.path('fast')} ] || until [`);
    const first = project.onCluster();
    const {id} = await project.working(first);
    first.child.kill('SIGKILL');
    await first.end;
    project.write('fast', '');
    const end = await ended(project.start(['run', '--executor', 'local'], cluster.env));
    expect(end).toMatchObject({code: 0, stderr: expect.stringContaining('cancelled 1 job of an earlier run')});
    await project.whenJob(id, ({state}) => state === 'CANCELLED');
    expect(project.hashes('cache/slurm')).toEqual({});
  });

  it('a forced run does not take over what an earlier one began', async (context) => {
    const project = trial(context);
    project.gated();
    const first = project.onCluster();
    const job = await project.working(first);
    first.child.kill('SIGKILL');
    await first.end;
    const second = project.onCluster('--force');
    await second.event((event) => submittedAs(event) !== undefined);
    project.open();
    const end = await second.end;
    expect(end.code).toBe(0);
    expect(project.jobsOf(end)).toHaveLength(2);
    expect(cluster.jobs().find(({id}) => id === job.id)?.state).toBe('CANCELLED');
  });

  it('watch builds there, and takes back what a change makes useless', async (context) => {
    const project = trial(context);
    project.write('note.txt', 'one');
    project.gated('{}', ', inputs: {note: note}');
    project.edit('pipeline.yaml', 'nodes:', 'sources: {note: note.txt}\nnodes:');
    project.edit('pipeline.yaml', 'echo made >', 'cp note');
    const watching = new Watching(project, ['--executor', 'slurm', '--set', 'executors.slurm.poll=0.2'], cluster.env);
    context.onTestFinished(() => watching.kill());
    const isSubmission = (event: Event): boolean => submittedAs(event) !== undefined;
    const first = submittedAs(await watching.event('node-log', isSubmission))!;
    await cluster.whenJobs('a first start', () => (project.starts() === 1 ? true : undefined));
    project.write('note.txt', 'two');
    await watching.event('node-log', isSubmission);
    await project.whenJob(first, ({state}) => state === 'CANCELLED');
    project.open();
    await watching.event('node-finished', ({outcome}) => outcome === 'executed');
    await watching.event('run-finished');
    expect(await watching.quit()).toBe(0);
    expect(project.read('runs/latest/out/slow/out.txt')).toBe('two');
  });

  it('an interrupt cancels the jobs', async (context) => {
    const project = trial(context);
    project.gated();
    const run = project.onCluster();
    const {id} = await project.working(run);
    run.child.kill('SIGINT');
    const end = await run.end;
    expect(end.code).toBe(130);
    expect(cluster.jobs().find((job) => job.id === id)?.state).toBe('CANCELLED');
    expect(project.hashes('cache/slurm')).toEqual({});
  });

  it('what nobody waits for is cancelled by `clean`', async (context) => {
    const project = trial(context);
    project.gated();
    const run = project.onCluster();
    const {id} = await project.working(run);
    run.child.kill('SIGKILL');
    await run.end;
    const cleaned = await ended(project.start(['clean'], cluster.env));
    expect(cleaned).toMatchObject({code: 0, stdout: expect.stringContaining('1 abandoned submission')});
    await project.whenJob(id, ({state}) => state === 'CANCELLED');
    expect(project.hashes('cache/slurm')).toEqual({});
  });
});

it('without Slurm says which program is missing', async () => {
  const workspace = new Workspace(toyProject);
  try {
    workspace.edit('pipeline.yaml', '{stage: total,', '{stage: total, executor: slurm,');
    const plan = await ended(workspace.start(['plan', '--executor', 'slurm'], {PATH: '/nowhere'}));
    expect(plan).toMatchObject({code: 0, stdout: expect.stringContaining('to run')});
    const child = workspace.start(['run'], {PATH: '/nowhere'});
    const {code, stdout} = await ended(child);
    expect(code).toBe(1);
    expect(stdout).toContain('the program sbatch was not found');
  } finally {
    workspace.dispose();
  }
});
