import {expect, it} from 'vitest';
import {RunProgress} from '../../../src/report/run-progress.ts';
import {finished, planned, runStarted, started} from './events.ts';

it('counts a node once that runs again, since what it was made from is not to be used', () => {
  const progress = new RunProgress();
  for (const event of [
    runStarted,
    planned(0, {a: 'cached', b: 'will-run'}),
    finished(0, 'a', 'cached'),
    started(0, 'b'),
    finished(1, 'b', 'executed'),
  ]) {
    progress.apply(event);
  }
  expect([progress.workDone, progress.work.size]).toEqual([1, 1]);
  for (const event of [started(1, 'a'), finished(2, 'a', 'executed'), started(2, 'b'), finished(3, 'b', 'executed')]) {
    progress.apply(event);
  }
  expect([progress.workDone, progress.work.size]).toEqual([2, 2]);
});
