import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {ActionResult, SliceManifest} from '../../src/core/action.ts';
import {digestOf, type Digest} from '../../src/core/digest.ts';
import {failure, FailureError, type Failure} from '../../src/core/failure.ts';
import {canonicalJson, type Json} from '../../src/core/json.ts';
import type {PipelineNode} from '../../src/core/pipeline.ts';
import {makeTree, parseTree} from '../../src/core/tree.ts';
import type {BuildSummary} from '../../src/engine/run-context.ts';
import {eachNode, EngineRig, node, type SharedStore} from '../support/engine-rig.ts';
import {MemoryServer} from '../support/memory-remote.ts';

const chain: readonly PipelineNode[] = [node('a', ['@src']), node('b', ['a']), node('c', ['b'])];
const outputs = {out: {kind: 'file', name: 'out.txt'}} as const;
const trees = {out: {kind: 'tree', name: 'out'}} as const;

/** A machine of its own that makes everything again that it takes from the server. */
function machine(server: MemoryServer | undefined, nodes: readonly PipelineNode[], shared?: SharedStore): EngineRig {
  const rig = new EngineRig(shared);
  rig.server = server;
  rig.nodes = nodes;
  rig.recheck = {share: async () => 1, random: () => 0.5, agrees: async () => false};
  rig.write('src', 'text');
  for (const name of 'abcde') rig.write(`notes/${name}.txt`, `text ${name}`);
  return rig;
}

async function served(nodes: readonly PipelineNode[], work?: EngineRig['work']): Promise<MemoryServer> {
  const server = new MemoryServer();
  const rig = machine(server, nodes);
  if (work) rig.work = work;
  await rig.build();
  return server;
}

function put(server: MemoryServer, text: string): Digest {
  const digest = digestOf(text);
  server.blobs.set(digest.hash, new TextEncoder().encode(text));
  return digest;
}

const textOf = (server: MemoryServer, {hash}: Digest): string => new TextDecoder().decode(server.blobs.get(hash));

/** Has the server say that the node made something else. */
function poison(server: MemoryServer, id: string, text = 'poison'): void {
  const own = (result: ActionResult): boolean => canonicalJson(result.action.params).includes(`"id":"${id}"`);
  const found = [...server.results.values()].filter(own);
  if (found.length === 0) throw new Error(`no result of ${id}`);
  for (const result of found) {
    server.results.set(result.fingerprint, {...result, outputs: {out: {kind: 'file', digest: put(server, text)}}});
  }
}

/** Nodes that can be told apart by their params. */
const named = (nodes: readonly PipelineNode[]): readonly PipelineNode[] =>
  nodes.map((one) => ({...one, params: {id: one.id}}));

const nodes = named(chain);
const warnings = (rig: EngineRig): readonly Failure[] =>
  rig.events.flatMap((event) => (event.type === 'warning' ? [event.failure] : []));
const codes = (rig: EngineRig): readonly string[] => warnings(rig).map(({code}) => code);
const countsOf = (rig: EngineRig) => rig.events.find((event) => event.type === 'run-finished')?.recheck;
const outcomes = (summary: BuildSummary): Record<string, string> =>
  Object.fromEntries([...summary.nodes].map(([id, {outcome}]) => [id, outcome]));
const none = {agreed: 0, differed: 0, undecided: 0, failed: 0, tooLong: 0};

describe('results of others', () => {
  it('that are right agree, and are from then on as good as made here', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    const summary = await rig.build();
    expect(rig.ran).toEqual(['a', 'b', 'c']);
    expect(outcomes(summary)).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(countsOf(rig)).toEqual({...none, taken: 3, agreed: 3});
    expect(warnings(rig)).toEqual([]);
    expect(rig.state.get('a')).not.toHaveProperty('from');
    await rig.build();
    expect(rig.ran).toEqual([]);
    expect(countsOf(rig)).toBeUndefined();
  });

  it('are made again in the share that is wanted, decided once', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    const drawn = [0.1, 0.3, 0.2];
    rig.recheck = {share: async () => 0.25, random: () => drawn.shift()!, agrees: async () => false};
    await rig.build();
    expect(rig.ran).toEqual(['a', 'c']);
    expect(countsOf(rig)).toEqual({...none, taken: 3, agreed: 2});
  });

  it('are asked for no share, and nothing is fetched, where none is taken', async () => {
    const rig = machine(new MemoryServer(), nodes);
    rig.recheck = {share: () => expect.unreachable(), random: () => expect.unreachable(), agrees: async () => false};
    expect((await rig.build()).outcome).toBe('done');
  });

  it('are all taken where the share is nothing', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    rig.recheck = {share: async () => 0, random: () => expect.unreachable(), agrees: async () => false};
    expect(outcomes(await rig.build())).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(rig.ran).toEqual([]);
    expect(server.fetched).toHaveLength(1);
  });

  it('that took their maker very long are not made again, and counted', async () => {
    const server = await served(nodes);
    for (const [key, result] of server.results) {
      server.results.set(key, {...result, execution: {...result.execution, wallMs: 600_001}});
    }
    const rig = machine(server, nodes);
    await rig.build();
    expect(rig.ran).toEqual([]);
    expect(countsOf(rig)).toEqual({...none, taken: 3, tooLong: 3});
  });

  it('are not made again in a plan', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    expect(await rig.plan()).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(rig.ran).toEqual([]);
  });
});

describe('a wrong result', () => {
  it.each(['a', 'b', 'c'])('of %s is found, and everything is as if it had been made here', async (id) => {
    const honest = machine(undefined, nodes);
    const expected = await honest.build();
    const server = await served(nodes);
    poison(server, id);
    const rig = machine(server, nodes);
    const summary = await rig.build();
    expect(summary.outcome).toBe('done');
    for (const one of ['a', 'b', 'c']) {
      expect(summary.nodes.get(one)!.outputs).toEqual(expected.nodes.get(one)!.outputs);
      expect(rig.state.get(one)).not.toHaveProperty('from');
    }
    expect(codes(rig)).toEqual(['result-differs']);
    expect(warnings(rig)[0]).toMatchObject({hint: expect.stringContaining("mixdown cache trust 'namespace:default'")});
    expect([...rig.store.distrusted.values()]).toMatchObject([{voucher: 'namespace:default', node: id}]);
    expect(countsOf(rig)).toMatchObject({differed: 1});
    // And lies where the others find it.
    const result = [...server.results.values()].find(({action}) => canonicalJson(action.params).includes(`"${id}"`))!;
    expect(result.outputs).toEqual(expected.nodes.get(id)!.outputs);
  });

  it('whose maker cannot be noted down is told all the same, and the run fails', async () => {
    const server = await served(nodes);
    poison(server, 'a');
    const rig = machine(server, nodes);
    rig.store.distrusted.set = () => {
      throw new FailureError(failure('disk-full', 'no room'));
    };
    const summary = await rig.build();
    expect(summary.outcome).toBe('failed');
    expect(codes(rig)).toEqual(['result-differs']);
    expect(summary.nodes.get('a')).toMatchObject({outcome: 'failed', failure: {code: 'disk-full'}});
  });

  it('that somebody took over is laid to who answers for it, not to its maker', async () => {
    const server = await served(nodes);
    poison(server, 'a');
    [server.builder, server.promotedBy] = [{name: 'contributor'}, {name: 'ci'}];
    const rig = machine(server, nodes);
    await rig.build();
    expect(warnings(rig)[0]!.message).toContain('Nothing of namespace:default (ci) is used any more');
    expect([...rig.store.distrusted.values()]).toMatchObject([{builder: {name: 'ci'}}]);
  });

  it('that is found late has what was believed before made again in the same run', async () => {
    const server = await served(nodes);
    poison(server, 'a');
    // What was made of the poison is right, as far as that goes.
    const liar = machine(server, nodes);
    liar.recheck = undefined;
    await liar.build();
    const rig = machine(server, [...nodes, ...named([node('late', ['@src'])])]);
    const more = machine(server, rig.nodes);
    more.recheck = undefined;
    await more.build({targets: ['late']});
    poison(server, 'late');
    let asked = 0;
    // Only the fourth is made again.
    rig.recheck = {share: async () => 0.5, random: () => (++asked === 4 ? 0 : 0.9), agrees: async () => false};
    const order = rig.nodes.map(({id}) => id);
    expect(order.at(-1)).toBe('late');
    rig.nodes = [
      ...rig.nodes.slice(0, 3),
      {
        ...rig.nodes[3]!,
        inputs: {after: {many: false, ref: {from: 'node', node: 'c', output: 'out'}}},
        ports: {after: {kind: 'file'}},
      },
    ];
    const relay = machine(server, rig.nodes);
    relay.recheck = undefined;
    await relay.build();
    poison(server, 'late');
    const summary = await rig.build();
    expect(summary.outcome).toBe('done');
    const honest = await machine(undefined, rig.nodes).build();
    for (const id of order) expect(summary.nodes.get(id)!.outputs).toEqual(honest.nodes.get(id)!.outputs);
    expect(codes(rig)).toEqual(['result-differs']);
    expect(outcomes(summary)).toEqual({a: 'executed', b: 'executed', c: 'executed', late: 'executed'});
    const told = rig.events
      .filter((event) => event.type === 'node-finished')
      .map(({node: id, outcome}) => `${id} ${outcome}`);
    expect(told.slice(0, 3)).toEqual(['a cached', 'b cached', 'c cached']);
  });

  it('is one in its metrics too', async () => {
    const server = await served(nodes);
    for (const [key, result] of server.results) server.results.set(key, {...result, metrics: {length: 1}});
    const rig = machine(server, nodes);
    const summary = await rig.build();
    expect(codes(rig)).toEqual(['result-differs']);
    expect(summary.nodes.get('c')!.metrics).toEqual({length: 64});
  });

  it('is none within the tolerance: theirs stands, so that all have the same bytes', async () => {
    const tolerant = nodes.map((one) => ({
      ...one,
      outputs: {out: {...outputs.out, compare: {as: 'text', absolute: 1}}} as PipelineNode['outputs'],
    }));
    const server = await served(tolerant);
    poison(server, 'c', 'nearly the same');
    const rig = machine(server, tolerant);
    const compared: string[] = [];
    rig.recheck = {
      share: async () => 1,
      random: () => 0,
      agrees: async (one, theirs) => {
        compared.push(one.id);
        return rig.store.cas.holds(theirs.outputs['out']!.digest);
      },
    };
    const summary = await rig.build();
    expect(compared).toEqual(['c']);
    expect(rig.text(summary, 'c')).toBe('nearly the same');
    expect(warnings(rig)).toEqual([]);
    expect(rig.state.get('c')).toMatchObject({from: 'namespace:default'});
    expect(countsOf(rig)).toEqual({...none, taken: 3, agreed: 3});
  });

  it('of which the bytes are gone blames nobody, and ours stands', async () => {
    const tolerant = nodes.map((one) => ({
      ...one,
      outputs: {out: {...outputs.out, compare: {as: 'text', absolute: 1}}} as PipelineNode['outputs'],
    }));
    const server = await served(tolerant);
    poison(server, 'b', 'gone');
    server.lose(digestOf('gone'));
    const rig = machine(server, tolerant);
    const summary = await rig.build();
    expect(rig.store.distrusted.size).toBe(0);
    expect(codes(rig)).toEqual(['not-deterministic']);
    expect(summary.nodes.get('c')!.outputs).toEqual(
      (await machine(undefined, tolerant).build()).nodes.get('c')!.outputs,
    );
  });
});

describe('nobody is to blame', () => {
  it('for a node that makes something else each time: what was made here first is used', async () => {
    let count = 0;
    const work: EngineRig['work'] = (job) =>
      job.node === 'b' ? `turn ${count++}` : `${job.node} of ${job.texts.join()}`;
    const server = await served(nodes, work);
    const rig = machine(server, nodes);
    rig.work = work;
    const summary = await rig.build();
    expect(rig.text(summary, 'b')).toBe('turn 1');
    expect(codes(rig)).toEqual(['not-deterministic']);
    expect(rig.store.distrusted.size).toBe(0);
    expect(rig.text(summary, 'c')).toBe('c of turn 1');
  });

  it('for a failure, which may be this machine’s: theirs stands, and it is told', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    const {work} = rig;
    rig.work = (job) => (job.node === 'b' ? failure('stage-failed', 'no such device') : work(job));
    const summary = await rig.build();
    expect(summary.outcome).toBe('done');
    expect(outcomes(summary)).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(codes(rig)).toEqual(['recheck-failed']);
    expect(rig.state.get('b')).toMatchObject({from: 'namespace:default'});
    expect(countsOf(rig)).toEqual({...none, taken: 3, agreed: 2, failed: 1});
  });

  it('for what an interrupt ended: the next run goes on', async () => {
    const server = await served(nodes);
    const rig = machine(server, nodes);
    const stop = new AbortController();
    rig.before = (job) => (job.node === 'b' ? stop.abort() : undefined);
    const summary = await rig.build({signal: stop.signal});
    expect(summary.outcome).toBe('interrupted');
    expect(warnings(rig)).toEqual([]);
    rig.before = () => {};
    expect(outcomes(await rig.build())).toEqual({a: 'up-to-date', b: 'cached', c: 'cached'});
    expect(rig.ran).toEqual(['b', 'c']);
  });
});

describe('slices of others', () => {
  const cases = [
    ['files', named([eachNode('clean', '@notes', {outputs}), node('all', ['clean'], {ports: {in0: {kind: 'tree'}}})])],
    [
      'trees',
      named([eachNode('clean', '@notes', {outputs: trees}), node('all', ['clean'], {ports: {in0: {kind: 'tree'}}})]),
    ],
  ] as const;
  const workOf = (rig: EngineRig, kind: string): EngineRig => {
    const {work} = rig;
    rig.work = (job) =>
      kind === 'trees' && job.node === 'clean'
        ? {made: {out: {'one.txt': `one ${job.texts.join()}`, 'two.txt': 'two'}}}
        : work(job);
    return rig;
  };
  /** Puts something else in place of a slice, in the list and in the whole, as its maker would. */
  function poisonSlice(server: MemoryServer, key: string, kind: string, manifestToo = true): void {
    const whole = [...server.results.values()].find(({slices}) => slices !== undefined)!;
    const {slices} = JSON.parse(textOf(server, whole.slices!)) as SliceManifest;
    const file = put(server, 'poison');
    const made = makeTree([{path: 'one.txt', digest: file}]);
    const wrong = kind === 'files' ? file : put(server, made.text);
    const changed = slices.map((slice) => (slice.key === key ? {...slice, outputs: {out: wrong}} : slice));
    const parts = changed.flatMap(({key: folder, outputs: {out}}) =>
      kind === 'files'
        ? [{path: `${folder}.txt`, digest: out!}]
        : parseTree(textOf(server, out!))!.entries.map(({path, digest}) => ({path: `${folder}/${path}`, digest})),
    );
    const {artifact, text} = makeTree(parts);
    put(server, text);
    const list = put(
      server,
      canonicalJson({type: 'slices/1', slices: manifestToo ? changed : slices} as unknown as Json),
    );
    server.results.set(whole.fingerprint, {...whole, outputs: {out: artifact}, slices: list});
    if (manifestToo) for (const template of server.slices.keys()) server.slices.set(template, [...changed]);
  }

  it.each(cases)('of a whole result that are right agree: %s', async (kind, two) => {
    const server = new MemoryServer();
    await workOf(machine(server, two), kind).build();
    const rig = workOf(machine(server, two), kind);
    let asked = 0;
    rig.recheck = {share: async () => 0.5, random: () => (++asked === 2 ? 0 : 0.9), agrees: async () => false};
    const summary = await rig.build();
    expect(rig.ran).toEqual(['clean/b']);
    expect(outcomes(summary)).toEqual({clean: 'cached', all: 'cached'});
    expect(countsOf(rig)).toEqual({...none, taken: 6, agreed: 1});
    const slice = rig.events.filter((event) => event.type === 'slice-finished');
    expect(slice).toMatchObject([{node: 'clean', key: 'b', outcome: 'cached', done: 5, total: 5}]);
    expect(warnings(rig)).toEqual([]);
  });

  it.each(cases)('one of five that is wrong is found in the whole: %s', async (kind, two) => {
    const server = new MemoryServer();
    await workOf(machine(server, two), kind).build();
    poisonSlice(server, 'd', kind);
    const rig = workOf(machine(server, two), kind);
    const summary = await rig.build();
    const honest = await workOf(machine(undefined, two), kind).build();
    expect(summary.outcome).toBe('done');
    expect(summary.nodes.get('all')!.outputs).toEqual(honest.nodes.get('all')!.outputs);
    expect(summary.nodes.get('clean')!.outputs).toEqual(honest.nodes.get('clean')!.outputs);
    expect(codes(rig)).toEqual(['result-differs']);
    expect(rig.state.get('clean')).not.toHaveProperty('via');
    // No result with the wrong slice in it was made on the way, and given away.
    const told = rig.events.filter((event) => event.type === 'node-finished' && event.node === 'clean');
    expect(told).toHaveLength(1);
    // Each once, the wrong one twice.
    expect(rig.ran.filter((id) => id.startsWith('clean')).sort()).toEqual([
      'clean/a',
      'clean/b',
      'clean/c',
      'clean/d',
      'clean/d',
      'clean/e',
    ]);
  });

  it.each(cases)('one that is wrong is found in a larger collection: %s', async (kind, two) => {
    const server = new MemoryServer();
    await workOf(machine(server, two), kind).build();
    poisonSlice(server, 'd', kind);
    const make = (of: MemoryServer | undefined): EngineRig => {
      const rig = workOf(machine(of, two), kind);
      rig.write('notes/f.txt', 'text f');
      return rig;
    };
    const rig = make(server);
    const summary = await rig.build();
    expect(summary.nodes.get('all')!.outputs).toEqual((await make(undefined).build()).nodes.get('all')!.outputs);
    expect(codes(rig)).toEqual(['result-differs']);
  });

  it.each(cases)('a whole that is not what its slices make is found by any of them: %s', async (kind, two) => {
    const server = new MemoryServer();
    await workOf(machine(server, two), kind).build();
    poisonSlice(server, 'd', kind, false);
    const rig = workOf(machine(server, two), kind);
    let asked = 0;
    rig.recheck = {share: async () => 0.5, random: () => (++asked === 1 ? 0 : 0.9), agrees: async () => false};
    const summary = await rig.build();
    const honest = await workOf(machine(undefined, two), kind).build();
    expect(summary.nodes.get('clean')!.outputs).toEqual(honest.nodes.get('clean')!.outputs);
    expect(warnings(rig)).toMatchObject([{message: expect.stringContaining('not what its own slices make')}]);
  });

  it('a whole without a list of its slices is put together here', async () => {
    const [[kind, two]] = cases;
    const server = new MemoryServer();
    await machine(server, two).build();
    const whole = [...server.results.values()].find(({slices}) => slices !== undefined)!;
    const {text, artifact} = makeTree([{path: 'a.txt', digest: put(server, 'poison')}]);
    put(server, text);
    const slices = put(server, canonicalJson({type: 'slices/1', slices: []}));
    server.results.set(whole.fingerprint, {...whole, outputs: {out: artifact}, slices});
    const rig = workOf(machine(server, two), kind);
    const summary = await rig.build();
    expect(summary.nodes.get('clean')!.outputs).toEqual(
      (await machine(undefined, two).build()).nodes.get('clean')!.outputs,
    );
  });

  const path = '../../../../../../home/ada/notes';
  it.each([
    ['no JSON', () => 'a list'],
    ['of something else', () => 'null'],
    ['without a slice in its place', () => '{"type":"slices/1","slices":[null]}'],
    ['with a path in place of a hash', (list) => list.replaceAll(/(?<="out":\{"hash":")[0-9a-f]{64}/g, path)],
    ['with no times', (list) => list.replaceAll(/"wallMs":\d+/g, '"wallMs":"1"')],
  ] satisfies [string, (list: string) => string][])('whose list is none are made here: %s', async (_, spoil) => {
    const [[kind, two]] = cases;
    const server = new MemoryServer();
    await machine(server, two).build();
    const whole = [...server.results.values()].find(({slices}) => slices !== undefined)!;
    const slices = put(server, spoil(textOf(server, whole.slices!)));
    server.results.set(whole.fingerprint, {...whole, slices});
    server.slices.clear();
    const looked = new Set<string>();
    const watched = (rig: EngineRig): EngineRig => {
      const {cas} = rig.store;
      const holds = (digest: Digest): boolean => looked.add(digest.hash) && cas.holds(digest);
      return new EngineRig({...rig.store, cas: {...cas, holds}});
    };
    const run = async (share: number): Promise<EngineRig> => {
      const rig = watched(machine(server, two));
      Object.assign(rig, {
        nodes: two,
        server,
        recheck: {share: async () => share, random: () => 0, agrees: async () => false},
      });
      rig.write('src', 'text');
      for (const name of 'abcde') rig.write(`notes/${name}.txt`, `text ${name}`);
      expect((await workOf(rig, kind).build()).outcome).toBe('done');
      return rig;
    };
    // Taken as it is, and its list looked into when an item is new.
    const rig = await run(0);
    await rig.store.cas.putBytes(server.blobs.get(slices.hash)!);
    rig.write('notes/f.txt', 'text f');
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.ran.filter((id) => id.startsWith('clean'))).toHaveLength(6);
    server.slices.clear();
    await run(1);
    expect([...looked].filter((hash) => !/^[0-9a-f]{64}$/.test(hash))).toEqual([]);
  });

  it('on a cluster too', async () => {
    const [[kind, two]] = cases;
    const server = new MemoryServer();
    await machine(server, two).build();
    poisonSlice(server, 'd', kind);
    const rig = machine(server, two);
    rig.executor = 'slurm';
    const summary = await rig.build();
    expect(summary.nodes.get('all')!.outputs).toEqual(
      (await machine(undefined, two).build()).nodes.get('all')!.outputs,
    );
    expect(codes(rig)).toEqual(['result-differs']);
  });
});

describe('whoever poisoned what', () => {
  const graphs = fc.integer({min: 2, max: 7}).chain((size) =>
    fc.record({
      inputs: fc.tuple(...Array.from({length: size}, (_, at) => fc.subarray(Array.from({length: at}, (__, i) => i)))),
      poisoned: fc.subarray(Array.from({length: size}, (_, at) => at)),
      sliced: fc.subarray(Array.from({length: size}, (_, at) => at)),
      jobs: fc.integer({min: 1, max: 3}),
    }),
  );

  it('what comes out is what would be made here', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async ({inputs, poisoned, sliced, jobs}) => {
        const all = named(
          inputs.map((producers, at) =>
            sliced.includes(at)
              ? eachNode(`n${at}`, '@notes', {outputs})
              : node(`n${at}`, producers.length === 0 ? ['@src'] : producers.map((each) => `n${each}`), {
                  ports: Object.fromEntries(
                    producers.map((each, port) => [`in${port}`, {kind: sliced.includes(each) ? 'tree' : 'file'}]),
                  ),
                }),
          ),
        );
        const server = new MemoryServer();
        const targets = all.map(({id}) => id);
        await machine(server, all).build({targets});
        for (const at of poisoned) {
          if (!sliced.includes(at)) poison(server, `n${at}`, `poison ${at}`);
          else {
            for (const [key, slices] of server.slices) {
              server.slices.set(
                key,
                slices.map((slice) => ({...slice, outputs: {out: put(server, `poison ${at}`)}})),
              );
            }
          }
        }
        const rig = machine(server, all);
        rig.jobs = jobs;
        const summary = await rig.build({targets});
        expect(summary.outcome).toBe('done');
        const honest = await machine(undefined, all).build({targets});
        for (const id of targets) expect(summary.nodes.get(id)!.outputs).toEqual(honest.nodes.get(id)!.outputs);
        await rig.build({targets});
        expect(rig.ran).toEqual([]);
      }),
      {numRuns: 60},
    );
  });
});
