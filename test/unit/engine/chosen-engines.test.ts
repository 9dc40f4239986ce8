import {beforeEach, describe, expect, it} from 'vitest';
import type {TensorEngines} from '../../../src/core/ports.ts';
import {defaultResources, type Gpu, type Resources} from '../../../src/core/resources.ts';
import type {EngineCheck, EngineName} from '../../../src/core/tensor-engine.ts';
import {chooseEngine} from '../../../src/engine/chosen-engines.ts';

const works: EngineCheck = {works: true, versions: {}, gflops: 1, wallMs: 1};
const card: Gpu = {uuid: 'GPU-a', index: 0, name: 'A', memoryMiB: 1000};
const onGpu: Resources = {cpu: 1, gpu: 1, whenNoGpu: 'cpu'};

let found: Partial<Record<EngineName, EngineCheck>>;
let devices: readonly Gpu[];
let looked: EngineName[];
const engines: TensorEngines = {
  check: async (engine) => {
    looked.push(engine);
    return found[engine] ?? {works: false, reason: `no ${engine}`};
  },
  devices: async () => devices,
};
beforeEach(() => {
  found = {'onnx-blas': works, wasm: works, cpu: works};
  devices = [];
  looked = [];
});

async function choose(resources: Resources, wanted?: EngineName): Promise<[EngineName, string | undefined]> {
  const {engine, obstacle} = await chooseEngine({resources, ...(wanted ? {wanted} : {})}, engines);
  const problem = await obstacle();
  return [engine, problem && `${problem.code}: ${problem.message}`];
}

describe('a node that asks for no GPU', () => {
  it('gets the first engine of the CPU that works; none for GPUs is tried', async () => {
    found['tensorflow-gpu'] = works;
    devices = [card];
    expect(await choose(defaultResources)).toEqual(['onnx-blas', undefined]);
    expect(looked).toEqual(['tensorflow-cpu', 'onnx-blas']);
    found = {'tensorflow-cpu': works};
    expect(await choose(defaultResources)).toEqual(['tensorflow-cpu', undefined]);
  });

  it('gets plain JavaScript at last', async () => {
    found = {cpu: works};
    expect(await choose(defaultResources)).toEqual(['cpu', undefined]);
  });

  it('cannot run when nothing works', async () => {
    found = {};
    const [engine, problem] = await choose(defaultResources);
    expect(engine).toBe('cpu');
    expect(problem).toMatch(/^no-engine: no tensor engine works .*wasm: no wasm; cpu: no cpu/);
  });
});

describe('a node that asks for a GPU', () => {
  it('gets the first engine for GPUs that works', async () => {
    devices = [card];
    found['webgpu'] = works;
    expect(await choose(onGpu)).toEqual(['webgpu', undefined]);
    found['tensorflow-gpu'] = works;
    expect(await choose(onGpu)).toEqual(['tensorflow-gpu', undefined]);
  });

  it('falls back to the CPU when there is none, or none large enough', async () => {
    found['tensorflow-gpu'] = works;
    expect(await choose(onGpu)).toEqual(['onnx-blas', undefined]);
    devices = [card];
    expect(await choose({...onGpu, gpuMemoryMiB: 1001})).toEqual(['onnx-blas', undefined]);
    expect(await choose({...onGpu, gpu: 2})).toEqual(['onnx-blas', undefined]);
    expect(await choose({...onGpu, gpu: 0.5})).toEqual(['tensorflow-gpu', undefined]);
  });

  it('takes no program for a GPU', async () => {
    devices = [card];
    found['webgpu'] = {...works, adapter: 'llvmpipe', software: true};
    expect(await choose(onGpu)).toEqual(['onnx-blas', undefined]);
  });

  it('fails where it may not fall back, under the key that results from machines with a GPU have', async () => {
    const [engine, problem] = await choose({...onGpu, whenNoGpu: 'fail'});
    expect(engine).toBe('tensorflow-gpu');
    expect(problem).toBe(
      'no-device: needs 1 GPU, and no tensor engine can use one here (tensorflow-gpu: no tensorflow-gpu; webgpu: no webgpu)',
    );
  });
});

describe('an engine by name', () => {
  it('is taken whatever there is, and looked at only when something has to run', async () => {
    const {engine} = await chooseEngine({resources: defaultResources, wanted: 'webgpu'}, engines);
    expect(engine).toBe('webgpu');
    expect(looked).toEqual([]);
  });

  it('is never another one', async () => {
    expect(await choose(defaultResources, 'tensorflow-cpu')).toEqual([
      'tensorflow-cpu',
      'no-engine: tensor engine tensorflow-cpu cannot be used here: no tensorflow-cpu',
    ]);
  });

  it('for GPUs may be a program, and needs a device', async () => {
    found['webgpu'] = {...works, adapter: 'llvmpipe', software: true};
    const [, without] = await choose(defaultResources, 'webgpu');
    expect(without).toBe('no-device: tensor engine webgpu needs 1 GPU, finds none');
    devices = [card];
    expect(await choose(defaultResources, 'webgpu')).toEqual(['webgpu', undefined]);
  });

  it('of the CPU needs no GPU, even where a node may not do without', async () => {
    expect(await choose({...onGpu, whenNoGpu: 'fail'}, 'wasm')).toEqual(['wasm', undefined]);
  });
});
