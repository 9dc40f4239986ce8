import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {buildGraph, closure, invert, shortestCycle, topologicalOrder} from '../../../src/core/graph.ts';
import type {ArtifactRef, PipelineNode} from '../../../src/core/pipeline.ts';
import {defaultResources} from '../../../src/core/resources.ts';

/** Producers of up to eight nodes; dense enough that about half of the draws have a cycle. */
const anyGraph = fc
  .nat(8)
  .chain((size) =>
    fc.array(fc.uniqueArray(fc.nat(Math.max(0, size - 1)), {maxLength: 2}), {minLength: size, maxLength: size}),
  );
/** Producers that stand before their consumers, then shuffled. */
const acyclic = fc
  .nat(12)
  .chain((size) =>
    fc.tuple(
      fc.shuffledSubarray([...Array(size).keys()], {minLength: size}),
      fc.tuple(...Array.from({length: size}, (_, at) => fc.subarray([...Array(at).keys()]))),
    ),
  );

describe('topologicalOrder', () => {
  it('puts producers first and leaves out exactly what hangs on a cycle', () => {
    fc.assert(
      fc.property(anyGraph, (producers) => {
        const order = topologicalOrder(producers, invert(producers));
        expect(new Set(order).size).toBe(order.length);
        const reach = reachable(producers);
        const stuck = (node: number): boolean => reach[node]!.some((yes, on) => yes && reach[on]![on]);
        const all = [...producers.keys()];
        expect(all.filter((node) => !order.includes(node))).toEqual(all.filter(stuck));
        order.forEach((node, at) => {
          expect(order.slice(0, at)).toEqual(expect.arrayContaining(producers[node]!));
        });
      }),
      {numRuns: 1000},
    );
  });

  it('keeps the order of declaration where nothing depends on anything', () => {
    expect(topologicalOrder([[], [], []], [[], [], []])).toEqual([0, 1, 2]);
  });
});

describe('shortestCycle', () => {
  it('finds a cycle of the length that brute force finds', () => {
    fc.assert(
      fc.property(anyGraph, (producers) => {
        const cycle = shortestCycle(producers);
        expect(cycle?.length).toBe(shortestCycleLength(producers));
        if (cycle === undefined) return;
        expect(new Set(cycle).size).toBe(cycle.length);
        cycle.forEach((node, at) => expect(producers[node]).toContain(cycle[(at + 1) % cycle.length]));
      }),
      {numRuns: 2000},
    );
  });

  it('takes a node that is made from itself', () => {
    expect(shortestCycle([[1], [0], [2]])).toEqual([2]);
  });

  it('does not search the many nodes that merely depend on a cycle', () => {
    const size = 100_000;
    const chain = Array.from({length: size}, (_, at) => [at + 1, Math.min(at + 2, size)]);
    expect(shortestCycle([...chain, [size + 1], [size]])).toEqual([size, size + 1]);
  });
});

describe('buildGraph', () => {
  it('finds the edges, each once, both ways, and an order', () => {
    fc.assert(
      fc.property(acyclic, ([places, lists]) => {
        const nodes: PipelineNode[] = [];
        lists.forEach((list, node) => {
          nodes[places[node]!] = makeNode(
            `n${node}`,
            [...list, ...list].map((producer) => `n${producer}`),
          );
        });
        const graph = buildGraph(nodes);
        const name = (index: number): string => nodes[index]!.id;
        lists.forEach((list, node) => {
          const index = graph.indexOf.get(`n${node}`)!;
          expect(index).toBe(places[node]);
          expect(graph.producers[index]!.map(name)).toEqual(list.map((producer) => `n${producer}`));
        });
        expect(graph.consumers).toEqual(invert(graph.producers));
        expect(graph.order).toEqual(topologicalOrder(graph.producers, graph.consumers));
      }),
    );
  });

  it('counts the collection of an `each` node and a source for nothing', () => {
    const sliced: PipelineNode = {
      ...makeNode('b', []),
      inputs: {labels: {many: false, ref: {from: 'source', source: 'a'}}},
      each: [{port: 'clip', collection: {from: 'node', node: 'a', output: 'out'}}],
    };
    expect(buildGraph([makeNode('a', []), sliced]).producers).toEqual([[], [0]]);
  });

  it('refuses what points nowhere and what depends on itself', () => {
    expect(() => buildGraph([makeNode('a', ['b'])])).toThrow('a refers to b, which does not exist');
    expect(() => buildGraph([makeNode('a', ['b']), makeNode('b', ['a'])])).toThrow('cycle');
  });

  it('takes a fan-in of 200 000 nodes', () => {
    const leaves = Array.from({length: 200_000}, (_, at) => makeNode(`n${at}`, []));
    const {producers} = buildGraph([
      ...leaves,
      makeNode(
        'all',
        leaves.map((leaf) => leaf.id),
      ),
    ]);
    expect(producers.at(-1)).toHaveLength(leaves.length);
  });
});

describe('closure', () => {
  it('holds what brute force reaches, in either direction', () => {
    fc.assert(
      fc.property(acyclic, fc.array(fc.nat(11)), ([, lists], picks) => {
        const from = picks.filter((pick) => pick < lists.length);
        const nodes = lists.map((list, node) =>
          makeNode(
            `n${node}`,
            list.map((producer) => `n${producer}`),
          ),
        );
        const graph = buildGraph(nodes);
        for (const direction of ['producers', 'consumers'] as const) {
          const reach = reachable(graph[direction]);
          const expected = nodes.flatMap((_, node) =>
            from.some((start) => start === node || reach[start]![node]) ? [node] : [],
          );
          expect([...closure(graph, from, direction)].sort((a, b) => a - b)).toEqual(expected);
        }
      }),
    );
  });
});

/** `reachable[a][b]`: there is a path of at least one edge from a to b (Warshall). */
function reachable(edges: readonly (readonly number[])[]): boolean[][] {
  const reach = edges.map((list) => edges.map((_, to) => list.includes(to)));
  for (const via of edges.keys())
    for (const from of edges.keys())
      for (const to of edges.keys()) reach[from]![to] ||= reach[from]![via]! && reach[via]![to]!;
  return reach;
}

/** Smallest diagonal element of the distance matrix (Floyd). */
function shortestCycleLength(edges: readonly (readonly number[])[]): number | undefined {
  const far = edges.map((list) => edges.map((_, to) => (list.includes(to) ? 1 : Infinity)));
  for (const via of edges.keys())
    for (const from of edges.keys())
      for (const to of edges.keys()) far[from]![to] = Math.min(far[from]![to]!, far[from]![via]! + far[via]![to]!);
  const length = Math.min(...edges.map((_, node) => far[node]![node]!));
  return Number.isFinite(length) ? length : undefined;
}

function makeNode(id: string, producers: readonly string[]): PipelineNode {
  const refs = producers.map((node): ArtifactRef => ({from: 'node', node, output: 'out'}));
  return {
    id,
    name: id,
    variant: {},
    stage: 'any',
    params: {},
    seed: 0,
    inputs: {all: {many: true, refs}},
    ports: {all: {kind: 'file', many: true}},
    outputs: {out: {kind: 'file', name: 'out'}},
    resources: defaultResources,
    retries: 0,
    salt: '',
  };
}
