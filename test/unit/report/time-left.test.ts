import {expect, test} from 'vitest';
import {RunProgress} from '../../../src/report/run-progress.ts';
import {timeLeft} from '../../../src/report/time-left.ts';
import {event, finished, planned, runStarted, started} from './events.ts';

const producers: Readonly<Record<string, readonly string[]>> = {
  b: ['a'],
  c: ['a'],
  d: ['b', 'c'],
};

function progress(...events: Parameters<RunProgress['apply']>[0][]): RunProgress {
  const run = new RunProgress();
  run.apply(runStarted);
  for (const each of events) run.apply(each);
  return run;
}

const producersOf = (node: string): readonly string[] => producers[node] ?? [];
const all = {a: 'will-run', b: 'may-run', c: 'may-run', d: 'may-run'} as const;
const expected = {a: 1000, b: 5000, c: 2000, d: 1000};

test('follows edges and slots', () => {
  expect(timeLeft(progress(planned(0, all, expected)), producersOf, 0)).toEqual({ms: 7000, unknown: 0});
  const oneJob = progress(planned(0, all, expected));
  oneJob.jobs = 1;
  expect(timeLeft(oneJob, producersOf, 0).ms).toBe(9000);
});

test('counts what runs by what is left of it', () => {
  const running = progress(
    planned(0, all, expected),
    finished(1, 'a', 'executed'),
    started(1, 'b', {expectedMs: 5000}),
    started(1, 'c', {expectedMs: 2000}),
  );
  expect(timeLeft(running, producersOf, 3000)).toEqual({ms: 4000, unknown: 0});
  running.apply(event('node-progress', 3, {node: 'b', fraction: 0.5}));
  expect(timeLeft(running, producersOf, 3000).ms).toBe(3000);
});

test('what waits in the queue of a cluster has all its time before it', () => {
  const queued = progress(
    planned(0, all, expected),
    finished(1, 'a', 'executed'),
    started(1, 'b', {expectedMs: 5000}),
    event('node-queue', 1, {node: 'b', waits: true}),
  );
  expect(timeLeft(queued, producersOf, 3000).ms).toBe(6000);
  queued.apply(event('node-queue', 4, {node: 'b', waits: false}));
  expect(timeLeft(queued, producersOf, 5000).ms).toBe(5000);
});

test('a node without a duration takes the mean of its variants; without any, the forecast is a lower bound', () => {
  const variants = {'t[x=1]': 'will-run', 't[x=2]': 'will-run', u: 'will-run'} as const;
  const run = progress(planned(0, variants, {'t[x=1]': 3000}));
  run.jobs = 1;
  expect(timeLeft(run, () => [], 0)).toEqual({ms: 6000, unknown: 1});
});

test('stays fast on wide graphs', () => {
  const names = Array.from({length: 20_000}, (_, index) => `n[i=${index}]`);
  const run = progress(
    planned(0, Object.fromEntries(names.map((name) => [name, 'will-run' as const])), {'n[i=0]': 10}),
  );
  expect(timeLeft(run, () => [], 0)).toEqual({ms: 100_000, unknown: 0});
});
