import {describe, expect, it} from 'vitest';
import {failure} from '../../src/core/failure.ts';
import {eachNode, EngineRig, node, type SharedStore} from '../support/engine-rig.ts';

/** A rig whose stage counts its attempts in its checkpoint and gives what it found there. */
function counting(shared?: SharedStore): EngineRig & {readonly found: string[]} {
  const rig = Object.assign(new EngineRig(shared), {found: [] as string[]});
  rig.resumable = true;
  rig.write('src', 'text');
  rig.before = ({checkpoint}) => {
    const path = `${checkpoint}/count`;
    const before = rig.store.files.get(path)?.at(0) ?? 0;
    rig.found.push(`${before}`);
    rig.store.files.set(path, Uint8Array.of(before + 1));
  };
  return rig;
}

const checkpointsIn = (rig: EngineRig): readonly string[] =>
  [...rig.store.files.keys()].filter((path) => path.startsWith('/memory/checkpoints/'));

describe('a resumable stage', () => {
  it('finds what its failed attempts left, in this run and the next, and nothing is left of it after success', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src'], {retries: 1})];
    rig.work = () => failure('stage-failed', 'no');
    expect((await rig.build()).outcome).toBe('failed');
    rig.work = () => 'done';
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.found).toEqual(['0', '1', '2']);
    expect(checkpointsIn(rig)).toEqual([]);
  });

  it('goes on after it was cancelled', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src'])];
    const note = rig.before;
    const stop = new AbortController();
    rig.before = async (job, signal) => {
      await note(job, signal);
      stop.abort();
    };
    expect((await rig.build({signal: stop.signal})).outcome).toBe('interrupted');
    expect(checkpointsIn(rig)).toHaveLength(1);
    rig.before = note;
    await rig.build();
    expect(rig.found).toEqual(['0', '1']);
  });

  it('gives the same result and the same key as one that has no checkpoint', async () => {
    const [plain, resumable] = [new EngineRig(), counting()];
    for (const rig of [plain, resumable]) {
      rig.write('src', 'text');
      rig.nodes = [node('long', ['@src'])];
    }
    const results = [await plain.build(), await resumable.build()].map((summary) => summary.nodes.get('long'));
    expect(results[0]?.fingerprint).toBe(results[1]?.fingerprint);
  });

  it('starts anew when forced, and goes on between the attempts of the forced run', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src'], {retries: 1})];
    rig.work = () => failure('stage-failed', 'no');
    await rig.build();
    expect((await rig.build({force: ['long']})).outcome).toBe('failed');
    expect(rig.found).toEqual(['0', '1', '0', '1']);
  });

  it('has one checkpoint for each fingerprint: another param starts at nothing, the first one goes on', async () => {
    const rig = counting();
    rig.work = () => failure('stage-failed', 'no');
    for (const n of [1, 2, 1]) {
      rig.nodes = [node('long', ['@src'], {params: {n}})];
      await rig.build();
    }
    expect(rig.found).toEqual(['0', '0', '1']);
  });

  it('keeps nothing that was begun with an input that moved', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src'])];
    const note = rig.before;
    for (const work of [() => failure('stage-failed', 'no'), () => 'done']) {
      rig.write('src', 'text');
      rig.before = async (job, signal) => {
        await note(job, signal);
        rig.write('src', 'other');
      };
      rig.work = work;
      expect((await rig.build()).outcome).toBe('failed');
      expect(checkpointsIn(rig)).toEqual([]);
    }
    expect(rig.found).toEqual(['0', '0']);
  });

  it('keeps a folder of its own while another job has the checkpoint', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src'])];
    rig.work = () => failure('stage-failed', 'no');
    const failed = await rig.build();
    expect(failed.outcome).toBe('failed');
    const place = checkpointsIn(rig)[0] ?? '';
    const [, , , fingerprint = ''] = place.split('/');
    const other = rig.store.locks.tryAcquire(`checkpoint-${fingerprint}`);
    expect(other).toBeDefined();
    rig.work = () => 'done';
    await rig.build();
    expect(rig.found).toEqual(['0', '0']);
    expect(checkpointsIn(rig)).toEqual([place]);
  });
});

describe('slices of a resumable stage', () => {
  it('have a checkpoint each; those that ended have none', async () => {
    const rig = counting();
    rig.nodes = [eachNode('long', '@clips')];
    for (const name of ['a', 'b', 'c']) rig.write(`clips/${name}.txt`, name);
    rig.onFailure = 'continue';
    rig.work = ({slice}) => (slice === 'b' ? failure('stage-failed', 'no') : 'done');
    await rig.build();
    expect(checkpointsIn(rig)).toHaveLength(1);
    rig.work = () => 'done';
    expect((await rig.build()).outcome).toBe('done');
    expect(rig.found).toEqual(['0', '0', '0', '1']);
    expect(checkpointsIn(rig)).toEqual([]);
  });
});

describe('the plan', () => {
  it('says how many jobs go on from a checkpoint; a forced node does not', async () => {
    const rig = counting();
    rig.nodes = [node('long', ['@src']), eachNode('sliced', '@clips')];
    for (const name of ['a', 'b', 'c']) rig.write(`clips/${name}.txt`, name);
    expect(await rig.checkpoints()).toEqual({});
    rig.onFailure = 'continue';
    rig.work = ({slice}) => (slice === 'a' ? 'done' : failure('stage-failed', 'no'));
    await rig.build();
    expect(await rig.checkpoints()).toEqual({long: 1, sliced: 2});
    expect(await rig.checkpoints({force: ['long']})).toEqual({sliced: 2});
    rig.work = () => 'done';
    await rig.build();
    expect(await rig.checkpoints()).toEqual({});
  });
});
