import {mkdirSync, realpathSync, renameSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {commitAll, git, makeRepository} from '../support/repository.ts';
import {errorsOf} from '../support/schemas.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

interface AffectedJson {
  readonly total: number;
  readonly nodes: readonly {
    readonly node: string;
    readonly cause: string;
    readonly reasons: readonly {kind: string}[];
  }[];
  readonly removed: readonly string[];
  readonly notCompared: readonly {readonly source: string; readonly why: string}[];
  readonly unreadLock?: string;
  readonly trouble?: readonly object[];
}

let workspace: Workspace;
let root: string;
beforeEach(() => {
  workspace = new Workspace(toyProject);
  root = realpathSync(workspace.root);
  workspace.write('.gitignore', 'cache/\nruns/\nnode_modules/\n');
  makeRepository(root);
});
afterEach(() => workspace.dispose());

/** Node to `changed (kinds)` or `follows`. */
async function affected(...args: string[]): Promise<Record<string, string>> {
  const found = await workspace.json<AffectedJson>('affected', '--since', 'HEAD', ...args);
  expect(errorsOf('affected', found)).toEqual([]);
  return Object.fromEntries(
    found.nodes.map(({node, cause, reasons}) => {
      const kinds = [...new Set(reasons.map(({kind}) => kind))].join(' ');
      return [node, cause === 'follows' ? cause : kinds];
    }),
  );
}

const everything = ['counts', 'totals', 'scaled[by=2]', 'scaled[by=3]', 'report'];

describe('what changed since a revision', () => {
  test('nothing: no names, exit code 0, and run --since does nothing', async () => {
    expect(await workspace.run('affected', '--since', 'HEAD', '--names')).toEqual({code: 0, stdout: '', stderr: ''});
    const said = await workspace.run('run', '--since', 'HEAD');
    expect(said).toMatchObject({code: 0, stderr: ''});
    expect(said.stdout).toMatch(/^nothing is affected since HEAD \([0-9a-f]{8}\): 5 nodes as they were\n$/);
    expect(workspace.hashes('runs')).toEqual({});
  });

  test('a helper of a stage: the nodes of that stage, and what follows', async () => {
    workspace.edit('stages/lib/letters.ts', '[^a-z]', '[^a-y]');
    expect(await affected()).toEqual({
      counts: 'code-changed',
      totals: 'follows',
      'scaled[by=2]': 'follows',
      'scaled[by=3]': 'follows',
      report: 'follows',
    });
    const {stdout} = await workspace.run('affected', '--since', 'HEAD');
    expect(stdout.replace(/\([0-9a-f]{8}\)/, '(REV)')).toBe(
      [
        '5 of 5 nodes affected since HEAD (REV): 1 changed, 4 follow',
        '',
        '  counts  code: stages/lib/letters.ts changed',
        '',
        'then follow: totals, scaled ×2, report',
        '',
      ].join('\n'),
    );
    expect((await workspace.run('affected', '--since', 'HEAD', '--verbose')).stdout).toContain('scaled[by=3], report');
  });

  test('a comment in a stage: nothing', async () => {
    workspace.edit('stages/total.ts', 'let sum', '// The sum so far.\n    let sum');
    expect(await affected()).toEqual({});
  });

  test('a value of a matrix: the new variant, and who reads them all', async () => {
    workspace.edit('pipeline.yaml', '[2, 3]', '[2, 5]');
    expect(await affected()).toEqual({'scaled[by=5]': 'node-added', report: 'binding-changed'});
    const found = await workspace.json<AffectedJson>('affected', '--since', 'HEAD');
    expect(found.removed).toEqual(['scaled[by=3]']);
    const {stdout} = await workspace.run('affected', '--since', 'HEAD');
    expect(stdout).toContain('input parts: 1 added (scaled[by=5].scaled), 1 gone (scaled[by=3].scaled)');
    expect(stdout).toContain('gone since then: scaled[by=3]');
  });

  test('a param; with targets, only what they need', async () => {
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    expect(await affected('totals')).toEqual({totals: 'param-changed'});
    expect(await affected('counts')).toEqual({});
  });

  test('another name for the same thing: nothing', async () => {
    workspace.edit('pipeline.yaml', 'totals: {stage: total', 'sums: {stage: total');
    workspace.edit('pipeline.yaml', '{total: totals}', '{total: sums}');
    expect(await affected()).toEqual({sums: 'node-added'});
  });

  test('files of a source: changed, removed and new ones, also when git was not told', async () => {
    workspace.write('notes/bee.txt', 'other');
    workspace.write('notes/dog.txt', 'new');
    workspace.write('notes/readme.md', 'no part of the source');
    workspace.remove('notes/cat.txt');
    expect(await affected('counts')).toEqual({counts: 'source-changed'});
    const {stdout} = await workspace.run('affected', '--since', 'HEAD');
    expect(stdout).toContain('source notes: 1 of 3 entries changed: bee.txt; 1 added: dog.txt; 1 removed: cat.txt');
    commitAll(root, 'notes');
    expect(await affected()).toEqual({});
    expect((await workspace.run('affected', '--since', 'HEAD~1', '--names')).stdout.split('\n')).toEqual([
      ...everything,
      '',
    ]);
  });

  test('what a source takes', async () => {
    workspace.edit('pipeline.yaml', "'*.txt'", "'[ab]*.txt'");
    expect(await affected('counts')).toEqual({counts: 'source-changed'});
    expect((await workspace.run('affected', '--since', 'HEAD')).stdout).toContain(
      'input text: source notes: notes *.txt -> notes [ab]*.txt',
    );
  });

  test('a file that git does no longer track, and that is still there, did not change', async () => {
    git(root, 'rm', '-q', '--cached', 'notes/ant.txt');
    expect(await affected()).toEqual({});
    workspace.write('notes/ant.txt', 'but now it did');
    expect(await affected('counts')).toEqual({counts: 'source-changed'});
  });
});

describe('what git does not keep', () => {
  test('an ignored source and one outside are taken as unchanged, and that is said once', async () => {
    workspace.write('.gitignore', 'cache/\nruns/\nbig/\n');
    workspace.write('big/a.txt', 'a');
    workspace.edit('pipeline.yaml', '  notes:', '  big: {path: big}\n  far: {path: /usr/share/nowhere}\n  notes:');
    workspace.edit(
      'pipeline.yaml',
      '  totals:',
      '  more: {stage: count-letters, each: big}\n  farther: {stage: count-letters, each: far}\n  totals:',
    );
    commitAll(root, 'sources');
    workspace.write('big/a.txt', 'b');
    const said = await workspace.run('affected', '--since', 'HEAD', 'more', 'farther', 'counts');
    expect(said.stdout).toContain('nothing is affected');
    expect(said.stderr).toBe('taken as unchanged, as git does not keep it: big (big), far (/usr/share/nowhere)\n');
    const found = await workspace.json<AffectedJson>('affected', '--since', 'HEAD', 'more', 'farther', 'counts');
    expect(errorsOf('affected', found)).toEqual([]);
    expect(found.notCompared.map(({source, why}) => [source, why])).toEqual([
      ['big', 'ignored'],
      ['far', 'outside-git'],
    ]);
  });

  test('a source of which some files are ignored', async () => {
    workspace.write('.gitignore', 'cache/\nruns/\nnotes/big*\n');
    workspace.write('notes/big.txt', 'a');
    commitAll(root, 'ignored');
    workspace.write('notes/big.txt', 'b');
    expect((await workspace.run('affected', '--since', 'HEAD')).stderr).toBe(
      'taken as unchanged, as git does not keep it: notes (notes, in part)\n',
    );
  });
});

describe('packages', () => {
  const lock = (version: string, mixdown = '1.0.0'): string =>
    JSON.stringify({
      lockfileVersion: 3,
      packages: {'': {}, 'node_modules/some': {version}, 'node_modules/mixdown': {version: mixdown}},
    });

  test('a version that the lock file moves affects who imports the package', async () => {
    workspace.write('node_modules/some/package.json', '{"name": "some", "version": "1.0.0", "type": "module"}');
    workspace.write('node_modules/some/index.js', 'export const some = 1;\n');
    workspace.edit('stages/total.ts', 'import {defineStage}', "import 'some';\nimport {defineStage}");
    workspace.write('package-lock.json', lock('1.0.0'));
    commitAll(root, 'package');
    expect(await affected()).toEqual({});
    workspace.write('package-lock.json', lock('2.0.0'));
    workspace.write('node_modules/some/package.json', '{"name": "some", "version": "2.0.0", "type": "module"}');
    expect(await affected('totals')).toEqual({totals: 'code-changed'});
    expect((await workspace.run('affected', '--since', 'HEAD')).stdout).toContain('package some 1.0.0 -> 2.0.0');
  });

  test('a lock file that is not read and changed is told', async () => {
    workspace.write('yarn.lock', 'one');
    commitAll(root, 'lock');
    expect((await workspace.run('affected', '--since', 'HEAD')).stderr).toBe('');
    workspace.write('yarn.lock', 'two');
    expect((await workspace.run('affected', '--since', 'HEAD')).stderr).toContain('warning: yarn.lock changed');
  });

  test('a package that is linked from the repository is code of its revision', async () => {
    workspace.write('packages/own/package.json', '{"name": "own", "version": "1.0.0", "main": "./main.js"}');
    workspace.write('packages/own/main.js', "export {two as one} from './two.js';\n");
    workspace.write('packages/own/two.js', 'export const two = 2;\n');
    mkdirSync(join(root, 'node_modules'));
    symlinkSync('../packages/own', join(root, 'node_modules/own'));
    workspace.edit('stages/total.ts', 'import {defineStage}', "import {one} from 'own';\nimport {defineStage}");
    workspace.edit('stages/total.ts', 'let sum = ', 'let sum = one + ');
    commitAll(root, 'linked');
    workspace.write('notes.txt', 'so that the pipeline is loaded anew');
    expect(await affected()).toEqual({});
    workspace.edit('packages/own/two.js', '= 2', '= 3');
    expect(await affected('totals')).toEqual({totals: 'code-changed'});
  });
});

describe('projects and revisions of all kinds', () => {
  test('in a subfolder of the repository, with code from beside it', async () => {
    const inner = new Workspace();
    try {
      const top = realpathSync(inner.root);
      for (const name of ['pipeline.yaml', 'stages', 'notes', '.gitignore']) {
        mkdirSync(join(top, 'a b'), {recursive: true});
        renameSync(workspace.path(name), join(top, 'a b', name));
      }
      inner.write('shared/factor.ts', "import {base} from './base.ts';\nexport const factor = base;\n");
      inner.write('shared/base.ts', 'export const base = 1;\n');
      inner.edit(
        'a b/stages/total.ts',
        'import {defineStage}',
        "import {factor} from '../../shared/factor.ts';\nimport {defineStage}",
      );
      inner.edit('a b/stages/total.ts', 'sum += ', 'sum += factor * ');
      makeRepository(top);
      inner.edit('shared/base.ts', '= 1', '= 2');
      const said = await inner.run('affected', '-C', 'a b', '--since', 'main', '--json');
      const {nodes} = JSON.parse(said.stdout) as AffectedJson;
      expect(nodes[0]).toMatchObject({
        node: 'totals',
        cause: 'changed',
        reasons: [{files: [{name: '../shared/base.ts'}]}],
      });
      expect(git(top, 'status', '--porcelain')).toBe('M shared/base.ts');
    } finally {
      inner.dispose();
    }
  });

  test('the index and the work tree stay as they are', async () => {
    workspace.write('notes/dog.txt', 'staged');
    git(root, 'add', 'notes/dog.txt');
    workspace.write('notes/dog.txt', 'and changed');
    const before = [git(root, 'status', '--porcelain=v2'), workspace.read('.git/index'), workspace.hashes('notes')];
    expect(await affected('counts')).toEqual({counts: 'source-changed'});
    expect([git(root, 'status', '--porcelain=v2'), workspace.read('.git/index'), workspace.hashes('notes')]).toEqual(
      before,
    );
  });

  test('a revision without a sound pipeline: all nodes, with the reason', async () => {
    const sound = workspace.read('pipeline.yaml');
    workspace.write('pipeline.yaml', 'version: 1\nnodes: {a: {stage: nowhere}}\n');
    commitAll(root, 'broken');
    workspace.write('pipeline.yaml', sound);
    const said = await workspace.run('affected', '--since', 'HEAD');
    expect(said.code).toBe(0);
    expect(said.stdout).toMatch(
      /^all 5 nodes affected: there is no sound pipeline at HEAD \([0-9a-f]{8}\) to compare with: unknown stage `nowhere`\n$/,
    );
    const found = await workspace.json<AffectedJson>('affected', '--since', 'HEAD');
    expect(errorsOf('affected', found)).toEqual([]);
    expect(found.nodes.map(({node}) => node)).toEqual(everything);
    git(root, 'rm', '-q', '--cached', 'pipeline.yaml');
    git(root, 'commit', '-qm', 'none');
    expect((await workspace.run('affected', '--since', 'HEAD')).stdout).toContain('there is no pipeline.yaml');
    expect((await workspace.run('affected', '--since', 'HEAD', '--names')).stdout).toBe(`${everything.join('\n')}\n`);
  });

  test('what cannot be compared with is a message and exit code 2', async () => {
    expect(await workspace.run('affected', '--since', 'nowhere')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no revision `nowhere` here [unknown-revision]') as string,
    });
    workspace.remove('.git');
    expect(await workspace.run('affected', '--since', 'HEAD')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is in no git repository') as string,
    });
    expect((await workspace.run('affected')).stderr).toContain("required option '--since <revision>'");
  });
});

describe('run --since', () => {
  test('builds the targets that are affected, with what they need', async () => {
    workspace.edit('pipeline.yaml', 'default: [report]', 'default: [report, counts]');
    commitAll(root, 'targets');
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    const {code, stdout, stderr} = await workspace.run('run', '--since', 'HEAD');
    expect({code, stderr}).toEqual({code: 0, stderr: '1 of 2 targets affected since HEAD\n'});
    expect(stdout).toContain('done in ');
    expect(workspace.read('runs/latest/out/report/report.txt')).not.toBe('');
    expect((await workspace.run('run', '--since', 'HEAD', '--dry-run')).stdout).toContain('5 up to date');
  });
});
