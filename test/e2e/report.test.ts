import {statSync} from 'node:fs';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {PageData} from '../../src/report/page-data.ts';
import {errorsOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace} from '../support/workspace.ts';

const hostile = '</script><script>alert(1)</script><img src=x onerror=alert(1)>';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => workspace.dispose());

/** What the page of a run shows; it is as the schema says. */
async function page(...args: string[]): Promise<PageData> {
  const data = await workspace.json<PageData>('report', ...args);
  expect(errorsOf('page', data)).toEqual([]);
  return data;
}

function node(data: PageData, id: string): PageData['nodes'][number] {
  const found = data.nodes.find((each) => each.id === id);
  if (!found) throw new Error(`there is no node ${id}`);
  return found;
}

test('there must be a run', async () => {
  expect(await workspace.run('report')).toMatchObject({code: 2, stderr: expect.stringContaining('no runs yet')});
});

describe('the page of a run', () => {
  test('is written into its folder, or where it is wanted, and is the same each time', async () => {
    await workspace.run('run', '--quiet');
    const {code, stdout} = await workspace.run('report');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^runs\/\d{8}-\d{6}-[0-9a-f]{5}\/report\.html\n$/);
    const html = workspace.read(stdout.trim());
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(await workspace.run('report', 'latest', '-o', 'pages/a.html')).toMatchObject({
      code: 0,
      stdout: 'pages/a.html\n',
    });
    expect(workspace.read('pages/a.html')).toBe(html);
    expect(await workspace.run('report', '-o', '-')).toMatchObject({code: 0, stdout: html, stderr: ''});
    await workspace.run('report', '--json', '-o', 'pages/a.json');
    expect(JSON.parse(workspace.read('pages/a.json'))).toEqual(await page());
    expect(await workspace.run('report', '-o', 'pages')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is a folder'),
    });
  });

  test('tells what ran and why, what each file was made from, when and where', async () => {
    await workspace.run('run', '--quiet');
    const data = await page();
    expect(data.run).toMatchObject({outcome: 'done', targets: ['report'], counts: {executed: 5}, savedMs: 0});
    expect(data.run.environment.map(([name]) => name)).toEqual(['mixdown', 'node', 'system', 'processor', 'memory']);
    expect(data.nodes.map(({id}) => id)).toEqual(['counts', 'totals', 'scaled[by=2]', 'scaled[by=3]', 'report']);
    expect(node(data, 'counts')).toMatchObject({
      outcome: 'executed',
      reasons: ['never built: there is no earlier result to compare with'],
      slices: {total: 3, executed: 3, cached: 0, failed: 0},
      inputs: [{port: 'text', from: 'source', source: 'notes'}],
    });
    expect(node(data, 'report').inputs).toEqual([
      {port: 'parts', from: 'node', node: 'scaled[by=2]', output: 'scaled'},
      {port: 'parts', from: 'node', node: 'scaled[by=3]', output: 'scaled'},
    ]);
    expect(data.groups.map(({name, reads}) => [name, ...reads])).toEqual([
      ['counts', 'source:notes'],
      ['totals', 'counts'],
      ['scaled', 'totals'],
      ['report', 'scaled'],
    ]);
    expect(data.sources).toMatchObject([{name: 'notes', path: 'notes', files: 3}]);
    const stage = data.stages.find(({name}) => name === 'count-letters');
    expect(stage?.files.map(({path}) => path)).toEqual(['stages/count-letters.ts', 'stages/lib/letters.ts']);
    expect(data.results).toMatchObject([{node: 'report', output: 'report', file: 'report.txt', kind: 'text'}]);
    expect(data.timeline.criticalPath.at(-1)).toBe('report');
    expect(data.timeline.lanes.flatMap(({spans}) => spans).find(({slices}) => slices)).toMatchObject({
      node: 'counts',
      slices: 3,
    });
    expect(data.changes).toBeUndefined();
  });

  test('of a later run tells what was reused, the time saved, and which metrics changed since', async () => {
    await workspace.run('run', '--quiet');
    const first = await page();
    workspace.write('notes/ant.txt', 'an ant and another ant');
    await workspace.run('run', '--quiet');
    const data = await page();
    expect(node(data, 'counts')).toMatchObject({
      slices: {total: 3, executed: 1, cached: 2},
      reasons: [expect.stringMatching(/^input text: .*1 of 3 entries changed: ant\.txt/)],
    });
    expect(data.run.savedMs).toBeGreaterThan(0);
    expect(data.changes?.since).toBe(first.run.id);
    expect(await page('latest~1')).toEqual(first);
    // Nothing to do leaves no record: the page stays that of the newest run there is.
    await workspace.run('run', '--quiet');
    expect(await page()).toEqual(data);
    await workspace.run('run', 'totals', '--quiet');
    expect(node(await page(), 'counts')).toMatchObject({
      outcome: 'up-to-date',
      reasons: [],
      slices: {executed: 0, cached: 3},
    });
  });

  test('tells what differs from the lock, and with a lock that is met from the run before', async () => {
    await workspace.run('run', '--quiet');
    const first = await page();
    await workspace.run('lock');
    workspace.write('notes/ant.txt', 'an ant and another ant');
    await workspace.run('run', '--quiet');
    expect((await page()).changes?.since).toBe(first.run.id);
    workspace.edit('mixdown.lock', '"sum": 31', '"sum": 30');
    expect((await page()).changes).toEqual({
      since: 'mixdown.lock',
      metrics: [{node: 'totals', metric: 'sum', before: 30, after: 31}],
      added: [],
      removed: [],
    });
    expect((await page('latest~1')).changes).toBeUndefined();
    workspace.write('mixdown.lock', '<<<<<<< ours\n');
    const {code, stderr} = await workspace.run('report');
    expect(code).toBe(0);
    expect(stderr).toContain('warning: ');
  });

  test('of a failed run has the failure and the last lines of the log', async () => {
    workspace.edit('pipeline.yaml', "cat parts/* > report.txt'", "echo nearly there; exit 3'");
    expect((await workspace.run('run', '--quiet')).code).toBe(1);
    const data = await page();
    expect(data.run.outcome).toBe('failed');
    expect(node(data, 'report')).toMatchObject({
      outcome: 'failed',
      failure: {code: 'command-failed'},
      log: 'nearly there',
    });
    expect(data.results).toEqual([]);
    const {stdout} = await workspace.run('report', '-o', '-');
    expect(stdout).toContain('<h2>report failed</h2>');
  });

  test('of a run that was interrupted has what was done until then', async () => {
    workspace.edit('pipeline.yaml', "cat parts/* > report.txt'", "echo waiting; sleep 100'");
    const child = workspace.start(['run', '--json']);
    const end = ended(child);
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (text: string) => void (text.includes('waiting') && resolve()));
    });
    child.kill('SIGINT');
    expect((await end).code).toBe(130);
    const data = await page();
    expect(data.run).toMatchObject({outcome: 'interrupted', counts: {executed: 4, cancelled: 1}});
    expect(node(data, 'report')).toMatchObject({outcome: 'cancelled', log: 'waiting'});
    expect(data.timeline.criticalPath.at(-1)).toBe('report');
  });

  test('of a run that was killed tells how far it came', async () => {
    await workspace.run('run', '--quiet');
    const record = JSON.parse(workspace.read('runs/latest/run.json')) as {outcome: string; nodes: object};
    const {wallMs: _, counts: __, finishedAt: ___, ...rest} = record as Record<string, unknown>;
    workspace.write('runs/latest/run.json', JSON.stringify({...rest, outcome: 'running', nodes: {}}));
    const events = workspace.read('runs/latest/events.ndjson');
    workspace.write('runs/latest/events.ndjson', `${events.slice(0, events.indexOf('"totals","wallMs"'))}\n`);
    const data = await page();
    expect(data.run).toMatchObject({outcome: 'running', counts: {executed: 1, cancelled: 4}});
    expect(node(data, 'counts').outcome).toBe('executed');
    expect(node(data, 'report').inputs).toHaveLength(2);
  });

  test('is made from records alone when the pipeline is broken, and says what is gone from the cache', async () => {
    await workspace.run('run', '--quiet');
    const whole = await page();
    workspace.write('pipeline.yaml', 'version: 1\nnodes: {a: {stage: nothing}}\n');
    const broken = await page();
    expect(broken.nodes.map(({inputs}) => inputs.length)).toEqual([1, 1, 1, 1, 2]);
    expect(node(broken, 'report').inputs).toEqual(node(whole, 'report').inputs);
    expect(broken.results).toEqual(whole.results);
    workspace.remove('cache');
    const bare = await page();
    expect(bare.nodes.map(({id, outcome}) => [id, outcome])).toEqual(whole.nodes.map(({id, outcome}) => [id, outcome]));
    workspace.remove('pipeline.yaml');
    workspace.write('pipeline.yaml', 'version: 1\nnodes: {report: {command: [ls], outputs: {report: report.txt}}}\n');
    const {results} = await page();
    expect(results).toMatchObject([{kind: 'text', text: expect.stringContaining('no longer in the cache')}]);
  });

  test('holds no value of an environment variable, and nothing that names or texts could do', async () => {
    workspace.write('words.txt', hostile);
    workspace.write(
      'pipeline.yaml',
      `version: 1
sources: {words: words.txt}
nodes:
  prose:
    command: [sh, -c, 'cat words; cat words > prose.md; echo "a,b" > scores.csv; cat words >> scores.csv; [ -n "$API_KEY" ]', ${JSON.stringify(hostile)}]
    env: {API_KEY: s3cret}
    passEnv: [MIXDOWN_TEST_TOKEN]
    inputs: {words: words}
    outputs: {prose: {path: prose.md, display: true}, scores: scores.csv}
`,
    );
    const run = (): Promise<unknown> =>
      new Promise((done) =>
        workspace.start(['run', 'prose', '--quiet'], {MIXDOWN_TEST_TOKEN: 't0ken'}).once('close', done),
      );
    expect(await run()).toBe(0);
    workspace.edit('pipeline.yaml', 's3cret', 's3cret2');
    expect(await run()).toBe(0);
    const data = await page();
    expect(node(data, 'prose').reasons).toEqual(['command: "$API_KEY: …" -> "$API_KEY: another value"']);
    expect(data.results.map(({kind}) => kind)).toEqual(['markdown', 'table']);
    expect(JSON.stringify(data)).toContain('onerror=alert(1)');
    const {stdout} = await workspace.run('report', '-o', '-');
    expect(stdout).not.toMatch(/s3cret|t0ken/);
    expect(stdout).not.toContain('<img src=x');
    expect(stdout).not.toContain('<script>alert(1)');
  });

  test('of a record that somebody changed, or of nodes with odd names, has what there is', async () => {
    workspace.write('secret.txt', 'a secret');
    workspace.write(
      'pipeline.yaml',
      `version: 1
nodes:
  constructor: {command: [sh, -c, 'echo a > a.txt'], outputs: {constructor: a.txt}}
  end: {command: [sh, -c, 'exit 3'], inputs: {in: constructor}, outputs: {o: o.txt}}
`,
    );
    await workspace.run('run', '--quiet', 'constructor', 'end');
    const data = await page();
    expect(data.nodes.map(({id, outcome}) => [id, outcome])).toEqual([
      ['constructor', 'executed'],
      ['end', 'failed'],
    ]);
    expect(data.results).toMatchObject([{node: 'constructor', output: 'constructor', kind: 'text', text: 'a\n'}]);
    const record = workspace.read('runs/latest/run.json');
    workspace.write('runs/latest/run.json', record.replaceAll(/"hash": "[0-9a-f]+"/g, '"hash": "../../secret.txt"'));
    expect((await page()).results).toEqual([]);
    workspace.write('runs/latest/events.ndjson', '{"type":"run-planned","at":1}\n7\n');
    expect((await page()).nodes).toHaveLength(2);
    workspace.write('runs/latest/run.json', '{"type":"run/1"}');
    expect(await workspace.run('report')).toMatchObject({code: 2, stderr: expect.stringContaining('[record-corrupt]')});
  });

  test('shows what an output asks to be shown as, although its node is no target', async () => {
    workspace.write(
      'pipeline.yaml',
      `version: 1
nodes:
  learn:
    command: [sh, -c, 'printf "step,loss\\n1,2\\n2,1\\n" > curve.csv; printf "label,n\\ncat,3\\n" > n.csv']
    outputs: {curve: {path: curve.csv, show: curve}, n: {path: n.csv, show: 'bars:n'}}
  end: {command: [sh, -c, 'wc -l learned > end.txt'], inputs: {learned: learn.curve}, outputs: {end: end.txt}}
`,
    );
    await workspace.run('run', 'end', '--quiet');
    const before = await page();
    expect(before.results.map(({node: id, kind}) => [id, kind])).toEqual([
      ['learn', 'curve'],
      ['learn', 'bars'],
      ['end', 'text'],
    ]);
    // How it is shown makes nothing stale.
    workspace.edit('pipeline.yaml', ', show: curve', '');
    expect((await workspace.run('plan', 'end')).stdout).toContain('2 up to date');
    workspace.edit('pipeline.yaml', 'bars:n', 'pie');
    expect((await workspace.run('validate')).stderr).toContain('`curve`, `confusion`, `bars` or `bars:COLUMN`');
  });

  test('stays small when a text is not', async () => {
    workspace.write(
      'pipeline.yaml',
      `version: 1
nodes: {much: {command: [sh, -c, 'yes line | head -c 5000000 > much.txt; yes 1,2 | head -c 2000000 > much.csv'], outputs: {text: much.txt, table: much.csv}}}
`,
    );
    await workspace.run('run', '--quiet', 'much');
    await workspace.run('report', '-o', 'much.html');
    const data = await page();
    expect(data.results).toMatchObject([
      {kind: 'table', more: 499_499},
      {kind: 'text', more: 4_800_000},
    ]);
    expect(statSync(workspace.path('much.html')).size).toBeLessThan(1_000_000);
  });
});
