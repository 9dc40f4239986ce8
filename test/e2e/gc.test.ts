import {readdirSync, statSync, utimesSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => {
  workspace.dispose();
});

/** As if nobody had used the store for three days: blobs tell by their access time, records by their modification time. */
function age(): void {
  const then = Date.now() / 1000 - 3 * 86_400;
  for (const [folder, isBlob] of [
    ['cache/cas', true],
    ['cache/actions', false],
  ] as const) {
    for (const name of readdirSync(workspace.path(folder), {recursive: true, encoding: 'utf8'})) {
      const path = workspace.path(join(folder, name));
      const stat = statSync(path);
      if (stat.isFile()) utimesSync(path, then, isBlob ? stat.mtimeMs / 1000 : then);
    }
  }
}

const count = (folder: string): number => Object.keys(workspace.hashes(folder)).length;

it('gc removes old results that no run record and no last result needs, after saying so, and nothing else', async () => {
  await workspace.run('run', '--quiet');
  await workspace.run('run', '--quiet', '--set', 'scales=[5,7]');
  await workspace.run('run', '--quiet');
  const before = count('cache/actions');
  age();

  expect((await workspace.run('gc', '--older-than', '1d')).stdout).toContain('nothing to remove');
  await workspace.run('clean', '--runs', '--keep', '1', '--yes');

  const dry = await workspace.run('gc', '--older-than', '1d');
  expect(dry).toMatchObject({code: 0, stderr: ''});
  expect(dry.stdout).toContain('--yes');
  expect(count('cache/actions')).toBe(before);

  const done = await workspace.run('gc', '--older-than', '1d', '--yes');
  expect(done).toMatchObject({code: 0, stderr: ''});
  // The report of the other scales. The scaled numbers themselves are still the last results of their nodes.
  expect(count('cache/actions')).toBe(before - 1);
  expect((await workspace.run('verify')).code).toBe(0);
  expect((await workspace.run('run')).stdout).toContain('up to date: 5 nodes');
  expect((await workspace.run('run', '--set', 'scales=[5,7]')).stdout).toContain('1 executed');
});
