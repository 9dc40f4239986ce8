import {describe, expect, it} from 'vitest';
import {sha256, type Sha256} from '../../../src/core/digest.ts';
import type {NodeCheck} from '../../../src/core/pin-check.ts';
import type {ArtifactRef, PipelineNode} from '../../../src/core/pipeline.ts';
import type {Pin, PinnedNumbers, Pins} from '../../../src/core/pins.ts';
import {defaultResources} from '../../../src/core/resources.ts';
import type {Artifact} from '../../../src/core/tree.ts';
import {checkPins, type CheckRequest} from '../../../src/pins/check.ts';
import {updatePins, type Update} from '../../../src/pins/update.ts';
import {compareValues, type NodeResult, type Values} from '../../../src/pins/values.ts';

/** A node that reads outputs `out` of others, or sources written as `<name>`. */
function node(id: string, reads: readonly string[], extra: Partial<PipelineNode> = {}): PipelineNode {
  const ref = (name: string): ArtifactRef =>
    name.startsWith('<') ? {from: 'source', source: name.slice(1, -1)} : {from: 'node', node: name, output: 'out'};
  return {
    id,
    name: id,
    variant: {},
    stage: 'toy',
    params: {},
    seed: 0,
    inputs: Object.fromEntries(reads.map((name) => [name.replace(/[<>]/g, ''), {many: false, ref: ref(name)}])),
    ports: {},
    outputs: {out: {kind: 'file', name: 'out', compare: {as: 'json', absolute: 0.1}}},
    resources: defaultResources,
    retries: 0,
    salt: '',
    ...extra,
  };
}

/** Made of one number: its JSON text is the output. */
const artifact = (value: number): Artifact => ({kind: 'file', digest: {hash: sha256(`${value}`), size: 3}});
const numbers = (value: number): PinnedNumbers => ({as: 'json', form: sha256('form'), count: 1, values: [value]});

/** A project: a source, and what each node makes here. */
class Lab {
  nodes: PipelineNode[] = [node('a', ['<data>']), node('b', ['a']), node('c', ['b'])];
  made: Record<string, number> = {a: 1, b: 2, c: 3};
  metrics: Record<string, Record<string, number>> = {};
  sources: Record<string, Sha256> = {data: sha256('data')};
  code = sha256('code');
  /** Of nodes that compute with one. */
  engines: Record<string, string> = {};
  /** Nodes whose outputs' bytes are not here. */
  elsewhere: string[] = [];
  pins: Pins = {targets: ['c'], nodes: new Map()};

  async request(): Promise<CheckRequest> {
    const values = new Map<string, Values>();
    for (const each of this.nodes) {
      const value = this.made[each.id];
      if (value === undefined) continue;
      const result: NodeResult = {outputs: {out: artifact(value)}, metrics: this.metrics[each.id] ?? {}};
      const read = async (): Promise<PinnedNumbers | undefined> =>
        this.elsewhere.includes(each.id) ? undefined : numbers(value);
      values.set(each.id, await compareValues(each, result, this.pins.nodes.get(each.id), read));
    }
    const {pins, nodes, code, sources, engines} = this;
    return {
      pins,
      nodes,
      codeOf: () => code,
      engineOf: ({id}) => engines[id],
      sourceOf: (name) => sources[name],
      values,
    };
  }

  async check(): Promise<Record<string, string>> {
    const checks = checkPins(await this.request());
    return Object.fromEntries(checks.map((check) => [check.node, textOf(check)]));
  }

  /** As after a run; keeps the pins. */
  async run(
    ...accept: string[]
  ): Promise<Omit<Update, 'pins' | 'drifted' | 'uncompared' | 'otherEngine'> & Record<'drifted', string[]>> {
    const {pins, drifted, uncompared: _same, otherEngine: _other, ...rest} = await this.update(...accept);
    this.pins = pins;
    return {...rest, drifted: drifted.map((check) => check.node)};
  }

  async update(...accept: string[]): Promise<Update> {
    const reason = {reason: 'better', on: '2026-01-02'};
    return updatePins({
      ...(await this.request()),
      toolchainOf: ({id}) => ({node: '20', ...(this.engines[id] === undefined ? {} : {engine: this.engines[id]})}),
      accept: new Map(accept.map((id) => [id, reason])),
    });
  }

  edit(id: string, change: Partial<PipelineNode>): void {
    this.nodes = this.nodes.map((each) => (each.id === id ? {...each, ...change} : each));
  }

  pin(id: string): Pin {
    return this.pins.nodes.get(id)!;
  }
}

function textOf({verdict, reasons, drifts, follows}: NodeCheck): string {
  const why = [...reasons.map(({kind}) => kind), ...drifts.map(({name}) => name)];
  return [verdict, ...why, ...(follows.length > 0 ? [`after ${follows.join()}`] : [])].join(' ');
}

async function pinned(): Promise<Lab> {
  const lab = new Lab();
  expect(await lab.run()).toEqual({pinned: ['a', 'b', 'c'], dropped: [], accepted: [], drifted: [], held: []});
  return lab;
}

const nothing = {pinned: [], dropped: [], accepted: [], drifted: [], held: []};

describe('what was pinned', () => {
  it('is fresh, with results here and without', async () => {
    const lab = await pinned();
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    lab.made = {};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    expect(await lab.run()).toEqual(nothing);
  });

  it('says what it was made from', async () => {
    const lab = await pinned();
    expect(lab.pin('b')).toEqual({
      stage: 'toy',
      code: lab.code,
      params: {},
      seed: 0,
      toolchain: {node: '20'},
      inputs: {a: sha256('1')},
      outputs: {out: {kind: 'file', hash: sha256('2'), size: 3, numbers: numbers(2)}},
      metrics: {},
    });
  });

  it.each<[string, Partial<PipelineNode>, string]>([
    ['a param', {params: {rate: 2}}, 'param-added'],
    ['the stage', {stage: 'other'}, 'stage-changed'],
    ['the seed', {seed: 3}, 'seed-changed'],
    ['the salt', {salt: 'x'}, 'salt-changed'],
    ['a port', {inputs: {z: {many: false, ref: {from: 'source', source: 'data'}}}}, 'input-removed input-added'],
    ['what a port reads', {inputs: {a: {many: false, ref: {from: 'source', source: 'data'}}}}, 'input-changed'],
    [
      'a list',
      {inputs: {a: {many: true, refs: [{from: 'node', node: 'a', output: 'out'}]}}},
      'input-removed input-added',
    ],
    ['outputs', {outputs: {more: {kind: 'tree', name: 'more'}}}, 'outputs-changed'],
  ])('is stale when %s changed, and what reads it follows', async (_, change, reason) => {
    const lab = await pinned();
    lab.edit('b', change);
    lab.made = {};
    expect(await lab.check()).toEqual({a: 'fresh', b: `stale ${reason}`, c: 'stale upstream after b'});
  });

  it('is stale when the code or a source changed', async () => {
    const lab = await pinned();
    lab.sources = {data: sha256('new')};
    lab.made = {};
    expect(await lab.check()).toEqual({
      a: 'stale input-changed',
      b: 'stale upstream after a',
      c: 'stale upstream after b',
    });
    lab.sources = {};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    lab.code = sha256('new');
    expect((await lab.check())['a']).toBe('stale code-changed');
  });

  it('tells lists apart by their length and by what is in them', async () => {
    const lab = new Lab();
    const list = (...names: string[]): Partial<PipelineNode> => ({
      inputs: {all: {many: true, refs: names.map((name) => ({from: 'node', node: name, output: 'out'}))}},
    });
    lab.edit('c', list('a', 'b'));
    await lab.run();
    expect(lab.pin('c').inputs['all']).toMatchObject({many: 2});
    lab.edit('c', list('b', 'a'));
    expect((await lab.check())['c']).toBe('stale input-changed');
    lab.edit('c', list('b'));
    expect((await lab.check())['c']).toBe('stale input-count-changed');
  });

  it('is no longer stale behind a node that made the same again', async () => {
    const lab = await pinned();
    lab.edit('a', {params: {rate: 2}});
    expect(await lab.check()).toEqual({a: 'stale param-added', b: 'fresh', c: 'fresh'});
    expect(await lab.run()).toEqual({...nothing, pinned: ['a']});
  });
});

describe('a run', () => {
  it('pins again what is made from something else, and what then reads other values', async () => {
    const lab = await pinned();
    lab.edit('b', {params: {rate: 2}});
    lab.made = {a: 1, b: 7, c: 3};
    expect(await lab.run()).toEqual({...nothing, pinned: ['b', 'c']});
    expect(lab.pin('b').params).toEqual({rate: 2});
    expect(lab.pin('c').inputs).toEqual({b: sha256('7')});
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
  });

  it('leaves the pins of nodes that made nothing', async () => {
    const lab = await pinned();
    const before = lab.pin('b');
    lab.edit('b', {params: {rate: 2}});
    lab.made = {a: 1};
    expect(await lab.run()).toEqual(nothing);
    expect(lab.pin('b')).toBe(before);
    expect(lab.pins.nodes.size).toBe(3);
  });

  it('drops what is no longer a node, and pins what is new', async () => {
    const lab = await pinned();
    lab.nodes = [...lab.nodes.slice(0, 2), node('d', ['b'])];
    lab.made = {a: 1, b: 2, d: 4};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'orphaned', d: 'unpinned'});
    expect(await lab.run()).toEqual({...nothing, pinned: ['d'], dropped: ['c']});
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', d: 'fresh'});
  });

  it('leaves the pin of what drifted, and does not pin what reads it', async () => {
    const lab = await pinned();
    lab.made = {a: 1, b: 5, c: 9};
    lab.nodes = [...lab.nodes, node('d', ['b'])];
    lab.made['d'] = 4;
    const before = lab.pins.nodes.get('b');
    expect(await lab.check()).toEqual({a: 'fresh', b: 'drifted out', c: 'drifted out after b', d: 'unpinned'});
    expect(await lab.run()).toEqual({...nothing, drifted: ['b', 'c'], held: ['d']});
    expect(lab.pin('b')).toBe(before);
    // Accepting the cause pins what follows from it: that reads something else now.
    expect(await lab.run('c')).toMatchObject({accepted: [], drifted: ['b', 'c']});
    expect(await lab.run('b')).toEqual({...nothing, pinned: ['b', 'c', 'd'], accepted: ['b']});
    expect(lab.pin('b').accepted).toEqual({reason: 'better', on: '2026-01-02'});
    expect(lab.pin('c').accepted).toBeUndefined();
    expect(lab.pin('c').inputs).toEqual({b: sha256('5')});
    expect(await lab.check()).toMatchObject({b: 'fresh', c: 'fresh', d: 'fresh'});
  });

  it('takes nothing over for a tolerated difference, and nothing after it is stale', async () => {
    const lab = await pinned();
    lab.made = {a: 1.05, b: 2, c: 3};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    expect(await lab.run()).toEqual(nothing);
    // What is pinned again meanwhile is said to be made from the pinned values, which hold on every machine.
    lab.edit('b', {params: {rate: 2}});
    expect(await lab.run()).toEqual({...nothing, pinned: ['b']});
    expect(lab.pin('b').inputs).toEqual({a: sha256('1')});
    lab.made = {};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
  });

  it('drops the reason of an acceptance when the node is made from something else', async () => {
    const lab = await pinned();
    lab.made = {a: 1, b: 2, c: 9};
    await lab.run('c');
    expect(await lab.run()).toEqual(nothing);
    expect(lab.pin('c').accepted).toBeDefined();
    lab.edit('c', {params: {rate: 2}});
    await lab.run();
    expect(lab.pin('c').accepted).toBeUndefined();
  });

  it('adds the numbers of an output that is compared by them since', async () => {
    const lab = new Lab();
    lab.edit('a', {outputs: {out: {kind: 'file', name: 'out'}}});
    await lab.run();
    expect(lab.pin('a').outputs['out']?.numbers).toBeUndefined();
    lab.edit('a', {outputs: {out: {kind: 'file', name: 'out', compare: {as: 'json', absolute: 0.1}}}});
    expect(await lab.run()).toEqual(nothing);
    expect(lab.pin('a').outputs['out']?.numbers).toEqual(numbers(1));
  });
});

describe('values', () => {
  it('without a comparison drift with each byte, and with none never', async () => {
    const lab = new Lab();
    lab.edit('a', {outputs: {out: {kind: 'file', name: 'out'}}});
    lab.edit('c', {outputs: {out: {kind: 'file', name: 'out', compare: 'none'}}});
    await lab.run();
    lab.made = {a: 1.05, b: 2, c: 100};
    expect(await lab.check()).toEqual({a: 'drifted out', b: 'fresh', c: 'fresh'});
  });

  it('of metrics are equal, or within what the stage allows', async () => {
    const lab = new Lab();
    lab.edit('c', {compareMetrics: {absolute: 0.1}});
    lab.metrics = {a: {loss: 1}, b: {loss: 1}, c: {loss: 1}};
    await lab.run();
    lab.metrics = {a: {loss: 1.05}, b: {other: 1}, c: {loss: 1.05}};
    expect(await lab.check()).toEqual({a: 'drifted loss', b: 'drifted loss other', c: 'fresh'});
    lab.metrics['c'] = {loss: 1.2};
    expect((await lab.check())['c']).toBe('drifted loss');
    lab.edit('c', {compareMetrics: 'none'});
    expect((await lab.check())['c']).toBe('fresh');
  });
});

describe('a result whose bytes are not here', () => {
  it('is not compared by its numbers, only by its metrics', async () => {
    const lab = await pinned();
    lab.made = {a: 1.05, b: 2, c: 3};
    lab.elsewhere = ['a'];
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    expect(await lab.run()).toEqual(nothing);
    lab.metrics = {a: {map3: 0.5}};
    expect(await lab.check()).toMatchObject({a: 'drifted map3', b: 'fresh'});
  });
});

describe('another tensor engine', () => {
  /** `a` and `b` were computed by wasm; `c` computes with none. */
  async function onWasm(): Promise<Lab> {
    const lab = new Lab();
    lab.engines = {a: 'wasm', b: 'wasm'};
    lab.pins = (await lab.update()).pins;
    lab.engines = {a: 'blas', b: 'blas'};
    return lab;
  }

  it('is compared like any other within the tolerance', async () => {
    const lab = await onWasm();
    lab.made = {a: 1.05, b: 2, c: 3};
    expect(checkPins(await lab.request()).map(({otherEngine}) => otherEngine)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect((await lab.update()).uncompared.size).toBe(0);
  });

  it('does not drift, nor do those that read what it made', async () => {
    const lab = await onWasm();
    lab.made = {a: 1, b: 5, c: 6};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'fresh'});
    expect(checkPins(await lab.request()).map(({otherEngine}) => otherEngine)).toEqual([undefined, 'wasm', 'wasm']);
    const update = await lab.update();
    expect(update.pins).toEqual(lab.pins);
    expect([...update.uncompared]).toEqual([
      ['b', 'wasm'],
      ['c', 'wasm'],
    ]);
  });

  it('excuses what comes out of a difference that is tolerated', async () => {
    const lab = await onWasm();
    lab.made = {a: 1, b: 2.05, c: 6};
    expect(checkPins(await lab.request()).map(({otherEngine}) => otherEngine)).toEqual([undefined, undefined, 'wasm']);
    lab.engines = {a: 'wasm', b: 'wasm'};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'drifted out'});
  });

  it('pins nothing that was made from what it made, tolerated or not', async () => {
    const lab = await onWasm();
    lab.made = {a: 1, b: 2.05, c: 3};
    lab.edit('c', {params: {p: 1}});
    const {pins, otherEngine, held} = await lab.update();
    expect([[...otherEngine], held]).toEqual([[['c', 'wasm']], []]);
    expect(pins).toEqual(lab.pins);
    lab.made = {a: 1, b: 2, c: 3};
    expect((await lab.update()).pinned).toEqual(['c']);
  });

  it('hides no drift of what it had no part in', async () => {
    const lab = await onWasm();
    lab.made = {a: 1, b: 2, c: 6};
    expect(await lab.check()).toEqual({a: 'fresh', b: 'fresh', c: 'drifted out'});
    lab.nodes.unshift(node('z', ['<data>']));
    lab.edit('c', {inputs: {...lab.nodes[3]!.inputs, z: {many: false, ref: {from: 'node', node: 'z', output: 'out'}}}});
    lab.made = {z: 1, a: 1, b: 2, c: 3};
    lab.pins = (await lab.update()).pins;
    lab.made = {z: 9, a: 1, b: 5, c: 6};
    expect(await lab.check()).toMatchObject({z: 'drifted out', b: 'fresh', c: 'drifted out after z'});
  });

  it('pins nothing: a lock is of one engine', async () => {
    const lab = await onWasm();
    lab.edit('a', {params: {p: 1}});
    const stale = await lab.update();
    expect([...stale.otherEngine.keys()]).toEqual(['a']);
    expect(stale.pins).toEqual(lab.pins);
    lab.nodes.push(node('d', ['<data>']));
    lab.engines['d'] = 'blas';
    lab.made['d'] = 4;
    expect((await lab.update()).otherEngine.get('d')).toBe('wasm');
    lab.engines = {a: 'wasm', b: 'wasm', d: 'wasm'};
    expect((await lab.update()).pinned).toEqual(['a', 'd']);
  });
});
