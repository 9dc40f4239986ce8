import {describe, expect, test} from 'vitest';
import type {Action} from '../../../src/core/action.ts';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {explainAction} from '../../../src/core/explain.ts';
import type {Artifact} from '../../../src/core/tree.ts';
import {diffText} from '../../../src/report/diff-text.ts';
import {makePaint} from '../../../src/report/paint.ts';
import {diffSides, pairRuns, type Diff, type DiffSide} from '../../../src/report/run-diff.ts';
import type {RunRecordNode} from '../../../src/report/run-record.ts';

const paint = makePaint(false);

function action(params: Action['params'], input = 'in'): Action {
  return {
    type: 'action/1',
    stage: 's',
    code: sha256('code'),
    params,
    seed: 0,
    inputs: {data: digestOf(input)},
    outputs: {out: {kind: 'file', name: 'out'}},
    toolchain: {},
    salt: '',
  };
}

const actions: Readonly<Record<string, Action>> = {
  one: action({rate: 1}),
  two: action({rate: 2}),
  other: action({rate: 1}, 'changed'),
};

function made(
  fingerprint: string | undefined,
  bytes: string,
  metrics: Readonly<Record<string, number>> = {},
): RunRecordNode {
  const out: Artifact = {kind: 'file', digest: digestOf(bytes)};
  return {outcome: 'executed', wallMs: 1, outputs: {out}, metrics, ...(fingerprint === undefined ? {} : {fingerprint})};
}

function side(id: string, nodes: DiffSide['nodes']): DiffSide {
  return {from: {kind: 'run', id, startedAt: '2025-03-01T10:15:00.000Z'}, nodes};
}

function diffRuns(before: DiffSide, after: DiffSide, only: ReadonlySet<string>): Diff {
  return diffSides(before, after, only, (node) => {
    const [was, is] = [before, after].map(({nodes}) => nodes[node]?.fingerprint ?? '');
    if (was !== '' && was === is) return [];
    const [left, right] = [actions[was ?? ''], actions[is ?? '']];
    return left && right ? explainAction(left, right) : undefined;
  });
}

const failed: RunRecordNode = {outcome: 'failed', wallMs: 1, fingerprint: 'two'};
const before = side('a', {
  same: made('one', 'x', {n: 1}),
  'fit[fold=1]': made('one', 'x', {map3: 0.5, n: 3}),
  'fit[fold=2]': made('one', 'x', {map3: 0.5, n: 3}),
  unchanged: made('one', 'x'),
  input: made('one', 'x'),
  chance: made('one', 'x'),
  broken: made('one', 'x', {n: 1}),
  forgotten: made('gone', 'x'),
  older: made(undefined, 'x'),
  removed: made('one', 'x'),
});
const after = side('b', {
  same: made('one', 'x', {n: 1}),
  'fit[fold=1]': made('two', 'y', {map3: 0.75, n: 3}),
  'fit[fold=2]': made('two', 'z', {map3: 0.25, n: 3, fresh: 1}),
  unchanged: made('two', 'x'),
  input: made('other', 'y'),
  chance: made('one', 'y'),
  broken: failed,
  forgotten: made('one', 'y'),
  older: made('one', 'x'),
  added: made('one', 'x'),
});
const all = new Set([...Object.keys(before.nodes), ...Object.keys(after.nodes)]);

describe('two runs', () => {
  const diff = diffRuns(before, after, all);

  test('differ in nodes, what they were made from, outputs and metrics; what is the same is left out', () => {
    expect(diff).toMatchObject({added: ['added'], removed: ['removed'], same: 2});
    const rest = {node: undefined, name: undefined, axes: undefined};
    const byNode = Object.fromEntries(diff.changed.map((change) => [change.node, {...change, ...rest}]));
    const rate = {kind: 'param-changed', param: 'rate', before: 1, after: 2};
    expect(byNode).toEqual({
      'fit[fold=1]': {
        reasons: [rate],
        explained: true,
        outputs: ['out'],
        metrics: [{metric: 'map3', before: 0.5, after: 0.75, delta: 0.25}],
      },
      'fit[fold=2]': {
        reasons: [rate],
        explained: true,
        outputs: ['out'],
        metrics: [
          {metric: 'map3', before: 0.5, after: 0.25, delta: -0.25},
          {metric: 'fresh', after: 1},
        ],
      },
      unchanged: {reasons: [rate], explained: true, outputs: [], metrics: []},
      input: {
        reasons: [{kind: 'input-changed', input: 'data', before: digestOf('in'), after: digestOf('changed')}],
        explained: true,
        outputs: ['out'],
        metrics: [],
      },
      chance: {reasons: [], explained: true, outputs: ['out'], metrics: []},
      broken: {
        reasons: [rate],
        explained: true,
        outputs: [],
        outcomes: {before: 'executed', after: 'failed'},
        metrics: [{metric: 'n', before: 1}],
      },
      forgotten: {reasons: [], explained: false, outputs: ['out'], metrics: []},
    });
  });

  test('as text: variants that changed in the same way together', () => {
    expect(diffText(diff, undefined, paint)).toMatchInlineSnapshot(`
      "before  a  2025-03-01T10:15:00.000Z
      after   b  2025-03-01T10:15:00.000Z

      added 1 node: added

      removed 1 node: removed

      fit ×2
        param rate: 1 -> 2
      unchanged
        param rate: 1 -> 2
        same outputs
      input
        input data: other content
      chance
        made from the same, with other bytes: out
      broken
        param rate: 1 -> 2
        executed -> failed
      forgotten
        what it was made from is not known any more: it is not recorded, or gone from the cache

      fit
      fold  metric  before   after    delta
      1     map3    0.5000  0.7500  +0.2500
      2     map3    0.5000  0.2500  -0.2500
      2     fresh                1

      broken
      metric  before  after  delta
      n            1

      2 nodes the same"
    `);
  });

  test('of what a lock pins, how it ended is not known, and where it is from is said', () => {
    const {outcome: _, fingerprint: __, ...pinned} = made('one', 'x', {n: 1});
    const lock: DiffSide = {
      from: {
        kind: 'lock',
        path: 'mixdown.lock',
        revision: 'HEAD~1',
        commit: '0123456789abcdef0123456789abcdef01234567',
      },
      nodes: {broken: pinned, same: pinned, drifted: {...pinned, outputs: made('one', 'z').outputs!}},
    };
    const run = side('b', {broken: failed, same: made('one', 'x', {n: 1}), drifted: made('one', 'x', {n: 2})});
    const reasons = {broken: undefined, same: [], drifted: []};
    const found = diffSides(lock, run, new Set(Object.keys(reasons)), (node) => reasons[node as keyof typeof reasons]);
    expect(found.changed.map(({node, outcomes, outputs}) => [node, outcomes, outputs])).toEqual([
      ['broken', {after: 'failed'}, []],
      ['drifted', undefined, ['out']],
    ]);
    const text = diffText(found, undefined, paint);
    expect(text).toContain(
      'before  mixdown.lock  at HEAD~1, 0123456789\nafter   b             2025-03-01T10:15:00.000Z\n',
    );
    expect(text).toContain('pinned -> failed');
    const now = {...lock, from: {kind: 'lock', path: 'x.lock'} as const};
    expect(
      diffText(
        diffSides(now, now, new Set(['same']), () => []),
        undefined,
        paint,
      ),
    ).toContain('before  x.lock  as it is now');
  });

  test('only what is asked for', () => {
    expect(diffRuns(before, after, new Set(['same', 'added']))).toMatchObject({added: ['added'], removed: [], same: 1});
    expect(diffText(diffRuns(before, before, all), undefined, paint)).toContain('10 nodes the same: no difference');
  });
});

describe('pairs', () => {
  const fold = (fold: number, levels: string): string => `fit[fold=${fold},levels=${levels}]`;
  const many = (gain: number): DiffSide['nodes'] =>
    Object.fromEntries([
      ...[1, 2, 3, 4, 5, 6].flatMap((at) => [
        [fold(at, 'h1'), made('one', 'x', {map3: at / 8 + gain, n: 1})],
        [fold(at, 'h2'), made('one', 'x', {map3: at / 8 + (at % 2 ? gain : -gain), n: 1})],
      ]),
      ['sum[levels=h1]', made('one', 'x', {map3: gain})],
    ]);
  const nodes = new Set(Object.keys(many(0)));

  test('lie along the axes; metrics that are the same in all of them are left out', () => {
    const rows = pairRuns(many(0), many(0.125), nodes, ['fold']);
    expect(
      rows.map(({name, axes, metric, pairs, verdict}) => [name, axes.get('levels'), metric, pairs, verdict]),
    ).toEqual([
      ['fit', 'h1', 'map3', 6, 'real'],
      ['fit', 'h2', 'map3', 6, 'within noise'],
    ]);
    expect(pairRuns(many(0), many(0.125), nodes, ['fold', 'levels'])).toMatchObject([
      {name: 'fit', over: ['fold', 'levels'], pairs: 12},
      {name: 'sum', over: ['levels'], pairs: 1, verdict: 'too few'},
    ]);
    expect(pairRuns(many(0), many(0), nodes, ['fold'])).toEqual([]);
  });

  test('folds times seeds are all pairs', () => {
    const grid = (gain: number): DiffSide['nodes'] =>
      Object.fromEntries(
        [1, 2, 3, 4, 5].flatMap((fold) =>
          [7, 8, 9].flatMap((seed) =>
            ['h1', 'h2'].map((levels) => [
              `fit[fold=${fold},seed=${seed},levels=${levels}]`,
              made('one', 'x', {map3: (fold + gain * seed) / 64}),
            ]),
          ),
        ),
      );
    const rows = pairRuns(grid(0), grid(1), new Set(Object.keys(grid(0))), ['seed', 'fold']);
    expect(rows.map(({axes}) => [...axes])).toEqual([[['levels', 'h1']], [['levels', 'h2']]]);
    expect(rows[0]).toMatchObject({over: ['seed', 'fold'], pairs: 15, up: 15, p: 2 / 2 ** 15, verdict: 'real'});
    expect(rows[0]?.delta).toBeCloseTo(8 / 64, 12);
  });

  test('a variant that one side lacks, or whose metric it lacks, makes no pair', () => {
    const {[fold(1, 'h1')]: _, ...rest} = many(0.125);
    const less = {...rest, [fold(2, 'h1')]: {outcome: 'failed', wallMs: 1} as const};
    const rows = pairRuns(many(0), less, nodes, ['fold']);
    expect(rows.find(({axes}) => axes.get('levels') === 'h1')).toMatchObject({
      metric: 'map3',
      pairs: 4,
      verdict: 'too few',
    });
  });

  test('as text, in place of the single lines', () => {
    const [left, right] = [side('a', many(0)), side('b', many(0.125))];
    const pairs = pairRuns(left.nodes, right.nodes, nodes, ['fold']);
    expect(diffText(diffRuns(left, right, nodes), pairs, paint)).toMatchInlineSnapshot(`
      "before  a  2025-03-01T10:15:00.000Z
      after   b  2025-03-01T10:15:00.000Z

      fit ×12
        made from the same, with other metrics
      sum[levels=h1]
        made from the same, with other metrics

      fit over fold
      levels  metric  before   after     delta [95 % interval]  up  down  pairs       p  verdict
      h1      map3    0.4375  0.5625  +0.1250 [0.1250, 0.1250]   6     0      6  0.0313  real
      h2      map3    0.4375  0.4375       0 [-0.0833, 0.0833]   3     3      6       1  within noise

      sum
      levels  metric  before   after    delta
      h1      map3         0  0.1250  +0.1250

      0 nodes the same"
    `);
  });

  test('as text: what only one side reports stands beside them, and that there is nothing to pair is said', () => {
    const fold = (bytes: string, metrics: Readonly<Record<string, number>>): DiffSide['nodes'] => ({
      'fit[fold=1]': made('one', bytes, metrics),
    });
    const only = new Set(['fit[fold=1]']);
    const text = (left: DiffSide['nodes'], right: DiffSide['nodes']): string =>
      diffText(diffRuns(side('a', left), side('b', right), only), pairRuns(left, right, only, ['fold']), paint);
    const fresh = text(fold('x', {map3: 0.5}), fold('y', {map3: 0.75, fresh: 1}));
    expect(fresh).toContain('fit over fold\nmetric  before   after    delta  up  down  pairs  p  verdict\nmap3');
    expect(fresh).toContain('fit\nfold  metric  before  after  delta\n1     fresh               1\n');
    expect(text(fold('x', {n: 1}), fold('y', {n: 1}))).toContain('no metric differs in the pairs\n\n0 nodes the same');
  });

  test('many single lines are cut', () => {
    const wide = (gain: number): DiffSide['nodes'] =>
      Object.fromEntries(Array.from({length: 40}, (_, at) => [`fit[fold=${at}]`, made('one', 'x', {map3: gain})]));
    const text = diffText(
      diffRuns(side('a', wide(0)), side('b', wide(1)), new Set(Object.keys(wide(0)))),
      undefined,
      paint,
    );
    expect(text).toContain('fit (30 of 40; --over pairs them, --json has all)');
    expect(text.split('\n').filter((line) => line.includes('map3'))).toHaveLength(30);
  });
});
