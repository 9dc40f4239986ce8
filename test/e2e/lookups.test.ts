import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace();
  workspace.write('stages/model.ts', stage);
  workspace.write('pipeline.yaml', pipeline);
});
afterEach(() => {
  workspace.dispose();
});

const stage = `import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'model',
  summary: 'Writes its params.',
  params: {
    length: {type: 'integer', minimum: 1, about: 'a length'},
    alpha: {type: 'number', minimum: 0, default: 0, about: 'a share'},
  },
  inputs: {part: {kind: 'file', optional: true, about: 'anything'}},
  outputs: {text: {kind: 'file', name: 'text.txt', about: 'its params'}},
  run({params, outputs}) {
    writeFileSync(outputs.text, JSON.stringify(params) + '\\n');
  },
});
`;

const names = ['h1', 'h2', 'h3', 'h1+h2', 'h1+h3', 'h2+h3', 'h1+h2+h3', 'A', 'B', 'F-h1'];
const rows = names.map((name, index) => `    ${name}: {length: ${1 + (index % 3)}, alpha: 0.${index}}`);

const pipeline = `version: 1
vars:
  variants: [${names.join(', ')}]
  experiments:
${rows.join('\n')}
nodes:
  part: {stage: model, matrix: {length: '\${vars.experiments[*].length}'}, params: {length: '\${matrix.length}'}}
  train:
    stage: model
    matrix: {variant: '\${vars.variants}'}
    inputs: {part: 'part[length=\${vars.experiments[matrix.variant].length}].text'}
    params: '\${vars.experiments[matrix.variant]}'
  all:
    command: [sh, -c, 'cat texts/* > all.txt']
    inputs: {texts: 'train[*]'}
    outputs: {all: all.txt}
targets: {default: [all]}
`;

/** Builds, and tells which nodes ran, sorted. */
async function build(...args: string[]): Promise<string[]> {
  const {code, stdout, stderr} = await workspace.run('run', '--json', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  return events
    .flatMap((event) => (event.type === 'node-finished' && event.outcome === 'executed' ? [event.node] : []))
    .sort();
}

const trains = names.map((name) => `train[variant=${name}]`);
const parts = [1, 2, 3].map((length) => `part[length=${length}]`);

describe('experiments as lines of a table', () => {
  it('runs what a new line adds, and what a changed one reaches', async () => {
    expect(await build()).toEqual(['all', ...parts, ...trains].sort());
    expect(workspace.read('runs/latest/out/all/all.txt')).toContain('{"length":3,"alpha":0.5}');
    expect(await build()).toEqual([]);

    workspace.edit('pipeline.yaml', '    F-h1:', '    F-h2: {length: 2}\n    F-h1:');
    expect(await build()).toEqual([]);
    workspace.edit('pipeline.yaml', 'F-h1]', 'F-h1, F-h2]');
    expect(await build()).toEqual(['all', 'train[variant=F-h2]']);

    workspace.edit('pipeline.yaml', 'A: {length: 2, alpha: 0.7}', 'A: {length: 7, alpha: 0.7}');
    expect(await build()).toEqual(['all', 'part[length=7]', 'train[variant=A]']);
    expect(await build('--set', 'vars.experiments.h1+h2.alpha=0.25')).toEqual(['all', 'train[variant=h1+h2]']);
    expect(await build()).toEqual([]);
  }, 60_000);

  it('is drawn, checked and planned like any other matrix', async () => {
    const {stdout} = await workspace.run('graph', '--expand');
    expect(stdout).toContain('train[variant=h1+h2]');
    expect((await workspace.run('validate')).code).toBe(0);
    const plan = await workspace.run('plan', 'train[variant=B]');
    expect(plan.stdout).toContain('train[variant=B]');
    expect(plan.stdout).toContain('part[length=3]');
    expect(plan.stdout).not.toContain('part[length=1]');
    workspace.edit('pipeline.yaml', 'B: {length: 3', 'B: {length: 0');
    workspace.edit('pipeline.yaml', 'variants: [h1', 'variants: [h4');
    const {code, stderr} = await workspace.run('validate');
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "pipeline.yaml:16:92: error: \`length\` must be >= 1, not \`0\` (through \${matrix.length}) [bad-value]
        14 |
        15 |
      > 16 | …: '\${vars.experiments[*].length}'}, params: {length: '\${matrix.length}'}}
           |                                                       ~~~~~~~~~~~~~~~~~~
        17 |
        18 |
      pipeline.yaml:13:17: \`0\` stands here
        11 |     h1+h2+h3: {length: 1, alpha: 0.6}
        12 |     A: {length: 2, alpha: 0.7}
      > 13 |     B: {length: 0, alpha: 0.8}
           |                 ~
        14 |     F-h1: {length: 1, alpha: 0.9}
        15 | nodes:

      pipeline.yaml:20:51: error: \`experiments\` has no member \`h4\`, asked for by the axis \`variant\` [unknown-variable]
        18 |     stage: model
        19 |     matrix: {variant: '\${vars.variants}'}
      > 20 |     inputs: {part: 'part[length=\${vars.experiments[matrix.variant].length}].text'}
           |                                                   ~~~~~~~~~~~~~~~~
        21 |     params: '\${vars.experiments[matrix.variant]}'
        22 |   all:
        hint: did you mean \`h1\`?
      pipeline.yaml:3:14: \`h4\` stands here
        1 | version: 1
        2 | vars:
      > 3 |   variants: [h4, h2, h3, h1+h2, h1+h3, h2+h3, h1+h2+h3, A, B, F-h1]
          |              ~~
        4 |   experiments:
        5 |     h1: {length: 1, alpha: 0.0}

      2 problems
      "
    `);
  });
});
