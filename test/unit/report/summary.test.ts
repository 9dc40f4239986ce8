import {expect, test} from 'vitest';
import {makePaint} from '../../../src/report/paint.ts';
import {summaryText} from '../../../src/report/summary.ts';

const paint = makePaint(false);
const none = {'up-to-date': 0, cached: 0, executed: 0, failed: 0, blocked: 0, cancelled: 0};

test('a run that is done shows its tables and where the results are', () => {
  const text = summaryText(
    {
      finished: {outcome: 'done', wallMs: 65_000, counts: {...none, executed: 12, cached: 98, 'up-to-date': 2}},
      displays: [{node: 'tables', output: 'text', text: 'variant  MAP@3\nh1       0.5\n\n'}],
      failures: [],
      sliced: [
        {node: 'waveforms', slices: {total: 150, executed: 150, cached: 0, leftOut: 2}},
        {node: 'copies', slices: {total: 20, executed: 1, cached: 19, unmatched: 1}},
        {node: 'log-mel', slices: {total: 148, executed: 148, cached: 0}},
      ],
      engines: 'engine onnx-blas, 1 thread a node',
      results: 'runs/latest/out',
    },
    paint,
  );
  expect(text).toMatchInlineSnapshot(`
    "tables.text
    variant  MAP@3
    h1       0.5

    waveforms: 2 of 150 items left out
    copies: 1 of 21 items left out
    done in 1 min 05 s: 12 executed, 98 cached, 2 up to date
    engine onnx-blas, 1 thread a node
    results: runs/latest/out
    "
  `);
});

test('a run with nothing to do says so in one line', () => {
  const text = summaryText(
    {
      finished: {outcome: 'done', wallMs: 80, counts: {...none, 'up-to-date': 140}},
      displays: [],
      failures: [],
      sliced: [],
    },
    paint,
  );
  expect(text).toBe('up to date: 140 nodes, nothing to do (80 ms)\n');
});

test('a failed run lists the failures and what to do next', () => {
  const text = summaryText(
    {
      finished: {outcome: 'failed', wallMs: 5000, counts: {...none, executed: 3, failed: 1, blocked: 7}},
      displays: [],
      failures: [
        {
          node: 'train[fold=1]',
          failure: {code: 'stage-failed', message: 'loss is NaN\nat x', reproduce: 'cache/failed/train'},
        },
      ],
      sliced: [],
      record: 'runs/20260101-000000-abcd',
    },
    paint,
  );
  expect(text).toMatchInlineSnapshot(`
    "1 node failed:
      ✗ train[fold=1]: loss is NaN

      its log:       mixdown show --log 'train[fold=1]'
      run it alone:  cache/failed/train/reproduce.sh
      after a fix:   mixdown run (what is done stays done)

    failed in 5.0 s: 3 executed, 1 failed, 7 blocked
    "
  `);
});

test('an interrupted run', () => {
  const finished = {outcome: 'interrupted', wallMs: 5000, counts: {...none, executed: 3, cancelled: 4}} as const;
  expect(summaryText({finished, displays: [], failures: [], sliced: []}, paint)).toBe(
    'interrupted in 5.0 s: 3 executed, 4 cancelled\ngo on with: mixdown run (what is done stays done)\n',
  );
});
