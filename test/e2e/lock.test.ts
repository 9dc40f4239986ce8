import {existsSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import type {NodeCheck} from '../../src/core/pin-check.ts';
import {errorsOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => {
  workspace.dispose();
});

/** A command node whose number lies outside of what the build knows, beside what reads it. */
const drifting = `version: 1
sources: {notes: {path: notes, include: '*.txt'}}
nodes:
  score:
    command: [sh, -c, 'cat "$SCORE" > score.json']
    inputs: {notes: notes}
    passEnv: [SCORE]
    outputs: {score: {path: score.json, compare: {as: json, absolute: 0.01}}}
  table:
    command: [sh, -c, 'wc -c < score/* > table.txt']
    inputs: {score: {ref: score}}
    outputs: {table: table.txt}
targets: {default: [table]}
`
  .replace('score/* >', 'score >')
  .replace('{score: {ref: score}}', '{score: score}');

interface CheckJson {
  readonly fresh: boolean;
  readonly nodes: readonly NodeCheck[];
}

/** Verdicts of what is not fresh. */
async function trouble(...args: string[]): Promise<Record<string, string>> {
  const found = await workspace.json<CheckJson>('check', ...args);
  expect(errorsOf('check', found)).toEqual([]);
  return Object.fromEntries(found.nodes.flatMap(({node, verdict}) => (verdict === 'fresh' ? [] : [[node, verdict]])));
}

async function done(...args: string[]): Promise<string> {
  const {code, stdout, stderr} = await workspace.run(...args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** Every file of the project with its size and time, and every folder. */
function listing(folder = workspace.root): string[] {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name);
    const {size, mtimeMs} = statSync(path);
    const what = entry.isDirectory() ? path : `${path} ${size} ${mtimeMs}`;
    return [what, ...(entry.isDirectory() && !entry.isSymbolicLink() ? listing(path) : [])];
  });
}

describe('mixdown lock', () => {
  it('pins the results that are here, as its schema says', async () => {
    const early = await workspace.run('lock');
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/5 nodes to be pinned are not built: counts, totals, scaled\[by=2\] and 2 more/);
    expect(early.stderr).toContain('hint: build first: mixdown run\n');
    expect(existsSync(workspace.path('mixdown.lock'))).toBe(false);
    expect(await done('run')).not.toContain('mixdown.lock');
    expect(await done('lock')).toBe('mixdown.lock: 5 pinned, 0 kept\n');
    const pins = parse(workspace.read('mixdown.lock')) as {nodes: object};
    expect(errorsOf('pins', pins)).toEqual([]);
    expect(Object.keys(pins.nodes)).toEqual(['counts', 'report', 'scaled[by=2]', 'scaled[by=3]', 'totals']);
    expect(await done('check')).toBe('mixdown.lock is fresh: 5 nodes\n');
    const again = await workspace.json('lock');
    expect(errorsOf('pinning', again)).toEqual([]);
    expect(again).toMatchObject({written: false, nodes: 5, pinned: []});
  });

  it('pins the targets that it names, and a run of others leaves them alone', async () => {
    await done('run', '--quiet');
    await done('lock', 'scaled[by=2]');
    expect(workspace.read('mixdown.lock')).toContain('targets: ["scaled[by=2]"]\n');
    expect(await done('run')).toContain('mixdown.lock: 3 nodes, nothing changed\n');
    const before = workspace.read('mixdown.lock');
    workspace.edit('pipeline.yaml', "params: {by: '${matrix.by}'}", 'params: {by: 7}');
    await done('run', 'scaled[by=3]', '--quiet');
    expect(workspace.read('mixdown.lock')).toBe(before);
    expect(await done('run')).toContain('mixdown.lock: 1 pinned, 2 kept\n');
  });

  it('takes what only the cache has', async () => {
    await done('run', '--quiet');
    workspace.remove('runs');
    expect(await done('lock')).toContain('5 pinned');
  });

  it('says which file with a profile, and that there is none with --set', async () => {
    workspace.edit('pipeline.yaml', 'nodes:', 'profiles:\n  small: {vars: {scales: [2]}}\nnodes:');
    await done('run', '--profile', 'small', '--quiet');
    expect(await done('lock', '--profile', 'small')).toContain('mixdown.small.lock: 4 pinned');
    expect(await done('check', '--profile', 'small')).toContain('fresh');
    const without = await workspace.run('check');
    expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('there is no mixdown.lock')]);
    const set = await workspace.run('lock', '--set', 'scales=[2]');
    expect([set.code, set.stderr]).toEqual([2, expect.stringContaining('--lock FILE')]);
    expect(await done('lock', '--set', 'scales=[2]', '--lock', 'two.lock')).toContain('two.lock: 4 pinned');
  });
});

describe('mixdown check', () => {
  beforeEach(async () => {
    await done('run', '--quiet');
    await done('lock');
  });

  it('says what is stale and why, until a run pins it again', async () => {
    workspace.edit('pipeline.yaml', "params: {by: '${matrix.by}'}", 'params: {by: 5}');
    const {code, stdout, stderr} = await workspace.run('check');
    expect([code, stderr]).toEqual([4, '']);
    expect(stdout).toBe(`stale scaled[by=2]
  param by: 2 -> 5
stale scaled[by=3]
  param by: 3 -> 5

mixdown.lock is not fresh: 5 nodes: 2 fresh, 3 stale (1 follow)
to pin what is new: mixdown run
`);
    expect((await workspace.run('check', 'counts')).code).toBe(0);
    expect((await workspace.run('check', 'report')).code).toBe(4);
    expect(await done('run')).toContain('mixdown.lock: 3 pinned, 2 kept\n');
    expect(await trouble()).toEqual({});
    const before = workspace.read('mixdown.lock');
    expect(await done('run')).not.toContain('mixdown.lock');
    expect(workspace.read('mixdown.lock')).toBe(before);
  });

  it('works in a fresh clone without results, and leaves no trace there', async () => {
    workspace.remove('cache');
    workspace.remove('runs');
    workspace.remove('.mixdown');
    const before = listing();
    expect(await trouble()).toEqual({});
    workspace.edit('stages/scale.ts', 'params.by', '1 + params.by');
    const edited = listing();
    expect(await trouble()).toEqual({'scaled[by=2]': 'stale', 'scaled[by=3]': 'stale', report: 'stale'});
    expect(listing()).toEqual(edited);
    expect(before.some((line) => line.includes('mixdown.lock'))).toBe(true);
    workspace.write('notes/dog.txt', 'wow');
    expect((await trouble())['counts']).toBe('stale');
  });

  it('changes nothing where there are results', async () => {
    const before = listing();
    expect(await trouble()).toEqual({});
    expect(listing()).toEqual(before);
    workspace.edit('stages/scale.ts', 'params.by', '1 + params.by');
    workspace.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [3]');
    const edited = listing();
    expect(Object.keys(await trouble())).toEqual(['scaled[by=3]', 'report', 'scaled[by=2]']);
    expect(listing()).toEqual(edited);
  });

  it('says which sources are missing', async () => {
    workspace.remove('notes');
    const {code, stdout} = await workspace.run('check');
    expect(code).toBe(4);
    expect(stdout).toContain('missing source notes (notes)\n  1 node that read it cannot be checked\n');
    const found = await workspace.json<CheckJson & {readonly missing: unknown}>('check');
    expect(errorsOf('check', found)).toEqual([]);
    expect(found).toMatchObject({fresh: false, missing: [{source: 'notes', path: 'notes', nodes: 1}]});
  });

  it('names orphans and what is not pinned; a run drops the ones and pins the others', async () => {
    workspace.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [3, 4]');
    expect(await trouble()).toEqual({'scaled[by=2]': 'orphaned', 'scaled[by=4]': 'unpinned', report: 'stale'});
    expect(await trouble('scaled[by=2]')).toEqual({'scaled[by=2]': 'orphaned'});
    expect(await done('run')).toContain('mixdown.lock: 2 pinned, 1 dropped, 3 kept\n');
    expect(await trouble()).toEqual({});
  });

  it('tells a conflict of a merge, and what to do', async () => {
    const lines = workspace.read('mixdown.lock').split('\n');
    workspace.write('mixdown.lock', [...lines.slice(0, 6), '<<<<<<< HEAD', ...lines.slice(6)].join('\n'));
    for (const command of ['check', 'run', 'lock']) {
      const {code, stderr} = await workspace.run(command);
      expect(code).toBe(2);
      expect(stderr).toContain('mixdown.lock:7:1: error: a conflict of a merge is not solved [lock-invalid]');
      expect(stderr).toMatch(/hint: take either side/);
    }
    expect(readdirSync(workspace.path('runs')).filter((name) => /^\d/.test(name))).toHaveLength(1);
  });

  it('refuses nodes that are not there', async () => {
    const {code, stderr} = await workspace.run('check', 'reprot');
    expect([code, stderr]).toEqual([2, expect.stringContaining('did you mean `report`?')]);
  });
});

describe('drift', () => {
  const score = (value: number): void => workspace.write('score', `{"map3": ${value}, "of": "test"}\n`);
  const run = async (...args: string[]) => ended(workspace.start(['run', ...args], {SCORE: workspace.path('score')}));

  beforeEach(async () => {
    workspace.write('pipeline.yaml', drifting);
    score(0.604);
    expect(await run('--quiet')).toEqual({code: 0, stdout: '', stderr: ''});
    await done('lock');
  });

  it('is told by run and check, and the pin stands until it is accepted', async () => {
    const before = workspace.read('mixdown.lock');
    score(0.631);
    const {code, stdout} = await run('--force', 'score');
    expect(code).toBe(0);
    expect(stdout).toContain(`mixdown.lock: 1 drifted, 2 kept
drifted score
  output score: 0.604 -> 0.631, allowed 0.01
the pins stand; to take over what is new: mixdown run --accept score --reason 'why'
`);
    expect(workspace.read('mixdown.lock')).toBe(before);
    const checked = await workspace.run('check');
    expect(checked.code).toBe(4);
    expect(checked.stdout).toContain('drifted score\n  output score: 0.604 -> 0.631, allowed 0.01\n');
    expect(await run('--frozen')).toMatchObject({code: 4, stderr: expect.stringContaining('0.604 -> 0.631')});

    expect(await run('--accept', 'score')).toMatchObject({code: 2, stderr: expect.stringContaining('--reason')});
    expect(await run('--accept', 'scor', '--reason', 'x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean `score`?'),
    });
    const accepted = await run('--accept', 'score', '--accept', 'table', '--reason', 'new ears');
    expect(accepted.stdout).toContain('mixdown.lock: 2 pinned, 1 of them accepted, 0 kept');
    const again = await run('--accept', 'table', '--reason', 'x');
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('nothing to accept: table')]);
    expect(workspace.read('mixdown.lock')).toMatch(/accepted: \{"on": "\d{4}-\d\d-\d\d", "reason": "new ears"\}/);
    expect(await trouble()).toEqual({});
    expect(await run('--frozen')).toMatchObject({code: 0, stdout: expect.stringContaining('agrees')});
  });

  it('within the tolerance is none, and nothing after it is stale or pinned again', async () => {
    const before = workspace.read('mixdown.lock');
    // As many bytes, so that the table stays the same.
    score(0.605);
    expect((await run('--force', 'score', '--quiet')).code).toBe(0);
    expect((await run()).stdout).toContain('nothing changed');
    expect(workspace.read('mixdown.lock')).toBe(before);
    expect(await trouble()).toEqual({});
    expect(await run('--frozen')).toMatchObject({code: 0});
  });

  it('in more than numbers is told as such', async () => {
    workspace.write('score', '{"map3": 0.604, "of": "training"}\n');
    expect((await run('--force', 'score')).stdout).toContain('output score: more than its numbers differs');
  });

  it('leaves the pin of a node that failed', async () => {
    const before = workspace.read('mixdown.lock');
    workspace.remove('score');
    expect((await run('--force', 'score', '--quiet')).code).toBe(1);
    expect(workspace.read('mixdown.lock')).toBe(before);
  });
});

describe('mixdown run --frozen', () => {
  it('runs nothing while the lock would have to change, and never writes it', async () => {
    const missing = await workspace.run('run', '--frozen');
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('there is no mixdown.lock')]);
    await done('run', '--quiet');
    await done('lock');
    const before = workspace.read('mixdown.lock');
    workspace.remove('cache');
    workspace.remove('runs');
    // As in CI: nothing is there, and all of it comes out as pinned.
    expect(await done('run', '--frozen')).toContain('mixdown.lock: all that it pins of this run agrees\n');
    workspace.edit('pipeline.yaml', 'scales: [2, 3]', 'scales: [2, 4]');
    const {code, stderr} = await workspace.run('run', '--frozen');
    expect(code).toBe(4);
    expect(stderr).toContain('unpinned scaled[by=4]\norphaned scaled[by=3]\n');
    expect(stderr).toContain('error: mixdown.lock would have to change, and --frozen keeps it: nothing was run');
    expect(readdirSync(workspace.path('runs')).filter((name) => /^\d/.test(name))).toHaveLength(1);
    expect(workspace.read('mixdown.lock')).toBe(before);
    const both = await workspace.run('run', '--frozen', '--accept', 'report', '--reason', 'x');
    expect(both.code).toBe(2);
  });
});

describe('the file', () => {
  it('is the old or the new one whenever the process is killed', async () => {
    await done('run', '--quiet');
    await done('lock');
    const before = workspace.read('mixdown.lock');
    workspace.edit('pipeline.yaml', "params: {by: '${matrix.by}'}", 'params: {by: 5}');
    const seen = new Set<string>();
    for (let round = 0; round < 6; round++) {
      workspace.write('mixdown.lock', before);
      const child = workspace.start(['run']);
      // Between the end of the run and the end of the process the lock is written.
      child.stdout?.on('data', (text: Buffer) => {
        if (/done in|nothing to do/.test(String(text))) child.kill('SIGKILL');
      });
      await ended(child);
      const {code} = await workspace.run('check');
      seen.add(workspace.read('mixdown.lock') === before ? 'old' : 'new');
      expect([0, 4]).toContain(code);
    }
    expect([...seen].every((state) => state === 'old' || state === 'new')).toBe(true);
    await done('run', '--quiet');
    expect(await trouble()).toEqual({});
  });

  it('loses nothing when two runs end at once', async () => {
    const names = ['p', 'q', 'r', 's'];
    const nodes = names.map((name) => `  ${name}: {command: [sh, -c, 'echo ${name} > o'], outputs: {o: o}}`);
    workspace.write('pipeline.yaml', `version: 1\nnodes:\n${nodes.join('\n')}\n`);
    await done('run', '--quiet');
    await done('lock');
    workspace.write('pipeline.yaml', workspace.read('pipeline.yaml').replaceAll("'echo", "'echo new"));
    const ends = await Promise.all(names.map((name) => workspace.run('run', name, '--quiet')));
    expect(ends.map(({code, stderr}) => [code, stderr])).toEqual(names.map(() => [0, '']));
    expect(await trouble()).toEqual({});
  });

  it('is written where a link leads, and told when it cannot be', async () => {
    await done('run', '--quiet');
    mkdirSync(workspace.path('locks'));
    // A process that was killed had begun to write.
    workspace.write('locks/.a.lock.1234abcd.tmp', 'version: 1');
    expect(await done('lock', '--lock', 'locks/a.lock')).toContain('locks/a.lock: 5 pinned');
    expect(readdirSync(workspace.path('locks'))).toEqual(['a.lock']);
    symlinkSync('locks/a.lock', workspace.path('mixdown.lock'));
    workspace.edit('pipeline.yaml', "params: {by: '${matrix.by}'}", 'params: {by: 5}');
    await done('run', '--quiet');
    expect(lstatSync(workspace.path('mixdown.lock')).isSymbolicLink()).toBe(true);
    expect(await trouble('--lock', 'locks/a.lock')).toEqual({});
    const {code, stderr} = await workspace.run('lock', '--lock', 'nowhere/a.lock');
    expect([code, stderr]).toEqual([2, expect.stringContaining('nowhere/a.lock cannot be written')]);
  });
});
