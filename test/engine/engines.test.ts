import {describe, expect, it} from 'vitest';
import type {Gpu, Resources} from '../../src/core/resources.ts';
import type {EngineCheck} from '../../src/core/tensor-engine.ts';
import {makePlan} from '../../src/engine/plan.ts';
import {eachNode, EngineRig, node, type SharedStore} from '../support/engine-rig.ts';

const works: EngineCheck = {works: true, versions: {}, gflops: 1, wallMs: 1};
const card: Gpu = {uuid: 'GPU-a', index: 0, name: 'A', memoryMiB: 1000};
const onGpu: Resources = {cpu: 1, gpu: 1, whenNoGpu: 'cpu'};

/** A machine where only the engines of the CPU work, and a pipeline of one node that depends on the engine. */
function numericRig(shared?: SharedStore): EngineRig {
  const rig = new EngineRig(shared);
  rig.write('src', 'text');
  rig.numericBackend = true;
  rig.findings = {'onnx-blas': works, wasm: works, cpu: works};
  rig.nodes = [node('train', ['@src'])];
  return rig;
}

/** A machine with a GPU that TensorFlow can use. */
function gpuRig(shared?: SharedStore): EngineRig {
  const rig = numericRig(shared);
  rig.machine = {cpu: 4, memoryMiB: 1024, gpus: [card]};
  rig.findings = {...rig.findings, 'tensorflow-gpu': works};
  rig.devices = {'tensorflow-gpu': [card]};
  return rig;
}

/** `engine@device` of each job that ran. */
function places(rig: EngineRig): string[] {
  const seen: string[] = [];
  rig.before = ({engine, device}) => void seen.push(`${engine}@${device}`);
  return seen;
}

/** Why the node would run, in the words of the kinds. */
async function reasons(rig: EngineRig): Promise<unknown> {
  const planned = await makePlan(rig.request({}));
  return planned.ok ? planned.value.plan.nodes[0]?.reasons : planned.error;
}

describe('a stage that does not compute with tensors', () => {
  it('gets no engine, and none is looked at', async () => {
    const rig = numericRig();
    rig.numericBackend = false;
    const seen = places(rig);
    await rig.build();
    expect(seen).toEqual(['@']);
    expect(rig.checked).toEqual([]);
    expect([...rig.store.records.values()][0]?.action.toolchain).toEqual({node: 'test'});
  });
});

describe('the class of the engine', () => {
  it('is in the key, and what the job is told', async () => {
    const rig = numericRig();
    const seen = places(rig);
    const summary = await rig.build();
    expect(seen).toEqual(['onnx-blas@']);
    const fingerprint = summary.nodes.get('train')?.fingerprint;
    expect(rig.store.records.get(fingerprint!)?.action.toolchain).toEqual({node: 'test', engine: 'onnx-blas'});
    expect(summary.plan.nodes[0]?.engine).toBe('onnx-blas');
  });

  it('is told by the events of the node', async () => {
    const rig = numericRig();
    await rig.build();
    const told = rig.events.flatMap((event) =>
      event.type === 'node-started' || event.type === 'node-finished' ? [event.engine] : [],
    );
    expect(told).toEqual(['onnx-blas', 'onnx-blas']);
    await rig.build();
    expect(rig.events.find(({type}) => type === 'node-finished')).not.toHaveProperty('engine');
  });

  it('that is another makes the node stale, and is the reason; the first one’s result stays', async () => {
    const rig = numericRig();
    await rig.build();
    rig.engine = 'wasm';
    expect(await reasons(rig)).toEqual([
      {kind: 'toolchain-changed', tool: 'engine', before: 'onnx-blas', after: 'wasm'},
    ]);
    await rig.build();
    expect(rig.ran).toEqual(['train']);
    rig.engine = undefined;
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it('is the node’s own unless one is given for all', async () => {
    const rig = numericRig();
    rig.nodes = [
      node('a', ['@src'], {engine: 'wasm', params: {n: 1}}),
      node('b', ['@src'], {engine: 'cpu', params: {n: 2}}),
      node('c', ['@src'], {params: {n: 3}}),
    ];
    const seen = places(rig);
    await rig.build();
    expect(seen.sort()).toEqual(['cpu@', 'onnx-blas@', 'wasm@']);
    seen.length = 0;
    rig.engine = 'cpu';
    await rig.build();
    expect(seen).toEqual(['cpu@', 'cpu@']);
  });

  it('reaches every slice', async () => {
    const rig = numericRig();
    rig.nodes = [eachNode('train', '@notes')];
    for (const name of ['a', 'b', 'c']) rig.write(`notes/${name}`, name);
    await rig.build();
    rig.engine = 'wasm';
    const seen = places(rig);
    await rig.build();
    expect(seen).toEqual(['wasm@', 'wasm@', 'wasm@']);
    rig.engine = undefined;
    await rig.build();
    expect(rig.ran).toEqual([]);
  });

  it('shares results between machines with other packages of other engines', async () => {
    const first = numericRig();
    first.packages = {webgpu: 'missing', 'onnxruntime-node': '1.30.0'};
    await first.build();
    const second = numericRig(first.store);
    second.packages = {webgpu: '0.6.2', 'onnxruntime-node': '1.30.0'};
    second.write('src', 'text');
    await second.build();
    expect(second.ran).toEqual([]);
    second.packages = {webgpu: '0.6.2', 'onnxruntime-node': '1.31.0'};
    await second.build();
    expect(second.ran).toEqual(['train']);
  });
});

describe('a GPU', () => {
  it('goes to the nodes that ask for one and compute on it', async () => {
    const rig = gpuRig();
    rig.nodes = [
      node('with', ['@src'], {resources: onGpu, params: {n: 1}}),
      node('without', ['@src'], {params: {n: 2}}),
      node('forced', ['@src'], {engine: 'tensorflow-gpu', params: {n: 3}}),
      node('kept', ['@src'], {resources: onGpu, engine: 'wasm', params: {n: 4}}),
    ];
    const seen = places(rig);
    await rig.build();
    expect(seen.sort()).toEqual(['onnx-blas@', 'tensorflow-gpu@GPU-a', 'tensorflow-gpu@GPU-a', 'wasm@']);
  });

  it('that no engine can use is not taken: the node computes on the CPU, under that key', async () => {
    const rig = gpuRig();
    rig.findings = {...rig.findings, 'tensorflow-gpu': {works: false, reason: 'no CUDA'}};
    rig.nodes = [node('train', ['@src'], {resources: onGpu})];
    const seen = places(rig);
    await rig.build();
    expect(seen).toEqual(['onnx-blas@']);
  });

  it('that only WebGPU reaches goes to jobs on WebGPU, and not to others', async () => {
    const adapter: Gpu = {...card, uuid: 'webgpu', api: 'webgpu'};
    const rig = numericRig();
    rig.machine = {cpu: 4, memoryMiB: 1024, gpus: [adapter]};
    rig.findings = {...rig.findings, webgpu: {...works, adapter: 'A'}};
    rig.devices = {webgpu: [adapter]};
    rig.nodes = [node('train', ['@src'], {resources: onGpu})];
    const seen = places(rig);
    await rig.build();
    expect(seen).toEqual(['webgpu@webgpu']);

    rig.numericBackend = false;
    rig.nodes = [
      node('either', ['@src'], {resources: onGpu, params: {n: 1}}),
      node('only', ['@src'], {resources: {...onGpu, whenNoGpu: 'fail'}, params: {n: 2}}),
    ];
    rig.onFailure = 'continue';
    const summary = await rig.build();
    expect(seen).toEqual(['webgpu@webgpu', '@']);
    expect(summary.nodes.get('only')?.failure).toMatchObject({
      code: 'no-device',
      message: 'needs 1 GPU; this machine has none',
    });
  });

  it('that went away since the plan fails the node rather than compute under a wrong key', async () => {
    const rig = gpuRig();
    rig.machine = {...rig.machine, gpus: []};
    rig.nodes = [node('train', ['@src'], {resources: onGpu})];
    const summary = await rig.build();
    expect(summary.nodes.get('train')?.failure?.code).toBe('no-device');
    expect(rig.ran).toEqual([]);
  });
});

describe('an engine that cannot be had', () => {
  it('stops what would need it, and is no matter where the results are there', async () => {
    const gpu = gpuRig();
    gpu.nodes = [node('train', ['@src'], {resources: {...onGpu, whenNoGpu: 'fail'}})];
    await gpu.build();

    const laptop = numericRig(gpu.store);
    laptop.write('src', 'text');
    laptop.nodes = gpu.nodes;
    expect(await laptop.plan()).toEqual({train: 'cached'});
    await laptop.build();
    expect(laptop.ran).toEqual([]);

    laptop.write('src', 'other');
    const summary = await laptop.build();
    expect(summary.nodes.get('train')).toMatchObject({outcome: 'failed', failure: {code: 'no-device', node: 'train'}});
    expect(laptop.ran).toEqual([]);
  });

  it('is told by the plan, of nodes that must run', async () => {
    const rig = numericRig();
    rig.engine = 'webgpu';
    const planned = await makePlan(rig.request({}));
    expect(planned.ok && planned.value.plan.nodes[0]?.obstacle).toMatchObject({
      code: 'no-engine',
      message: 'tensor engine webgpu cannot be used here: not here',
    });
    const summary = await rig.build();
    expect(summary.nodes.get('train')?.failure).toMatchObject({code: 'no-engine', node: 'train'});
    expect(rig.ran).toEqual([]);
  });
});
