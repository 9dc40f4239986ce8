import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {digestOf} from '../../src/core/digest.ts';
import type {ArtifactRef, PipelineNode} from '../../src/core/pipeline.ts';
import type {BuildSummary} from '../../src/engine/run-context.ts';
import {eachNode, EngineRig, node} from '../support/engine-rig.ts';
import {MemoryServer} from '../support/memory-remote.ts';

const chain: readonly PipelineNode[] = [
  node('a', ['@src']),
  node('b', ['a']),
  node('c', ['b']),
  node('side', ['a'], {params: {side: 1}}),
];

/** Machines with stores of their own that share a server. */
function machine(server: MemoryServer, nodes: readonly PipelineNode[], src = 'text'): EngineRig {
  const rig = new EngineRig();
  rig.server = server;
  rig.nodes = nodes;
  rig.write('src', src);
  return rig;
}

const outcomes = (summary: BuildSummary): Record<string, string> =>
  Object.fromEntries([...summary.nodes].map(([id, {outcome}]) => [id, outcome]));

const blobOf = (summary: BuildSummary, id: string) => summary.nodes.get(id)!.outputs!['out']!.digest;

describe('without the bytes', () => {
  it('a second machine runs nothing and fetches only what was asked for', async () => {
    const server = new MemoryServer();
    const first = await machine(server, chain).build({targets: ['c']});
    const other = machine(server, chain);
    expect(await other.plan()).toMatchObject({a: 'cached', b: 'cached', c: 'cached'});
    const second = await other.build({targets: ['c']});
    expect(other.ran).toEqual([]);
    expect(outcomes(second)).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(server.fetched).toEqual([blobOf(first, 'c').hash]);
    expect(other.text(second, 'c')).toBe(other.text(second, 'c'));
  });

  it('a build with nothing to do asks nothing', async () => {
    const server = new MemoryServer();
    await machine(server, chain).build({targets: ['c']});
    const other = machine(server, chain);
    await other.build({targets: ['c']});
    server.questions = 0;
    server.fetched.length = 0;
    const again = await other.build({targets: ['c']});
    expect(outcomes(again)).toEqual({a: 'up-to-date', b: 'up-to-date', c: 'up-to-date'});
    expect([server.questions, server.fetched]).toEqual([0, []]);
  });

  it('a node that runs gets its inputs, and no more', async () => {
    const server = new MemoryServer();
    const first = await machine(server, chain).build({targets: ['c']});
    const other = machine(server, chain);
    const second = await other.build({targets: ['side']});
    expect(other.ran).toEqual(['side']);
    expect(server.fetched).toEqual([blobOf(first, 'a').hash]);
    expect(second.outcome).toBe('done');
  });

  it('so it is in a later run, when only the state tells what lies elsewhere', async () => {
    const server = new MemoryServer();
    await machine(server, chain).build({targets: ['c']});
    const other = machine(server, chain);
    await other.build({targets: ['c']});
    const changed = chain.map((one) => (one.id === 'c' ? {...one, params: {n: 2}} : one));
    other.nodes = changed;
    const summary = await other.build({targets: ['c']});
    expect(other.ran).toEqual(['c']);
    expect(outcomes(summary)).toMatchObject({a: 'up-to-date', b: 'up-to-date', c: 'executed'});
  });

  it('early cutoff fetches nothing for consumers that need not run', async () => {
    const server = new MemoryServer();
    const rig = machine(server, chain);
    rig.work = (job) => (job.node === 'a' ? 'always this' : `${job.node} of ${job.texts.join()}`);
    await rig.build({targets: ['c']});
    const other = machine(server, chain, 'other text');
    other.work = rig.work;
    const summary = await other.build({targets: ['c']});
    expect(other.ran).toEqual(['a']);
    expect(outcomes(summary)).toEqual({a: 'executed', b: 'cached', c: 'cached'});
    expect(server.fetched).toHaveLength(1);
  });
});

describe('files of known results that have to be found again', () => {
  const width = 4;
  const names = (layer: number): string[] => Array.from({length: width}, (_, n) => `n${layer}-${n}`);
  /** Four layers, each node reading two of the layer before; the last is changed where `changed` says so. */
  const layers = (changed: readonly boolean[]): PipelineNode[] =>
    [0, 1, 2, 3].flatMap((layer) =>
      names(layer).map((name, n) => {
        const inputs = layer === 0 ? ['@src'] : [n, n + 1].map((at) => names(layer - 1)[at % width]!);
        return node(name, inputs, {params: {name, changed: layer === 3 && changed[n] === true}});
      }),
    );

  it('are asked for a layer at a time, and the plan is the one that asking one by one gives', async () => {
    const ids = [0, 1, 2].flatMap(names);
    const some = fc.subarray(ids);
    const which = fc.array(fc.boolean(), {minLength: width, maxLength: width});
    await fc.assert(
      fc.asyncProperty(which, some, some, some, async (changed, noBlob, noRecord, noRemoteBlob) => {
        const server = new MemoryServer();
        const rig = machine(server, layers([]));
        const built = await rig.build({});
        rig.lose(...noBlob.map((id) => blobOf(built, id)));
        for (const id of noRecord) server.results.delete(built.nodes.get(id)!.fingerprint!);
        server.lose(...noRemoteBlob.map((id) => blobOf(built, id)));
        rig.nodes = layers(changed);
        const expected = new Map<string, string>();
        for (const {id} of rig.nodes.toReversed()) {
          const stale = [...expected].filter(([, status]) => status.endsWith('-run')).map(([consumer]) => consumer);
          const isRead = rig.nodes.some(
            (one) => stale.includes(one.id) && Object.values(one.inputs).some((b) => !b.many && isNode(b.ref, id)),
          );
          const isChanged = id.startsWith('n3') && changed[names(3).indexOf(id)] === true;
          const gone = isRead && noBlob.includes(id);
          const status = gone ? (noRecord.includes(id) ? 'will-run' : 'cached') : 'up-to-date';
          expected.set(id, isChanged ? 'will-run' : status);
        }
        server.rounds = 0;
        expect(await rig.plan()).toEqual(Object.fromEntries(expected));
        expect(server.rounds).toBeLessThanOrEqual(4);
      }),
      {numRuns: 60},
    );
  });

  function isNode(ref: ArtifactRef, id: string): boolean {
    return ref.from === 'node' && ref.node === id;
  }
});

describe('what the server has lost', () => {
  it('a target is made again; so is what that reads, as far as it is gone', async () => {
    const server = new MemoryServer();
    const first = await machine(server, chain).build({targets: ['c']});
    server.lose(blobOf(first, 'c'), blobOf(first, 'b'));
    const other = machine(server, chain);
    const summary = await other.build({targets: ['c']});
    expect(summary.outcome).toBe('done');
    expect(other.ran).toEqual(['b', 'c']);
    expect(outcomes(summary)).toEqual({a: 'cached', b: 'executed', c: 'executed'});
    // And is there again for the next one.
    const third = machine(server, chain);
    await third.build({targets: ['c']});
    expect(third.ran).toEqual([]);
  });

  it('everything: a build as from scratch', async () => {
    const server = new MemoryServer();
    const first = await machine(server, chain).build({targets: ['c']});
    server.blobs.clear();
    const other = machine(server, chain);
    const summary = await other.build({targets: ['c']});
    expect(summary.outcome).toBe('done');
    expect(other.ran).toEqual(['a', 'b', 'c']);
    expect(blobOf(summary, 'c')).toEqual(blobOf(first, 'c'));
  });

  it('two consumers have it made once', async () => {
    const server = new MemoryServer();
    const two = [node('a', ['@src']), node('x', ['a']), node('y', ['a'], {params: {n: 2}})];
    const first = await machine(server, two.slice(0, 1)).build({targets: ['a']});
    server.lose(blobOf(first, 'a'));
    const other = machine(server, two);
    const summary = await other.build({targets: ['x', 'y']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.filter((id) => id === 'a')).toEqual(['a']);
    const finished = other.events.flatMap((event) =>
      event.type === 'node-finished' ? [`${event.node} ${event.outcome}`] : [],
    );
    expect(finished.filter((text) => text.startsWith('a '))).toEqual(['a cached', 'a executed']);
  });

  it('and cannot be made again: the consumer fails and says so', async () => {
    const server = new MemoryServer();
    const first = await machine(server, chain).build({targets: ['a']});
    server.lose(blobOf(first, 'a'));
    const other = machine(server, chain);
    const work = other.work;
    other.work = (job) => (job.node === 'a' ? {code: 'stage-failed', message: 'not here'} : work(job));
    const summary = await other.build({targets: ['b']});
    expect(summary.outcome).toBe('failed');
    expect(summary.nodes.get('b')?.failure).toMatchObject({
      code: 'blob-missing',
      message: 'what b reads of a could not be had, nor made again: not here',
    });
  });

  it('a stage that makes other bytes this time: its consumer runs with those', async () => {
    const server = new MemoryServer();
    const rig = machine(server, chain);
    rig.work = (job) => (job.node === 'a' ? 'first' : `${job.node} of ${job.texts.join()}`);
    const first = await rig.build({targets: ['a']});
    server.lose(blobOf(first, 'a'));
    const other = machine(server, chain);
    other.work = (job) => (job.node === 'a' ? 'second' : `${job.node} of ${job.texts.join()}`);
    const summary = await other.build({targets: ['b']});
    expect(other.text(summary, 'b')).toBe('b of second');
  });

  it('a job that waits for its turn reads what its key says, though that was made again with other bytes', async () => {
    const server = new MemoryServer();
    const outputs = {out: {kind: 'file', name: 'out.txt'}, other: {kind: 'file', name: 'other.txt'}} as const;
    const reader = {
      inputs: {in0: {many: false, ref: {from: 'node', node: 'p', output: 'other'}}},
      ports: {in0: {kind: 'file'}},
      executor: 'slurm',
    } as const;
    const nodes = [
      node('busy', ['@src'], {executor: 'slurm', params: {n: 1}}),
      node('p', ['@src'], {outputs}),
      node('one', ['p']),
      node('two', [], reader),
    ];
    const workOf = (rig: EngineRig, bytes: string): EngineRig => {
      const {work} = rig;
      rig.work = (job) => (job.node === 'p' ? {made: {out: `out ${bytes}`, other: `other ${bytes}`}} : work(job));
      return rig;
    };
    const first = await workOf(machine(server, nodes), 'at first').build({targets: ['p']});
    server.lose(blobOf(first, 'p'));
    const other = workOf(machine(server, nodes), 'again');
    other.cluster = {slots: 1, batches: 1};
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const read: string[] = [];
    other.before = (job) => {
      if (job.node === 'one') open();
      if (job.node === 'two') read.push(...job.texts);
      return job.node === 'busy' ? gate : undefined;
    };
    const summary = await other.build({targets: ['busy', 'one', 'two']});
    expect(summary.outcome).toBe('done');
    expect(other.ran).toEqual(['busy', 'p', 'one', 'two']);
    const {action} = other.store.actions.get(summary.nodes.get('two')!.fingerprint!)!;
    expect(action.inputs['in0']).toEqual(digestOf(read[0]!));
  });

  it('what only a later turn of the run needs is fetched then', async () => {
    const server = new MemoryServer();
    const nodes = [node('a', ['@src']), node('d', ['@src'], {params: {d: 1}}), node('b', ['a', 'd']), node('x', ['a'])];
    const first = machine(server, nodes);
    await first.build({targets: ['b']});
    const other = machine(server, nodes);
    const before = await other.build({targets: ['b']});
    server.lose(blobOf(before, 'a'));
    server.results.delete(before.nodes.get('a')!.fingerprint!);
    const work = other.work;
    other.work = (job) => (job.node === 'a' ? 'other bytes this time' : work(job));
    const summary = await other.build({targets: ['b', 'x']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.sort()).toEqual(['a', 'b', 'x']);
    expect(server.fetched).toContain(blobOf(summary, 'd').hash);
  });
});

describe('slices', () => {
  const notes = (rig: EngineRig, names: string): EngineRig => {
    for (const name of names) rig.write(`notes/${name}.txt`, `text ${name}`);
    return rig;
  };
  const outputs = {out: {kind: 'file', name: 'out.txt'}} as const;
  const trees = {out: {kind: 'tree', name: 'out'}} as const;
  const fileNodes = [eachNode('clean', '@notes', {outputs}), eachNode('long', 'clean', {outputs, params: {n: 1}})];
  const treeNodes = [
    eachNode('clean', '@notes', {outputs: trees}),
    eachNode('long', 'clean', {outputs, params: {n: 1}}),
  ];

  function rigFor(server: MemoryServer, nodes: readonly PipelineNode[], names: string): EngineRig {
    const rig = notes(new EngineRig(), names);
    rig.server = server;
    rig.nodes = nodes;
    const work = rig.work;
    rig.work = (job) =>
      job.node === 'clean' && nodes === treeNodes
        ? {made: {out: {'one.txt': `one of ${job.texts.join()}`, 'two.txt': `two of ${job.texts.join()}`}}}
        : work(job);
    return rig;
  }

  it.each([
    ['files', fileNodes],
    ['trees', treeNodes],
  ])('that others made are not made again in a collection that holds more: %s', async (_, nodes) => {
    const server = new MemoryServer();
    await rigFor(server, nodes, 'ab').build({targets: ['long']});
    const other = rigFor(server, nodes, 'abc');
    const plan = await other.plan();
    expect(plan['clean']).toBe('will-run');
    const summary = await other.build({targets: ['long']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.filter((id) => id.startsWith('clean'))).toEqual(['clean/c']);
    expect(other.ran.every((id) => id.includes('/c'))).toBe(true);
    const alone = rigFor(new MemoryServer(), nodes, 'abc');
    const scratch = await alone.build({targets: ['long']});
    expect(blobOf(summary, 'long')).toEqual(blobOf(scratch, 'long'));
  });

  it.each([
    ['files', fileNodes],
    ['trees', treeNodes],
  ])('a node whose slices all lie elsewhere is cached: %s', async (_, nodes) => {
    const server = new MemoryServer();
    const first = await rigFor(server, nodes, 'abc').build({targets: ['long']});
    const other = rigFor(server, nodes, 'abc');
    const summary = await other.build({targets: ['long']});
    expect(other.ran).toEqual([]);
    expect(outcomes(summary)).toEqual({clean: 'cached', long: 'cached'});
    expect(server.fetched).not.toContain(blobOf(first, 'clean').hash);
  });

  it('one that the server lost is made again, and no other', async () => {
    const server = new MemoryServer();
    await rigFor(server, fileNodes, 'abc').build({targets: ['clean']});
    const [lost] = [...server.slices.values()][0]!.filter(({key}) => key === 'b');
    server.lose(lost!.outputs['out']!);
    const other = rigFor(server, fileNodes, 'abc');
    const summary = await other.build({targets: ['long']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.sort()).toEqual(['clean/b', 'long/a', 'long/b', 'long/c']);
  });

  it('one whose consumer is made by the same stage is made again while that waits for it', async () => {
    const server = new MemoryServer();
    const twice = [eachNode('once', '@notes', {outputs}), eachNode('twice', 'once', {outputs})];
    await rigFor(server, twice, 'abc').build({targets: ['once']});
    const [lost] = [...server.slices.values()][0]!.filter(({key}) => key === 'b');
    server.lose(lost!.outputs['out']!);
    const other = rigFor(server, twice, 'abc');
    const summary = await other.build({targets: ['twice']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.sort()).toEqual(['once/b', 'twice/a', 'twice/b', 'twice/c']);
  });

  it('those that are found gone one after the other are made again one after the other', async () => {
    const server = new MemoryServer();
    const late = node('late', ['@src']);
    const [first, second] = [{first: 1}, {second: 2}];
    const withLate = {
      inputs: {late: {many: false, ref: {from: 'node', node: 'late', output: 'out'}}},
      ports: {item: {kind: 'file'}, late: {kind: 'file'}},
    } as const;
    const nodes = [
      eachNode('clean', '@notes', {outputs}),
      eachNode('one', 'clean', {outputs, params: first}),
      late,
      eachNode('two', 'clean', {outputs, params: second, ...withLate}),
    ];
    const make = (names: string, of: readonly PipelineNode[] = nodes): EngineRig => {
      const rig = rigFor(server, of, names);
      rig.write('src', 'text');
      const {work} = rig;
      rig.work = (job) => (job.node === 'late' ? 'always this' : work(job));
      return rig;
    };
    await make('bc').build({targets: ['one']});
    await make('ac').build({targets: ['two']});
    await make('abc').build({targets: ['clean']});
    const cleaned = [...server.slices.values()].flat().filter(({item}) => item.size === 'text a'.length);
    server.lose(...cleaned.filter(({key}) => key !== 'c').map((record) => record.outputs['out']!));
    const other = make(
      'abc',
      nodes.map((one) => (one.id === 'late' ? {...one, params: {n: 2}} : one)),
    );
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    other.before = (job) => {
      if (job.node === 'one') open();
      return job.node === 'late' ? gate : undefined;
    };
    const summary = await other.build({targets: ['one', 'two']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.sort()).toEqual(['clean/a', 'clean/b', 'late', 'one/a', 'two/b']);
  });

  it('the collection itself is gone from the server: it is put together again', async () => {
    const server = new MemoryServer();
    const first = await rigFor(server, fileNodes, 'abc').build({targets: ['clean']});
    server.lose(blobOf(first, 'clean'));
    const other = rigFor(server, fileNodes, 'abc');
    const summary = await other.build({targets: ['long']});
    expect(summary.outcome).toBe('done');
    expect(other.ran.sort()).toEqual(['long/a', 'long/b', 'long/c']);
  });

  it('are compared with what this checkout fetched, when the server is gone later', async () => {
    const server = new MemoryServer();
    await rigFor(server, fileNodes, 'ab').build({targets: ['long']});
    const other = rigFor(server, fileNodes, 'ab');
    await other.build({targets: ['long']});
    other.server = undefined;
    notes(other, 'c');
    await other.build({targets: ['long']});
    expect(other.ran.filter((id) => id.startsWith('long'))).toContain('long/c');
    expect(other.ran.filter((id) => id.startsWith('long'))).not.toContain('long/a');
  });
});
