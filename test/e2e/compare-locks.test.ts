import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {commitAll, git, makeRepository} from '../support/repository.ts';
import {errorsOf} from '../support/schemas.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

const stage = `import {writeFileSync} from 'node:fs';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'score',
  summary: 'Computes with an engine.',
  params: {fold: {type: 'integer', about: 'fold'}, bias: {type: 'number', about: 'added'}},
  inputs: {},
  outputs: {out: {kind: 'file', name: 'out.txt', about: 'a number'}},
  numericBackend: true,
  run({params, outputs, metric}) {
    metric('map3', (params.fold + params.bias * (10 - params.fold)) / 64);
    writeFileSync(outputs.out, String(params.fold + params.bias));
  },
});
`;

interface Diff {
  readonly before: object;
  readonly after: object;
  readonly changed: readonly {
    readonly node: string;
    readonly explained: boolean;
    readonly reasons: readonly {readonly kind: string}[];
    readonly metrics: readonly object[];
  }[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly same: number;
}

/** What differs from run to run: commits, ids, times. */
function steady(text: string): string {
  return text
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{5}/g, '<run>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replaceAll(/, [0-9a-f]{10}\b/g, ', <commit>');
}

let workspace: Workspace;
let first: string;
beforeAll(async () => {
  workspace = new Workspace(toyProject);
  workspace.write('.gitignore', 'cache/\nruns/\nnode_modules/\n');
  workspace.write('stages/score.ts', stage);
  workspace.edit('pipeline.yaml', 'vars:\n', 'vars:\n  bias: 0\n  folds: [1, 2, 3, 4, 5, 6]\n');
  workspace.edit(
    'pipeline.yaml',
    'targets:\n  default: [report]',
    `  score:
    stage: score
    engine: cpu
    matrix: {fold: '\${vars.folds}'}
    params: {fold: '\${matrix.fold}', bias: '\${vars.bias}'}
targets:
  default: [report, score]`,
  );
  makeRepository(workspace.root);
  git(workspace.root, 'tag', 'unlocked');
  await workspace.run('run', '--quiet');
  const locked = await workspace.run('lock');
  if (locked.code !== 0) throw new Error(locked.stderr);
  first = commitAll(workspace.root, 'lock');
  workspace.edit('pipeline.yaml', 'bias: 0', 'bias: 1');
  workspace.write('notes/ant.txt', 'quite another and longer text');
  await workspace.run('run', '--quiet');
}, 60_000);
afterAll(() => workspace.dispose());

async function diff(...args: string[]): Promise<Diff> {
  const found = await workspace.json<Diff>('diff', ...args);
  expect(errorsOf('diff', found)).toEqual([]);
  return found;
}

describe('diff of locks', () => {
  test('a revision against the lock as it is now, with the folds paired', async () => {
    const {code, stdout, stderr} = await workspace.run('diff', 'HEAD', '--over', 'fold');
    expect([code, stderr]).toEqual([0, '']);
    expect(steady(stdout)).toMatchInlineSnapshot(`
      "before  mixdown.lock  at HEAD, <commit>
      after   mixdown.lock  as it is now

      counts
        input text: 92d8cbc4… -> 92710c04… (1 of 3 entries changed: ant.txt)
      report
        input parts: other content
      scaled ×2
        input total: other content
      score ×6
        param bias: 0 -> 1
      totals
        input counts: ef361136… -> 195bbcea… (1 of 3 entries changed: ant.json)

      score over fold
      metric  before   after     delta [95 % interval]  up  down  pairs       p  verdict
      map3    0.0547  0.1563  +0.1016 [0.0807, 0.1224]   6     0      6  0.0313  real

      totals
      metric  before  after  delta
      sum         18     38    +20

      0 nodes the same
      "
    `);
  });

  test('what results were made from is told, also by a run on one side', async () => {
    const expected: Partial<Diff> = {added: [], removed: [], same: 0};
    const sides = [
      ['HEAD', 'mixdown.lock'],
      ['HEAD', 'latest'],
      ['latest~1', 'mixdown.lock'],
      ['latest~1', 'latest'],
    ] as const;
    for (const [before, after] of sides) {
      const found = await diff(before, after);
      expect(found).toMatchObject(expected);
      expect(
        found.changed.map(({node, explained, reasons}) => [node, explained, reasons.map(({kind}) => kind)]),
      ).toEqual([
        ['counts', true, ['input-changed']],
        [
          'report',
          true,
          before === 'latest~1' && after === 'latest' ? ['input-changed', 'input-changed'] : ['input-changed'],
        ],
        ['scaled[by=2]', true, ['input-changed']],
        ['scaled[by=3]', true, ['input-changed']],
        ...[1, 2, 3, 4, 5, 6].map((fold) => [`score[fold=${fold}]`, true, ['param-changed']]),
        ['totals', true, ['input-changed']],
      ]);
    }
  });

  test('a run and the lock that was made from it are the same', async () => {
    for (const sides of [
      ['mixdown.lock', 'latest'],
      ['latest', 'mixdown.lock'],
      ['mixdown.lock'],
      [first, 'latest~1'],
    ]) {
      expect(await diff(...sides)).toMatchObject({changed: [], added: [], removed: [], same: 11});
    }
  });

  test('two revisions, by whatever name, as they were committed', async () => {
    commitAll(workspace.root, 'bias');
    const found = await diff('HEAD~1', 'main', 'score[fold=1]');
    expect(found).toMatchObject({
      before: {kind: 'lock', path: 'mixdown.lock', revision: 'HEAD~1', commit: first},
      after: {kind: 'lock', path: 'mixdown.lock', revision: 'main', commit: git(workspace.root, 'rev-parse', 'HEAD')},
      changed: [
        {
          node: 'score[fold=1]',
          reasons: [{kind: 'param-changed', param: 'bias', before: 0, after: 1}],
          metrics: [{metric: 'map3', before: 1 / 64, after: 10 / 64, delta: 9 / 64}],
        },
      ],
      same: 0,
    });
    expect(await diff(first.slice(0, 9), 'HEAD', 'score')).toMatchObject({same: 0, changed: {length: 6}});
  });

  test('a name is a run before it is a file, and a file before it is a revision', async () => {
    git(workspace.root, 'branch', 'latest');
    workspace.write('other', workspace.read('mixdown.lock'));
    git(workspace.root, 'branch', 'other', 'unlocked');
    expect(await diff('latest', 'other')).toMatchObject({
      before: {kind: 'run'},
      after: {kind: 'lock', path: 'other'},
      same: 11,
    });
    expect(await diff('refs/heads/latest', 'other')).toMatchObject({
      before: {kind: 'lock', revision: 'refs/heads/latest'},
    });
    workspace.remove('other');
  });

  test('what cannot be compared is said', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const {code, stdout, stderr} = await workspace.run('diff', ...args);
      expect([code, stdout]).toEqual([2, '']);
      return stderr;
    };
    expect(await refused('nothing', 'HEAD')).toBe(
      'error: `nothing` is no run, no file and no git revision [usage]\n' +
        '  hint: runs: mixdown runs; files: a lock, such as mixdown.lock\n',
    );
    expect(await refused('unlocked')).toContain('there is no mixdown.lock at `unlocked`');
    expect(await refused('HEAD', 'HEAD', '--profile', 'big')).toContain('there is no mixdown.big.lock at `HEAD`');
    expect(await refused('HEAD', 'HEAD', '--set', 'bias=2')).toContain('with --set there is no lock to read at `HEAD`');
    expect(await refused('pipeline.yaml')).toContain('pipeline.yaml');
    expect(await refused('HEAD', 'latest~9')).toContain('`latest~9` goes too far back');
    workspace.write('mixdown.lock', `<<<<<<< HEAD\n${workspace.read('mixdown.lock')}`);
    expect(await refused('HEAD')).toContain('mixdown.lock');
  });
});
