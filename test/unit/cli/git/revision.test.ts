import {mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {fileAtRevision, findRevision} from '../../../../src/cli/git/revision.ts';
import {commitAll, git, makeRepository} from '../../../support/repository.ts';

let base: string;
let root: string;
let first: string;
beforeAll(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'mixdown-revision-')));
  root = join(base, 'repository');
  mkdirSync(join(root, 'deep/er'), {recursive: true});
  writeFileSync(join(root, 'a.txt'), 'one\n');
  writeFileSync(join(root, 'deep/b "q" ä.txt'), 'two\n');
  symlinkSync('a.txt', join(root, 'link'));
  makeRepository(root);
  first = git(root, 'rev-parse', 'HEAD');
  git(root, 'branch', 'side');
  writeFileSync(join(root, 'a.txt'), 'changed\n');
  rmSync(join(root, 'deep'), {recursive: true});
  mkdirSync(join(root, 'deep/er'), {recursive: true});
  writeFileSync(join(root, 'deep/er/c.txt'), 'three');
  commitAll(root, 'second');
  git(root, 'switch', '-q', 'side');
  commitAll(root, 'aside');
  git(root, 'switch', '-q', 'main');
});
afterAll(() => rmSync(base, {recursive: true, force: true}));

async function problem(result: ReturnType<typeof findRevision>): Promise<object | undefined> {
  const found = await result;
  return found.ok ? undefined : found.error[0];
}

describe('findRevision', () => {
  test('names commits as git does, from any folder of the work tree', async () => {
    for (const name of ['HEAD~1', first, first.slice(0, 8)]) {
      expect(await findRevision(root, name)).toMatchObject({ok: true, value: {name, commit: first, top: root}});
    }
    expect(await findRevision(join(root, 'deep/er'), 'HEAD')).toMatchObject({ok: true, value: {prefix: 'deep/er/'}});
  });

  test('with three dots: where HEAD left the branch', async () => {
    expect(await findRevision(root, 'side')).not.toMatchObject({value: {commit: first}});
    expect(await findRevision(root, 'side...')).toMatchObject({ok: true, value: {name: 'side...', commit: first}});
  });

  test.each(['nowhere', '', '--all', '...', 'HEAD:a.txt', 'HEAD~99', 'side\nmain'])('there is no %j', async (name) => {
    expect(await problem(findRevision(root, name))).toMatchObject({code: 'unknown-revision'});
  });

  test('outside a repository', async () => {
    expect(await problem(findRevision(base, 'HEAD'))).toMatchObject({
      code: 'no-repository',
      message: `${base} is in no git repository, so that there are no revisions to compare with`,
    });
  });

  test('in a shallow clone, what is not there is told with the way to get it', async () => {
    const shallow = join(base, 'shallow');
    git(base, 'clone', '-q', '--depth', '1', `file://${root}`, shallow);
    expect(await findRevision(shallow, 'HEAD')).toMatchObject({ok: true});
    expect(await problem(findRevision(shallow, 'HEAD~1'))).toMatchObject({
      code: 'unknown-revision',
      hint: expect.stringContaining('fetch-depth: 0') as string,
    });
  });
});

describe('fileAtRevision', () => {
  test('reads a file as it was, whatever is in the work tree', async () => {
    expect(await fileAtRevision(root, first, 'a.txt')).toEqual({ok: true, value: 'one\n'});
    expect(await fileAtRevision(root, first, join(root, 'a.txt'))).toEqual({ok: true, value: 'one\n'});
    expect(await fileAtRevision(root, 'HEAD', 'a.txt')).toEqual({ok: true, value: 'changed\n'});
    expect(await fileAtRevision(root, first, 'deep/b "q" ä.txt')).toEqual({ok: true, value: 'two\n'});
    const deep = join(root, 'deep/er');
    expect(await fileAtRevision(deep, 'HEAD', 'c.txt')).toEqual({ok: true, value: 'three'});
    expect(await fileAtRevision(deep, first, '../../a.txt')).toEqual({ok: true, value: 'one\n'});
  });

  test('what was no file then is undefined', async () => {
    for (const path of ['nowhere.txt', 'deep', 'deep/er/c.txt', 'a.txt/b']) {
      expect(await fileAtRevision(root, first, path)).toEqual({ok: true, value: undefined});
    }
  });

  test('a path outside the repository, and a revision that is not there, are told', async () => {
    const outside = await fileAtRevision(root, first, '../x');
    expect(outside).toMatchObject({
      ok: false,
      error: [{code: 'usage', message: `../x lies outside the repository ${root}`}],
    });
    expect(await fileAtRevision(root, 'nowhere', 'a.txt')).toMatchObject({
      ok: false,
      error: [{code: 'unknown-revision'}],
    });
  });
});
