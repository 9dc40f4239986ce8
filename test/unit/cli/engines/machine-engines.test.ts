import {chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {writeCacheJson} from '../../../../src/config/cache-file.ts';
import {runEngineCheck, type Finding} from '../../../../src/cli/engines/check.ts';
import {readMemory, writeMemory} from '../../../../src/cli/engines/memory.ts';
import {openEngines, type MachineEngines} from '../../../../src/cli/engines/machine-engines.ts';
import {ok} from '../../../../src/core/result.ts';
import type {EngineCheck, EngineName} from '../../../../src/core/tensor-engine.ts';
import type {Environment} from '../../../../src/exec/environment.ts';
import {temporaryFolder} from '../../../support/stage-harness.ts';

const {HOME} = process.env;
let env: Environment = {HOME};
/** Engines that were tried, in order. */
let tried: EngineName[] = [];
beforeEach(() => {
  env = {HOME};
  tried = [];
});

function open(cacheDir: string, refresh = false): MachineEngines {
  return openEngines({cacheDir, env, refresh, onCheck: (engine) => void tried.push(engine)});
}

/** Where the only machine of this cache is remembered. */
function memoryFile(cacheDir: string): string {
  const [name = '', ...others] = readdirSync(join(cacheDir, 'engines'));
  expect(others).toEqual([]);
  return join(cacheDir, 'engines', name);
}

describe('an engine that works', () => {
  const cacheDir = temporaryFolder();
  beforeAll(async () => {
    expect(await open(cacheDir).check('cpu')).toMatchObject({
      works: true,
      versions: {'@tensorflow/tfjs-backend-cpu': '4.22.0', '@tensorflow/tfjs-core': '4.22.0'},
      gflops: expect.any(Number),
      wallMs: expect.any(Number),
    });
  });

  it('is not tried again, and leaves nothing behind', async () => {
    expect(await open(cacheDir).check('cpu')).toMatchObject({works: true});
    expect(tried).toEqual([]);
    expect(readdirSync(join(cacheDir, 'work'))).toEqual([]);
  });

  it('is tried again on a machine with other devices, and both are remembered', async () => {
    const other = temporaryFolder();
    writeMemory(join(other, 'engines', 'a.json'), {checks: {}});
    env = {...env, CUDA_VISIBLE_DEVICES: '1'};
    await open(other).check('cpu');
    await open(other).check('cpu');
    expect(tried).toEqual(['cpu']);
    expect(readdirSync(join(other, 'engines'))).toHaveLength(2);
  });

  it('is tried again when that is asked for', async () => {
    const engines = open(cacheDir, true);
    await Promise.all([engines.check('cpu'), engines.check('cpu')]);
    expect(tried).toEqual(['cpu']);
  });

  it('is tried again when its memory is damaged', async () => {
    const file = memoryFile(cacheDir);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"works":true', '"works":false'));
    expect(await open(cacheDir).check('cpu')).toMatchObject({works: true});
    writeFileSync(file, text.slice(0, 40));
    await open(cacheDir).check('cpu');
    expect(tried).toEqual(['cpu', 'cpu']);
    expect(readMemory(file).checks.cpu?.check.works).toBe(true);
  });

  it('is tried again after a while when the machine was too busy', async () => {
    const file = memoryFile(cacheDir);
    const busy: EngineCheck = {works: false, reason: 'not done after 30 s'};
    writeMemory(file, {checks: {cpu: {check: busy, until: Date.now() + 1e6}}});
    expect(await open(cacheDir).check('cpu')).toEqual(busy);
    writeMemory(file, {checks: {cpu: {check: busy, until: Date.now() - 1}}});
    expect(await open(cacheDir).check('cpu')).toMatchObject({works: true});
    expect(tried).toEqual(['cpu']);
  });
});

describe('the memory', () => {
  it('keeps the newest machines only', () => {
    const folder = join(temporaryFolder(), 'engines');
    for (let i = 0; i < 25; i++) writeMemory(join(folder, `${i}.json`), {checks: {}});
    expect(readdirSync(folder)).toHaveLength(20);
  });

  it('is empty where there is none, or one of another version', () => {
    const file = join(temporaryFolder(), 'memory.json');
    expect(readMemory(file)).toEqual({checks: {}});
    writeCacheJson(file, {format: 'engines/0', checks: {cpu: {check: {works: true}}}});
    expect(readMemory(file)).toEqual({checks: {}});
  });
});

describe('GPUs', () => {
  /** A cache, and a PATH with an nvidia-smi that lists these names and counts its calls in `asked`. */
  function machineWith(...names: string[]): {readonly cacheDir: string; readonly asked: () => number} {
    const cacheDir = temporaryFolder();
    const bin = join(cacheDir, 'bin');
    mkdirSync(bin);
    listGpus(bin, names);
    env = {...env, PATH: `${bin}:/usr/bin:/bin`};
    return {cacheDir, asked: () => readFileSync(join(bin, 'asked'), 'utf8').length};
  }

  function listGpus(bin: string, names: readonly string[]): void {
    const query = names.map((name, i) => `echo 'GPU-${name}, ${i}, ${name}, 1000'`).join('; ');
    const listing = names.map((name, i) => `echo 'GPU ${i}: ${name} (UUID: GPU-${name})'`).join('; ');
    const file = join(bin, 'nvidia-smi');
    writeFileSync(file, `#!/bin/sh\ncase $1 in -L) ${listing} ;; *) printf x >>${bin}/asked; ${query} ;; esac\n`);
    chmodSync(file, 0o755);
  }

  it('are asked for once', async () => {
    const {cacheDir, asked} = machineWith('a', 'b');
    expect(await open(cacheDir).devices('tensorflow-gpu')).toMatchObject([{uuid: 'GPU-a'}, {uuid: 'GPU-b'}]);
    expect(await open(cacheDir).devices('tensorflow-gpu')).toHaveLength(2);
    expect(asked()).toBe(1);
    await open(cacheDir, true).devices('tensorflow-gpu');
    expect(asked()).toBe(2);
  });

  it('that are others than remembered are noticed by who asks', async () => {
    const {cacheDir} = machineWith('a');
    const engines = open(cacheDir);
    const [gpu] = await engines.devices('tensorflow-gpu');
    expect(await engines.learn({gpus: gpu ? [gpu] : [], notes: []})).toBe(false);
    expect(await engines.learn({gpus: [], notes: ['no GPU: it fell off the bus']})).toBe(true);
    listGpus(join(cacheDir, 'bin'), ['b']);
    expect(await open(cacheDir).devices('tensorflow-gpu')).toMatchObject([{uuid: 'GPU-b'}]);
  });

  it('are none for an engine of the CPU', async () => {
    const {cacheDir} = machineWith('a');
    expect(await open(cacheDir).devices('onnx-blas')).toEqual([]);
  });

  it('of which there are several, or that are hidden, are not for WebGPU, which picks its own', async () => {
    const {cacheDir} = machineWith('a', 'b');
    expect(await open(cacheDir).check('webgpu')).toMatchObject({
      works: false,
      reason: 'it cannot be told which of several GPUs to use',
    });
    env = {...env, CUDA_VISIBLE_DEVICES: '-1'};
    expect(await open(cacheDir).check('webgpu')).toMatchObject({
      works: false,
      reason: 'CUDA_VISIBLE_DEVICES is set to "-1"',
    });
    expect(tried).toEqual([]);
  });
});

describe('an engine that does not work', () => {
  /** What is found when the stage does this instead of trying the engine. */
  async function findingOf(run: string): Promise<Finding> {
    const cacheDir = temporaryFolder();
    const module = join(cacheDir, 'engine-check.mjs');
    writeFileSync(module, `export default {async run({params, outputs, engine}) { ${run} }};`);
    const modules = {compile: async () => ok(module)};
    const finding = await runEngineCheck({engine: 'onnx-blas', cacheDir, env, modules, versions: {a: '1'}});
    expect(readdirSync(join(cacheDir, 'work'))).toEqual([]);
    return finding;
  }

  it('is not one that only has no place to work in', async () => {
    const cacheDir = temporaryFolder();
    writeFileSync(join(cacheDir, 'work'), '');
    expect(await open(cacheDir).check('cpu')).toMatchObject({works: true});
  });

  it('is no more than a reason when its library crashes', async () => {
    expect(
      await findingOf(`process.kill(process.pid, 'SIGILL'); await new Promise((f) => setTimeout(f, 1e6));`),
    ).toEqual({check: {works: false, reason: 'the worker crashed (SIGILL)'}, transient: false});
    expect(await findingOf(`console.error('libcudart.so: not found'); process.exit(3);`)).toMatchObject({
      check: {works: false, reason: expect.stringMatching(/exit code 3 .*: libcudart.so: not found$/)},
      transient: false,
    });
  });

  it('is told in its own words when it says why', async () => {
    const run = `throw Object.assign(new Error('no adapter'), {name: 'StageError', hint: 'install a driver'});`;
    expect(await findingOf(run)).toEqual({
      check: {works: false, reason: 'no adapter', hint: 'install a driver'},
      transient: false,
    });
  });

  it('may work later when the system killed it', async () => {
    const killed = await findingOf(
      `process.kill(process.pid, 'SIGKILL'); await new Promise((f) => setTimeout(f, 1e6));`,
    );
    expect(killed).toMatchObject({check: {works: false}, transient: true});
  });

  it('is one that works when it says so', async () => {
    const run = `(await import('node:fs')).writeFileSync(outputs.report, JSON.stringify({gflops: 3, engine}));`;
    expect(await findingOf(run)).toMatchObject({check: {works: true, gflops: 3, versions: {a: '1'}}, transient: false});
  });
});
