import {execFileSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {existsSync, readdirSync, readFileSync, renameSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {Watching} from '../support/watching.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
let watching: Watching | undefined;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => {
  watching?.kill();
  watching = undefined;
  workspace.dispose();
});

/** Starts, and waits until everything is built and changes are waited for. */
async function settled(...args: string[]): Promise<Watching> {
  watching = new Watching(workspace, args);
  await watching.built();
  await watching.remark('waiting for changes');
  return watching;
}

describe('mixdown watch', () => {
  it('builds, builds again what a change makes stale, and quits', async () => {
    const watch = await settled();
    workspace.write('notes/bee.txt', 'two bees\n');
    expect(await watch.remark('changed:')).toBe('changed: notes/bee.txt');
    expect(await watch.built()).toEqual(['counts/bee', 'report', 'scaled[by=2]', 'scaled[by=3]', 'totals']);
    await watch.remark('waiting for changes');
    workspace.write('notes/dog.txt', 'dog\n');
    expect(await watch.built()).toContain('counts/dog');
    await watch.remark('waiting for changes');
    expect(await watch.quit()).toBe(0);
  });

  it('follows the pipeline and the code of its stages, and is silent about what changes no result', async () => {
    const watch = await settled();
    workspace.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 3, 5]');
    expect(await watch.built()).toEqual(['report', 'scaled[by=5]']);
    await watch.remark('waiting for changes');
    workspace.edit('stages/lib/letters.ts', 'Letters a to z', 'Letters from a to z');
    workspace.write('stages/lib/other.ts', 'export const other = 1;\n');
    workspace.write('README.txt', 'Nobody reads this.\n');
    workspace.edit('pipeline.yaml', 'scales: [2, 3, 5]', 'scales: [3]');
    // Only the last of these is worth a build.
    expect(await watch.built()).toEqual(['report']);
    await watch.remark('waiting for changes');
    expect(watch.events).toEqual([]);
  });

  it('shows what is wrong with the pipeline, waits for the fix and goes on', async () => {
    const watch = await settled();
    const text = workspace.read('pipeline.yaml');
    workspace.write('pipeline.yaml', text.replace('stage: total,', 'stage: totl,'));
    expect(await watch.remark('unknown stage')).toContain('pipeline.yaml:8:19');
    await watch.remark('waiting for the fix');
    workspace.write('pipeline.yaml', 'nodes: {');
    await watch.remark('waiting for the fix');
    workspace.remove('pipeline.yaml');
    expect(await watch.remark('pipeline.yaml')).toContain('there is no pipeline.yaml any more');
    await watch.remark('waiting for the fix');
    workspace.write('pipeline.yaml', text.replace('[2, 3]', '[2]'));
    expect(await watch.built()).toEqual(['report']);
  });

  it('says so when the fix leaves nothing to do', async () => {
    const watch = await settled();
    const text = workspace.read('pipeline.yaml');
    workspace.write('pipeline.yaml', 'nodes: {');
    await watch.remark('waiting for the fix');
    workspace.write('pipeline.yaml', text);
    expect(await watch.remark('that is solved')).toBe('that is solved, and nothing is stale');
    expect(watch.events).toEqual([]);
  });

  it('starts with a pipeline that is wrong, too', async () => {
    const text = workspace.read('pipeline.yaml');
    workspace.write('pipeline.yaml', 'nodes: {');
    watching = new Watching(workspace);
    await watching.remark('waiting for the fix');
    workspace.write('pipeline.yaml', text);
    expect(await watching.built()).toHaveLength(7);
  });

  it('survives a folder that goes away and comes back', async () => {
    const watch = await settled();
    renameSync(workspace.path('notes'), workspace.path('elsewhere'));
    await watch.remark('notes does not exist');
    await watch.remark('waiting for the fix');
    renameSync(workspace.path('elsewhere'), workspace.path('notes'));
    await watch.remark('that is solved');
    workspace.write('notes/ant.txt', 'ants\n');
    expect(await watch.built()).toContain('counts/ant');
  });

  it('takes a switch to a branch with 10 000 other files, and back', async () => {
    const git = (...args: string[]): unknown =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {cwd: workspace.root, stdio: 'pipe'});
    workspace.write(
      'pipeline.yaml',
      `
version: 1
sources: {files: {path: files}}
nodes:
  count: {command: [sh, -c, 'ls files/* | grep -c txt > n.txt'], inputs: {files: files}, outputs: {n: n.txt}}
`,
    );
    workspace.write('.gitignore', 'cache\nruns\n');
    workspace.write('files/a/1.txt', '1');
    git('init', '-q', '-b', 'few');
    git('add', '.');
    git('commit', '-qm', 'few');
    git('checkout', '-qb', 'many');
    for (let i = 0; i < 10_000; i++) workspace.write(`files/f${i % 100}/${i}.txt`, `${i}`);
    git('add', '.');
    git('commit', '-qm', 'many');
    git('checkout', '-q', 'few');
    const watch = await settled();
    // A build may begin while files are still being switched; the last one sees all of them.
    const counted = async (expected: string): Promise<void> => {
      for (;;) {
        await watch.remark('waiting for changes');
        const result = workspace.path('runs/latest/out/count/n.txt');
        if (existsSync(result) && readFileSync(result, 'utf8') === `${expected}\n`) return;
      }
    };
    git('checkout', '-q', 'many');
    await counted('10001');
    git('checkout', '-q', 'few');
    await counted('1');
    expect(await watch.quit()).toBe(0);
  }, 120_000);
});

describe('a change while a build goes on', () => {
  const pipeline = `
version: 1
sources: {a: {path: a.txt}, b: {path: b.txt}}
nodes:
  left: {command: [sh, -c, 'cat "$GATES/left" > out.txt; test -s out.txt'], inputs: {a: a}, outputs: {out: out.txt}, passEnv: [GATES]}
  right: {command: [sh, -c, 'cat "$GATES/right" > out.txt; test -s out.txt'], inputs: {b: b}, outputs: {out: out.txt}, passEnv: [GATES]}
  both: {command: [sh, -c, 'cat left right > out.txt'], inputs: {left: left, right: right}, outputs: {out: out.txt}}
targets: {default: [both]}
`;
  /** A job ends when its gate is written to, and fails when nothing is written. */
  const open = (gate: string): Promise<void> => writeFile(workspace.path(`gates/${gate}`), `${gate}\n`);

  async function bothRunning(): Promise<Watching> {
    workspace.write('pipeline.yaml', pipeline);
    workspace.write('a.txt', 'a');
    workspace.write('b.txt', 'b');
    workspace.write('gates/README', '');
    execFileSync('mkfifo', [workspace.path('gates/left'), workspace.path('gates/right')]);
    watching = new Watching(workspace, ['-j', '2'], {GATES: workspace.path('gates')});
    await watching.event('node-started');
    await watching.event('node-started');
    return watching;
  }

  it('cancels what became stale, keeps what did not, and begins at once', async () => {
    const watch = await bothRunning();
    workspace.write('a.txt', 'another a');
    await watch.remark('changed: a.txt');
    expect(await watch.remark('goes on')).toBe('goes on meanwhile: right');
    await watch.event('run-started');
    expect(await watch.event('node-started')).toMatchObject({node: 'left'});
    await open('left');
    expect(await watch.event('node-finished')).toMatchObject({node: 'left', outcome: 'executed'});
    await open('right');
    expect(await watch.event('node-finished', ({node}) => node === 'right')).toMatchObject({outcome: 'cached'});
    expect(await watch.event('node-finished', ({node}) => node === 'both')).toMatchObject({outcome: 'executed'});
    expect(await watch.event('run-finished')).toMatchObject({
      outcome: 'done',
      counts: {cached: 1, executed: 2, cancelled: 0},
    });
    await watch.remark('waiting for changes');
    const [second, first] = readdirSync(workspace.path('runs'))
      .filter((name) => name.includes('-'))
      .sort()
      .reverse();
    const recorded = (run = ''): unknown => JSON.parse(workspace.read(`runs/${run}/run.json`));
    expect(recorded(first)).toMatchObject({
      outcome: 'interrupted',
      nodes: {left: {outcome: 'cancelled'}, right: {outcome: 'executed'}},
    });
    expect(recorded(second)).toMatchObject({outcome: 'done', nodes: {right: {outcome: 'cached'}}});
    expect(await watch.quit()).toBe(0);
  });

  it('does not try again what fails in the build that was overtaken', async () => {
    const watch = await bothRunning();
    workspace.write('a.txt', 'another a');
    await watch.remark('goes on');
    await watch.event('node-started', ({node}) => node === 'left');
    await writeFile(workspace.path('gates/right'), '');
    await open('left');
    expect(await watch.event('node-finished', ({node}) => node === 'right')).toMatchObject({
      outcome: 'failed',
      failure: {code: 'command-failed'},
    });
    expect(watch.events.some((event) => event.type === 'node-started' && event.node === 'right')).toBe(false);
  });

  it('ends both builds on q', async () => {
    const watch = await bothRunning();
    workspace.write('a.txt', 'another a');
    await watch.remark('goes on');
    await watch.event('node-started', ({node}) => node === 'left');
    watch.press('q');
    expect(await watch.event('run-finished')).toMatchObject({outcome: 'interrupted'});
    expect(await watch.ended).toBe(0);
    expect(readdirSync(workspace.path('cache/locks'))).toEqual([]);
  });

  it('leaves a build alone that the change does not concern, or that cannot be planned anew', async () => {
    const watch = await bothRunning();
    workspace.write('pipeline.yaml', 'nodes: {');
    await watch.event('warning');
    workspace.write('pipeline.yaml', `# The same.\n${pipeline}`);
    await Promise.all([open('left'), open('right')]);
    expect(await watch.event('run-finished')).toMatchObject({outcome: 'done', counts: {executed: 3, cancelled: 0}});
  });

  it.each([
    ['q', 0],
    ['\u0003', 130],
  ])('ends it on %j', async (key, code) => {
    const watch = await bothRunning();
    watch.press(key);
    expect(await watch.event('run-finished')).toMatchObject({outcome: 'interrupted'});
    expect(await watch.ended).toBe(code);
  });
});

describe('a node that failed', () => {
  it('is tried again when something that it depends on changes, or on r', async () => {
    workspace.edit('pipeline.yaml', 'cat parts/* > report.txt', 'exit 1');
    const watch = await settled();
    workspace.edit('pipeline.yaml', 'default: [report]', 'default: [report, "scaled[by=2]"]');
    const held = await watch.event('node-finished', ({node}) => node === 'report');
    expect(held).toMatchObject({outcome: 'failed', failure: {code: 'command-failed'}});
    expect(held.failure?.message).toContain('not tried again');
    expect(watch.events.some(({type}) => type === 'node-started')).toBe(false);
    await watch.remark('waiting for changes');

    watch.press('t');
    expect(await watch.remark('command-failed')).not.toContain('not tried again');
    watch.press('r');
    expect(await watch.event('node-started')).toMatchObject({node: 'report'});
    await watch.remark('waiting for changes');

    workspace.write('notes/bee.txt', 'two bees\n');
    expect(await watch.built()).toEqual(['counts/bee', 'scaled[by=2]', 'scaled[by=3]', 'totals']);
    await watch.remark('waiting for changes');
    workspace.edit('pipeline.yaml', 'exit 1', 'cat parts/* > report.txt');
    expect(await watch.built()).toEqual(['report']);
    await watch.remark('waiting for changes');

    watch.press('f');
    expect(await watch.built()).toEqual(['report', 'scaled[by=2]']);
  });
});
