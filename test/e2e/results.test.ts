import {chmodSync, lstatSync, writeFileSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
let out: Readonly<Record<string, string>>;
beforeEach(async () => {
  workspace = new Workspace(toyProject);
  workspace.edit('pipeline.yaml', 'default: [report]', 'default: [report, counts]');
  await workspace.run('run', '--quiet');
  out = workspace.hashes('runs/latest/out');
});
afterEach(() => {
  workspace.dispose();
});

/** As somebody who insists on writing to a read-only file. */
function overwrite(name: string, text: string): void {
  chmodSync(workspace.path(name), 0o644);
  writeFileSync(workspace.path(name), text);
}

describe('what was done to the results by hand is undone by the next run', () => {
  const harm: readonly (readonly [string, () => void])[] = [
    ['a file removed', () => workspace.remove('runs/latest/out/report/report.txt')],
    ['a file of a folder removed', () => workspace.remove('runs/latest/out/counts/count.json/ant.json')],
    ['a file edited in place', () => overwrite('runs/latest/out/report/report.txt', 'mine')],
    ['a file edited in place, as long as before', () => overwrite('runs/latest/out/report/report.txt', '37\n54\n')],
    ['a file of a folder edited in place', () => overwrite('runs/latest/out/counts/count.json/ant.json', '1234\n')],
    ['the folder removed', () => workspace.remove('runs/latest/out')],
    ['the link to the newest run removed', () => workspace.remove('runs/latest')],
    ['all runs removed', () => workspace.remove('runs')],
  ];
  test.each(harm)('%s', async (_, act) => {
    act();
    expect(await workspace.run('run', '--quiet')).toMatchObject({code: 0});
    expect(workspace.hashes('runs/latest/out')).toEqual(out);
    expect(await workspace.run('verify')).toMatchObject({code: 0, stderr: ''});
    expect((await workspace.run('run')).stdout).toMatch(/^up to date: 5 nodes/);
  });
});

describe('a store elsewhere', () => {
  test('a result that became a file of its own comes back', async () => {
    const shared = workspace.path('elsewhere');
    const env = {MIXDOWN_CACHE_DIR: shared};
    await ended(workspace.start(['run', '--quiet'], env));
    workspace.remove('runs/latest/out/report/report.txt');
    workspace.write('runs/latest/out/report/report.txt', 'another length');
    await ended(workspace.start(['run', '--quiet'], env));
    expect(workspace.hashes('runs/latest/out')).toEqual(out);
    expect(lstatSync(workspace.path('runs/latest')).isSymbolicLink()).toBe(true);
  });
});
