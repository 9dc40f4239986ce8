import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe} from 'vitest';
import {defaultSlurmProfile} from '../../src/core/executor.ts';
import type {Job, Runner} from '../../src/core/ports.ts';
import {createSlurmRunner} from '../../src/exec/slurm/runner.ts';
import {hasSlurm, SlurmCluster} from '../support/slurm-cluster.ts';
import {describeRunner} from './runner-suite.ts';

describe.skipIf(!hasSlurm())('with a cluster', () => {
  let cluster: SlurmCluster;
  let dir: string;
  let runs = 0;
  beforeAll(async () => {
    cluster = await SlurmCluster.start();
    dir = mkdtempSync(join(tmpdir(), 'mixdown-submissions-'));
  });
  afterAll(async () => {
    await cluster.stop();
    rmSync(dir, {recursive: true, force: true});
  });

  describeRunner(
    'Slurm',
    () => {
      const env = {...process.env, ...cluster.env, SECRET: 's'};
      const profile = {...defaultSlurmProfile, pollMs: 100};
      return onCluster(createSlurmRunner({dir, runId: `run${++runs}`, profile, env}));
    },
    true,
  );
});

/** Gives the suite's jobs a lease of the cluster. */
function onCluster(runner: Runner): Runner {
  const leased = (job: Job): Job => ({
    ...job,
    lease: {...job.lease, gpus: [], cluster: {executor: 'slurm', gpu: job.lease.gpus.length}},
  });
  return {
    run: (job, emit, signal) => runner.run(leased(job), emit, signal),
    kill: () => runner.kill(),
    close: () => runner.close(),
  };
}
