import {writeFileSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {Workspace} from '../support/workspace.ts';

const stage = `import {readFileSync, writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'score',
  summary: 'Scores a fold.',
  params: {
    fold: {type: 'integer', about: 'fold'},
    level: {type: 'number', about: 'level'},
    bias: {type: 'number', default: 0, about: 'added'},
  },
  inputs: {text: {kind: 'file', about: 'a text'}},
  outputs: {score: {kind: 'file', name: 'score.json', about: 'a number'}},
  run({params, inputs, outputs, metric}) {
    const letters = readFileSync(inputs.text, 'utf8').length;
    const map3 = (params.fold + params.level + letters + params.bias * (10 - params.fold)) / 64;
    metric('map3', map3);
    metric('letters', letters);
    writeFileSync(outputs.score, String(map3));
  },
});
`;

const pipeline = `version: 1
vars: {bias: 0, folds: [1, 2, 3, 4, 5, 6]}
sources:
  text: {path: text.txt}
nodes:
  score:
    stage: score
    matrix: {fold: '\${vars.folds}', level: [8, 16]}
    inputs: {text: text}
    params: {fold: '\${matrix.fold}', level: '\${matrix.level}', bias: '\${vars.bias}'}
  other: {command: [touch, done], outputs: {done: done}}
targets: {default: [score, other]}
`;

interface Diff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly {readonly node: string; readonly reasons: readonly unknown[]}[];
  readonly paired?: readonly object[];
  readonly same: number;
}

/** What differs from run to run: ids, times. */
function steady(text: string): string {
  return text.replaceAll(/\d{8}-\d{6}-[0-9a-f]{5}/g, '<run>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
}

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.write('pipeline.yaml', pipeline);
  workspace.write('text.txt', 'four');
  workspace.write('stages/score.ts', stage);
});
afterEach(() => workspace.dispose());

describe('metrics', () => {
  test('of the last results and of a recorded run, as text, csv, markdown and JSON', async () => {
    await workspace.run('run', '--quiet', '--set', 'folds=[1,2]');
    expect(await workspace.run('metrics', '--set', 'folds=[1,2]', '--sort', 'map3')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "",
        "stdout": "score
      fold  level    map3  letters
      2     16     0.3438        4
      1     16     0.3281        4
      2     8      0.2188        4
      1     8      0.2031        4
      ",
      }
    `);
    const pivot = ['metrics', 'score', '--set', 'folds=[1,2]', '--metric', 'map3', '--pivot', 'fold', '--mean'];
    expect((await workspace.run(...pivot)).stdout).toMatchInlineSnapshot(`
      "score map3
      level  fold=1  fold=2        mean ± sd
      8      0.2031  0.2188  0.2109 ± 0.0110
      16     0.3281  0.3438  0.3359 ± 0.0110
      "
    `);
    expect((await workspace.run(...pivot, '--format', 'csv', '--filter', 'level=8')).stdout).toBe(
      'node,level,metric,fold=1,fold=2,mean,sd,n\nscore,8,map3,0.203125,0.21875,0.2109375,0.011048543456039806,2\n',
    );
    expect(await workspace.json('metrics', 'score[fold=2]', '--run', 'latest', '--metric', 'map3')).toEqual([
      {node: 'score[fold=2,level=8]', name: 'score', axes: {fold: '2', level: '8'}, metrics: {map3: 0.21875}},
      {node: 'score[fold=2,level=16]', name: 'score', axes: {fold: '2', level: '16'}, metrics: {map3: 0.34375}},
    ]);
    const markdown = await workspace.run('metrics', '--run', 'latest', '--format', 'md', '--filter', 'fold=1,level=16');
    expect(markdown.stdout).toBe(
      '**score**\n\n| fold | level |   map3 | letters |\n| :--- | :---- | -----: | ------: |\n| 1    | 16    | 0.3281 |       4 |\n',
    );
    const stale = await workspace.run('metrics', 'score[fold=1,level=8]', '--set', 'folds=[1]', '--set', 'bias=1');
    expect(stale).toMatchObject({code: 0, stderr: '1 result stale: of an earlier state of the pipeline\n'});
  });

  test('floors end with 1 and name the nodes; what was never measured has not passed', async () => {
    await workspace.run('run', '--quiet', '--set', 'folds=[1]');
    const floor = ['metrics', '--set', 'folds=[1,2]', '--fail-below', 'map3=0.3', '--quiet'];
    expect(await workspace.run(...floor)).toMatchObject({
      code: 1,
      stderr:
        'below: score[fold=1,level=8] map3 0.2031 < 0.3\n' +
        'below: score[fold=2,level=8] reports no map3 (floor 0.3)\n' +
        'below: score[fold=2,level=16] reports no map3 (floor 0.3)\n',
    });
    const passing = await workspace.run('metrics', '--set', 'folds=[1]', '--fail-below', 'map3=0.203125');
    expect(passing).toMatchObject({code: 0, stderr: ''});
  });

  test('what cannot be shown is said', async () => {
    expect(await workspace.run('metrics')).toMatchObject({
      code: 1,
      stderr: 'error: there are no results yet [blob-missing]\n  hint: make some: mixdown run\n',
    });
    expect(await workspace.run('metrics', '--run', 'latest')).toMatchObject({
      code: 2,
      stderr: 'error: there are no runs yet [usage]\n  hint: make one with `mixdown run`\n',
    });
    await workspace.run('run', '--quiet');
    const refused = async (...args: string[]): Promise<string> => {
      const {code, stderr} = await workspace.run('metrics', ...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('--metric', 'mpa3', '--pivot', 'fould')).toBe(
      'error: no result here reports `mpa3` [unknown-metric]\n  hint: did you mean `map3`?\n\n' +
        'error: no node here has the axis `fould` [unknown-axis]\n  hint: did you mean `fold`?\n\n2 problems\n',
    );
    expect(await refused('--fail-below', 'map4=0.5')).toContain('[unknown-metric]\n  hint: did you mean `map3`?');
    expect(await refused('--fail-below', 'map3')).toContain('--fail-below map3: no floor [usage]');
    expect(await refused('--sort', 'lettres')).toContain('did you mean `letters`?');
    expect(await refused('--mean')).toContain('--mean is over the columns that --pivot makes');
    expect(await refused('--run', 'latest~1')).toContain('`latest~1` goes too far back: 1 run recorded');
    expect(await refused('scroe', '--run', 'latest')).toContain('did you mean `score`?');
    for (const damage of ['{"type": "run/1", "no', '{"type": "run/1", "nodes": [1]}', 'null', '']) {
      writeFileSync(workspace.path('runs/latest/run.json'), damage);
      expect(await refused('--run', 'latest')).toContain('cannot be read [record-corrupt]');
    }
  });

  test('of a run that was killed, what its events tell', async () => {
    await workspace.run('run', '--quiet');
    const record = JSON.parse(workspace.read('runs/latest/run.json')) as Record<string, unknown>;
    writeFileSync(workspace.path('runs/latest/run.json'), JSON.stringify({...record, outcome: 'running', nodes: {}}));
    expect(await workspace.json('metrics', '--run', 'latest')).toHaveLength(12);
  });
});

describe('diff', () => {
  test('of the last two runs: nodes, params, code, inputs, and metrics paired over the folds', async () => {
    await workspace.run('run', '--quiet');
    workspace.edit('pipeline.yaml', 'bias: 0', 'bias: 1');
    workspace.edit('pipeline.yaml', 'level: [8, 16]', 'level: [8, 32]');
    await workspace.run('run', '--quiet');
    // A result that is kept says what it was made from, too.
    const {nodes} = JSON.parse(workspace.read('runs/latest/run.json')) as {nodes: Record<string, object>};
    expect(nodes['other']).toMatchObject({outcome: 'up-to-date', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/)});
    expect(steady((await workspace.run('diff', '--over', 'fold')).stdout)).toMatchInlineSnapshot(`
      "before  <run>  <time>
      after   <run>  <time>

      added 6 nodes: score[fold=1,level=32], score[fold=2,level=32], score[fold=3,level=32], score[fold=4,level=32], score[fold=5,level=32], score[fold=6,level=32]

      removed 6 nodes: score[fold=1,level=16], score[fold=2,level=16], score[fold=3,level=16], score[fold=4,level=16], score[fold=5,level=16], score[fold=6,level=16]

      score ×6
        param bias: 0 -> 1

      score over fold
      level  metric  before   after     delta [95 % interval]  up  down  pairs       p  verdict
      8      map3    0.2422  0.3438  +0.1016 [0.0807, 0.1224]   6     0      6  0.0313  real

      1 node the same
      "
    `);
    const diff = await workspace.json<Diff>('diff', 'latest~1', 'latest', 'score[fold=1]', '--over', 'fold');
    expect(diff).toMatchObject({
      type: 'diff/1',
      added: ['score[fold=1,level=32]'],
      removed: ['score[fold=1,level=16]'],
      changed: [
        {
          node: 'score[fold=1,level=8]',
          axes: {fold: '1', level: '8'},
          reasons: [{kind: 'param-changed', param: 'bias', before: 0, after: 1}],
          outputs: ['score'],
          metrics: [{metric: 'map3', before: 0.203125, after: 0.34375, delta: 0.140625}],
        },
      ],
      same: 0,
      paired: [{name: 'score', axes: {level: '8'}, over: ['fold'], metric: 'map3', pairs: 1, verdict: 'too few'}],
    });
    workspace.edit('stages/score.ts', '/ 64', '/ 32');
    workspace.write('text.txt', 'of eight');
    await workspace.run('run', '--quiet');
    const single = await workspace.run('diff', 'latest~1', 'latest', 'score[fold=1,level=8]', '--metric', 'letters');
    expect(steady(single.stdout)).toMatchInlineSnapshot(`
      "before  <run>  <time>
      after   <run>  <time>

      score[fold=1,level=8]
        code: stages/score.ts changed
        input text: other content

      score
      fold  level  metric   before  after  delta
      1     8      letters       4      8     +4

      0 nodes the same
      "
    `);
    // Node by node, nothing is said of what stayed the same: `other` was up to date in both.
    expect(await workspace.json<Diff>('diff', 'latest~1', 'latest')).toMatchObject({same: 1, added: [], removed: []});
    expect((await workspace.run('diff', 'latest', 'latest')).stdout).toContain('13 nodes the same: no difference');
  });

  test('what was made from something else is noticed when nobody knows any more from what', async () => {
    await workspace.run('run', '--quiet');
    workspace.edit('pipeline.yaml', 'bias: 0', 'bias: 1');
    await workspace.run('run', '--quiet');
    workspace.remove('cache');
    const {changed} = await workspace.json<Diff>('diff', 'latest~1', 'latest', 'score');
    expect(changed).toHaveLength(12);
    expect(changed[0]).toMatchObject({reasons: [], explained: false, outputs: ['score']});
  });

  test('what cannot be compared is said', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const {code, stdout, stderr} = await workspace.run('diff', ...args);
      expect([code, stdout]).toEqual([2, '']);
      return stderr;
    };
    expect(await refused()).toContain('there are no runs yet');
    await workspace.run('run', '--quiet');
    expect(await refused()).toContain('`latest~1` goes too far back: 1 run recorded');
    expect(await refused('latest', 'latest', '--over', 'fodl')).toContain('did you mean `fold`?');
    expect(await refused('latest', 'latest', '--metric', 'map')).toContain('did you mean `map3`?');
    expect(await refused('latest', 'latest', 'scores')).toContain('did you mean `score`?');
    expect(await refused('latest', 'latest', 'score[fold=9]')).toContain('no recorded node matches `score[fold=9]`');
    writeFileSync(workspace.path('runs/latest/run.json'), '{"type": "run/1", "nodes": {"score": null}}');
    expect(await refused('latest', 'latest')).toContain('cannot be read [record-corrupt]');
  });
});
