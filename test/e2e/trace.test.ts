import {afterEach, beforeEach, expect, test} from 'vitest';
import type {ChromeTrace} from '../../src/report/chrome-trace.ts';
import {toyProject, Workspace} from '../support/workspace.ts';
import {traceProblems} from '../support/trace.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => workspace.dispose());

test('a recorded run is printed as a trace, also one whose record was cut off', async () => {
  expect(await workspace.run('trace')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('no runs yet'),
  });
  await workspace.run('run', '--quiet');
  const trace = await workspace.json<ChromeTrace>('trace');
  expect(traceProblems(trace)).toEqual([]);
  const names = (found: ChromeTrace): readonly string[] =>
    found.traceEvents.flatMap((event) => (event.ph === 'X' && event.cat === 'node' ? [event.name] : [])).sort();
  expect(names(trace)).toEqual(['counts', 'report', 'scaled[by=2]', 'scaled[by=3]', 'totals']);
  expect(trace.otherData['run']).toMatch(/^\d{8}-\d{6}-/);
  const sums = trace.traceEvents.flatMap(({ph, args}) => (ph === 'X' ? [Number(args['executed'] ?? 0)] : []));
  expect(sums.reduce((sum, count) => sum + count, 0)).toBe(3);

  const events = workspace.read('runs/latest/events.ndjson');
  workspace.write('runs/latest/events.ndjson', `${events.slice(0, events.indexOf('"totals","wallMs"'))}\n7\nnull\n`);
  const cut = await workspace.json<ChromeTrace>('trace', trace.otherData['run']!.slice(0, 12));
  expect(traceProblems(cut)).toEqual([]);
  expect(names(cut)).toContain('totals');
  workspace.write('runs/latest/events.ndjson', '');
  expect(await workspace.run('trace')).toMatchObject({code: 2, stderr: expect.stringContaining('[record-corrupt]')});
});
