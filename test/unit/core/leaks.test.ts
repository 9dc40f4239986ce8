import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {buildGraph} from '../../../src/core/graph.ts';
import {heldOutOf, type HeldOutUse} from '../../../src/core/held-out.ts';
import type {Scalar} from '../../../src/core/json.ts';
import {findLeaks, type LeakReport} from '../../../src/core/leaks.ts';
import {
  nodeId,
  type ArtifactRef,
  type InputBinding,
  type NodeId,
  type PipelineNode,
} from '../../../src/core/pipeline.ts';
import {defaultResources} from '../../../src/core/resources.ts';

interface Written {
  /** What each port reads; a list is a fan-in. */
  readonly reads?: Readonly<Record<string, NodeId | readonly NodeId[]>>;
  readonly each?: readonly NodeId[];
  readonly heldOut?: readonly [fold: number | string | null, use: HeldOutUse];
  readonly acceptLeak?: string;
}

function node(
  name: string,
  variant: Readonly<Record<string, Scalar>>,
  {reads = {}, each = [], heldOut, acceptLeak}: Written = {},
): PipelineNode {
  const refTo = (id: NodeId): ArtifactRef => ({from: 'node', node: id, output: 'out'});
  const inputs = Object.entries(reads).map(([port, ids]): [string, InputBinding] => [
    port,
    typeof ids === 'string' ? {many: false, ref: refTo(ids)} : {many: true, refs: ids.map(refTo)},
  ]);
  const [first, ...others] = each.map((id, index) => ({port: `item${index}`, collection: refTo(id)}));
  const side = heldOut && heldOutOf(...heldOut);
  return {
    id: nodeId(name, variant),
    name,
    variant,
    stage: name,
    params: {},
    seed: 0,
    inputs: {clips: {many: false, ref: {from: 'source', source: 'clips'}}, ...Object.fromEntries(inputs)},
    ports: {},
    ...(first ? {each: [first, ...others]} : {}),
    outputs: {out: {kind: 'file', name: 'out'}},
    ...(side ? {heldOut: side} : {}),
    ...(acceptLeak === undefined ? {} : {acceptLeak}),
    resources: defaultResources,
    retries: 0,
    salt: '',
  };
}

const find = (nodes: readonly PipelineNode[]): LeakReport => findLeaks(buildGraph(nodes));

/** `a -> b -> c at b.port (+2)` for each leak. */
function told(nodes: readonly PipelineNode[]): readonly string[] {
  return find(nodes).leaks.map(
    ({path, fold, binding, more}) =>
      `${path.map(({id}) => id).join(' -> ')} without ${fold}, at ${binding.node.id}.${binding.port}${more > 0 ? ` +${more}` : ''}`,
  );
}

const folds = [1, 2, 3];
const learner = (name: string, fold: number | string | null, reads: Written['reads'] = {}) =>
  node(name, {fold: fold ?? ''}, {reads, heldOut: [fold, 'learns']});

/** Of the chain of a cross-validation, with the bindings as they should be unless told otherwise. */
function chain({pcaOf = (fold: number) => fold, quantizedOf = (fold: number) => fold, flagged = true} = {}) {
  return folds.flatMap((fold) => [
    learner('pca', fold),
    node(
      'quantized',
      {of: 'clips', fold},
      {reads: {pca: `pca[fold=${pcaOf(fold)}]`}, ...(flagged ? {heldOut: [fold, 'applies']} : {})},
    ),
    node('segments', {fold}, {reads: {features: [`quantized[of=clips,fold=${quantizedOf(fold)}]`]}}),
    ...['h1', 'h2'].map((levels) =>
      node('train', {fold, levels}, {reads: {features: `segments[fold=${fold}]`}, heldOut: [fold, 'learns']}),
    ),
  ]);
}

describe('a node that holds a fold out', () => {
  test('may read what holds the same fold out, and what has not learned', () => {
    expect(find(chain())).toEqual({leaks: [], accepted: []});
    expect(told([node('weights', {}), learner('train', 1, {weights: 'weights'})])).toEqual([]);
  });

  test('is refused what another fold was held out of, where its side begins, once for all of its kind', () => {
    const next = (fold: number) => (fold % 3) + 1;
    expect(told(chain({pcaOf: next}))).toEqual([
      'pca[fold=2] -> quantized[of=clips,fold=1] without 1, at quantized[of=clips,fold=1].pca +2',
    ]);
    expect(told(chain({pcaOf: next, flagged: false}))).toEqual([
      'pca[fold=2] -> quantized[of=clips,fold=1] -> segments[fold=1] -> train[fold=1,levels=h1] without 1, at quantized[of=clips,fold=1].pca +5',
    ]);
    expect(told(chain({quantizedOf: next}))).toEqual([
      'pca[fold=2] -> quantized[of=clips,fold=2] -> segments[fold=1] -> train[fold=1,levels=h1] without 1, at segments[fold=1].features +5',
    ]);
  });

  test('is refused what learned with nothing held out', () => {
    for (const nothing of [0, null, '']) {
      const tuned = node('fine-tune', {}, {heldOut: [nothing, 'learns']});
      const embeddings = node('embeddings', {}, {reads: {weights: 'fine-tune'}});
      expect(told([tuned, embeddings, learner('train', 2, {features: 'embeddings'})])).toEqual([
        'fine-tune -> embeddings -> train[fold=2] without 2, at embeddings.weights',
      ]);
    }
  });

  test('is told of the first that reads what has no variants by fold, and counts all that read on', () => {
    const tuned = node('fine-tune', {strategy: 'a'}, {heldOut: [0, 'learns']});
    const embeddings = node('embeddings', {}, {reads: {weights: 'fine-tune[strategy=a]'}});
    const readers = folds.flatMap((fold) => [
      learner('pca', fold, {x: 'embeddings'}),
      learner('order', fold, {y: 'embeddings'}),
    ]);
    expect(told([tuned, embeddings, ...readers])).toEqual([
      'fine-tune[strategy=a] -> embeddings -> pca[fold=1] without 1, at embeddings.weights +5',
    ]);
  });

  test('is named where it does not hold out the fold of its variant', () => {
    const astray = (nodes: readonly PipelineNode[]) => find(nodes).leaks.map((leak) => leak.astray?.node.id);
    const mended = chain();
    expect(astray(chain({quantizedOf: (fold) => (fold % 3) + 1}))).toEqual([undefined]);
    expect(
      astray([...mended, node('train', {fold: 2}, {reads: {x: 'segments[fold=2]'}, heldOut: [3, 'learns']})]),
    ).toEqual(['train[fold=2]']);
    const pca = node('other', {fold: 2}, {heldOut: [0, 'learns']});
    expect(astray([...mended, pca, learner('train', 2, {pca: 'other[fold=2]'})])).toEqual(['other[fold=2]']);
    expect(astray([...mended, learner('last', 0), learner('train', 2, {last: 'last[fold=0]'})])).toEqual([undefined]);
  });

  test('may read anything when the fold is 0', () => {
    expect(
      told([...chain(), learner('last', 0, {models: folds.map((fold) => `train[fold=${fold},levels=h1]`)})]),
    ).toEqual([]);
  });

  test('is not concerned when the number is negative, and passes on what it reads', () => {
    const batches = (fold: number) =>
      node('batches', {fold}, {reads: {order: `order[fold=${fold}]`}, heldOut: [-1, 'learns']});
    const of = (read: number) => [
      learner('order', read),
      batches(read),
      learner('train', 1, {batches: `batches[fold=${read}]`}),
    ];
    expect(told(of(1))).toEqual([]);
    expect(told(of(2))).toEqual([
      'order[fold=2] -> batches[fold=2] -> train[fold=1] without 1, at train[fold=1].batches',
    ]);
  });

  test('adds nothing of its own when it only applies what others learned', () => {
    const quantized = (fold: number) => node('quantized', {fold}, {heldOut: [fold, 'applies']});
    expect(
      told([quantized(2), quantized(0), learner('train', 1, {a: 'quantized[fold=2]', b: 'quantized[fold=0]'})]),
    ).toEqual([]);
  });

  test('may be named by texts, and 1 is the same as "1"', () => {
    expect(told([learner('pca', '1'), learner('train', 1, {pca: 'pca[fold=1]'})])).toEqual([]);
    expect(told([learner('pca', 'east'), learner('train', 'west', {pca: 'pca[fold=east]'})])).toEqual([
      'pca[fold=east] -> train[fold=west] without west, at train[fold=west].pca',
    ]);
  });
});

describe('a leak is found', () => {
  test('through a fan-in, each, a join and a command', () => {
    const [one, two] = [learner('pca', 1), learner('pca', 2)];
    const all = ['pca[fold=1]', 'pca[fold=2]'];
    const train = learner('train', 1, {features: 'between'});
    const end = '-> between -> train[fold=1] without 1, at train[fold=1].features';
    for (const between of [
      node('between', {}, {reads: {all}}),
      node('between', {}, {each: ['pca[fold=2]']}),
      node('between', {}, {each: all}),
      {...node('between', {}, {reads: {all}}), stage: 'command'},
    ]) {
      expect(told([one, two, between, train])).toEqual([`pca[fold=2] ${end}`]);
    }
    const sliced = node('train', {fold: 1}, {each: all, heldOut: [1, 'learns']});
    expect(told([one, two, sliced])).toEqual(['pca[fold=2] -> train[fold=1] without 1, at train[fold=1].item1']);
  });

  test('at each binding of its own', () => {
    const train = learner('train', 1, {features: 'pca[fold=2]', order: 'balance[fold=2]', right: 'pca[fold=1]'});
    expect(told([learner('pca', 1), learner('pca', 2), learner('balance', 2), train])).toEqual([
      'pca[fold=2] -> train[fold=1] without 1, at train[fold=1].features',
      'balance[fold=2] -> train[fold=1] without 1, at train[fold=1].order',
    ]);
  });

  test('in labels that an ensemble of all folds made, at the node that reads them', () => {
    const base = chain().filter(({variant}) => variant['levels'] !== 'h2');
    const ensemble = node('ensemble', {}, {reads: {predictions: folds.map((fold) => `train[fold=${fold},levels=h1]`)}});
    const labels = node('pseudo-labels', {}, {reads: {predictions: 'ensemble'}});
    const second = folds.map((fold) => learner('second', fold, {labels: 'pseudo-labels'}));
    expect(told([...base, ensemble, labels, ...second])).toEqual([
      'train[fold=2,levels=h1] -> ensemble -> pseudo-labels -> second[fold=1] without 1, at second[fold=1].labels +2',
    ]);
  });

  test('by the shortest way, and at the last binding that leaves the side of the fold', () => {
    const long = node('long', {fold: 1}, {reads: {x: 'pca[fold=2]'}});
    const longer = node('longer', {fold: 1}, {reads: {x: 'long[fold=1]'}});
    const train = learner('train', 1, {x: ['longer[fold=1]', 'long[fold=1]']});
    expect(told([learner('pca', 2), long, longer, train])).toEqual([
      'pca[fold=2] -> long[fold=1] -> train[fold=1] without 1, at long[fold=1].x',
    ]);
  });

  test('although another axis counts as folds do', () => {
    const other = (repeat: number) => node('mean', {repeat}, {reads: {x: 'pca[fold=2]'}});
    const train = [1, 2, 3].map((repeat) =>
      node('train', {repeat, fold: 1}, {reads: {x: `mean[repeat=${repeat}]`}, heldOut: [1, 'learns']}),
    );
    expect(told([learner('pca', 2), ...[1, 2, 3].map(other), ...train])).toEqual([
      'pca[fold=2] -> mean[repeat=1] -> train[repeat=1,fold=1] without 1, at train[repeat=1,fold=1].x +2',
    ]);
  });

  test('once: what is made from the node counts as mended', () => {
    const after = learner('after', 1, {model: 'train[fold=1]'});
    expect(told([learner('pca', 2), learner('train', 1, {pca: 'pca[fold=2]'}), after])).toHaveLength(1);
  });
});

describe('acceptLeak', () => {
  const tuned = (acceptLeak?: string, fold = 0) =>
    node('fine-tune', {strategy: 'a'}, {heldOut: [fold, 'learns'], ...(acceptLeak === undefined ? {} : {acceptLeak})});
  const rest = [
    node('embeddings', {}, {reads: {weights: 'fine-tune[strategy=a]'}}),
    learner('train', 1, {features: 'embeddings'}),
    learner('train', 2, {features: 'embeddings'}),
    learner('last', 0, {features: 'embeddings'}),
    learner('again', 1, {model: 'train[fold=1]'}),
    node('metrics', {}, {reads: {predictions: ['train[fold=1]', 'train[fold=2]']}}),
  ];

  test('lets others read, and tells who does and what came of it', () => {
    const {leaks, accepted} = find([tuned('as published'), ...rest]);
    expect(leaks).toEqual([]);
    expect(accepted).toEqual([
      {
        name: 'fine-tune',
        reason: 'as published',
        readers: ['train[fold=1]', 'train[fold=2]'],
        reached: new Set(['train[fold=1]', 'train[fold=2]', 'again[fold=1]', 'metrics']),
      },
    ]);
  });

  test('tells only of what would be refused without it', () => {
    expect(
      find([tuned('as published'), ...rest.filter(({name}) => !['train', 'again', 'metrics'].includes(name))]),
    ).toEqual({
      leaks: [],
      accepted: [],
    });
    const {accepted} = find([tuned('as published', 1), ...rest]);
    expect(accepted.map(({readers}) => readers)).toEqual([['train[fold=2]']]);
  });

  test('does not let through what goes another way, nor what the node itself must not read', () => {
    const train = learner('train', 1, {features: 'embeddings', pca: 'pca[fold=2]'});
    expect(told([tuned('as published'), rest[0]!, learner('pca', 2), train])).toEqual([
      'pca[fold=2] -> train[fold=1] without 1, at train[fold=1].pca',
    ]);
    const own = node(
      'fine-tune',
      {fold: 1},
      {reads: {pca: 'pca[fold=2]'}, heldOut: [1, 'learns'], acceptLeak: 'why not'},
    );
    expect(told([learner('pca', 2), own])).toEqual([
      'pca[fold=2] -> fine-tune[fold=1] without 1, at fine-tune[fold=1].pca',
    ]);
  });
});

/** One node of a random pipeline: which of those before it it reads, and its side. */
interface Drawn {
  readonly reads: readonly number[];
  readonly use: HeldOutUse | undefined;
  readonly fold: number;
  readonly accepts: boolean;
}
const drawn = (at: number): fc.Arbitrary<Drawn> =>
  fc.record({
    reads: fc.subarray([...Array(at).keys()], {maxLength: Math.min(at, 3)}),
    use: fc.constantFrom(undefined, undefined, 'learns', 'applies'),
    fold: fc.nat(3),
    accepts: fc.nat(9).map((n) => n === 0),
  });
const pipelines = fc.nat(12).chain((size) => fc.tuple(...Array.from({length: size}, (_, at) => drawn(at))));

/** Follows every learning that an artifact was made with, as the items it learned from; accepted ones apart. */
function simulate(nodes: readonly Drawn[]): {readonly refused: readonly number[]; readonly helped: readonly number[]} {
  const items = [1, 2, 3].flatMap((fold) => [`${fold}a`, `${fold}b`]);
  const inFold = (fold: number) => (item: string) => item.startsWith(String(fold));
  const made: {learnings: string[][]; forgiven: string[][]; helped: boolean}[] = [];
  const refused: number[] = [];
  nodes.forEach(({reads, use, fold, accepts}, index) => {
    const inputs = reads.map((read) => made[read]!);
    let learnings = inputs.flatMap((input) => input.learnings);
    let forgiven = inputs.flatMap((input) => input.forgiven);
    let helped = inputs.some((input) => input.helped);
    if (use !== undefined && fold > 0) {
      const right = learnings.filter((learned) => !learned.some(inFold(fold)));
      if (right.length < learnings.length) refused.push(index);
      learnings = right;
      if (forgiven.flat().some(inFold(fold))) helped = true;
      forgiven = forgiven.filter((learned) => !learned.some(inFold(fold)));
    }
    if (use === 'learns') learnings.push(items.filter((item) => fold === 0 || !inFold(fold)(item)));
    if (accepts) [learnings, forgiven] = [[], [...forgiven, ...learnings]];
    made.push({learnings, forgiven, helped});
  });
  return {refused, helped: made.flatMap(({helped}, index) => (helped ? [index] : []))};
}

test('the verdict on random pipelines is that of following every item', () => {
  let [withLeaks, withHelp] = [0, 0];
  fc.assert(
    fc.property(pipelines, (all) => {
      const nodes = all.map(({reads, use, fold, accepts}, index) =>
        node(
          `n${index}`,
          {},
          {
            reads: {all: reads.map((read) => `n${read}`)},
            ...(use ? {heldOut: [fold, use]} : {}),
            ...(accepts ? {acceptLeak: 'why not'} : {}),
          },
        ),
      );
      const {leaks, accepted} = find(nodes);
      const expected = simulate(all);
      withLeaks += Math.sign(expected.refused.length);
      withHelp += Math.sign(expected.helped.length);
      // Those that leak through the same binding are counted together.
      const readers = leaks.map(({path}) => path.at(-1)!.name);
      expect(expected.refused.map((index) => `n${index}`)).toEqual(expect.arrayContaining(readers));
      expect(leaks.reduce((sum, {more}) => sum + 1 + more, 0)).toBe(expected.refused.length);
      const reached = new Set(accepted.flatMap((each) => [...each.reached]));
      expect(reached).toEqual(new Set(expected.helped.map((index) => `n${index}`)));
      for (const {path, fold} of leaks) {
        const [first, ...others] = path as [PipelineNode, ...PipelineNode[]];
        expect(first.heldOut).toMatchObject({use: 'learns'});
        expect(first.heldOut?.fold).not.toBe(fold);
        let before = first;
        for (const next of others) {
          expect(JSON.stringify(next.inputs['all'])).toContain(`"${before.id}"`);
          before = next;
        }
      }
    }),
    {numRuns: 2000, seed: 1},
  );
  expect(withLeaks).toBeGreaterThan(400);
  expect(withHelp).toBeGreaterThan(50);
});
