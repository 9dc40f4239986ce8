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
      '**score**\n\n| fold | level | map3 | letters |\n| :-- | :-- | --: | --: |\n| 1 | 16 | 0.3281 | 4 |\n',
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
