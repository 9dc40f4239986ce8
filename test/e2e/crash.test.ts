import {createInterface} from 'node:readline';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createRng} from '../../stages/lib/rng.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

/** A project large enough to be hit in the middle. */
function crowd(): Workspace {
  const workspace = new Workspace(toyProject);
  for (let i = 0; i < 40; i++) workspace.write(`notes/n${i}.txt`, `note number ${'x'.repeat(i)}\n`);
  return workspace;
}

let reference: Workspace;
let events = 0;
beforeAll(async () => {
  reference = crowd();
  const {code, stdout} = await reference.run('run', '--json');
  expect(code).toBe(0);
  events = stdout.trim().split('\n').length;
});
afterAll(() => {
  reference.dispose();
});

describe('kill -9', () => {
  it('at twenty random moments loses nothing: the next run ends with the same bytes', async () => {
    const rng = createRng(20181107);
    for (let round = 0; round < 20; round++) {
      const workspace = crowd();
      try {
        const at = rng.integer(events);
        const child = workspace.start(['run', '--json']);
        const end = ended(child);
        let seen = 0;
        createInterface({input: child.stdout!}).on('line', () => {
          if (seen++ === at) child.kill('SIGKILL');
        });
        await end;
        const second = await workspace.run('run', '--quiet');
        expect(second).toMatchObject({code: 0, stderr: ''});
        expect(workspace.read('runs/latest/out/report/report.txt')).toBe(
          reference.read('runs/latest/out/report/report.txt'),
        );
        const verified = await workspace.run('verify');
        expect(verified.code).toBe(0);
      } finally {
        workspace.dispose();
      }
    }
  }, 240_000);
});

describe('two runs at once', () => {
  it('both end well, and no action is done twice', async () => {
    const workspace = crowd();
    try {
      const [a, b] = await Promise.all([workspace.run('run', '--json'), workspace.run('run', '--json')]);
      expect([a.code, b.code]).toEqual([0, 0]);
      const executed = [...a.stdout.split('\n'), ...b.stdout.split('\n')]
        .filter((line) => line.includes('"executed"') && /"type":"(slice|node)-finished"/.test(line))
        .map((line) => JSON.parse(line) as {node: string; key?: string; slices?: unknown})
        .filter((event) => event.slices === undefined)
        .map(({node, key}) => (key === undefined ? node : `${node}/${key}`));
      expect(new Set(executed).size).toBe(executed.length);
      expect(executed.length).toBe(43 + 1 + 2 + 1);
    } finally {
      workspace.dispose();
    }
  });
});
