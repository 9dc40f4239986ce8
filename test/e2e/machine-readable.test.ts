import {chmodSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {documentedOutputs} from '../support/documented-outputs.ts';
import {errorsOf, linesOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
let events: readonly Event[];
let recorded: string;
beforeAll(async () => {
  workspace = new Workspace(toyProject);
  const {stdout} = await workspace.run('run', 'report', 'counts', '--json');
  events = linesOf(stdout) as readonly Event[];
  recorded = workspace.read('runs/latest/events.ndjson');
  await workspace.run('run', 'report', '--quiet', '--set', 'scales=[3,4]');
  await workspace.run('run', 'report', 'counts', '--quiet');
});
afterAll(() => workspace.dispose());

type Case = readonly [command: string, schema: string, ...args: string[]];

/** Commands whose whole output is one JSON document. */
const cases: readonly Case[] = [
  ['run', 'status', 'totals', '--dry-run'],
  ['graph', 'graph'],
  ['graph', 'graph', '--expand', '--status'],
  ['graph', 'graph', 'report', '--format', 'dot'],
  ['stages', 'stages'],
  ['stages', 'stages', 'scale'],
  ['validate', 'validation'],
  ['show', 'show', 'report', '--to', 'copy.txt'],
  ['lineage', 'lineage', 'report'],
  ['lineage', 'lineage', 'notes/ant.txt'],
  ['metrics', 'metrics'],
  ['metrics', 'metrics', 'scaled', '--pivot', 'by', '--mean'],
  ['metrics', 'metrics', '--run', 'latest~1'],
  ['diff', 'diff', 'latest~1', 'latest'],
  ['diff', 'diff', 'latest~1', 'latest', '--over', 'by'],
  ['runs', 'runs'],
  ['runs', 'run', 'latest'],
  ['trace', 'trace'],
  ['prov', 'prov'],
  ['report', 'page'],
  ['devices', 'devices'],
  ['doctor', 'doctor'],
  ['gc', 'gc'],
  ['gc', 'gc', '--yes'],
  ['verify', 'verification'],
  ['clean', 'clean'],
  ['clean', 'clean', '--runs', '--keep', '2'],
];

/** Those that have a test of their own, some in files of their own. */
const others: readonly Case[] = [
  ['run', 'event'],
  ['watch', 'event'],
  ['plan', 'status'],
  ['status', 'status'],
  ['explain', 'explanation'],
  ['affected', 'affected'],
  ['lock', 'pinning'],
  ['check', 'check'],
  ['render', 'render'],
  ['predict', 'label'],
  ['init', 'init'],
  ['import', 'import'],
  ['ci', 'ci'],
  ['cache', 'cache'],
];

/** Runs a command with --json and returns what its schema has against the output. */
async function problems(schema: string, ...args: string[]): Promise<readonly string[]> {
  return errorsOf(schema, await workspace.json(...args));
}

describe('what commands print with --json is as the schemas say', () => {
  test('run: the events that are on record too', () => {
    expect(events.flatMap((event) => errorsOf('event', event))).toEqual([]);
    expect(linesOf(recorded)).toEqual(events);
    expect(new Set(events.map(({type}) => type)).size).toBeGreaterThan(5);
  });

  test('plan, status and explain, of what is up to date and of what is stale', async () => {
    for (const change of ['', 'more']) {
      workspace.write('notes/dog.txt', change);
      expect(await problems('status', 'plan', 'report')).toEqual([]);
      expect(await problems('status', 'status')).toEqual([]);
      expect(await problems('explanation', 'explain', 'counts', 'totals', 'report')).toEqual([]);
      expect(await problems('explanation', 'explain', 'counts', 'totals', '--key')).toEqual([]);
    }
    workspace.remove('notes/dog.txt');
  });

  test.each([
    ['node', ['totals']],
    ['output', ['report.report']],
    ['output', ['counts.count']],
    ['output', ['counts.count/ant.json']],
    ['metrics', ['totals', '--metrics']],
    ['log', ['totals', '--log']],
    ['path', ['totals', '--path']],
  ])('show: %s, of %j', async (kind, args) => {
    const shown = await workspace.json('show', ...args);
    expect(errorsOf('show', shown)).toEqual([]);
    expect(errorsOf('show', shown, kind)).toEqual([]);
  });

  test.each(cases)('%s: as schema %s, of %j', {timeout: 60_000}, async (command, schema, ...args) => {
    const said = await workspace.json<object>(command, ...args);
    expect(errorsOf(schema, said)).toEqual([]);
    const spoiled = Array.isArray(said) ? [...(said as readonly object[]), {surprise: 1}] : {...said, surprise: 1};
    expect(errorsOf(schema, spoiled)).not.toEqual([]);
  });

  test('docs/records.md has all of it, and nothing else', () => {
    const pair = ({command, schema}: {readonly command: string; readonly schema: string}): string =>
      `${command} ${schema}`;
    const tested = [...cases, ...others].map(([command, schema]) => pair({command, schema}));
    expect([...new Set(tested)].sort()).toEqual([...new Set(documentedOutputs().map(pair))].sort());
  });

  test('validate: what is wrong with a pipeline', async () => {
    const broken = new Workspace();
    broken.write('pipeline.yaml', 'version: 1\nnodes:\n  a: {stage: nothing}\n  b: 3\n');
    const said = await broken.json('validate');
    broken.dispose();
    expect(errorsOf('validation', said)).toEqual([]);
    expect(said).toMatchObject({valid: false, failures: expect.anything()});
  });

  test('verify: what is damaged', async () => {
    const damaged = new Workspace(toyProject);
    await damaged.run('run', '--quiet');
    const [blob = ''] = Object.keys(damaged.hashes('cache/cas'));
    chmodSync(damaged.path(`cache/cas/${blob}`), 0o644);
    damaged.write(`cache/cas/${blob}`, 'else');
    const [record = ''] = Object.keys(damaged.hashes('cache/actions'));
    chmodSync(damaged.path(`cache/actions/${record}`), 0o644);
    damaged.write(`cache/actions/${record}`, '{');
    const report = await damaged.json<{damagedBlobs: readonly string[]}>('verify');
    damaged.dispose();
    expect(report.damagedBlobs).toHaveLength(1);
    expect(errorsOf('verification', report)).toEqual([]);
  });

  test('cache promote: what became of each result', async () => {
    const shared = new Workspace(toyProject);
    shared.write('shared/entries', '');
    shared.edit('pipeline.yaml', 'version: 1', 'version: 1\ncache: {remote: {url: ./shared, namespace: pr-1}}');
    await shared.run('run', '--quiet');
    shared.edit('pipeline.yaml', 'namespace: pr-1', 'namespace: main');
    const report = await shared.json<{promoted: readonly string[]}>('cache', 'promote', '--from', 'pr-1');
    shared.dispose();
    expect(report.promoted).toHaveLength(5);
    expect(errorsOf('cache', report, 'promote')).toEqual([]);
  });

  test('init and import: what was written', async () => {
    const fresh = new Workspace();
    expect(errorsOf('init', await fresh.json('init'))).toEqual([]);
    const dvc = 'stages:\n  a:\n    cmd: touch b\n    params: [n]\n    outs: [b]\n    plots: [p.csv]\n';
    fresh.write('dvc.yaml', dvc);
    const imported = await fresh.json<{notes: readonly unknown[]}>('import', 'dvc.yaml', '-o', 'imported.yaml');
    fresh.dispose();
    expect(imported.notes.length).toBeGreaterThan(0);
    expect(errorsOf('import', imported)).toEqual([]);
  });

  test('cache key, of one that it makes and of one that is there', async () => {
    for (const made of [true, false]) {
      const said = await workspace.json<object>('cache', 'key', '--out', 'key.pem');
      expect(errorsOf('cache', said, 'key')).toEqual([]);
      expect(said).toMatchObject({made});
    }
  });

  test('watch: the events of each run, nothing else', async () => {
    const child = workspace.start(['watch', 'totals', '--json']);
    const done = ended(child);
    child.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('waiting for changes')) child.kill('SIGINT');
    });
    const lines = linesOf((await done).stdout);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.flatMap((event) => errorsOf('event', event))).toEqual([]);
  });

  test('the schemas refuse what is not so', async () => {
    const status = await workspace.json<{nodes: readonly object[]}>('status');
    expect(errorsOf('status', {...status, surprise: 1})).not.toEqual([]);
    expect(errorsOf('status', {...status, nodes: [{...status.nodes[0], status: 'fine'}]})).not.toEqual([]);
    const explained = await workspace.json<readonly object[]>('explain', 'totals');
    expect(errorsOf('explanation', [{...explained[0], reasons: [{kind: 'whim'}]}])).not.toEqual([]);
    const folder = await workspace.json<object>('show', 'counts.count');
    expect(errorsOf('show', {...folder, entries: undefined}, 'output')).not.toEqual([]);
    expect(errorsOf('show', {...folder, entries: [{path: 'a'}]}, 'output')).not.toEqual([]);
  });
});
