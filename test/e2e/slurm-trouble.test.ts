import {existsSync, readFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it, type TestContext} from 'vitest';
import {ClusterProject, eventsOf} from '../support/cluster-project.ts';
import {hasSlurm, SlurmCluster, type HostName} from '../support/slurm-cluster.ts';
import {toyProject} from '../support/workspace.ts';

let cluster: SlurmCluster;

function trial({onTestFinished}: TestContext): ClusterProject {
  const project = new ClusterProject(cluster, toyProject);
  onTestFinished(() => project.dispose());
  return project;
}

// Slurm takes its time for everything: tests wait side by side.
describe.skipIf(!hasSlurm()).concurrent('when something goes wrong on a Slurm cluster', {timeout: 240_000}, () => {
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
  });
  afterAll(async () => cluster.stop());

  it('a job whose host dies runs again on another, which is no attempt of its own', async (context) => {
    const project = trial(context);
    project.gated('{partition: frail}');
    const run = project.onCluster();
    const {id, host} = await project.working(run);
    cluster.killHost(host as HostName);
    await project.whenJob(id, (job) => job.state === 'RUNNING' && job.host !== host && project.starts() === 2);
    project.open();
    const end = await run.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(eventsOf(end).some(({type}) => type === 'node-retry')).toBe(false);
  });

  it('a job that fails says why, and leaves its folder to look at', async (context) => {
    const project = trial(context);
    project.write(
      'pipeline.yaml',
      "version: 1\nnodes:\n  bad: {shell: sh, script: 'echo no such luck >&2; exit 3', outputs: {out: out.txt}}\n",
    );
    const end = await project.onCluster().end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({outcome: 'failed', failure: {code: 'command-failed'}});
    expect(JSON.stringify(finished)).toContain('no such luck');
    expect(existsSync(project.path('cache/failed/bad/reproduce.sh'))).toBe(true);
    expect(readFileSync(project.path('cache/failed/bad/log.txt'), 'utf8')).toBe('no such luck\n');
  });

  it('a job that Slurm kills fails with what Slurm says', async (context) => {
    const project = trial(context);
    project.gated();
    const run = project.onCluster();
    const {id} = await project.working(run);
    cluster.call('scancel', id);
    const end = await run.end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({failure: {code: 'worker-crashed'}});
    expect(JSON.stringify(finished)).toContain(`Slurm job ${id} was cancelled by somebody else`);
  });

  it('what a program makes of the signal that ends it is no result', async (context) => {
    const project = trial(context);
    const script = `trap "echo half > out.txt; exit 0" TERM; hostname >> ${project.path('starts')}; while :; do sleep 0.01; done`;
    project.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  half: {shell: sh, script: '${script}', outputs: {out: out.txt}}\n`,
    );
    const run = project.onCluster();
    const {id} = await project.working(run);
    cluster.call('scancel', id);
    const end = await run.end;
    expect(end.code).toBe(1);
    expect(JSON.stringify(eventsOf(end))).toContain(`Slurm job ${id} was cancelled by somebody else`);
  });

  it('a submission that Slurm refuses is told in its own words', async (context) => {
    const project = trial(context);
    project.gated('{partition: gold}');
    const end = await project.onCluster().end;
    expect(end.code).toBe(1);
    const finished = eventsOf(end).find((event) => event.type === 'node-finished');
    expect(finished).toMatchObject({failure: {code: 'job-rejected'}});
    expect(JSON.stringify(finished)).toContain('invalid partition specified: gold');
  });
});
