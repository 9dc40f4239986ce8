import {afterEach, beforeEach, expect, test} from 'vitest';
import {Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.write('table.csv', 'clip\n');
  workspace.write('pipeline.yaml', pipeline);
});
afterEach(() => {
  workspace.dispose();
});

const pipeline = `version: 1
vars: {folds: [1, 2, 3], start: table}
sources: {table: table.csv}
nodes:
  tuned:
    command: [cp, table, out]
    heldOut: 0
    inputs: {table: table}
    outputs: {model: out}
  pca:
    command: [cp, start, out]
    matrix: {fold: '\${vars.folds}'}
    heldOut: '\${matrix.fold}'
    inputs: {start: '\${vars.start}', table: table}
    outputs: {pca: out}
  features:
    command: [cp, pca, out]
    matrix: {fold: '\${vars.folds}'}
    inputs: {pca: 'pca[fold=\${matrix.fold}]'}
    outputs: {features: out}
  train:
    command: [cp, features, out]
    matrix: {fold: '\${vars.folds}'}
    heldOut: '\${matrix.fold}'
    inputs: {features: 'features[fold=\${matrix.fold}]'}
    outputs: {model: out}
  scores:
    shell: sh
    script: cat models/* >out
    inputs: {models: 'train[fold=*]'}
    outputs: {scores: out}
`;

const refusal = `pipeline.yaml:19:19: error: \`train[fold=1]\` holds out fold 1 and reads what has learned from it: pca[fold=2] -> features[fold=1] -> train[fold=1]; and so does 1 more node [leak]
  17 |     command: [cp, pca, out]
  18 |     matrix: {fold: '\${vars.folds}'}
> 19 |     inputs: {pca: 'pca[fold=2]'}
     |                   ~~~~~~~~~~~~~
  20 |     outputs: {features: out}
  21 |   train:
  hint: read what holds out the same fold: \`pca[fold=\${matrix.fold}]\`
`;

test('a leak is refused by every command, before anything runs', async () => {
  workspace.edit('pipeline.yaml', 'pca[fold=${matrix.fold}]', 'pca[fold=2]');
  for (const command of [['validate'], ['plan'], ['run', 'tuned'], ['explain', 'tuned'], ['status']]) {
    expect(await workspace.run(...command)).toEqual({code: 2, stdout: '', stderr: refusal});
  }
  const {valid, failures} = await workspace.json<{valid: boolean; failures: {code: string}[]}>('validate');
  expect([valid, failures.map(({code}) => code)]).toEqual([false, ['leak']]);
  workspace.edit('pipeline.yaml', 'pca[fold=2]', 'pca[fold=${matrix.fold}]');
  expect((await workspace.run('run', '--quiet')).code).toBe(0);
});

test('a leak that is accepted is told where it matters, and changes no key', async () => {
  const tuned = ['--set', 'start=tuned'];
  const refused = await workspace.run('run', ...tuned);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    `pipeline.yaml:14:21: error: \`pca[fold=1]\` holds out fold 1 and reads what has learned from it: tuned -> pca[fold=1]; and so do 2 more nodes (through \${vars.start}, set by --set start=tuned) [leak]
  12 |     matrix: {fold: '\${vars.folds}'}
  13 |     heldOut: '\${matrix.fold}'
> 14 |     inputs: {start: '\${vars.start}', table: table}
     |                     ~~~~~~~~~~~~~~~
  15 |     outputs: {pca: out}
  16 |   features:
  hint: let \`tuned\` hold folds out, by an axis \`fold\` and \`heldOut: '\${matrix.fold}'\`, or say in \`tuned\` why others may read it: \`acceptLeak: reason\`
`,
  ]);
  expect((await workspace.run('run', '--quiet', 'tuned')).code).toBe(0);
  workspace.edit('pipeline.yaml', 'heldOut: 0', 'heldOut: 0\n    acceptLeak: as published');
  const told =
    'leak accepted: 3 nodes (pca[fold=1], …) read what `tuned` learned from the folds they hold out: as published\n';
  expect(await workspace.run('validate')).toMatchObject({code: 0, stderr: ''});
  expect(await workspace.run('validate', ...tuned)).toMatchObject({code: 0, stderr: told});
  const plan = await workspace.run('plan', ...tuned);
  expect([plan.code, plan.stderr]).toEqual([0, told]);
  expect(plan.stdout).toContain('10 to run, 1 up to date\n');
  expect(await workspace.run('plan', ...tuned, 'tuned')).toMatchObject({code: 0, stderr: ''});
  expect((await workspace.run('plan', ...tuned, 'train[fold=2]')).stderr).toBe(
    'leak accepted: pca[fold=2] reads what `tuned` learned from the fold it holds out: as published\n',
  );
  const run = await workspace.run('run', ...tuned);
  expect([run.code, run.stderr]).toEqual([0, told]);
  expect(await workspace.run('run', ...tuned, '--quiet')).toEqual({code: 0, stdout: '', stderr: ''});
  expect((await workspace.run('explain', 'scores', ...tuned)).stdout).toContain(
    '\n  leak accepted in `tuned`: as published\n',
  );
  expect((await workspace.run('explain', 'tuned', ...tuned)).stdout).not.toContain('leak');
  const [scores] = await workspace.json<{acceptedLeaks?: unknown}[]>('explain', 'scores', ...tuned);
  expect(scores?.acceptedLeaks).toEqual([{node: 'tuned', reason: 'as published'}]);
  expect((await workspace.run('explain', 'scores')).stdout).not.toContain('leak');
});

test('a stage shows which of its params names the fold', async () => {
  expect((await workspace.run('stages', 'train')).stdout).toMatch(/^ {2}fold +integer >= 0, fold held out +required/m);
  expect((await workspace.run('stages', 'metrics')).stdout).not.toContain('fold held out');
});
