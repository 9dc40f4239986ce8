import {mkdirSync} from 'node:fs';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import type {Event} from '../../../../src/core/events.ts';
import {failure} from '../../../../src/core/failure.ts';
import {err, ok} from '../../../../src/core/result.ts';
import type {SlurmClient} from '../../../../src/exec/slurm/client.ts';
import type {QueueEntry} from '../../../../src/exec/slurm/queue.ts';
import {liveSubmission, type Flight} from '../../../../src/exec/slurm/task.ts';
import {SlurmWatch} from '../../../../src/exec/slurm/watch.ts';
import {createBench, type Bench} from '../../../support/exec/bench.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  bench.remove();
});

const away = err({failure: failure('no-executor', 'squeue: connect failure'), passing: true});

/** A watch over one job, on a cluster that says what the test puts into `state`. */
function watched() {
  const cluster: {state: string | undefined} = {state: 'PENDING'};
  const client: SlurmClient = {
    submit: () => Promise.resolve(away),
    queue: () => {
      const {state} = cluster;
      if (state === undefined) return Promise.resolve(away);
      const entry: QueueEntry = {id: '7', state, reason: 'None', comment: ''};
      return Promise.resolve(ok(new Map([['7', entry]])));
    },
    stateOf: () => Promise.resolve(away),
    cancel: () => Promise.resolve(undefined),
    exitCodeOf: () => Promise.resolve(undefined),
    largestArray: () => Promise.resolve(1),
  };
  const events: Event[] = [];
  const answers: unknown[] = [];
  const flight: Flight = {
    job: bench.command('true'),
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    answer: (result) => {
      flight.settled = true;
      answers.push(result);
    },
    settled: false,
    losses: 0,
  };
  const folder = bench.path('submission');
  mkdirSync(folder);
  const live = liveSubmission(folder, '7', [1]);
  live.tasks[0]!.flights[0] = flight;
  const watch = new SlurmWatch(client, {requirements: ''}, 30_000, () => {});
  watch.add(live);
  const told = (type: Event['type']): readonly Event[] => events.filter((event) => event.type === type);
  return {cluster, answers, told, watch};
}

it('tells of a controller that stays away, then again every hour, and goes on waiting', async () => {
  const {cluster, answers, told, watch} = watched();
  cluster.state = undefined;
  await vi.advanceTimersByTimeAsync(55_000);
  expect(told('warning')).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told('warning')).toMatchObject([
    {
      failure: {
        code: 'no-executor',
        message: expect.stringMatching(/^no answer .* for 1 min: squeue: connect failure$/),
      },
    },
  ]);
  await vi.advanceTimersByTimeAsync(3_500_000);
  expect(told('warning')).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(told('warning')).toHaveLength(2);
  expect(answers).toEqual([]);
  cluster.state = 'RUNNING';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(told('node-log')).toMatchObject([{text: 'the controller of the cluster answers again'}]);
  cluster.state = 'CANCELLED';
  await vi.advanceTimersByTimeAsync(60_000);
  expect(answers).toMatchObject([{error: {code: 'job-cancelled'}}]);
  await watch.close();
});

it('a short silence is no news', async () => {
  const {cluster, told, watch} = watched();
  for (let time = 0; time < 10; time++) {
    cluster.state = undefined;
    await vi.advanceTimersByTimeAsync(30_000);
    cluster.state = 'RUNNING';
    await vi.advanceTimersByTimeAsync(30_000);
  }
  expect([told('warning'), told('node-log')]).toEqual([[], []]);
  cluster.state = 'CANCELLED';
  await vi.advanceTimersByTimeAsync(60_000);
  await watch.close();
});

it('says whether the job waits or runs, once for each change', async () => {
  const {cluster, told, watch} = watched();
  for (const state of ['PENDING', 'RUNNING', 'COMPLETING', 'PENDING', 'RUNNING', 'CANCELLED']) {
    cluster.state = state;
    await vi.advanceTimersByTimeAsync(60_000);
  }
  expect(told('node-queue').map((event) => event.type === 'node-queue' && event.waits)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  await watch.close();
});
