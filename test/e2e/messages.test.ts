import {once} from 'node:events';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => {
  workspace.dispose();
});

/** What differs from run to run: times, run ids, hashes. */
function steady(text: string): string {
  return text
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{5}/g, '<run>')
    .replaceAll(/\b[0-9a-f]{8}…/g, '<hash>')
    .replaceAll(/\b\d+(\.\d)? m?s\b/g, '<time>');
}

describe('what a user reads', () => {
  test('of a run, of the next one, and of its plan', async () => {
    expect((await workspace.run('plan')).stdout).toMatchInlineSnapshot(`
      "5 to run

        will run  counts     3 of 3 slices    never built
        will run  totals                      never built, waits for counts
        will run  scaled ×2                   never built, waits for total
        will run  report                      never built, waits for parts
      "
    `);
    const {code, stdout, stderr} = await workspace.run('run', '-j', '1');
    expect([code, stderr]).toEqual([0, '']);
    expect(steady(stdout)).toMatchInlineSnapshot(`
      "5 to run
      counts started (cpu): 3 slices, 3 stale [never built]
      [1/5] counts executed in <time> (cpu), 3 slices
      [2/5] totals executed in <time> (cpu)
      [3/5] scaled[by=2] executed in <time> (cpu)
      [4/5] scaled[by=3] executed in <time> (cpu)
      [5/5] report executed in <time> (cpu)

      done in <time>: 5 executed
      results: runs/latest/out
      "
    `);
    const again = await workspace.run('run');
    expect(steady(again.stdout)).toBe('up to date: 5 nodes, nothing to do (<time>)\nresults: runs/latest/out\n');
    expect((await workspace.run('run', '--quiet')).stdout).toBe('');
  });

  test('boxes without a line between them come with a word on how to see more', async () => {
    const {stdout, stderr} = await workspace.run('graph', 'totals', 'report');
    expect(stdout).not.toContain('-->');
    expect(stderr).toBe(
      "no node here reads another one; with all that they are made of: mixdown graph '+totals' '+report'\n",
    );
    expect(await workspace.run('graph', '+totals', '+report')).toMatchObject({
      stdout: expect.stringContaining('-->'),
      stderr: '',
    });
  });

  test('why a node is stale, to the file, the param and the entry', async () => {
    await workspace.run('run', '--quiet');
    workspace.write('notes/bee.txt', 'two bees\n');
    workspace.edit('stages/lib/letters.ts', '[^a-z]', '[^a-y]');
    workspace.edit('pipeline.yaml', "by: '${matrix.by}'", 'by: 7');
    expect(steady((await workspace.run('explain', 'counts', 'scaled[by=2]')).stdout)).toMatchInlineSnapshot(`
      "counts: will run, 3 of 3 slices stale
        code: stages/lib/letters.ts changed
        input text: <hash> -> <hash> (1 of 3 entries changed: bee.txt)
      ran in <run> because:
        never built: there is no earlier result to compare with

      scaled[by=2]: will run
        param by: 2 -> 7
        input total: not known until totals has run
      ran in <run> because:
        never built: there is no earlier result to compare with
      "
    `);
  });

  test('of results: a node, a file, a tree, an entry, a copy', async () => {
    await workspace.run('run', '--quiet');
    expect((await workspace.run('show', 'report.report')).stdout).toBe('36\n54\n');
    const tree = await workspace.json<{entries: readonly {path: string}[]}>('show', 'counts.count');
    expect(tree.entries.map(({path}) => path)).toHaveLength(3);
    const [first] = tree.entries;
    const entry = await workspace.run('show', `counts.count/${first?.path}`);
    expect(entry.stdout).not.toBe('');
    expect((await workspace.run('show', 'counts.count', '--to', 'mine')).stderr).toMatch(
      /^wrote mine: folder, 3 files, /,
    );
    workspace.write(`mine/${first?.path}`, 'changed');
    expect((await workspace.run('show', `counts.count/${first?.path}`)).stdout).toBe(entry.stdout);
    expect(await workspace.run('show', 'counts.count', '--to', 'mine')).toMatchObject({
      code: 2,
      stderr: 'error: mine exists already [usage]\n  hint: name another place, or remove it first\n',
    });
    expect((await workspace.run('show', 'counts.cuont')).stderr).toBe(
      'error: counts has no output `cuont` [unknown-output]\n  hint: did you mean `count`?\n',
    );
    expect((await workspace.run('show', 'scaled')).stderr).toBe(
      'error: `scaled` names 2 nodes; show takes one [usage]\n  hint: such as scaled[by=2], scaled[by=3]\n',
    );
  });

  test('of a failure, and how to go on', async () => {
    workspace.edit(
      'pipeline.yaml',
      "[sh, -c, 'cat parts/* > report.txt']",
      "[sh, -c, 'echo half; echo no >&2; exit 3']",
    );
    const {code, stdout} = await workspace.run('run', '-j', '1');
    expect(code).toBe(1);
    expect(steady(stdout.slice(stdout.indexOf('[5/5]')))).toMatchInlineSnapshot(`
      "[5/5] report failed after <time> (cpu)
      error: report: sh ended with exit code 3 [command-failed]; last lines:
          half
          no
        reproduce: cache/failed/report/reproduce.sh

      1 node failed:
        ✗ report: sh ended with exit code 3

        its log:       mixdown show --log report
        run it alone:  cache/failed/report/reproduce.sh
        after a fix:   mixdown run (what is done stays done)

      failed in <time>: 4 executed, 1 failed
      "
    `);
    const log = await workspace.run('show', 'report', '--log');
    expect(log.stdout).toBe('half\nno\n');
    const runs = await workspace.json<readonly {outcome: string; counts: Record<string, number>}[]>('runs');
    expect(runs).toMatchObject([{outcome: 'failed', counts: {executed: 4, failed: 1}}]);
  });

  test('of a stage that throws: the message, and the line it was thrown at', async () => {
    workspace.edit(
      'stages/total.ts',
      '    let sum',
      '    if (params.offset === 0) throw new TypeError("no numbers");\n    let sum',
    );
    const {stdout} = await workspace.run('run', '-j', '1');
    expect(steady(stdout.slice(stdout.indexOf('error:'), stdout.indexOf('\n\n1 node failed')))).toMatchInlineSnapshot(`
      "error: totals: TypeError: no numbers [stage-failed]
          at Object.run (stages/total.ts:11:36)
        reproduce: cache/failed/totals/reproduce.sh"
    `);
    expect((await workspace.run('show', 'totals', '--log')).stdout).toBe('');
  });

  test('of two nodes that come to the same action: neither waits for its own run', async () => {
    workspace.edit('pipeline.yaml', "by: '${matrix.by}'", 'by: 7');
    const {stdout} = await workspace.run('run', '-j', '2');
    expect(stdout).not.toContain('waits for run');
    expect(stdout).toContain('done in');
  });

  test('of mistakes: exit code 2, nothing on stdout', async () => {
    expect(await workspace.run('run', 'reprot')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: there is no node or target group `reprot` [unknown-target]\n  hint: did you mean `report`?\n',
    });
    workspace.edit('pipeline.yaml', 'stage: total', 'stage: totla');
    const broken = await workspace.run('validate');
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/^pipeline\.yaml:\d+:\d+: error: .*totla.* \[unknown-stage\]\n/);
    const json = await workspace.run('validate', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({valid: false, failures: [{code: 'unknown-stage'}]});
  });
});

describe('an interrupted run', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends it with exit code 130, and the next run goes on',
    async (signal) => {
      workspace.edit('pipeline.yaml', "[sh, -c, 'cat parts/* > report.txt']", "[sleep, '600']");
      const child = workspace.start(['run', '--json']);
      const end = ended(child);
      await untilPrinted(child.stdout!, '"node-started","at":', 'report');
      child.kill(signal);
      const {code, stdout} = await end;
      expect(code).toBe(130);
      expect(stdout).toContain('"type":"interrupted"');
      expect(stdout).toMatch(/"type":"run-finished".*"outcome":"interrupted"/);
      const [record] = await workspace.json<readonly {outcome: string; counts: Record<string, number>}[]>('runs');
      expect(record).toMatchObject({outcome: 'interrupted', counts: {executed: 4, cancelled: 1}});
      expect(await workspace.json('status')).toMatchObject({counts: {'up-to-date': 4, 'will-run': 1}});
    },
  );

  test('a reader that goes away ends it quietly', async () => {
    const child = workspace.start(['graph', '--format', 'json', '--expand']);
    child.stdout!.destroy();
    const {stderr} = await ended(child);
    expect(stderr).toBe('');
  });

  test('a run whose reader goes away does not say that it is done', async () => {
    workspace.edit('pipeline.yaml', "[sh, -c, 'cat parts/* > report.txt']", "[sleep, '600']");
    const child = workspace.start(['run', '--json']);
    child.stdout!.once('data', () => child.stdout!.destroy());
    expect(await ended(child)).toMatchObject({code: 141, stderr: ''});
  });
});

/** Resolves when a line that holds both texts was printed. */
async function untilPrinted(stream: NodeJS.ReadableStream, ...texts: readonly string[]): Promise<void> {
  let seen = '';
  for (;;) {
    const [piece] = (await once(stream, 'data')) as [string];
    seen += piece;
    if (seen.split('\n').some((line) => texts.every((text) => line.includes(text)))) return;
  }
}
