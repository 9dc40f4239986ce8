import {describe, expect, test} from 'vitest';
import {failure} from '../../../src/core/failure.ts';
import {
  cutText,
  failedStartText,
  jobSummaryText,
  type JobSummary,
  type Metrics,
} from '../../../src/report/job-summary.ts';

const none = {'up-to-date': 0, cached: 0, executed: 0, failed: 0, blocked: 0, cancelled: 0};
const parts: JobSummary = {
  finished: {outcome: 'done', wallMs: 5000, counts: {...none, executed: 2, cached: 3}},
  savedMs: 125_000,
  failures: [],
  metrics: new Map(),
  all: new Map(),
};

test('counts, time, what the cache saved, and metrics with their change', () => {
  const metrics = new Map([
    ['score[fold=2]', {map3: 0.5, n: 10}],
    ['score[fold=1]', {map3: 0.25, n: 10}],
  ]);
  const baseline = {
    name: 'mixdown.lock',
    metrics: new Map([
      ['score[fold=1]', {map3: 0.2, n: 10, old: 1}],
      ['score[fold=2]', {map3: 0.5, n: 10}],
    ]),
  };
  expect(jobSummaryText({...parts, metrics, all: new Map<string, Metrics>([...metrics, ['new', {x: 1}]]), baseline}))
    .toMatchInlineSnapshot(`
      "### ✅ mixdown run done

      2 executed, 3 cached in 5.0 s; the cache saved 2 min 05 s

      #### Compared with mixdown.lock

      | node  | fold | metric | before |    now |  change |
      | :---- | :--- | :----- | -----: | -----: | ------: |
      | score | 1    | map3   | 0.2000 | 0.2500 | +0.0500 |
      | score | 1    | old    |      1 |        |         |

      1 node not in mixdown.lock

      #### Metrics

      **score**

      | fold |   map3 |   n |
      | :--- | -----: | --: |
      | 1    | 0.2500 |  10 |
      | 2    | 0.5000 |  10 |
      "
    `);
});

test('without a change that is said, and without anything to compare nothing', () => {
  const metrics = new Map([['a', {x: 1}]]);
  const text = jobSummaryText({...parts, metrics, all: metrics, baseline: {name: 'run 1', metrics}});
  expect(text).toContain('#### Compared with run 1\n\nThe metrics of 1 node are the same.\n');
  const bare = {name: 'run 1', metrics: new Map([['a', {}]])};
  expect(jobSummaryText({...parts, all: new Map([['a', {}]]), baseline: bare})).not.toContain('Compared');
});

test('failed nodes with their reasons, as one table whatever is in them', () => {
  const failures = Array.from({length: 60}, (_, at) => ({
    node: `a[x=${at}]`,
    failure: failure('stage-failed', 'a | b\nsecond line', {hint: 'see `x`'}),
  }));
  const counts = {...none, failed: 60};
  const text = jobSummaryText({...parts, savedMs: 0, finished: {outcome: 'failed', wallMs: 1, counts}, failures});
  expect(text.split('\n').slice(0, 7)).toEqual([
    '### ❌ mixdown run failed',
    '',
    '60 failed in 1 ms',
    '',
    '| failed node | why    | hint      |',
    '| :---------- | :----- | :-------- |',
    String.raw`| a\[x=0]     | a \| b | see \`x\` |`,
  ]);
  expect(text).toMatch(/… and 10 more\n$/);
});

test('a run that did not begin', () => {
  expect(failedStartText([failure('missing-source', 'there is no data')])).toBe(
    '### ❌ mixdown run did not begin\n\n- there is no data\n',
  );
});

describe('cutting', () => {
  test('what fits stays, what does not is cut at a line', () => {
    const text = 'ä line\n'.repeat(100);
    expect(cutText(text, 800)).toBe(text);
    const cut = cutText(text, 200);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(200);
    expect(cut).toMatch(/^(ä line\n)+\n… cut here: GitHub shows 1 MiB of a step\n$/);
  });

  test('no room, no text', () => {
    for (const room of [-5, 0, 3]) expect(cutText('a longer text\n', room)).toBe('');
  });
});
