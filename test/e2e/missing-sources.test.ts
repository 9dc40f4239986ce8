import {afterEach, beforeEach, expect, test} from 'vitest';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
  workspace.edit('pipeline.yaml', 'sources:\n', 'sources:\n  far: elsewhere/far.txt\n  unused: elsewhere/unused.txt\n');
  const far =
    '  use:\n    command: [cp, far/far.txt, copy.txt]\n    inputs: {far: far}\n    outputs: {copy: copy.txt}\n';
  const after = '  after:\n    command: [cp, copy/copy.txt, b.txt]\n    inputs: {copy: use}\n    outputs: {b: b.txt}\n';
  workspace.edit('pipeline.yaml', 'nodes:\n', `nodes:\n${far}${after}`);
});
afterEach(() => {
  workspace.dispose();
});

test.each([['status'], ['graph', '--status']])(
  '%s goes on without what needs sources that are missing, and says so',
  async (...args) => {
    const {code, stdout, stderr} = await workspace.run(...args);
    expect({code, stderr}).toEqual({
      code: 0,
      stderr: 'not shown, as sources are missing: after, use\n  missing: elsewhere/far.txt\n',
    });
    expect(stdout).toContain('report');
    expect((await workspace.run(...args, '--quiet')).stderr).toBe('');
  },
);

test('what is asked for by name must have its sources', async () => {
  const {code, stderr} = await workspace.run('status', 'after');
  expect(code).toBe(2);
  expect(stderr).toContain('Source `far`: elsewhere/far.txt does not exist');
});
