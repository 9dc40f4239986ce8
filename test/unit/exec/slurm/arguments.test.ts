import {describe, expect, it} from 'vitest';
import {defaultSlurmProfile, type SlurmProfile} from '../../../../src/core/executor.ts';
import type {Job} from '../../../../src/core/ports.ts';
import type {Lease} from '../../../../src/core/resources.ts';
import {resourceArguments, sbatchArguments} from '../../../../src/exec/slurm/arguments.ts';

function job(lease: Partial<Lease> & {readonly gpu?: number} = {}, timeoutMs?: number): Job {
  const {gpu = 0, ...rest} = lease;
  return {
    id: 'f'.repeat(64),
    node: 'train',
    work: {type: 'stage', stage: 'train', module: '/m.js', engine: ''},
    params: {},
    seed: 0,
    ports: {},
    inputs: {},
    outputs: {},
    folder: '/w',
    lease: {cpu: 1, memoryMiB: 0, gpus: [], device: 'slurm', cluster: {executor: 'slurm', gpu}, ...rest},
    graceMs: 5000,
    ...(timeoutMs === undefined ? {} : {timeoutMs}),
  };
}

const profile = (rest: Partial<SlurmProfile> = {}): SlurmProfile => ({...defaultSlurmProfile, ...rest});

describe('resourceArguments', () => {
  it('asks for one core and leaves the rest to the site', () => {
    expect(resourceArguments([job()], profile())).toEqual(['--nodes=1', '--ntasks=1', '--cpus-per-task=1']);
  });

  it('asks for what the node needs, in whole cores and devices, then for what the site wants', () => {
    const site = profile({partition: 'gpu', account: 'lab', extra: ['--qos=low', '--constraint=a100']});
    expect(resourceArguments([job({cpu: 2.5, memoryMiB: 2048.5, gpu: 2}, 3_600_000)], site).slice(2)).toEqual([
      '--cpus-per-task=3',
      '--mem=2049M',
      '--gres=gpu:2',
      '--time=62',
      '--partition=gpu',
      '--account=lab',
      '--qos=low',
      '--constraint=a100',
    ]);
  });

  it('gives a batch the time of all its jobs, and the time of the site where one has none', () => {
    const site = profile({timeMs: 2 * 3_600_000});
    const hour = job({}, 3_600_000);
    expect(resourceArguments([hour, hour, hour], site)).toContain('--time=182');
    expect(resourceArguments([hour, hour], profile({transport: 'cache'}))).toContain('--time=132');
    expect(resourceArguments([hour, job()], site)).toContain('--time=120');
    expect(resourceArguments([hour, job()], profile()).some((option) => option.startsWith('--time'))).toBe(false);
  });
});

describe('sbatchArguments', () => {
  const request = {
    startIn: '/s/50%/r-1',
    output: '/s/50%%/r-1/0.out',
    script: '/s/50%/r-1/run.sh',
    name: 'mixdown:train',
    comment: 'mixdown:ab',
    jobs: [job()],
  };

  it('makes one job of one task', () => {
    expect(sbatchArguments({...request, tasks: 1}, profile())).toEqual([
      '--parsable',
      '--job-name=mixdown:train',
      '--comment=mixdown:ab',
      '--chdir=/s/50%/r-1',
      '--output=/s/50%%/r-1/0.out',
      '--open-mode=append',
      '--export=ALL',
      '--requeue',
      '--nodes=1',
      '--ntasks=1',
      '--cpus-per-task=1',
      '/s/50%/r-1/run.sh',
    ]);
  });

  it('makes an array of several', () => {
    expect(sbatchArguments({...request, tasks: 12}, profile())).toContain('--array=0-11');
  });
});
