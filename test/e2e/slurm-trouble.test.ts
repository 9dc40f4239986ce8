import {existsSync, readFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it, type TestContext} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import type {Failure} from '../../src/core/failure.ts';
import {ClusterProject, eventsOf, isAdoption} from '../support/cluster-project.ts';
import {hasSlurm, SlurmCluster} from '../support/slurm-cluster.ts';
import {toyProject, type CliResult} from '../support/workspace.ts';

let cluster: SlurmCluster;

function trial({onTestFinished}: TestContext): ClusterProject {
  const project = new ClusterProject(cluster, toyProject);
  onTestFinished(() => project.dispose());
  return project;
}

/** Why the only node failed. */
function failureOf(end: CliResult): Failure | undefined {
  const finished = eventsOf(end).find((event) => event.type === 'node-finished');
  return finished?.type === 'node-finished' ? finished.failure : undefined;
}

// Slurm takes its time for everything: tests wait side by side.
describe.skipIf(!hasSlurm()).concurrent('when something goes wrong on a Slurm cluster', {timeout: 240_000}, () => {
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
  });
  afterAll(async () => cluster.stop());

  it('jobs whose host dies run again on another, which is no attempt of theirs', async (context) => {
    const [requeued, sentAgain] = [trial(context), trial(context)];
    requeued.gated('{partition: frail}');
    sentAgain.gated('{partition: frail, extra: [--no-requeue]}');
    // Both on n3.
    cluster.call('scontrol', 'update', 'nodename=n4', 'state=drain', 'reason=test');
    const runs = [requeued.onCluster(), sentAgain.onCluster()] as const;
    const [first, second] = await Promise.all([requeued.working(runs[0]), sentAgain.working(runs[1])]);
    cluster.call('scontrol', 'update', 'nodename=n4', 'state=resume');
    cluster.killHost('n3');
    await requeued.whenJob(
      first.id,
      ({state, host}) => state === 'RUNNING' && host === 'n4' && requeued.starts() === 2,
    );
    await runs[1].event(({type, ...rest}) => type === 'node-log' && JSON.stringify(rest).includes('submitted again'));
    for (const project of [requeued, sentAgain]) project.open();
    const ends = await Promise.all(runs.map(async ({end}) => end));
    for (const end of ends) {
      expect(end).toMatchObject({code: 0, stderr: ''});
      expect(eventsOf(end).some(({type}) => type === 'node-retry')).toBe(false);
    }
    expect(requeued.jobsOf(ends[0]!)).toMatchObject([{id: first.id, state: 'COMPLETED'}]);
    expect(sentAgain.jobsOf(ends[1]!).find(({id}) => id === second.id)).toMatchObject({state: 'NODE_FAIL'});
    expect(sentAgain.starts()).toBe(2);
  });

  it('a job that Slurm ends at its time limit says so', async (context) => {
    const project = trial(context);
    project.gated();
    const run = project.onCluster();
    const {id} = await project.working(run);
    cluster.call('scontrol', 'update', `jobid=${id}`, 'EndTime=now');
    const end = await run.end;
    expect(end.code).toBe(1);
    expect(failureOf(end)).toMatchObject({
      code: 'timed-out',
      message: expect.stringMatching(new RegExp(`^Slurm ended job ${id} at its time limit; .*DUE TO TIME LIMIT`, 's')),
    });
  });

  it('a job that takes more memory than it asked for says so', async (context) => {
    const project = trial(context);
    const script = '{ head -c 600000000 /dev/zero; sleep 600; } | tail -c 600000000 > out.txt';
    project.write(
      'pipeline.yaml',
      `version: 1\nnodes:\n  big: {shell: sh, script: '${script}', outputs: {out: out.txt}, resources: {memoryMiB: 300}}\n`,
    );
    const end = await project.onCluster().end;
    expect(end.code).toBe(1);
    expect(failureOf(end)).toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(/^Slurm ended job \d+, which took more memory than it asked for; .*memory limit/s),
    });
  });

  it.for([
    ['queued again', 'low', 'n5', 1],
    ['cancelled', 'lowest', 'n6', 2],
  ] as const)(
    'a job that makes room and is %s goes on later, which is no attempt of its own',
    async ([, partition, host, jobs], context) => {
      const project = trial(context);
      project.gated(`{partition: ${partition}}`, ', resources: {cpu: 4}');
      const run = project.onCluster();
      await project.working(run);
      const urgent = [
        '--partition=high',
        `--nodelist=${host}`,
        '--cpus-per-task=4',
        '--output=/dev/null',
        '--wrap=true',
      ];
      cluster.call('sbatch', ...urgent);
      await cluster.whenJobs('a second start', () => (project.starts() === 2 ? true : undefined));
      project.open();
      const end = await run.end;
      expect(end).toMatchObject({code: 0, stderr: ''});
      expect(eventsOf(end).some(({type}) => type === 'node-retry')).toBe(false);
      expect(project.jobsOf(end)).toHaveLength(jobs);
      expect(project.starts()).toBe(2);
    },
  );

  it('a job that is queued again while nobody waits is adopted, and done once', async (context) => {
    const project = trial(context);
    project.gated();
    const first = project.onCluster();
    const {id} = await project.working(first);
    first.child.kill('SIGKILL');
    await first.end;
    cluster.call('scontrol', 'requeue', id);
    const second = project.onCluster();
    await second.event(isAdoption);
    await cluster.whenJobs('a second start', () => (project.starts() === 2 ? true : undefined));
    project.open();
    const end = await second.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(project.jobsOf(end)).toMatchObject([{id, state: 'COMPLETED'}]);
    expect(project.starts()).toBe(2);
  });

  it('a job that is held says why it waits, and goes on when it is released', async (context) => {
    const project = trial(context);
    project.gated('{extra: [--hold]}');
    const run = project.onCluster();
    const waits = (reason: string) => (event: Event) =>
      event.type === 'node-log' && new RegExp(`^Slurm job \\d+ waits: ${reason}$`).test(event.text);
    const held = await run.event(waits('JobHeldUser'));
    await run.event((event) => event.type === 'node-queue' && event.waits);
    const [id = ''] = /\d+/.exec(held.type === 'node-log' ? held.text : '') ?? [];
    cluster.call('scontrol', 'release', id);
    await project.working(run);
    cluster.call('scontrol', 'requeuehold', id);
    await run.event(waits('job requeued in held state'));
    cluster.call('scontrol', 'release', id);
    await cluster.whenJobs('a second start', () => (project.starts() === 2 ? true : undefined));
    project.open();
    const end = await run.end;
    expect(end).toMatchObject({code: 0, stderr: ''});
    expect(project.jobsOf(end)).toMatchObject([{id, state: 'COMPLETED'}]);
    const queue = eventsOf(end).flatMap((event) => (event.type === 'node-queue' ? [event.waits] : []));
    expect(queue).toEqual([true, false, true, false]);
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
    // Whoever cancelled it does not want it again.
    project.gated('{}', ', retries: 2');
    const run = project.onCluster();
    const {id} = await project.working(run);
    cluster.call('scancel', id);
    const end = await run.end;
    expect(end.code).toBe(1);
    expect(failureOf(end)).toMatchObject({
      code: 'job-cancelled',
      message: expect.stringContaining(`Slurm job ${id} was cancelled by somebody else`),
    });
    expect(project.starts()).toBe(1);
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
