import {describe, expect, it} from 'vitest';
import type {AffectedReason} from '../../src/core/affected.ts';
import type {PipelineNode} from '../../src/core/pipeline.ts';
import {affectedNodes, type SourceChange} from '../../src/engine/affected.ts';
import {EngineRig, eachNode, node} from '../support/engine-rig.ts';

interface Side {
  readonly nodes: readonly PipelineNode[];
  readonly code?: string;
  readonly packages?: Readonly<Record<string, string>>;
  readonly numericBackend?: true;
}

/** Node to the kinds of its reasons; `follows` when it is affected only through others. */
async function compare(
  before: Side,
  after: Side,
  changed: ReadonlyMap<string, SourceChange> = new Map(),
): Promise<Record<string, string>> {
  const [left, right] = [before, after].map((side) => Object.assign(new EngineRig(), side).request({}));
  const found = await affectedNodes({
    before: left!,
    after: right!,
    targets: right!.targets,
    changedSources: changed,
    toolchain: {node: 'test'},
  });
  return Object.fromEntries(
    found.map(({node: id, root, reasons}) => [id, root ? reasons.map(reasonText).join(', ') : 'follows']),
  );
}

function reasonText(reason: AffectedReason): string {
  return reason.kind === 'binding-changed' ? `${reason.before.join(' ')} -> ${reason.after.join(' ')}` : reason.kind;
}

const chain = [node('a', ['@x']), node('b', ['a']), node('c', ['@y']), node('d', ['b', 'c'])];
const replaced = (id: string, other: PipelineNode): readonly PipelineNode[] =>
  chain.map((each) => (each.id === id ? other : each));

describe('which nodes differ', () => {
  it('none, when nothing does', async () => {
    expect(await compare({nodes: chain}, {nodes: chain})).toEqual({});
    expect(await compare({nodes: chain}, {nodes: chain.toReversed()})).toEqual({});
  });

  it('a node with another param, and what is made from it', async () => {
    const nodes = replaced('b', node('b', ['a'], {params: {p: 1}}));
    expect(await compare({nodes: chain}, {nodes})).toEqual({b: 'param-added', d: 'follows'});
  });

  it('a node with a cause of its own besides the one before it', async () => {
    const nodes = replaced('d', node('d', ['b', 'c'], {seed: 4}));
    expect(await compare({nodes: chain}, {nodes}, new Map([['y', {}]]))).toEqual({
      c: 'source-changed',
      d: 'upstream, seed-changed',
    });
  });

  it('all nodes of a stage whose code or package is another', async () => {
    expect(Object.keys(await compare({nodes: chain}, {nodes: chain, code: 'v2'}))).toEqual(['a', 'c', 'b', 'd']);
  });

  it('a node that reads something else, but not one that reads the same under another name', async () => {
    expect(await compare({nodes: chain}, {nodes: replaced('d', node('d', ['a', 'c']))})).toEqual({
      d: 'b.out -> a.out',
    });
    const renamed = [node('a', ['@x']), node('e', ['a']), node('c', ['@y']), node('d', ['e', 'c'])];
    expect(await compare({nodes: chain}, {nodes: renamed})).toEqual({e: 'node-added'});
  });

  it('a node that reads the same artifacts in another order', async () => {
    const refs = ['b', 'c'].map((name) => ({from: 'node', node: name, output: 'out'}) as const);
    const joined = (list: typeof refs): PipelineNode =>
      node('d', [], {inputs: {in: {many: true, refs: list}}, ports: {in: {kind: 'file', many: true}}});
    expect(
      await compare({nodes: replaced('d', joined(refs))}, {nodes: replaced('d', joined(refs.toReversed()))}),
    ).toEqual({d: 'b.out c.out -> c.out b.out'});
  });

  it('a node that is sliced', async () => {
    const each = eachNode('a', '@x');
    expect(await compare({nodes: [each]}, {nodes: [each]}, new Map([['x', {}]]))).toEqual({a: 'source-changed'});
  });

  it('a node on another engine, whatever this machine has', async () => {
    const side = {numericBackend: true} as const;
    const gpu = {resources: {...node('a', []).resources, gpu: 1}};
    const nodes = [node('a', ['@x'], gpu), node('b', ['a'], {engine: 'cpu'})];
    expect(await compare({...side, nodes}, {...side, nodes})).toEqual({});
    const others = [node('a', ['@x'], gpu), node('b', ['a'], {engine: 'wasm'})];
    expect(await compare({...side, nodes}, {...side, nodes: others})).toEqual({b: 'toolchain-changed'});
    const onCpu = [node('a', ['@x']), node('b', ['a'], {engine: 'cpu'})];
    expect(await compare({...side, nodes}, {...side, nodes: onCpu})).toEqual({a: 'toolchain-changed', b: 'follows'});
  });
});
