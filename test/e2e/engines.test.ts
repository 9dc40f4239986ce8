import {rmSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RunRecord} from '../../src/report/run-record.ts';
import {ended, Workspace, type CliResult} from '../support/workspace.ts';

const stage = `import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'net',
  summary: 'Writes what it computes with.',
  params: {n: {type: 'integer', default: 0, about: 'makes nodes differ'}},
  inputs: {},
  outputs: {out: {kind: 'file', name: 'out.txt', about: 'engine and device'}},
  numericBackend: true,
  run({engine, device, outputs}) {
    writeFileSync(outputs.out, engine + ' on ' + device);
  },
});
`;

const pipeline = `version: 1
nodes:
  plain: {stage: net}
  named: {stage: net, engine: cpu, params: {n: 1}}
`;

interface Devices {
  readonly machine: {readonly gpus: readonly unknown[]};
  readonly engines: readonly {
    readonly engine: string;
    readonly works: boolean;
    readonly usedFor?: 'gpu' | 'cpu';
    readonly reason?: string;
    readonly hint?: string;
    readonly versions?: Readonly<Record<string, string>>;
    readonly gflops?: number;
  }[];
}

let workspace: Workspace;
let devices: Devices;
/** The engine of nodes that name none. */
let best: string;
/** One that cannot be had here, if there is such a one. */
let lacking: string | undefined;
beforeAll(async () => {
  workspace = new Workspace();
  workspace.write('stages/net.ts', stage);
  workspace.write('pipeline.yaml', pipeline);
  devices = await workspace.json<Devices>('devices');
  best = devices.engines.find(({usedFor}) => usedFor === 'cpu')?.engine ?? '';
  lacking = devices.engines.find(({works}) => !works)?.engine;
}, 120_000);
afterAll(() => workspace.dispose());

function runRecord(): RunRecord {
  return JSON.parse(workspace.read('runs/latest/run.json')) as RunRecord;
}

/** What the nodes were told to compute with. */
async function told(...args: string[]): Promise<string[]> {
  const result = await workspace.run('run', ...args);
  expect(result).toMatchObject({code: 0});
  return Promise.all(
    ['plain', 'named'].map(async (node) => (await workspace.run('show', `${node}.out`, ...args)).stdout),
  );
}

describe('devices', () => {
  it('lists every engine with its versions and speed, or why not', () => {
    expect(devices.engines.map(({engine}) => engine)).toEqual([
      'tensorflow-gpu',
      'tensorflow-cpu',
      'webgpu',
      'onnx-blas',
      'wasm',
      'cpu',
    ]);
    for (const {works, reason, versions, gflops} of devices.engines) {
      if (works) expect(versions).toHaveProperty('@tensorflow/tfjs-core');
      if (works) expect(gflops).toBeGreaterThan(0);
      else expect(reason).not.toBe('');
    }
    expect(devices.engines.find(({engine}) => engine === 'wasm')?.works).toBe(true);
  });

  it('needs no project', async () => {
    const elsewhere = new Workspace();
    const {stdout, code} = await elsewhere.run('devices');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^wasm +(works|used) +\d/m);
    expect(elsewhere.hashes('.')).toEqual({});
    elsewhere.dispose();
  }, 120_000);

  it('tries nothing again unless told to', async () => {
    expect((await workspace.run('devices')).stderr).not.toContain('trying');
    expect((await workspace.run('doctor')).stdout).toMatch(new RegExp(`${best} .*nodes without a GPU`));
    expect((await workspace.run('devices', '--refresh')).stderr).toContain('trying the tensor engine wasm');
  }, 120_000);
});

describe('the engine of a run', () => {
  it('is the best, or the node’s own; the plan and the record say which', async () => {
    const plan = await workspace.run('plan');
    expect(plan.stdout).toContain(`engines ${best} for 1 node, 1 thread a node; cpu for 1 node, 1 thread a node`);
    expect(await told()).toEqual([`${best} on cpu`, 'cpu on cpu']);
    const record = runRecord();
    expect(Object.keys(record.engines ?? {}).sort()).toEqual([best, 'cpu'].sort());
    expect(record.nodes['plain']).toMatchObject({outcome: 'executed', engine: best});
    expect((await workspace.run('runs', 'latest')).stdout).toContain(`engine    ${best} (`);
    expect((await workspace.run('show', 'named')).stdout).toContain('on cpu with cpu');
  });

  it('is told at its end', async () => {
    const {stdout} = await workspace.run('run', 'plain', '--force');
    expect(stdout).toContain(`engine ${best}, 1 thread a node`);
    expect((await workspace.run('run', 'plain')).stdout).not.toContain('thread');
  });

  it('that is plain JavaScript is warned about', async () => {
    expect((await workspace.run('plan', 'named', '--force')).stderr).toContain('[slow-engine]');
    expect((await workspace.run('plan', 'plain', '--force')).stderr).not.toContain('[slow-engine]');
  });

  it('is given for all nodes by --engine: plan, status, explain and run agree', async () => {
    const counts = async (...args: string[]): Promise<unknown> =>
      (await workspace.json<{counts: object}>('status', ...args)).counts;
    expect(await counts()).toMatchObject({'up-to-date': 2});
    expect(await counts('--engine', 'wasm')).toMatchObject({'will-run': 2});
    const {stdout} = await workspace.run('explain', 'plain', '--key', '--engine', 'wasm');
    expect(stdout).toContain(`tensor engine: ${best} -> wasm`);
    expect(stdout).toContain('toolchain.engine "wasm"');
    expect(await told('--engine', 'wasm')).toEqual(['wasm on cpu', 'wasm on cpu']);
    // The results of the engines lie side by side.
    expect(await counts()).toMatchObject({cached: 2});
    expect(await told()).toEqual([`${best} on cpu`, 'cpu on cpu']);
    expect(Object.values(runRecord().nodes).map(({outcome}) => outcome)).toEqual(['cached', 'cached']);
  });

  it('must be one that there is', async () => {
    expect(await workspace.run('plan', '--engine', 'abacus')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('onnx-blas'),
    });
  });

  it('that cannot be had fails the plan with the reason, and is no matter where nothing has to run', async (context) => {
    if (lacking === undefined) return context.skip('every engine works here');
    const forced = await workspace.run('run', '--engine', lacking);
    const {reason = '', hint = ''} = devices.engines.find(({engine}) => engine === lacking) ?? {};
    expect(forced.code).toBe(1);
    expect(forced.stderr).toContain(`tensor engine ${lacking} cannot be used here: ${reason}`);
    expect(forced.stderr).toContain('so for 1 more node [no-engine]');
    expect(forced.stderr).toContain(hint);
    expect(await workspace.run('plan', '--engine', lacking)).toMatchObject({code: 1, stdout: ''});
    expect(await workspace.run('status', '--engine', lacking)).toMatchObject({code: 0});
    expect(await workspace.run('run')).toMatchObject({code: 0});
  });
});

describe('a machine with a GPU that no engine can use', () => {
  const needsGpu = 'resources: {gpu: 1, whenNoGpu: fail}';

  /** Runs mixdown where nvidia-smi lists two GPUs, of which no driver is there. */
  async function withGpus(...args: string[]): Promise<CliResult> {
    workspace.write(
      'bin/nvidia-smi',
      `#!/bin/sh
case $1 in
-L) echo 'GPU 0: A (UUID: GPU-a)'; echo 'GPU 1: A (UUID: GPU-b)' ;;
*) echo 'GPU-a, 0, A, 1000'; echo 'GPU-b, 1, A, 1000' ;;
esac
`,
    );
    const {chmodSync} = await import('node:fs');
    chmodSync(workspace.path('bin/nvidia-smi'), 0o755);
    return ended(workspace.start(args, {PATH: `${workspace.path('bin')}:${process.env['PATH'] ?? ''}`}));
  }

  it('computes on the CPU where the node lets it, and takes no device', async () => {
    workspace.write('pipeline.yaml', `${pipeline}  trained: {stage: net, params: {n: 2}, resources: {gpu: 1}}\n`);
    const found = JSON.parse((await withGpus('devices', '--json')).stdout) as Devices;
    expect(found.machine.gpus).toHaveLength(2);
    if (found.engines.some(({usedFor}) => usedFor === 'gpu')) return;
    expect((await withGpus('run', 'trained')).code).toBe(0);
    expect((await withGpus('show', 'trained.out')).stdout).toBe(`${best} on cpu`);
  }, 120_000);

  it('fails the plan where the node does not, with a reason for each engine', async (context) => {
    if (devices.engines.some(({usedFor}) => usedFor === 'gpu')) return context.skip('a GPU works here');
    workspace.write('pipeline.yaml', `${pipeline}  trained: {stage: net, params: {n: 2}, ${needsGpu}}\n`);
    const {code, stderr} = await withGpus('run', 'trained');
    expect(code).toBe(1);
    expect(stderr).toMatch(/needs 1 GPU, and no tensor engine can use one here \(tensorflow-gpu: .*; webgpu: .*\)/);
    expect(stderr).toContain('whenNoGpu: cpu');
    rmSync(workspace.path('bin'), {recursive: true});
  });
});
