import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {errorsOf, linesOf} from '../support/schemas.ts';
import {toyProject, Workspace} from '../support/workspace.ts';

let workspace: Workspace;
let events: readonly Event[];
beforeAll(async () => {
  workspace = new Workspace(toyProject);
  const {stdout} = await workspace.run('run', 'report', 'counts', '--json');
  events = linesOf(stdout) as readonly Event[];
  await workspace.run('run', 'report', 'counts', '--quiet');
});
afterAll(() => workspace.dispose());

/** Runs a command with --json and returns what its schema has against the output. */
async function problems(schema: string, ...args: string[]): Promise<readonly string[]> {
  return errorsOf(schema, await workspace.json(...args));
}

describe('what commands print with --json is as the schemas say', () => {
  test('run: the events that are on record too', () => {
    expect(events.flatMap((event) => errorsOf('event', event))).toEqual([]);
    expect(linesOf(workspace.read('runs/latest/events.ndjson'))).toEqual(events);
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

  test('runs: one record', async () => {
    expect(await problems('run', 'runs', 'latest')).toEqual([]);
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
