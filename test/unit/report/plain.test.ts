import {expect, test} from 'vitest';
import type {Event} from '../../../src/core/events.ts';
import {makePaint} from '../../../src/report/paint.ts';
import {plainReporter} from '../../../src/report/plain.ts';
import {event, finished, planned, runFinished, runStarted, started} from './events.ts';

function told(events: readonly Event[], options: {verbose?: boolean; quiet?: boolean} = {}): string {
  let text = '';
  const reporter = plainReporter({
    write: (piece) => (text += piece),
    paint: makePaint(false),
    verbose: options.verbose ?? false,
    quiet: options.quiet ?? false,
  });
  for (const each of events) reporter.emit(each);
  reporter.close();
  return text;
}

const slice = (seconds: number, done: number): Event =>
  event('slice-finished', seconds, {
    node: 'waveforms',
    key: `k${done}`,
    outcome: 'executed',
    wallMs: 5,
    done,
    total: 110,
  });

const story: readonly Event[] = [
  runStarted,
  planned(0, {
    demo: 'up-to-date',
    folds: 'cached',
    waveforms: 'will-run',
    'train[fold=1]': 'may-run',
    tables: 'may-run',
  }),
  finished(0, 'demo', 'up-to-date'),
  finished(0, 'folds', 'cached'),
  started(0, 'waveforms', {
    slices: {total: 110, stale: 3},
    reasons: [{kind: 'param-changed', param: 'trimDb', before: 60, after: 50}],
  }),
  slice(1, 108),
  slice(6, 109),
  slice(7, 110),
  finished(7, 'waveforms', 'executed', {
    wallMs: 7000,
    slices: {total: 108, executed: 3, cached: 105, leftOut: 1, unmatched: 2},
  }),
  started(7, 'train[fold=1]', {expectedMs: 40_000}),
  event('node-log', 8, {node: 'train[fold=1]', stream: 'log', text: 'epoch 1\nloss NaN\n'}),
  event('node-retry', 9, {
    node: 'train[fold=1]',
    attempt: 1,
    of: 2,
    failure: {code: 'stage-failed', message: 'loss is not a number\n  at train'},
  }),
  event('node-progress', 20, {node: 'train[fold=1]', fraction: 0.256, message: 'epoch 3 of 10'}),
  event('node-progress', 21, {node: 'train[fold=1]', fraction: 0.3}),
  event('warning', 55, {failure: {code: 'blob-corrupt', message: 'blob ab is damaged', hint: 'it is made again'}}),
  finished(60, 'train[fold=1]', 'failed', {
    wallMs: 53_000,
    failure: {
      code: 'stage-failed',
      message: 'loss is not a number',
      hint: 'lower the rate',
      reproduce: 'cache/failed/x',
    },
  }),
  finished(60, 'tables', 'blocked', {failure: {code: 'blocked', message: 'tables did not run because train failed'}}),
  event('interrupted', 61, {times: 1}),
  runFinished(61, 'failed'),
];

test('one line per event worth a line', () => {
  expect(told(story)).toMatchInlineSnapshot(`
    "1 to run, 2 may run, 1 cached, 1 up to date
    waveforms started (cpu): 110 slices, 3 stale [param trimDb]
    waveforms 2/3 slices after 6.0 s
    [1/3] waveforms executed in 7.0 s (cpu), 3 slices, 3 of 110 items left out
    train[fold=1] started (cpu): expected 40 s
    train[fold=1] failed, attempt 1 of 2; trying again: loss is not a number
    train[fold=1] 25 % after 13 s: epoch 3 of 10
    warning: blob ab is damaged [blob-corrupt]
      hint: it is made again
    train[fold=1] still running after 48 s (cpu)
    [2/3] train[fold=1] failed after 53 s (cpu)
    error: train[fold=1]: loss is not a number [stage-failed]
      hint: lower the rate
      reproduce: cache/failed/x/reproduce.sh
      last output:
        epoch 1
        loss NaN
    stopping
    "
  `);
});

test('quiet tells failures and warnings only', () => {
  expect(told(story, {quiet: true})).toMatchInlineSnapshot(`
    "warning: blob ab is damaged [blob-corrupt]
      hint: it is made again
    [2/3] train[fold=1] failed after 53 s (cpu)
    error: train[fold=1]: loss is not a number [stage-failed]
      hint: lower the rate
      reproduce: cache/failed/x/reproduce.sh
      last output:
        epoch 1
        loss NaN
    "
  `);
});

test('verbose tells starts with reasons, logs and what was cached', () => {
  expect(told(story, {verbose: true})).toMatchInlineSnapshot(`
    "1 to run, 2 may run, 1 cached, 1 up to date
    [0/3] folds cached
    waveforms started (cpu): 110 slices, 3 stale [param trimDb]
    waveforms 2/3 slices after 6.0 s
    [1/3] waveforms executed in 7.0 s (cpu), 3 slices, 3 of 110 items left out
    train[fold=1] started (cpu): expected 40 s
    train[fold=1] | epoch 1
    train[fold=1] | loss NaN
    train[fold=1] failed, attempt 1 of 2; trying again: loss is not a number
    train[fold=1] 25 % after 13 s: epoch 3 of 10
    warning: blob ab is damaged [blob-corrupt]
      hint: it is made again
    train[fold=1] still running after 48 s (cpu)
    [2/3] train[fold=1] failed after 53 s (cpu)
    error: train[fold=1]: loss is not a number [stage-failed]
      hint: lower the rate
      reproduce: cache/failed/x/reproduce.sh
      last output:
        epoch 1
        loss NaN
    [3/3] tables blocked
    stopping
    "
  `);
});

test('nothing is told of a run with nothing to do', () => {
  expect(
    told([runStarted, planned(0, {demo: 'up-to-date'}), finished(0, 'demo', 'up-to-date'), runFinished(0, 'done')]),
  ).toBe('');
});
