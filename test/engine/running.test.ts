import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {failure} from '../../src/core/failure.ts';
import type {Resources} from '../../src/core/resources.ts';
import {eachNode, EngineRig, node, type SharedStore} from '../support/engine-rig.ts';

function withSource(shared?: SharedStore): EngineRig {
  const rig = new EngineRig(shared);
  rig.write('src', 'text');
  return rig;
}

/** A door that holds whoever comes until it is opened. */
function gate(): {readonly pass: Promise<void>; readonly open: () => void} {
  let open!: () => void;
  const pass = new Promise<void>((resolve) => (open = resolve));
  return {pass, open};
}

const needs = (cpu: number, rest: Partial<Resources> = {}): Resources => ({cpu, gpu: 0, whenNoGpu: 'cpu', ...rest});

describe('after a failure', () => {
  function fork(rig: EngineRig): void {
    rig.jobs = 1;
    rig.nodes = [
      node('bad', ['@src'], {params: {n: 0}}),
      node('child', ['bad']),
      node('grandchild', ['child']),
      node('other', ['@src'], {params: {n: 1}}),
    ];
    const work = rig.work;
    rig.work = (job) => (job.node === 'bad' ? failure('stage-failed', 'no') : work(job));
  }
  const outcomes = (summary: Awaited<ReturnType<EngineRig['build']>>): Record<string, string> =>
    Object.fromEntries([...summary.nodes].map(([id, {outcome}]) => [id, outcome]));

  it('`continue` runs what does not need the failed node', async () => {
    const rig = withSource();
    fork(rig);
    rig.onFailure = 'continue';
    const summary = await rig.build();
    expect(outcomes(summary)).toEqual({bad: 'failed', child: 'blocked', grandchild: 'blocked', other: 'executed'});
    expect(summary.nodes.get('grandchild')?.failure?.message).toBe('grandchild did not run because bad failed');
    expect(summary.outcome).toBe('failed');
  });

  it('`stop` starts nothing more', async () => {
    const rig = withSource();
    fork(rig);
    const summary = await rig.build();
    expect(outcomes(summary)).toEqual({bad: 'failed', child: 'blocked', grandchild: 'blocked', other: 'cancelled'});
    expect(rig.ran).toEqual(['bad']);
  });

  it('`stop` lets running nodes end, `kill` ends them', async () => {
    for (const onFailure of ['stop', 'kill'] as const) {
      const rig = withSource();
      fork(rig);
      rig.jobs = 2;
      rig.onFailure = onFailure;
      const bothRun = gate();
      const badEnded = gate();
      rig.before = async (job, signal) => {
        if (job.node === 'bad') return bothRun.pass;
        bothRun.open();
        signal.addEventListener('abort', badEnded.open);
        if (onFailure === 'kill') await badEnded.pass;
      };
      const summary = await rig.build();
      expect(outcomes(summary)['other']).toBe(onFailure === 'stop' ? 'executed' : 'cancelled');
    }
  });

  it('a node is tried again as often as it may be', async () => {
    const rig = withSource();
    let attempts = 0;
    rig.nodes = [node('flaky', ['@src'], {retries: 2})];
    rig.work = () => (++attempts < 3 ? failure('stage-failed', `attempt ${attempts}`) : 'done');
    const summary = await rig.build();
    expect(summary.outcome).toBe('done');
    expect(rig.events.filter(({type}) => type === 'node-retry')).toHaveLength(2);
  });
});

describe('an interrupt', () => {
  it('ends the run; the next one goes on where it was', async () => {
    const rig = withSource();
    rig.jobs = 1;
    rig.nodes = [node('a', ['@src']), node('b', ['a']), node('c', ['b'])];
    const controller = new AbortController();
    rig.before = (job) => {
      if (job.node === 'b') controller.abort();
    };
    const summary = await rig.build({signal: controller.signal});
    expect(summary.outcome).toBe('interrupted');
    expect([...summary.nodes.values()].map(({outcome}) => outcome)).toEqual(['executed', 'cancelled', 'cancelled']);
    rig.before = () => {};
    await rig.build();
    expect(rig.ran).toEqual(['b', 'c']);
  });
});

describe('two runs at once on one store', () => {
  it('do no action twice, slices included', async () => {
    const first = withSource();
    const second = withSource(first.store);
    for (const rig of [first, second]) {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) rig.write(`clips/${name}.wav`, name);
      rig.nodes = [node('x', ['@src']), eachNode('y', '@clips'), node('z', ['x', 'y'])];
    }
    const started = gate();
    const waits = gate();
    first.before = async (job) => {
      started.open();
      if (job.node === 'x') await waits.pass;
    };
    const one = first.build();
    await started.pass;
    const two = second.build();
    const seen = second.events.push.bind(second.events);
    second.events.push = (event) => {
      if (event.type === 'node-waiting') waits.open();
      return seen(event);
    };
    const [a, b] = await Promise.all([one, two]);
    expect([...first.ran, ...second.ran].sort()).toEqual(['x', 'y/a', 'y/b', 'y/c', 'y/d', 'y/e', 'y/f', 'z']);
    expect(b.nodes.get('z')?.outputs).toEqual(a.nodes.get('z')?.outputs);
  });
});

describe('a node that waits for another run', () => {
  it('gives its cores to others meanwhile', async () => {
    const first = withSource();
    const second = withSource(first.store);
    second.jobs = 1;
    first.nodes = [node('x', ['@src'])];
    second.nodes = [node('x', ['@src']), node('y', ['x']), node('other', ['@src'], {params: {n: 1}})];
    const started = gate();
    const otherRan = gate();
    first.before = () => {
      started.open();
      return otherRan.pass;
    };
    second.before = (job) => {
      if (job.node === 'other') otherRan.open();
    };
    const one = first.build();
    await started.pass;
    const summary = await second.build();
    await one;
    expect(second.ran.sort()).toEqual(['other', 'y']);
    expect(summary.nodes.get('x')?.outcome).toBe('cached');
  });
});

describe('an input that a job damages', () => {
  it('fails the node, stores nothing, and is made again', async () => {
    const rig = withSource();
    rig.nodes = [node('a', ['@src']), node('b', ['a'])];
    rig.before = (job) => {
      if (job.node !== 'b') return;
      const {digest} = rig.state.get('a')!.outputs['out']!;
      rig.store.files.set(rig.store.cas.pathOf(digest), new TextEncoder().encode('written in place'));
    };
    const summary = await rig.build();
    expect(summary.nodes.get('b')?.failure?.code).toBe('input-changed');
    rig.before = () => {};
    await rig.build();
    expect(rig.ran).toEqual(['a', 'b']);
  });
});

describe('an input that moves while it is read', () => {
  it('fails the node and stores nothing', async () => {
    const rig = withSource();
    rig.nodes = [node('a', ['@src'])];
    rig.before = () => rig.write('src', 'something longer');
    const summary = await rig.build();
    expect(summary.nodes.get('a')?.failure?.code).toBe('input-changed');
    rig.before = () => {};
    await rig.build();
    expect(rig.ran).toEqual(['a']);
  });
});

describe('forced nodes', () => {
  it('run again, and nothing else when they make the same', async () => {
    const rig = withSource();
    rig.nodes = [node('a', ['@src']), node('b', ['a']), node('c', ['b'])];
    await rig.build();
    await rig.build({force: ['b']});
    expect(rig.ran).toEqual(['b']);
  });
});

describe('a plan with forced nodes', () => {
  it('says that they run, also those behind another that does', async () => {
    const rig = withSource();
    rig.nodes = [node('a', ['@src']), node('b', ['a']), node('c', ['b'])];
    await rig.build();
    expect(await rig.plan({force: ['a', 'b']})).toEqual({a: 'will-run', b: 'will-run', c: 'may-run'});
    await rig.build({force: ['a', 'b']});
    expect(rig.ran).toEqual(['a', 'b']);
  });
});

describe('the machine', () => {
  it('is never given out twice, whatever the nodes need', async () => {
    const resources = fc.record({
      cpu: fc.integer({min: 1, max: 4}),
      memoryMiB: fc.constantFrom(0, 100, 600, 1024),
      gpu: fc.constantFrom(0, 0.25, 0.5, 1, 2),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(resources, {minLength: 1, maxLength: 12}),
        fc.integer({min: 1, max: 4}),
        async (list, jobs) => {
          const rig = withSource();
          const gpus = [0, 1].map((index) => ({uuid: `g${index}`, index, name: 'G', memoryMiB: 1000}));
          rig.machine = {cpu: 4, memoryMiB: 1024, gpus};
          rig.jobs = jobs;
          rig.nodes = list.map((one, index) =>
            node(`n${index}`, ['@src'], {params: {index}, resources: {...one, whenNoGpu: 'fail'}}),
          );
          const need = new Map(rig.nodes.map(({id, resources: r}) => [id, r]));
          const use = {cpu: 0, memoryMiB: 0, gpu: 0};
          rig.before = async (job) => {
            const r = need.get(job.node)!;
            use.cpu += Math.min(r.cpu, jobs);
            use.memoryMiB += r.memoryMiB ?? 0;
            use.gpu += r.gpu;
            expect(use.cpu).toBeLessThanOrEqual(jobs);
            expect(use.memoryMiB).toBeLessThanOrEqual(1024);
            expect(use.gpu).toBeLessThanOrEqual(2);
            await Promise.resolve();
            use.cpu -= Math.min(r.cpu, jobs);
            use.memoryMiB -= r.memoryMiB ?? 0;
            use.gpu -= r.gpu;
          };
          const summary = await rig.build();
          expect(summary.outcome).toBe('done');
        },
      ),
      {numRuns: 40},
    );
  });

  it('that lacks what a node needs is a failure with a way out', async () => {
    const rig = withSource();
    rig.onFailure = 'continue';
    rig.nodes = [
      node('gpu', ['@src'], {params: {n: 1}, resources: needs(1, {gpu: 1, whenNoGpu: 'fail'})}),
      node('fallback', ['@src'], {params: {n: 2}, resources: needs(1, {gpu: 1})}),
      node('memory', ['@src'], {params: {n: 3}, resources: needs(1, {memoryMiB: 5000})}),
      node('cores', ['@src'], {params: {n: 4}, resources: needs(64)}),
    ];
    const summary = await rig.build();
    expect(
      [...summary.nodes].map(([id, {outcome, failure: problem}]) => [id, outcome, problem?.message ?? '']),
    ).toEqual([
      ['gpu', 'failed', 'needs 1 GPU; this machine has none'],
      ['memory', 'failed', 'needs 5000 MiB of memory; this machine has 1024 MiB'],
      ['fallback', 'executed', ''],
      ['cores', 'executed', ''],
    ]);
  });

  it('lets a large node in although small ones keep coming', async () => {
    const rig = withSource();
    rig.jobs = 2;
    const small = Array.from({length: 40}, (_, n) => node(`small${n}`, ['@src'], {params: {n}}));
    const large = node('large', ['first'], {resources: needs(2)});
    rig.nodes = [node('first', ['@src'], {params: {n: -1}}), ...small, large, node('after', ['large'])];
    // Each job ends when the next one has started, so that two cores are never free together, unless none is let in.
    rig.before = async () => {
      const started = rig.ran.length;
      for (let round = 0; round < 100 && rig.ran.length === started; round++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await rig.build();
    expect(rig.ran.indexOf('large')).toBeLessThan(20);
  });

  it('starts the longest path first', async () => {
    const rig = withSource();
    rig.jobs = 1;
    const chain = [node('long1', ['@src'], {params: {n: 1}}), node('long2', ['long1']), node('long3', ['long2'])];
    rig.nodes = [node('short', ['@src'], {params: {n: 0}}), ...chain];
    await rig.build();
    expect(rig.ran.indexOf('long1')).toBeLessThan(rig.ran.indexOf('short'));
  });
});
