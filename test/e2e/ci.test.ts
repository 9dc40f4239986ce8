import {chmodSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {commitAll, git, makeRepository} from '../support/repository.ts';
import {errorsOf, linesOf} from '../support/schemas.ts';
import {readWorkflow, runJob, workflowProblems, isTrue, type JobEnd, type Workflow} from '../support/workflow.ts';
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

/** A page of the job with the columns of its tables as narrow as can be. */
function page(text: string): string {
  return text.replaceAll(/ {2,}/g, ' ').replaceAll(/-{2,}/g, '--');
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
    expect(page(workspace.read('summary.md'))).toMatch(
      /^### ✅ mixdown run done\n\n5 executed in [\d.]+ m?s\n\n#### Metrics\n\n\*\*totals\*\*\n\n\| sum \|\n\| --: \|\n\| 18 \|\n$/,
    );
    workspace.remove('summary.md');
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    await step(['run']);
    expect(page(workspace.read('summary.md'))).toContain(
      '| node | metric | before | now | change |\n| :-- | :-- | --: | --: | --: |\n| totals | sum | 18 | 22 | +4 |\n',
    );
    breakTotals();
    await step(['run']);
    const text = page(workspace.read('summary.md'));
    expect(text).toContain('\n\n### ❌ mixdown run failed\n\n1 failed, 3 blocked, 1 up to date in ');
    expect(text).toContain('| totals | no: 100%, \\<b> ]]> | |');
  });

  test('the page is cut where GitHub would drop it', async () => {
    workspace.write('summary.md', 'x'.repeat(1024 * 1024 - 80));
    await step(['run']);
    const text = workspace.read('summary.md');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024 * 1024);
    expect(text.endsWith('… cut here: GitHub shows 1 MiB of a step\n')).toBe(true);
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

describe('results that are pinned', () => {
  const env = {GITHUB_ACTIONS: 'true'};
  beforeEach(async () => {
    await workspace.run('run', '--quiet');
    await workspace.run('lock');
  });

  test('variants that differ in the same way have one annotation', async () => {
    workspace.edit('stages/scale.ts', '* params.by', '* params.by * 3');
    const {code, stderr} = await ended(
      workspace.start(['check'], {...env, GITHUB_WORKSPACE: realpathSync(workspace.root)}),
    );
    expect(code).toBe(4);
    expect(stderr).toMatch(/^::error file=pipeline\.yaml,[^\n]*title=scaled ×2 are stale::[^\n]*\n$/);
  });

  test('check --junit: stale nodes fail, what follows them is skipped; annotations at their lines', async () => {
    expect(await workspace.run('check', '--junit', 'a/junit.xml')).toMatchObject({code: 0});
    expect(new Set(Object.values(junitCases('a/junit.xml')))).toEqual(new Set(['passed']));
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    const {code, stderr} = await ended(
      workspace.start(['check', '--junit', 'junit.xml', '--json'], {
        ...env,
        GITHUB_WORKSPACE: realpathSync(workspace.root),
        GITHUB_STEP_SUMMARY: workspace.path('summary.md'),
      }),
    );
    expect([code, stderr]).toEqual([
      4,
      '::error file=pipeline.yaml,line=8,col=3,endLine=8,endColumn=9,title=totals is stale::param offset: 0 -> 4\n',
    ]);
    expect(junitCases('junit.xml')).toEqual({
      'counts counts': 'passed',
      'totals totals': 'failure',
      'scaled by=2': 'skipped',
      'scaled by=3': 'skipped',
      'report report': 'skipped',
    });
    expect(workspace.read('junit.xml')).toContain('<failure message="stale: param offset: 0 -&gt; 4" type="stale">');
    expect(workspace.read('summary.md')).toMatch(
      /^### ❌ mixdown check: not fresh\n\nmixdown.lock: 5 nodes: 1 fresh, 4 stale/,
    );
    workspace.remove('mixdown.lock');
    expect(await workspace.run('check', '--junit', 'junit.xml')).toMatchObject({code: 2});
    expect(junitCases('junit.xml')).toEqual({'pipeline.yaml lock-missing': 'error'});
    expect((await workspace.run('check', '--junit', 'notes')).stderr).toContain('the JUnit report cannot be written');
  });

  test('check: a document that says something else is annotated once, at its line', async () => {
    workspace.edit('pipeline.yaml', 'version: 1', 'version: 1\ndocuments: [README.md]');
    workspace.write('README.md', '# x\n\nThe sum is <!-- mixdown: value totals.sum -->17<!-- /mixdown -->.\n');
    const step = {
      ...env,
      GITHUB_WORKSPACE: realpathSync(workspace.root),
      GITHUB_STEP_SUMMARY: workspace.path('summary.md'),
    };
    for (const json of [[], ['--json']]) {
      const {code, stderr} = await ended(workspace.start(['check', '--junit', 'junit.xml', ...json], step));
      expect(code).toBe(4);
      const annotations = stderr.split('\n').filter((line) => line.startsWith('::error '));
      expect(annotations).toEqual([expect.stringContaining('file=README.md,line=3,') as string]);
      expect(junitCases('junit.xml')).toMatchObject({'README.md document-differs': 'error', 'totals totals': 'passed'});
    }
    expect(workspace.read('summary.md')).toContain('5 nodes\n\n- README.md:3: ');
  });

  test('run --frozen --junit: what would have to change, and what drifted', async () => {
    workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
    expect(await workspace.run('run', '--frozen', '--junit', 'junit.xml')).toMatchObject({code: 4});
    expect(junitCases('junit.xml')).toMatchObject({'totals totals': 'failure', 'scaled by=2': 'skipped'});
    workspace.edit('pipeline.yaml', ', params: {offset: 4}', '');
    workspace.write(
      'mixdown.lock',
      workspace.read('mixdown.lock').replaceAll(/"?sum"?: ?18/g, (text) => text.replace('18', '19')),
    );
    const said = await ended(
      workspace.start(['run', '--frozen', '--junit', 'junit.xml'], {
        ...env,
        GITHUB_STEP_SUMMARY: workspace.path('summary.md'),
      }),
    );
    expect([said.code, said.stderr]).toEqual([4, expect.stringContaining('title=totals is drifted::sum 19 -> 18\n')]);
    expect(junitCases('junit.xml')).toMatchObject({'counts counts': 'passed', 'totals totals': 'failure'});
    expect(page(workspace.read('summary.md'))).toContain(
      '#### Compared with mixdown.lock\n\n| node | metric | before | now | change |\n| :-- | :-- | --: | --: | --: |\n| totals | sum | 19 | 18 | -1 |\n',
    );
  });
});

describe('ci init', () => {
  const file = '.github/workflows/mixdown.yml';
  const packageJson = '{"name": "x", "devDependencies": {"mixdown": "1.0.0"}}';
  let root: string;
  beforeEach(() => {
    root = realpathSync(workspace.root);
    workspace.write('package.json', packageJson);
    workspace.write('package-lock.json', '{"lockfileVersion": 3, "packages": {}}');
    workspace.write('.gitignore', 'cache/\nruns/\n');
    makeRepository(root);
  });

  function written(name = file): Workflow {
    const workflow = readWorkflow(workspace.path(name));
    expect(workflowProblems(workflow)).toEqual([]);
    return workflow;
  }

  test('writes a workflow with no more rights than it needs, and says what to commit', async () => {
    const said = await workspace.run('ci', 'init');
    expect(said).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        `wrote ${file}`,
        'note: there is no mixdown.lock, so results are not checked; after `mixdown lock`, write this again with --force',
        `next: git add ${file}, and commit`,
        '',
      ].join('\n'),
    });
    const {on, permissions, concurrency, jobs} = written();
    expect(on).toEqual({push: {branches: ['main']}, pull_request: null, workflow_dispatch: null});
    expect(permissions).toEqual({contents: 'read'});
    expect(concurrency['cancel-in-progress']).toContain('pull_request');
    expect(jobs['results']?.permissions).toBeUndefined();
    expect(jobs['comment']?.permissions).toEqual({'pull-requests': 'write'});
    // What may comment runs nothing of the repository.
    expect(jobs['comment']?.steps.map(({uses}) => uses)).toEqual(['actions/download-artifact@v4', undefined]);
    const save = jobs['results']?.steps.find(({uses}) => uses === 'actions/cache/save@v4');
    const restore = jobs['results']?.steps.find(({uses}) => uses === 'actions/cache/restore@v4');
    expect(save?.if).toContain('always()');
    expect(restore?.with?.['key']).toBe(save?.with?.['key']);
    expect(String(save?.with?.['key']).startsWith(String(restore?.with?.['restore-keys']))).toBe(true);
  });

  test('overwrites with --force only', async () => {
    await workspace.run('ci', 'init');
    workspace.write(file, 'mine');
    expect(await workspace.run('ci', 'init')).toMatchObject({code: 2, stdout: ''});
    expect(workspace.read(file)).toBe('mine');
    const said = await workspace.json<object>('ci', 'init', '--force');
    expect(errorsOf('ci', said)).toEqual([]);
    expect(said).toMatchObject({file: join(root, file), packages: 'npm', frozen: false, commit: [file]});
    written();
    expect((await workspace.run('ci')).stderr).toContain("missing required argument 'what'");
    expect((await workspace.run('ci', 'list')).stderr).toContain('Allowed choices are init');
  });

  test.each([
    ['pnpm-lock.yaml', "lockfileVersion: '9.0'", 'pnpm install --frozen-lockfile', 'pnpm exec mixdown run'],
    ['yarn.lock', '# yarn lockfile v1', 'yarn install --frozen-lockfile', 'yarn run mixdown run'],
    ['yarn.lock', '__metadata:', 'yarn install --immutable', 'yarn run mixdown run'],
    ['bun.lock', '{}', 'bun install --frozen-lockfile', 'bun run mixdown run'],
    ['npm-shrinkwrap.json', '{}', 'npm ci', 'npx --no-install mixdown run'],
    ['', '', 'npm install', 'npx --no-install mixdown run'],
  ])('fits the package manager: %s %s', async (lock, text, install, call) => {
    workspace.remove('package-lock.json');
    if (lock !== '') workspace.write(lock, text);
    await workspace.run('ci', 'init');
    const scripts = written().jobs['results']?.steps.flatMap(({run}) => run ?? []) ?? [];
    expect(scripts).toContain(install);
    expect(scripts.find((script) => script.includes('junit'))).toContain(call);
  });

  test('fits a project without packages, with another branch, files of LFS and a version of Node', async () => {
    for (const name of ['package.json', 'package-lock.json']) workspace.remove(name);
    workspace.write('.gitattributes', '*.wav filter=lfs\n');
    workspace.write('.nvmrc', '22\n');
    git(root, 'branch', '-m', 'trunk/1.0');
    git(root, 'update-ref', 'refs/remotes/origin/trunk/1.0', 'HEAD');
    git(root, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk/1.0');
    workspace.edit('pipeline.yaml', '  notes:', '  far: {path: ../far}\n  notes:');
    const {stdout} = await workspace.run('ci', 'init');
    expect(stdout).toContain('git does not keep these sources; add a step that fetches them: far (../far)');
    expect(stdout).toContain(`next: git add ${file} pipeline.yaml .nvmrc, and commit`);
    const {on, jobs} = written();
    expect(on['push']).toEqual({branches: ['trunk/1.0']});
    const [checkout, node, install] = jobs['results']?.steps ?? [];
    expect(checkout?.with).toEqual({'persist-credentials': false, lfs: true});
    expect(node?.with).toEqual({'node-version-file': '.nvmrc'});
    expect(install?.run).toMatch(/^npm install --global mixdown@\d/);
  });

  test('fits a project in a folder of its repository, with a lock', async () => {
    for (const name of ['pipeline.yaml', 'stages', 'notes']) {
      mkdirSync(join(root, 'my exp'), {recursive: true});
      renameSync(join(root, name), join(root, 'my exp', name));
    }
    workspace.write('my exp/mixdown.lock', '');
    const {stdout} = await workspace.run('ci', 'init', '-C', 'my exp');
    expect(stdout).toContain(
      `git add ${file} 'my exp/pipeline.yaml' 'my exp/stages' 'my exp/mixdown.lock' 'my exp/notes'`,
    );
    const job = written().jobs['results']!;
    expect(job.defaults?.run['working-directory']).toBe('my exp');
    const steps = new Map(job.steps.map((step) => [step.name ?? step.uses, step]));
    expect(steps.get('Install')).toMatchObject({run: 'npm ci', 'working-directory': '.'});
    expect(steps.get('Run')?.run).toContain('mixdown run --frozen --junit junit.xml');
    expect(steps.get('Check')?.run).toBe('npx --no-install mixdown check');
    expect(steps.get('Save results')?.with?.['path']).toBe('my exp/cache');
    expect(steps.get('Upload the report')?.with?.['path']).toBe(
      'my exp/report.html\nmy exp/junit.xml\nmy exp/summary.md\n',
    );
  });

  describe('the steps do what they say', () => {
    const pullRequest = {
      'github.event_name': 'pull_request',
      'github.event.pull_request.head.repo.full_name': 'a/b',
      'github.repository': 'a/b',
      'github.event.pull_request.number': '7',
      'github.token': 'secret',
    };
    let runner: Workspace;
    let env: Record<string, string>;
    beforeEach(async () => {
      runner = new Workspace();
      const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
      const log = 'echo "$(basename "$0") $*" >> "$CALLS"';
      const programs = {
        npm: log,
        // The answer to a question is the id of an earlier comment; what is sent is kept.
        gh: `${log}\ncase "$*" in *--paginate*) echo "$COMMENT" ;; *) cp comment.md "$BODY" ;; esac`,
        npx: `${log}\n[ "$1 $2" = '--no-install mixdown' ] || exit 9\nshift 2\nexec '${process.execPath}' '${cli}' "$@"`,
      };
      for (const [name, script] of Object.entries(programs)) {
        runner.write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
        chmodSync(runner.path(`bin/${name}`), 0o755);
      }
      env = {
        PATH: `${runner.path('bin')}:${process.env['PATH']}`,
        HOME: runner.root,
        CALLS: runner.path('calls'),
        BODY: runner.path('body.md'),
        COMMENT: '',
        GITHUB_SERVER_URL: 'https://example.org',
        GITHUB_REPOSITORY: 'a/b',
        GITHUB_RUN_ID: '42',
      };
      await workspace.run('ci', 'init');
    });
    afterEach(() => runner.dispose());

    /** Clones what is committed and runs the job in the clone, with what is left of an earlier one in its cache. */
    async function runResults(): Promise<JobEnd> {
      commitAll(root, 'state');
      rmSync(runner.path('old'), {recursive: true, force: true});
      if (existsSync(runner.path('clone'))) renameSync(runner.path('clone'), runner.path('old'));
      git(runner.root, 'clone', '-q', root, 'clone');
      if (existsSync(runner.path('old/cache'))) renameSync(runner.path('old/cache'), runner.path('clone/cache'));
      return runJob(written().jobs['results']!, {folder: runner.path('clone'), env, values: pullRequest});
    }

    test('a run that is done; the next one finds its results in the cache', async () => {
      const first = await runResults();
      expect({...first, results: [...first.results].filter(([, {code}]) => code !== 0)}).toEqual({
        ran: written().jobs['results']?.steps.map(({name, uses}) => name ?? uses),
        results: [],
        outputs: {told: 'true'},
        failed: false,
      });
      expect(runner.read('clone/summary.md')).toMatch(/^### ✅ mixdown run done\n\n5 executed in /);
      expect(junitProblems(parseXml(runner.read('clone/junit.xml')))).toEqual([]);
      expect(runner.read('clone/report.html')).toContain('<html');
      expect(runner.read('calls').split('\n')[0]).toBe('npm ci');
      workspace.edit('pipeline.yaml', '[2, 3]', '[2, 5]');
      await runResults();
      expect(runner.read('clone/summary.md')).toMatch(/\n2 executed, 3 cached in /);
    });

    test('a run that fails: told, uploaded, its results saved, and none removed', async () => {
      breakTotals();
      const end = await runResults();
      expect([end.failed, end.outputs]).toEqual([true, {told: 'true'}]);
      expect(end.results.get('Run')?.code).toBe(1);
      expect(end.ran).toEqual(expect.arrayContaining(['Report', 'Save results', 'Upload the report']));
      expect(end.ran).not.toContain('Keep only the results of this state');
      expect(runner.read('clone/summary.md')).toContain('### ❌ mixdown run failed');
      expect(runner.read('clone/junit.xml')).toContain('<failure ');
    });

    test('with a lock: what agrees passes, what does not ends with 4 and is told', async () => {
      await workspace.run('run', '--quiet');
      await workspace.run('lock');
      await workspace.run('ci', 'init', '--force');
      const first = await runResults();
      expect(first.failed).toBe(false);
      expect(first.results.get('Check')?.stdout).toContain('mixdown.lock is fresh');
      workspace.edit('pipeline.yaml', '{counts: counts}}', '{counts: counts}, params: {offset: 4}}');
      const second = await runResults();
      expect([second.failed, second.outputs]).toEqual([true, {told: 'true'}]);
      expect(['Run', 'Check'].map((name) => second.results.get(name)?.code)).toEqual([4, 4]);
      expect(page(runner.read('clone/summary.md'))).toContain('| totals | stale | param offset: 0 -> 4 |');
      expect(junitProblems(parseXml(runner.read('clone/junit.xml')))).toEqual([]);
    });

    test('the comment is written once, then written over; not for forks', async () => {
      const job = written().jobs['comment']!;
      const told = {...pullRequest, 'needs.results.outputs.told': 'true'};
      expect(isTrue(job.if ?? '', told)).toBe(true);
      expect(isTrue(job.if ?? '', pullRequest)).toBe(false);
      expect(isTrue(job.if ?? '', {...told, 'github.event.pull_request.head.repo.full_name': 'c/b'})).toBe(false);
      expect(isTrue(job.if ?? '', {...told, 'github.event_name': 'push'})).toBe(false);
      runner.write('clone/summary.md', `### done\n\n${'a line of text\n'.repeat(10_000)}`);
      const run = {folder: runner.path('clone'), values: told};
      expect((await runJob(job, {...run, env})).failed).toBe(false);
      const body = runner.read('body.md');
      expect(body).toMatch(/^<!-- mixdown -->\n### done\n\na line of text\n/);
      expect(body.endsWith('\n\n[Report](https://example.org/a/b/actions/runs/42)\n')).toBe(true);
      expect(Buffer.byteLength(body)).toBeLessThan(65_000);
      expect((await runJob(job, {...run, env: {...env, COMMENT: '17'}})).failed).toBe(false);
      const sent = runner
        .read('calls')
        .split('\n')
        .filter((line) => !line.includes('--paginate'));
      expect(sent).toEqual([
        'gh api --silent --method POST repos/a/b/issues/7/comments -F body=@comment.md',
        'gh api --silent --method PATCH repos/a/b/issues/comments/17 -F body=@comment.md',
        '',
      ]);
    });
  });
});
