import {describe, expect, it} from 'vitest';
import {sha256} from '../../src/core/digest.ts';
import {failure} from '../../src/core/failure.ts';
import {basesOf, outdatedNodes, sameBases, type Bases} from '../../src/engine/basis.ts';
import {execute} from '../../src/engine/build.ts';
import {DevicePool} from '../../src/engine/device-pool.ts';
import {makePlan} from '../../src/engine/plan.ts';
import {Recall} from '../../src/engine/recall.ts';
import type {BuildSummary} from '../../src/engine/run-context.ts';
import {decide, failuresAfter, type FailedNode} from '../../src/engine/watch.ts';
import {EngineRig, node} from '../support/engine-rig.ts';

function rig(): EngineRig {
  const made = new EngineRig();
  made.nodes = [node('a', ['@x']), node('b', ['a']), node('c', ['@y']), node('d', ['b', 'c'])];
  made.write('x', 'x1');
  made.write('y', 'y1');
  return made;
}

async function basesNow(of: EngineRig): Promise<Bases> {
  const planned = await makePlan(of.request({}));
  if (!planned.ok) throw new Error(planned.error[0]?.message);
  return basesOf(planned.value, {node: 'test'});
}

async function executeWith(of: EngineRig, extra: object): Promise<BuildSummary> {
  const request = {...of.request({}), ...extra};
  const planned = await makePlan(request);
  if (!planned.ok) throw new Error(planned.error[0]?.message);
  return execute(planned.value, request);
}

const outcomes = ({nodes}: BuildSummary): Record<string, string> =>
  Object.fromEntries([...nodes].map(([id, {outcome}]) => [id, outcome]));

describe('bases', () => {
  it('change for what depends on a change, and for nothing else', async () => {
    const it = rig();
    const before = await basesNow(it);
    expect(sameBases(before, await basesNow(it))).toBe(true);
    it.write('x', 'x2');
    const after = await basesNow(it);
    expect([...outdatedNodes(before, after)]).toEqual(['a', 'b', 'd']);
    it.write('x', 'x1');
    expect(sameBases(before, await basesNow(it))).toBe(true);
  });

  it('are the same before and after a build', async () => {
    const it = rig();
    const before = await basesNow(it);
    await it.build();
    expect(sameBases(before, await basesNow(it))).toBe(true);
  });

  it('change with code and params, and tell nodes that are gone or new', async () => {
    const it = rig();
    const before = await basesNow(it);
    it.code = 'other';
    expect(outdatedNodes(before, await basesNow(it)).size).toBe(4);
    it.code = rig().code;
    it.nodes = [node('a', ['@x']), node('b', ['a'], {params: {p: 1}}), node('e', ['b'])];
    const after = await basesNow(it);
    expect([...outdatedNodes(before, after)].sort()).toEqual(['b', 'c', 'd']);
    expect(sameBases(before, after)).toBe(false);
  });
});

describe('a recalled run', () => {
  it('cancels what is outdated, lets the other jobs end and starts nothing', async () => {
    const it = rig();
    it.jobs = 2;
    const recall = new Recall();
    let running = 0;
    let bothRun = (): void => {};
    const both = new Promise<void>((resolve) => (bothRun = resolve));
    it.before = async ({node: id}, signal) => {
      if (++running === 2) bothRun();
      await both;
      if (id !== 'a') return;
      recall.recall(['a', 'b', 'd']);
      expect(signal.aborted).toBe(true);
    };
    const summary = await executeWith(it, {recall});
    expect(summary.outcome).toBe('interrupted');
    expect(outcomes(summary)).toEqual({a: 'cancelled', b: 'cancelled', c: 'executed', d: 'cancelled'});
    expect(it.ran.sort()).toEqual(['a', 'c']);
    it.before = async () => {};
    expect(outcomes(await it.build())).toMatchObject({a: 'executed', b: 'executed', c: 'up-to-date', d: 'executed'});
  });

  it('starts nothing that has waited for room, even if that is not outdated', async () => {
    const it = rig();
    it.jobs = 1;
    const recall = new Recall();
    it.before = () => recall.recall([]);
    const counts = Object.values(outcomes(await executeWith(it, {recall}))).sort();
    expect(counts).toEqual(['cancelled', 'cancelled', 'cancelled', 'executed']);
    expect(it.ran).toHaveLength(1);
  });

  it('starts nothing when it was recalled before', async () => {
    const it = rig();
    const recall = new Recall();
    recall.recall([]);
    expect(outcomes(await executeWith(it, {recall}))).toEqual({
      a: 'cancelled',
      b: 'cancelled',
      c: 'cancelled',
      d: 'cancelled',
    });
  });
});

describe('a node that is held back', () => {
  const before = failure('stage-failed', 'it broke');

  it('fails untried, and stops nothing', async () => {
    const it = rig();
    const summary = await executeWith(it, {held: new Map([['a', before]])});
    expect(outcomes(summary)).toEqual({a: 'failed', b: 'blocked', c: 'executed', d: 'blocked'});
    expect(summary.nodes.get('a')?.failure).toBe(before);
    expect(it.ran).toEqual(['c']);
  });

  it('is taken from the cache where somebody has made it', async () => {
    const it = rig();
    await it.build();
    expect(outcomes(await executeWith(it, {held: new Map([['a', before]])}))).toMatchObject({a: 'up-to-date'});
  });
});

describe('what to do after a change', () => {
  const bases = (hashes: Readonly<Record<string, string>>, targets = ['n']): Bases => ({
    targets,
    nodes: new Map(Object.entries(hashes).map(([id, text]) => [id, sha256(text)])),
  });
  const broke = failure('stage-failed', 'it broke');
  const failed = new Map<string, FailedNode>([['n', {basis: sha256('1'), failure: broke}]]);

  it('is nothing when nothing depends on it', () => {
    const now = bases({n: '1'});
    expect(decide(now, {running: undefined, built: now, failed})).toEqual({kind: 'nothing'});
    expect(decide(now, {running: bases({n: '1'}), built: undefined, failed})).toEqual({kind: 'nothing'});
  });

  it('is a build, with what would fail again held back', () => {
    const now = bases({n: '1', m: '2'});
    expect(decide(now, {running: undefined, built: bases({n: '1', m: '1'}), failed})).toEqual({
      kind: 'build',
      held: new Map([['n', broke]]),
      outdated: new Set(),
    });
    const changed = bases({n: '2'});
    expect(decide(changed, {running: undefined, built: bases({n: '1'}), failed})).toEqual({
      kind: 'build',
      held: new Map(),
      outdated: new Set(),
    });
  });

  it('is a build for other targets', () => {
    const built = bases({n: '1'}, ['m']);
    expect(decide(bases({n: '1'}), {running: undefined, built, failed: new Map()}).kind).toBe('build');
  });

  it('is a build that overtakes the one that goes on', () => {
    const running = bases({n: '1', m: '1'});
    expect(decide(bases({n: '1', m: '2'}), {running, built: undefined, failed})).toEqual({
      kind: 'build',
      held: new Map([['n', broke]]),
      outdated: new Set(['m']),
    });
  });

  it('remembers failures until the node is made or fails in another way', () => {
    const now = bases({n: '1', m: '1'});
    const after = (nodes: BuildSummary['nodes'], held = new Map([['n', broke]])) =>
      [...failuresAfter(failed, {nodes}, now, held)].map(([id, {failure: each}]) => [id, each.message]);
    expect(after(new Map([['n', {outcome: 'failed', failure: broke}]]))).toEqual([['n', 'it broke']]);
    expect(after(new Map([['n', {outcome: 'cancelled'}]]))).toEqual([['n', 'it broke']]);
    expect(after(new Map([['n', {outcome: 'executed'}]]))).toEqual([]);
    const other = failure('timed-out', 'too slow');
    expect(after(new Map([['n', {outcome: 'failed', failure: other}]]))).toEqual([['n', 'too slow']]);
    const moved = failure('input-changed', 'it moved');
    expect(after(new Map([['n', {outcome: 'failed', failure: moved}]]))).toEqual([]);
  });

  it('keeps a failure when an older build ends that had begun with another state of the node', () => {
    const [then, now] = [bases({n: '0'}), bases({n: '1'})];
    const ended: BuildSummary['nodes'] = new Map([['n', {outcome: 'executed'}]]);
    expect(failuresAfter(failed, {nodes: ended}, then, new Map(), now)).toEqual(failed);
    expect(failuresAfter(failed, {nodes: ended}, then, new Map(), then).size).toBe(0);
  });
});

describe('runs that share a pool', () => {
  it('take no more than there is, and one goes on when the other is recalled', async () => {
    const [one, two] = [rig(), rig()];
    const pool = new DevicePool(one.machine, 1);
    const recall = new Recall();
    let atWork = 0;
    let most = 0;
    const work = (then: () => void) => async (): Promise<void> => {
      most = Math.max(most, ++atWork);
      await Promise.resolve();
      then();
      atWork--;
    };
    one.before = work(() => recall.recall([]));
    two.before = work(() => {});
    const [first, second] = await Promise.all([executeWith(one, {pool, recall}), executeWith(two, {pool})]);
    expect(most).toBe(1);
    expect(first.outcome).toBe('interrupted');
    expect(second.outcome).toBe('done');
    expect(two.ran).toHaveLength(4);
  });
});
