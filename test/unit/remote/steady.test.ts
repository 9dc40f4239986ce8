import {expect, it} from 'vitest';
import type {Failure} from '../../../src/core/failure.ts';
import {Steady} from '../../../src/remote/steady.ts';
import {RemoteError, type Trouble} from '../../../src/remote/transport.ts';

const never = new AbortController().signal;

function rig(): {
  steady: Steady;
  warnings: Failure[];
  calls: () => number;
  fail: (trouble: Trouble) => Promise<unknown>;
} {
  const warnings: Failure[] = [];
  const steady = new Steady({name: 'there', warn: (failure) => warnings.push(failure), random: () => 0, pauseMs: 0});
  let calls = 0;
  const fail = (trouble: Trouble): Promise<unknown> =>
    steady.run(
      'read',
      async () => {
        calls++;
        throw new RemoteError(trouble, `it is ${trouble}`);
      },
      never,
    );
  return {steady, warnings, calls: () => calls, fail};
}

const succeed = (steady: Steady): Promise<unknown> => steady.run('read', async () => 1, never);

it('tries again what may pass', async () => {
  const {steady, warnings} = rig();
  let left = 2;
  const got = await steady.run(
    'read',
    async () => {
      if (left-- > 0) throw new RemoteError('busy', 'not now');
      return 'done';
    },
    never,
  );
  expect(got).toEqual({done: true, value: 'done'});
  expect(warnings).toEqual([]);
});

it('counts attempts anew when one got further, unless it was too slow', async () => {
  const attemptsOf = async (trouble: Trouble): Promise<number> => {
    const {steady} = rig();
    await succeed(steady);
    let calls = 0;
    const request = async (): Promise<never> => {
      calls++;
      throw new RemoteError(trouble, 'broken off');
    };
    await steady.run('read', request, never, () => Math.min(calls, 20));
    return calls;
  };
  expect(await attemptsOf('cut-short')).toBe(22);
  expect(await attemptsOf('timeout')).toBe(3);
});

it('a server that never answered is left alone at once, for reading and writing', async () => {
  const {steady, warnings, calls, fail} = rig();
  expect(await fail('unreachable')).toEqual({done: false});
  await fail('unreachable');
  expect(calls()).toBe(1);
  expect([steady.ended('read'), steady.ended('write')]).toEqual([true, true]);
  expect(warnings).toMatchObject([{code: 'remote-unavailable', message: expect.stringContaining('is not used')}]);
});

it('one that did is given three attempts for a request, and three requests', async () => {
  const {steady, warnings, calls, fail} = rig();
  await succeed(steady);
  await fail('timeout');
  await fail('busy');
  expect([calls(), steady.ended('read')]).toEqual([6, false]);
  await fail('unreachable');
  await fail('unreachable');
  expect([calls(), steady.ended('read'), steady.ended('write')]).toEqual([9, true, false]);
  expect(warnings).toHaveLength(1);
});

it.each([
  ['unreachable', 'Check the address'],
  ['busy', 'See what the log of the server says'],
] as const)('says what to do when it is %s', async (trouble, hint) => {
  const {steady, warnings, fail} = rig();
  await succeed(steady);
  for (let times = 0; times < 3; times++) await fail(trouble);
  expect(warnings).toMatchObject([{hint: expect.stringContaining(hint)}]);
});

it('a request that succeeds in between starts the count anew', async () => {
  const {steady, fail} = rig();
  await succeed(steady);
  await fail('busy');
  await fail('busy');
  await succeed(steady);
  await fail('busy');
  expect(steady.ended('read')).toBe(false);
});

it.each(['refused', 'full'] as const)('%s ends one way only, at the first time', async (trouble) => {
  const {steady, warnings, calls, fail} = rig();
  await fail(trouble);
  await fail(trouble);
  expect([calls(), steady.ended('read'), steady.ended('write')]).toEqual([1, true, false]);
  expect(warnings).toHaveLength(1);
});

it('wrong content is not asked for again, and is told', async () => {
  const {steady, warnings, calls, fail} = rig();
  await fail('wrong');
  expect([calls(), steady.ended('read')]).toEqual([1, false]);
  expect(warnings).toMatchObject([{code: 'remote-corrupt'}]);
  await fail('wrong');
  await fail('wrong');
  expect(steady.ended('read')).toBe(true);
  expect(warnings).toHaveLength(1);
});

it('an abort is no trouble', async () => {
  const {steady, warnings, fail} = rig();
  for (let time = 0; time < 5; time++) expect(await fail('stopped')).toEqual({done: false});
  expect(steady.ended('read')).toBe(false);
  expect(warnings).toEqual([]);
  expect(await steady.run('read', async () => 1, AbortSignal.abort())).toEqual({done: false});
});

it('a bug is thrown on', async () => {
  const {steady} = rig();
  const bug = steady.run('read', () => Promise.reject(new TypeError('a bug')), never);
  await expect(bug).rejects.toThrow('a bug');
});
