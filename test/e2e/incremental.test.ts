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
