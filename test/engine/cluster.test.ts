import {describe, expect, it} from 'vitest';
import {failure} from '../../src/core/failure.ts';
import {eachNode, EngineRig, node} from '../support/engine-rig.ts';

/** A rig whose nodes run on a cluster, though this machine has a single core. */
function remote(): EngineRig {
  const rig = new EngineRig();
  rig.executor = 'slurm';
  rig.jobs = 1;
  rig.machine = {cpu: 1, memoryMiB: 1, gpus: []};
  return rig;
}

/** Holds every job until so many have begun. */
function together(rig: EngineRig, count: number): void {
  let begun = 0;
  let open = (): void => {};
  const all = new Promise<void>((resolve) => (open = resolve));
  rig.before = async () => {
    if (++begun === count) open();
    await all;
  };
}

describe('nodes on a cluster', () => {
  it('need nothing of this machine: all that are ready run at once, whatever they ask for', async () => {
    const rig = remote();
    rig.write('src', 'text');
    const resources = {cpu: 8, memoryMiB: 1000, gpu: 2, whenNoGpu: 'fail'} as const;
    rig.nodes = ['a', 'b', 'c'].map((name) => node(name, ['@src'], {resources, params: {name}}));
    together(rig, 3);
    expect((await rig.build()).outcome).toBe('done');
  });

  it('come under the same keys as here', async () => {
    const [here, there] = [new EngineRig(), remote()];
    const prints = await Promise.all(
      [here, there].map(async (rig) => {
        rig.write('src', 'text');
        rig.nodes = [node('a', ['@src']), eachNode('each', '@dir')];
        rig.write('dir/x', 'x');
        const {nodes} = await rig.build();
        return [...nodes.values()].map(({fingerprint, outputs}) => [fingerprint, outputs]);
      }),
    );
    expect(prints[0]).toEqual(prints[1]);
  });

  it('say so themselves, one by one', async () => {
    const rig = new EngineRig();
    rig.machine = {cpu: 1, memoryMiB: 10, gpus: []};
    rig.write('src', 'text');
    const resources = {cpu: 1, memoryMiB: 1000, gpu: 0, whenNoGpu: 'cpu'} as const;
    rig.nodes = [node('there', ['@src'], {resources, executor: 'slurm'}), node('here', ['there'], {resources})];
    const {nodes} = await rig.build();
    expect(nodes.get('there')?.outcome).toBe('executed');
    expect(nodes.get('here')?.failure?.code).toBe('resources-unsatisfiable');
  });

  it('may name an engine that this machine has not', async () => {
    const rig = remote();
    rig.numericBackend = true;
    rig.write('src', 'text');
    rig.nodes = [node('a', ['@src'], {engine: 'tensorflow-gpu'})];
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.checked).toEqual([]);
  });
});

describe('slices on a cluster', () => {
  function sliced(count: number): EngineRig {
    const rig = remote();
    for (let at = 0; at < count; at++) rig.write(`dir/${at}`, `item ${at}`);
    rig.nodes = [eachNode('each', '@dir')];
    return rig;
  }

  it('go there in batches, each as a whole, and all at once', async () => {
    const rig = sliced(8);
    together(rig, 8);
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.deliveries.map((names) => names.length)).toEqual([4, 4]);
    expect(rig.deliveries.flat()).toEqual(Array.from({length: 8}, (_, at) => `each/${at}`));
  });

  it('fail and are tried again one by one', async () => {
    const rig = sliced(4);
    rig.nodes = [eachNode('each', '@dir', {retries: 1})];
    let failures = 0;
    rig.work = ({slice}) => (slice === '2' && failures++ === 0 ? failure('stage-failed', 'no') : 'done');
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.deliveries.flat()).toHaveLength(4);
    expect(rig.ran).toHaveLength(5);
  });

  it('end the delivery without those that could not be prepared', async () => {
    const rig = sliced(4);
    const {request} = rig;
    rig.request = (options) => {
      const made = request.call(rig, options);
      let count = 0;
      const folders = {
        ...made.ports.folders,
        create: async (id: string, slice?: string) => {
          if (slice === '1') throw new Error(`no room for ${count++}`);
          return made.ports.folders.create(id, slice);
        },
      };
      return {...made, ports: {...made.ports, folders}};
    };
    rig.onFailure = 'continue';
    expect((await rig.build()).outcome).toBe('failed');
    expect(rig.deliveries.flat().sort()).toEqual(['each/0', 'each/2', 'each/3']);
  });
});

describe('a job that an earlier run began', () => {
  it('keeps its checkpoint: nobody opens it under its feet', async () => {
    const rig = remote();
    rig.resumable = true;
    rig.write('src', 'text');
    rig.nodes = [node('long', ['@src'])];
    const places: (string | undefined)[] = [];
    rig.before = ({checkpoint}) => void places.push(checkpoint);
    rig.holds = () => true;
    await rig.build();
    rig.holds = () => false;
    await rig.build({force: ['long']});
    expect(places.map((place) => place?.includes('/checkpoints/'))).toEqual([false, true]);
  });

  it('does not count when the node is forced', async () => {
    const rig = remote();
    rig.resumable = true;
    rig.write('src', 'text');
    rig.nodes = [node('long', ['@src'])];
    const places: (string | undefined)[] = [];
    rig.before = ({checkpoint}) => void places.push(checkpoint);
    rig.holds = () => true;
    await rig.build({force: ['long']});
    expect(places[0]).toContain('/checkpoints/');
  });
});
