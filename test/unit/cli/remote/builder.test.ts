import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {lazyBuilder, userAtHost} from '../../../../src/cli/remote/builder.ts';
import {tempFolder} from '../../../support/store-fixture.ts';

function git(folder: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...args], {cwd: folder, encoding: 'utf8', stdio: 'pipe'}).trim();
}

/** A project in a folder of a repository. */
function project(): {readonly top: string; readonly root: string; readonly head: string} {
  const top = tempFolder();
  const root = join(top, 'project');
  mkdirSync(root);
  git(top, 'init', '--quiet');
  writeFileSync(join(root, 'pipeline.yaml'), 'version: 1');
  writeFileSync(join(top, 'elsewhere'), 'a');
  git(top, 'add', '.');
  git(top, 'commit', '--quiet', '-m', 'first');
  return {top, root, head: git(top, 'rev-parse', 'HEAD')};
}

const commitOf = async (root: string) => (await lazyBuilder({env: {}, root})()).commit;

describe('a builder', () => {
  it('has the name that is configured, else that of user and machine', async () => {
    const root = tempFolder();
    expect(await lazyBuilder({env: {}, root, name: 'ci'})()).toEqual({name: 'ci'});
    expect(await lazyBuilder({env: {}, root})()).toEqual({name: userAtHost()});
    expect(userAtHost()).toMatch(/^.+@/);
    expect(userAtHost().endsWith(`@${hostname()}`)).toBe(true);
  });

  it('names the commit, and says when files of the project differ from it', async () => {
    const {top, root, head} = project();
    expect(await commitOf(root)).toBe(head);
    writeFileSync(join(root, 'new'), 'untracked');
    writeFileSync(join(top, 'elsewhere'), 'b');
    expect(await commitOf(root)).toBe(head);
    writeFileSync(join(root, 'pipeline.yaml'), 'version: 2');
    expect(await commitOf(root)).toBe(`${head}+`);
    git(top, 'add', '.');
    expect(await commitOf(root)).toBe(`${head}+`);
  });

  it('has no commit in a repository without one', async () => {
    const root = tempFolder();
    git(root, 'init', '--quiet');
    expect(await commitOf(root)).toBeUndefined();
  });

  it('is looked up once, when it is asked for', async () => {
    const {top, root, head} = project();
    const builder = lazyBuilder({env: {}, root});
    git(top, 'commit', '--quiet', '--allow-empty', '-m', 'second');
    const second = git(top, 'rev-parse', 'HEAD');
    expect(second).not.toBe(head);
    expect(await builder()).toMatchObject({commit: second});
    git(top, 'commit', '--quiet', '--allow-empty', '-m', 'third');
    expect(await builder()).toMatchObject({commit: second});
  });
});

const github = {GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'a/b', GITHUB_RUN_ID: '7'};

it.each([
  ['nothing', {}, undefined],
  ['GitHub', github, 'https://github.com/a/b/actions/runs/7'],
  ['GitHub, in part', {...github, GITHUB_RUN_ID: ''}, undefined],
  ['GitLab', {CI_JOB_URL: 'https://gitlab.com/a/b/-/jobs/7'}, 'https://gitlab.com/a/b/-/jobs/7'],
  ['Jenkins', {JENKINS_URL: 'http://ci/', BUILD_URL: 'http://ci/job/a/7/'}, 'http://ci/job/a/7/'],
  ['BUILD_URL of something else', {BUILD_URL: 'http://ci/job/a/7/'}, undefined],
  ['Buildkite', {BUILDKITE_BUILD_URL: 'https://bk.com/a/7', BUILDKITE_JOB_ID: 'x'}, 'https://bk.com/a/7#x'],
  ['Buildkite, in part', {BUILDKITE_BUILD_URL: 'https://bk.com/a/7'}, 'https://bk.com/a/7'],
  ['a password', {CI_JOB_URL: 'https://ada:hunter2@gitlab.com/7'}, 'https://gitlab.com/7'],
  ['no address', {CI_JOB_URL: 'javascript:alert(1)'}, undefined],
  ['nonsense', {CI_JOB_URL: 'job 7'}, undefined],
])('the job of %s', async (_, env: Record<string, string>, job) => {
  expect((await lazyBuilder({env, root: tempFolder(), name: 'ci'})()).job).toBe(job);
});
