import {describe, expect, it} from 'vitest';
import type {SliceManifest} from '../../src/core/action.ts';
import type {Distrusted} from '../../src/core/origin.ts';
import type {PipelineNode} from '../../src/core/pipeline.ts';
import {makePlan} from '../../src/engine/plan.ts';
import type {BuildSummary} from '../../src/engine/run-context.ts';
import {eachNode, EngineRig, node, type SharedStore} from '../support/engine-rig.ts';
import {MemoryServer} from '../support/memory-remote.ts';

const chain: readonly PipelineNode[] = [node('a', ['@src']), node('b', ['a']), node('c', ['b'])];
const outputs = {out: {kind: 'file', name: 'out.txt'}} as const;
const sliced: readonly PipelineNode[] = [
  eachNode('clean', '@notes', {outputs}),
  eachNode('long', 'clean', {outputs, params: {n: 1}}),
];

function machine(server: MemoryServer | undefined, nodes: readonly PipelineNode[], shared?: SharedStore): EngineRig {
  const rig = new EngineRig(shared);
  rig.server = server;
  rig.nodes = nodes;
  rig.write('src', 'text');
  return rig;
}

function withNotes(rig: EngineRig, names: string): EngineRig {
  for (const name of names) rig.write(`notes/${name}.txt`, `text ${name}`);
  return rig;
}

function distrust(rig: EngineRig, voucher: Distrusted['voucher'] = 'namespace:default'): void {
  rig.store.distrusted.set(voucher, {voucher, since: 1, node: 'a', why: 'other bytes', builder: {name: 'ada'}});
}

async function reasons(rig: EngineRig): Promise<Record<string, readonly string[]>> {
  const planned = await makePlan(rig.request({}));
  if (!planned.ok) throw new Error('no plan');
  return Object.fromEntries(planned.value.plan.nodes.map((each) => [each.node.id, each.reasons.map(({kind}) => kind)]));
}

const outcomes = (summary: BuildSummary): Record<string, string> =>
  Object.fromEntries([...summary.nodes].map(([id, {outcome}]) => [id, outcome]));

describe('what was borrowed', () => {
  it('says so in the state of the checkout, and what was made here does not', async () => {
    const server = new MemoryServer();
    await machine(server, chain).build();
    const rig = machine(server, [...chain, node('own', ['c'])]);
    await rig.build();
    expect(rig.state.get('a')).toMatchObject({from: 'namespace:default'});
    expect(rig.state.get('own')).not.toHaveProperty('from');
    expect(rig.state.get('own')).not.toHaveProperty('via');
  });

  it('is not used once nobody trusts who made it: not as the last result, and not from the cache', async () => {
    const server = new MemoryServer();
    await machine(server, chain).build();
    const rig = machine(server, chain);
    await rig.build();
    expect(await rig.plan()).toEqual({a: 'up-to-date', b: 'up-to-date', c: 'up-to-date'});
    const second = machine(server, chain, rig.store);
    distrust(rig);
    expect(await rig.plan()).toEqual({a: 'will-run', b: 'may-run', c: 'may-run'});
    expect(await reasons(rig)).toMatchObject({a: ['distrusted']});
    // Another checkout, which has no state and sees only records.
    expect(await reasons(second)).toMatchObject({a: ['distrusted']});
    const summary = await rig.build();
    expect(rig.ran).toEqual(['a', 'b', 'c']);
    expect(outcomes(summary)).toEqual({a: 'executed', b: 'executed', c: 'executed'});
    expect(rig.events).toContainEqual(
      expect.objectContaining({
        type: 'node-started',
        node: 'b',
        reasons: [{kind: 'distrusted', voucher: 'namespace:default', builder: {name: 'ada'}}],
      }),
    );
    // What was made here instead stays, for both.
    expect(await rig.plan()).toEqual({a: 'up-to-date', b: 'up-to-date', c: 'up-to-date'});
    second.write('src', 'text');
    expect(await second.plan()).toEqual({a: 'cached', b: 'cached', c: 'cached'});
  });

  it('gives way to what others made', async () => {
    const [liar, honest] = [new MemoryServer(), new MemoryServer()];
    honest.voucher = 'namespace:main';
    for (const server of [liar, honest]) await machine(server, chain).build();
    const rig = machine(liar, chain);
    await rig.build();
    distrust(rig);
    rig.server = honest;
    expect(outcomes(await rig.build())).toEqual({a: 'cached', b: 'cached', c: 'cached'});
    expect(rig.state.get('a')).toMatchObject({from: 'namespace:main'});
  });

  it('is used again when it is lifted', async () => {
    const server = new MemoryServer();
    await machine(server, chain).build();
    const rig = machine(server, chain);
    await rig.build();
    distrust(rig);
    expect(await rig.plan()).toMatchObject({a: 'will-run'});
    rig.store.distrusted.clear();
    expect(await rig.plan()).toEqual({a: 'up-to-date', b: 'up-to-date', c: 'up-to-date'});
  });
});

describe('slices of others', () => {
  const manifestOf = (rig: EngineRig, id: string): SliceManifest => {
    const bytes = rig.store.files.get(rig.store.cas.pathOf(rig.state.get(id)!.slices!));
    return JSON.parse(new TextDecoder().decode(bytes)) as SliceManifest;
  };

  it('are named with who made them, and the node with all who did', async () => {
    const server = new MemoryServer();
    await withNotes(machine(server, sliced), 'ab').build();
    const rig = withNotes(machine(server, sliced), 'abc');
    await rig.build();
    const slices = manifestOf(rig, 'clean').slices.map(({key, from}) => [key, from]);
    expect(slices).toEqual([
      ['a', 'namespace:default'],
      ['b', 'namespace:default'],
      ['c', undefined],
    ]);
    expect(rig.state.get('clean')).toMatchObject({via: ['namespace:default']});
    expect(rig.state.get('clean')).not.toHaveProperty('from');
    const fingerprint = rig.state.get('clean')!.fingerprint;
    expect(rig.store.actions.get(fingerprint)).toMatchObject({via: ['namespace:default']});
    await rig.build({force: ['clean', 'long']});
    expect(rig.state.get('clean')).not.toHaveProperty('via');
    expect(manifestOf(rig, 'clean').slices.some(({from}) => from !== undefined)).toBe(false);
  });

  it('are made again without those that were made here', async () => {
    const server = new MemoryServer();
    await withNotes(machine(server, sliced), 'ab').build();
    const rig = withNotes(machine(server, sliced), 'abc');
    await rig.build();
    distrust(rig);
    expect(await reasons(rig)).toMatchObject({clean: ['distrusted']});
    await rig.build();
    expect(rig.ran.sort()).toEqual(['clean/a', 'clean/b', 'long/a', 'long/b']);
    expect(rig.state.get('clean')).not.toHaveProperty('via');
  });

  it('that came with the whole node are made again too, also in a collection that has changed', async () => {
    const server = new MemoryServer();
    await withNotes(machine(server, sliced), 'ab').build();
    const rig = withNotes(machine(server, sliced), 'ab');
    await rig.build();
    distrust(rig);
    withNotes(rig, 'c');
    await rig.build();
    expect(rig.ran.filter((id) => id.startsWith('clean')).sort()).toEqual(['clean/a', 'clean/b', 'clean/c']);
  });

  it('that one says another made are not taken at its word', async () => {
    const [first, second] = [new MemoryServer(), new MemoryServer()];
    first.voucher = 'namespace:first';
    second.voucher = 'namespace:second';
    await withNotes(machine(first, sliced), 'a').build();
    const between = withNotes(machine(first, sliced), 'ab');
    between.server = first;
    await between.build();
    // The same result as somebody else gives it away.
    for (const [key, result] of first.results) second.results.set(key, result);
    for (const [key, bytes] of first.blobs) second.blobs.set(key, bytes);
    for (const [key, slices] of first.slices) {
      second.slices.set(
        key,
        slices.filter((slice) => slice.key === 'b'),
      );
    }
    const rig = withNotes(machine(second, sliced), 'ab');
    await rig.build();
    expect(rig.ran).toEqual([]);
    expect(rig.state.get('clean')).toMatchObject({from: 'namespace:second', via: ['namespace:first']});
    withNotes(rig, 'c');
    await rig.build();
    expect(rig.ran.filter((id) => id.startsWith('clean')).sort()).toEqual(['clean/a', 'clean/c']);
    distrust(rig, 'namespace:first');
    expect(await rig.plan()).toMatchObject({clean: 'up-to-date'});
    distrust(rig, 'namespace:second');
    expect(await rig.plan()).toMatchObject({clean: 'will-run'});
  });
});
