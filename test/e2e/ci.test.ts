import {mkdirSync, realpathSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {linesOf} from '../support/schemas.ts';
import {ended, toyProject, Workspace, type CliResult} from '../support/workspace.ts';
import {junitProblems, parseXml, type XmlElement} from '../support/xml.ts';

let workspace: Workspace;
beforeEach(() => {
  workspace = new Workspace(toyProject);
});
afterEach(() => workspace.dispose());

/** Makes the stage of `totals` print something and fail. */
function breakTotals(): void {
  workspace.edit(
    'stages/total.ts',
    'let sum',
    "console.log('just before\\n::error::not from mixdown');\n    throw new Error('no: 100%, <b> ]]>');\n    let sum",
  );
}

/** Node and variant to what became of it. */
function junitCases(name: string): Record<string, string> {
  const xml = parseXml(workspace.read(name));
  expect(junitProblems(xml)).toEqual([]);
  const cases = xml.children[0]?.children.filter((child) => child.name === 'testcase') ?? [];
  return Object.fromEntries(
    cases.map((each: XmlElement) => [
      `${each.attributes['classname']} ${each.attributes['name']}`,
      each.children[0]?.name ?? 'passed',
    ]),
  );
}

describe('--junit', () => {
  test('has a case for each node; folders are made', async () => {
    expect(await workspace.run('run', '--junit', 'reports/of/junit.xml')).toMatchObject({code: 0, stderr: ''});
    const all = ['counts counts', 'totals totals', 'scaled by=2', 'scaled by=3', 'report report'];
    expect(junitCases('reports/of/junit.xml')).toEqual(Object.fromEntries(all.map((each) => [each, 'passed'])));
    await workspace.run('run', '--junit', 'again.xml');
    expect(Object.keys(junitCases('again.xml'))).toEqual(all);
  });

  test('is written when nodes fail, with what they printed', async () => {
    breakTotals();
    expect(await workspace.run('run', '--junit', 'junit.xml')).toMatchObject({code: 1});
    expect(junitCases('junit.xml')).toEqual({
      'counts counts': 'passed',
      'totals totals': 'failure',
      'scaled by=2': 'skipped',
      'scaled by=3': 'skipped',
      'report report': 'skipped',
    });
    expect(workspace.read('junit.xml')).toContain('last output:\njust before\n::error::not from mixdown</failure>');
  });

  test('is written when the run cannot begin, and when nothing is affected', async () => {
    workspace.edit('pipeline.yaml', 'stage: total', 'stage: totl');
    expect(await workspace.run('run', '--junit', 'junit.xml')).toMatchObject({code: 2});
    expect(junitCases('junit.xml')).toEqual({'pipeline.yaml unknown-stage': 'error'});
    workspace.edit('pipeline.yaml', 'stage: totl', 'stage: total');
    workspace.remove('notes');
    expect(await workspace.run('run', '--junit', 'junit.xml')).toMatchObject({code: 2});
    expect(junitCases('junit.xml')).toEqual({'pipeline.yaml missing-source': 'error'});
  });

  test('is written when the run is interrupted; before its end it says that there was none', async () => {
    workspace.edit('pipeline.yaml', "'cat parts/* > report.txt'", "'echo waiting; sleep 60'");
    const child = workspace.start(['run', '--junit', 'junit.xml', '--verbose']);
    let early: Record<string, string> = {};
    child.stdout?.on('data', (bytes: Buffer) => {
      if (!bytes.toString('utf8').includes('| waiting')) return;
      early = junitCases('junit.xml');
      child.kill('SIGINT');
    });
    expect(await ended(child)).toMatchObject({code: 130});
    expect(early).toEqual({'mixdown run end': 'error'});
    expect(junitCases('junit.xml')).toMatchObject({'totals totals': 'passed', 'report report': 'skipped'});
  });

  test('that cannot be written is an error before anything runs', async () => {
    mkdirSync(workspace.path('folder'));
    const {code, stdout, stderr} = await workspace.run('run', '--junit', 'folder');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('error: the JUnit report cannot be written: EISDIR');
    expect((await workspace.run('run', '--junit', 'notes/ant.txt/x.xml')).stderr).toContain('cannot be written');
    expect((await workspace.run('run', '-n', '--junit', 'x.xml')).stderr).toContain('--dry-run makes none');
    expect(workspace.hashes('runs')).toEqual({});
  });
});

describe('under GitHub Actions', () => {
  /** Runs as a step of a job whose repository holds the project in a folder. */
  function step(args: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
    return ended(
      workspace.start(args, {
        GITHUB_ACTIONS: 'true',
        GITHUB_WORKSPACE: join(realpathSync(workspace.root), '..'),
        GITHUB_STEP_SUMMARY: workspace.path('summary.md'),
        ...env,
      }),
    );
  }
  const commands = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('::'));

  test('problems of pipeline.yaml are annotated at their place in the repository', async () => {
    const folder = realpathSync(workspace.root).split('/').at(-1) ?? '';
    workspace.edit('pipeline.yaml', 'stage: total', 'stage: totl');
    const expected = `::error file=${folder}/pipeline.yaml,line=8,col=19,endLine=8,endColumn=23,title=unknown-stage::unknown stage \`totl\`%0Ahint: did you mean \`total\`?`;
    expect(commands((await step(['validate'])).stderr)).toEqual([expected]);
    const json = await step(['validate', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({valid: false});
    expect(commands(json.stderr)).toEqual([expected]);
    expect(commands((await step(['run'])).stderr)).toEqual([expected]);
    expect(workspace.read('summary.md')).toBe(
      '### ❌ mixdown run did not begin\n\n- pipeline.yaml:8: unknown stage \\`totl\\`\n',
    );
  });

  test('no more of them than GitHub shows', async () => {
    const nodes = Array.from({length: 14}, (_, at) => `  x${at}: {stage: nowhere${at}}`).join('\n');
    workspace.edit('pipeline.yaml', 'nodes:', `nodes:\n${nodes}`);
    const {stderr} = await step(['validate']);
    expect(commands(stderr).length).toBe(10);
    expect(stderr).toMatch(/4 more errors without an annotation: GitHub shows 10\n$/);
  });

  test('a failed node is annotated at its line, with its log as a group that is no command', async () => {
    breakTotals();
    const {code, stdout, stderr} = await step(['run', '--json']);
    expect(code).toBe(1);
    expect(linesOf(stdout).length).toBeGreaterThan(4);
    const [, token = ''] = /::stop-commands::([0-9a-f-]{36})\n/.exec(stderr) ?? [];
    const folder = realpathSync(workspace.root).split('/').at(-1) ?? '';
    expect(stderr).toBe(
      [
        `::error file=${folder}/pipeline.yaml,line=8,col=3,endLine=8,endColumn=9,title=totals failed%3A stage-failed::no: 100%25, <b> ]]>`,
        '::group::What totals printed',
        `::stop-commands::${token}`,
        'just before',
        '::error::not from mixdown',
        `::${token}::`,
        '::endgroup::',
        '',
      ].join('\n'),
    );
  });

  test('the page of the job: what failed, metrics, and how they differ from the run before', async () => {
    await step(['run']);
    expect(workspace.read('summary.md')).toMatch(
      /^### ✅ mixdown run done\n\n5 executed in [\d.]+ m?s\n\n#### Metrics\n\n\*\*totals\*\*\n\n\| sum \|\n\| --: \|\n\| 18 \|\n$/,
    );
    workspace.remove('summary.md');
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    await step(['run']);
    expect(workspace.read('summary.md')).toContain(
      '| node | metric | before | now | change |\n| :-- | :-- | --: | --: | --: |\n| totals | sum | 18 | 22 | +4 |\n',
    );
    breakTotals();
    await step(['run']);
    const page = workspace.read('summary.md');
    expect(page).toContain('\n\n### ❌ mixdown run failed\n\n1 failed, 3 blocked, 1 up to date in ');
    expect(page).toContain('| totals | no: 100%, \\<b> ]]> |  |');
  });

  test('the page is cut where GitHub would drop it', async () => {
    workspace.write('summary.md', 'x'.repeat(1024 * 1024 - 80));
    await step(['run']);
    const page = workspace.read('summary.md');
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(1024 * 1024);
    expect(page.endsWith('… cut here: GitHub shows 1 MiB of a step\n')).toBe(true);
  });

  test('a page that cannot be written is a warning, and elsewhere nothing is said', async () => {
    const {code, stderr} = await step(['run'], {GITHUB_STEP_SUMMARY: workspace.path('notes')});
    expect(code).toBe(0);
    expect(commands(stderr)).toEqual([
      expect.stringMatching(/^::warning title=cache-unwritable::the job summary cannot be written: EISDIR/) as string,
    ]);
    const elsewhere = await step(['run', 'report', '--force'], {GITHUB_ACTIONS: ''});
    expect([elsewhere.stderr, workspace.hashes('.')['summary.md']]).toEqual(['', undefined]);
  });
});
