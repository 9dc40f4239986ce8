import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => {
  workspace.dispose();
});

/** Builds, and tells which jobs ran: `node` or `node/slice`, sorted. */
async function build(...args: string[]): Promise<string[]> {
  const {code, stdout, stderr} = await workspace.run('run', '--json', ...args);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  const ran: string[] = [];
  const sliced = new Set<string>();
  for (const event of events) {
    if (event.type !== 'slice-finished' || event.outcome !== 'executed') continue;
    ran.push(`${event.node}/${event.key}`);
    sliced.add(event.node);
  }
  for (const event of events) {
    if (event.type === 'node-finished' && event.outcome === 'executed' && !sliced.has(event.node)) ran.push(event.node);
  }
  return ran.sort();
}

/** Digests of every output of the last run. */
async function outputs(of: Workspace): Promise<unknown[]> {
  const {nodes} = JSON.parse(of.read('runs/latest/run.json')) as {
    nodes: Readonly<Record<string, {outputs?: unknown}>>;
  };
  expect(Object.keys(nodes)).toHaveLength(5);
  // In the order they ended, which may differ.
  return Object.keys(nodes)
    .sort()
    .map((node) => [node, nodes[node]?.outputs]);
}

const everything = ['counts/ant', 'counts/bee', 'counts/cat', 'report', 'scaled[by=2]', 'scaled[by=3]', 'totals'];

describe('mixdown run', () => {
  it('builds everything once, then nothing', async () => {
    expect(await build()).toEqual(everything);
    expect(workspace.read('runs/latest/out/report/report.txt')).toBe('36\n54\n');
    expect(await build()).toEqual([]);
  });

  it('runs one slice for one changed file, and stops where nothing changes', async () => {
    await build();
    workspace.write('notes/bee.txt', 'two bees\n');
    expect(await build()).toEqual(['counts/bee', 'report', 'scaled[by=2]', 'scaled[by=3]', 'totals']);
    workspace.write('notes/bee.txt', '2 bees, two\n');
    expect(await build()).toEqual(['counts/bee']);
  });

  it('runs for a changed param and a new matrix value only what they reach', async () => {
    await build();
    expect(await build('--set', 'nodes.totals.params.offset=1')).toEqual([
      'report',
      'scaled[by=2]',
      'scaled[by=3]',
      'totals',
    ]);
    expect(await build('--set', 'scales=[2,3,5]')).toEqual(['report', 'scaled[by=5]']);
  });

  it('runs nothing for a comment, everything of the stage for code, in its helpers too', async () => {
    await build();
    workspace.edit('stages/scale.ts', 'export default', '// twice as much\nexport default');
    workspace.edit('stages/lib/letters.ts', 'Letters a to z', 'Letters from a to z');
    expect(await build()).toEqual([]);
    workspace.edit('stages/lib/letters.ts', '[^a-z]', '[^a-y]');
    expect(await build()).toEqual(['counts/ant', 'counts/bee', 'counts/cat']);
    workspace.edit('stages/scale.ts', '* params.by', '* params.by + 1');
    expect(await build()).toEqual(['report', 'scaled[by=2]', 'scaled[by=3]']);
  });

  it('restores a deleted result without running, and a deleted runs folder too', async () => {
    await build();
    workspace.remove('runs/latest/out/report/report.txt');
    expect(await build()).toEqual([]);
    expect(workspace.read('runs/latest/out/report/report.txt')).toBe('36\n54\n');
    workspace.remove('runs');
    expect(await build()).toEqual([]);
    expect(workspace.read('runs/latest/out/report/report.txt')).toBe('36\n54\n');
  });

  it('makes a damaged blob again', async () => {
    await build();
    const {hash} = (await workspace.json<{outputs: {report: {digest: {hash: string}}}}>('show', 'report')).outputs
      .report.digest;
    workspace.remove(join('cache/cas', hash.slice(0, 2), hash));
    workspace.write(join('cache/cas', hash.slice(0, 2), hash), 'damaged');
    const {stdout, code} = await workspace.run('run', '--json');
    expect(code).toBe(0);
    expect(stdout).toMatch(/"type":"warning".*"blob-corrupt"/);
    expect(workspace.read('runs/latest/out/report/report.txt')).toBe('36\n54\n');
    expect(readdirSync(workspace.path('cache/quarantine'))).not.toEqual([]);
  });

  it('gives the same bytes from scratch, and hits only in a store that was moved or is shared', async () => {
    await build();
    const second = new Workspace(toyProject);
    try {
      const first = workspace;
      workspace = second;
      await build();
      expect(await outputs(second)).toEqual(await outputs(first));
      second.remove('cache');
      second.remove('runs');
      expect(await build('--cache', first.path('cache'))).toEqual([]);
      workspace = first;
    } finally {
      second.dispose();
    }
  });
});

describe('items that are left out, and several at once', () => {
  beforeEach(() => {
    workspace.write(
      'stages/split.ts',
      `import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {defineStage} from 'mixdown/stage';

export default defineStage({
  name: 'split',
  summary: 'Cuts a text into words; leaves a text without a bee out of the list.',
  params: {},
  inputs: {text: {kind: 'file', about: 'a text'}, limit: {kind: 'file', optional: true, about: 'most words'}},
  outputs: {
    words: {kind: 'tree', name: 'words', about: 'a file for each word'},
    list: {kind: 'file', name: 'list.txt', optional: true, about: 'the words'},
  },
  run({inputs, outputs}) {
    const limit = inputs.limit === undefined ? Infinity : Number(readFileSync(inputs.limit, 'utf8'));
    const words = readFileSync(inputs.text, 'utf8').split(/\\s+/).filter((word) => word !== '').slice(0, limit);
    mkdirSync(join(outputs.words, 'all'));
    words.forEach((word, index) => writeFileSync(join(outputs.words, 'all', \`\${index}.txt\`), word));
    if (words.join().includes('bee')) writeFileSync(outputs.list, words.join('\\n'));
  },
});
`,
    );
    for (const name of ['ant', 'bee', 'cat']) workspace.write(`notes/${name}.txt`, `${name} and ${name}s\n`);
    workspace.write('notes/bumble.txt', 'bumblebee\n');
    workspace.write(
      'pipeline.yaml',
      `version: 1
vars: {limit: null}
sources:
  notes: {path: notes, include: '*.txt'}
  three: {path: three.txt}
nodes:
  split: {stage: split, each: {text: notes}, inputs: {limit: '\${vars.limit}'}}
  counts: {stage: count-letters, each: split.words}
  pairs:
    command: [sh, -c, 'cat text list > both.txt']
    each: {text: notes, list: split.list}
    outputs: {both: both.txt}
targets: {default: [counts, pairs]}
`,
    );
    workspace.write('three.txt', '3');
  });

  it('run one slice for a change in either, nothing for what is gone, and say what was left out', async () => {
    const first = await workspace.run('run');
    expect(first.stderr).toBe('');
    expect(first.stdout).toMatch(/split executed .*, 4 slices, 2 of 4 items left out\n/);
    expect(first.stdout).toContain('\nsplit: 2 of 4 items left out\npairs: 2 of 4 items left out\ndone in ');
    expect(workspace.read('runs/latest/out/pairs/both.txt/bee.txt')).toBe('bee and bees\nbee\nand\nbees');
    expect(readdirSync(workspace.path('runs/latest/out/pairs/both.txt')).sort()).toEqual(['bee.txt', 'bumble.txt']);
    expect(await build()).toEqual([]);
    workspace.write('notes/bee.txt', 'a bee and bees\n');
    expect(await build()).toEqual(['counts/bee/all/0', 'pairs/bee', 'split/bee']);
    workspace.remove('notes/ant.txt');
    workspace.write('notes/cat.txt', 'cat and bees\n');
    expect(await build()).toEqual(['pairs/cat', 'split/cat']);
    const {stdout} = await workspace.run('verify');
    expect(stdout).not.toMatch(/damaged|missing/);
    expect(await build()).toEqual([]);
  });

  it('count an input that a variable switches on', async () => {
    await build();
    const limited = await build('--set', 'limit=three');
    expect(limited.filter((job) => job.startsWith('split'))).toHaveLength(4);
    expect((await workspace.run('explain', 'split', '--set', 'limit=two')).code).toBe(2);
    const {stdout} = await workspace.run('explain', 'split', '--set', 'limit=three');
    expect(stdout).toContain('split: up to date');
    expect((await workspace.run('explain', 'split')).stdout).toContain('cached');
  });

  it('is explained by the item of the collection that changed', async () => {
    await build();
    workspace.write('notes/bee.txt', 'one bee\n');
    expect((await workspace.run('explain', 'split')).stdout).toMatch(
      /split: will run, 1 of 4 slices stale\n  input text: .* \(1 of 4 entries changed: bee\.txt\)/,
    );
    const {stdout} = await workspace.run('explain', 'pairs');
    expect(stdout).toMatch(/input text: .* \(1 of 4 entries changed: bee\.txt\)\n  input list: not known until split/);
    const shown = await workspace.run('stages', 'split');
    expect(shown.stdout).toMatch(/list +file, optional +list\.txt/);
  });

  it('names every item without a partner, before anything runs', async () => {
    workspace.write('others/ant.txt', '');
    workspace.edit('pipeline.yaml', 'three: {path: three.txt}', 'three: {path: three.txt}\n  others: {path: others}');
    workspace.edit('pipeline.yaml', 'list: split.list', 'list: others');
    const {code, stderr} = await workspace.run('run');
    expect(stderr).toMatch(
      /^error: pairs: 3 items of text \(notes\) have no partner in list \(others\): bee, bumble, cat \[item-missing\]\n  hint: /,
    );
    expect(code).toBe(1);
  });
});
