import {describe, expect, it} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import {canonicalJson, type Json} from '../../../src/core/json.ts';
import {defaultResources, type Gpu} from '../../../src/core/resources.ts';
import {stageOn} from '../../../src/core/stage-on-engine.ts';
import type {StageDeclaration} from '../../../src/core/stage.ts';
import {
  areEnough,
  cpuEngines,
  engineNames,
  enginePackages,
  gpuEngines,
  resourcesFor,
} from '../../../src/core/tensor-engine.ts';
import {ENGINE_NAMES} from '../../../stages/lib/tensors/engine.ts';

const gpu = (uuid: string, memoryMiB: number): Gpu => ({uuid, index: 0, name: uuid, memoryMiB});

describe('the engines', () => {
  it('are those that stages can load', () => {
    expect(engineNames).toEqual(ENGINE_NAMES);
    expect([...gpuEngines, ...cpuEngines].sort()).toEqual([...engineNames].sort());
  });
});

describe('what a node asks for', () => {
  const wanted = {cpu: 2, gpu: 0.5, gpuMemoryMiB: 100, whenNoGpu: 'cpu'} as const;

  it('stays as it is without an engine', () => {
    expect(resourcesFor(wanted, undefined)).toBe(wanted);
  });

  it('takes no GPU on an engine of the CPU', () => {
    expect(resourcesFor(wanted, 'wasm')).toEqual({cpu: 2, gpu: 0, whenNoGpu: 'cpu'});
  });

  it('does without a GPU on no engine for GPUs', () => {
    expect(resourcesFor(wanted, 'tensorflow-gpu')).toEqual({...wanted, whenNoGpu: 'fail'});
    expect(resourcesFor(wanted, 'webgpu')).toEqual({...wanted, whenNoGpu: 'fail', api: 'webgpu'});
    expect(resourcesFor(defaultResources, 'tensorflow-gpu')).toMatchObject({gpu: 1, whenNoGpu: 'fail'});
  });

  it('is there when enough devices are large enough', () => {
    const devices = [gpu('a', 1000), gpu('b', 2000)];
    expect(areEnough(devices, {...wanted, gpu: 2, gpuMemoryMiB: 1000})).toBe(true);
    expect(areEnough(devices, {...wanted, gpu: 2, gpuMemoryMiB: 1001})).toBe(false);
    expect(areEnough(devices, {...wanted, gpu: 0.5, gpuMemoryMiB: 2000})).toBe(true);
    expect(areEnough([], {...wanted, gpu: 0.5, gpuMemoryMiB: 0})).toBe(false);
  });
});

describe('the code of a stage on an engine', () => {
  const stage = (packages: Readonly<Record<string, string>>): StageDeclaration => {
    const manifest = {type: 'code/1', files: {'a.ts': sha256('a')}, packages} as const;
    const code = sha256(canonicalJson(manifest));
    return {...({name: 'train', numericBackend: true} as StageDeclaration), code, manifest};
  };
  const all = Object.fromEntries(
    Object.values(enginePackages)
      .flat(2)
      .map((name) => [name, '1']),
  );

  it('counts the packages of that engine and of none other', () => {
    const on = stageOn(stage({...all, ajv: '8'}), 'onnx-blas');
    expect(Object.keys(on.manifest.packages).sort()).toEqual([
      '@tensorflow/tfjs-backend-wasm',
      'ajv',
      'onnxruntime-node',
    ]);
    expect(on.code).toBe(sha256(canonicalJson(on.manifest as unknown as Json)));
  });

  it('is the same wherever else is installed, and another with another version', () => {
    const here = stageOn(stage({...all, webgpu: 'missing'}), 'onnx-blas');
    expect(stageOn(stage({...all, webgpu: '0.6.2'}), 'onnx-blas').code).toBe(here.code);
    expect(stageOn(stage({...all, 'onnxruntime-node': '2'}), 'onnx-blas').code).not.toBe(here.code);
  });

  it('is as declared when the stage imports no engine', () => {
    const plain = stage({ajv: '8'});
    expect(stageOn(plain, 'wasm')).toBe(plain);
  });
});
