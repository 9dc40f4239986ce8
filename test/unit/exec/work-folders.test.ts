import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {failure, type Failure} from '../../../src/core/failure.ts';
import type {Job} from '../../../src/core/ports.ts';
import {identify, processHost} from '../../../src/exec/process-tree.ts';
import {createRunner} from '../../../src/exec/runner.ts';
import {createWorkFolders, type RunWorkFolders} from '../../../src/exec/work-folders.ts';
import {createBench, type Bench} from '../../support/exec/bench.ts';
import {awaitPresence} from '../../support/exec/presence.ts';

const never = new AbortController().signal;
const env = {...process.env, TOKEN: 'secret'};

let bench: Bench;
let folders: RunWorkFolders;
const make = (runId: string) =>
  createWorkFolders({dir: bench.path('work'), failedDir: bench.path('failed'), runId, env});
beforeEach(async () => {
  bench = createBench();
  folders = await make('run-1');
});
afterEach(() => bench.remove());

/** Runs the job in a folder of the run, expects it to fail and keeps it. */
async function failAndKeep(job: Job): Promise<{kept: string; cause: Failure}> {
  const folder = await folders.create(job.node, job.slice);
  const runner = createRunner({workers: 1, env});
  const result = await runner.run({...job, folder}, () => {}, never);
  await runner.close();
  if (result.ok) throw new Error('the job succeeded');
  const kept = await folders.keep(folder, {...job, folder}, result.error);
  if (kept === undefined) throw new Error('the folder was not kept');
  expect(existsSync(folder)).toBe(false);
  return {kept, cause: result.error};
}

function reproduce(kept: string) {
  const {status, stdout, stderr} = spawnSync(`${kept}/reproduce.sh`, {cwd: '/', encoding: 'utf8', env});
  return {status, stdout, stderr};
}

test('a script starts from an empty checkpoint of its own, and leaves the one that is kept alone', async () => {
  const checkpoint = bench.path('checkpoint');
  const job = bench.stage(
    `log('found ' + fs.readdirSync(checkpoint).length);
     fs.writeFileSync(checkpoint + '/' + Math.random(), '');
     throw new StageError('no');`,
    {checkpoint},
  );
  const {kept} = await failAndKeep(job);
  expect(readdirSync(checkpoint)).toHaveLength(1);
  for (const _ of [1, 2]) expect(reproduce(kept)).toMatchObject({status: 1, stdout: 'found 0\n'});
  expect(readdirSync(checkpoint)).toHaveLength(1);
});

test('folders are private, empty and named for their node', async () => {
  const one = await folders.create('train[fold=1]');
  const two = await folders.create('train[fold=1]', 'clips/a');
  expect(one).toMatch(/work\/run-1\/1-train\.fold=1$/);
  expect(two).toMatch(/work\/run-1\/2-train/);
  expect(readdirSync(one)).toEqual([]);
});

test('removing never fails, whatever the job left', async () => {
  const folder = await folders.create('node');
  mkdirSync(`${folder}/out/deep/er`, {recursive: true});
  writeFileSync(`${folder}/out/deep/er/file`, '');
  chmodSync(`${folder}/out/deep`, 0o500);
  await folders.remove(folder);
  await folders.remove(folder);
  expect(existsSync(folder)).toBe(false);
  await folders.close();
  expect(readdirSync(bench.path('work'))).toEqual([]);
});

test('a folder whose outputs were moved away goes to the next job, any other does not', async () => {
  const first = await folders.create('first');
  mkdirSync(`${first}/out`);
  await folders.remove(first);
  const second = await folders.create('second');
  expect(second).toMatch(/2-second$/);
  expect(existsSync(first)).toBe(false);
  expect(readdirSync(second)).toEqual(['out']);
  chmodSync(`${second}/out`, 0o500);
  await folders.remove(second);
  const third = await folders.create('third');
  mkdirSync(`${third}/out`);
  writeFileSync(`${third}/notes`, '');
  await folders.remove(third);
  expect(readdirSync(await folders.create('fourth'))).toEqual([]);
});

test('a failed stage is kept with its log and runs again by its script', async () => {
  const good = bench.write('good', 'no');
  const {kept, cause} = await failAndKeep(
    bench.stage(
      `console.log('input: ' + fs.readFileSync(inputs.good, 'utf8'));
       fs.writeFileSync(outputs.a, 'half');
       if (fs.readFileSync(inputs.good, 'utf8') === 'no') throw new StageError('the input is bad', 'better it');
       metric('quality', 1);`,
      {
        node: "it's[x=1]",
        ports: {good: {kind: 'file'}},
        inputs: {good: {kind: 'file', path: good}},
        outputs: {a: {kind: 'file', name: 'a.txt'}},
      },
    ),
  );
  expect(readFileSync(`${kept}/failure.txt`, 'utf8')).toBe('stage-failed: the input is bad\nhint: better it\n');
  expect(cause.node).toBe("it's[x=1]");
  expect(readFileSync(`${kept}/log.txt`, 'utf8')).toBe('input: no\n');
  expect(readFileSync(`${kept}/out/a.txt`, 'utf8')).toBe('half');
  expect(reproduce(kept)).toEqual({
    status: 1,
    stdout: 'input: no\n',
    stderr: 'stage-failed: the input is bad\nbetter it\n',
  });
  writeFileSync(good, 'yes');
  renameSync(kept, bench.path('moved'));
  const again = reproduce(bench.path('moved'));
  expect(again).toMatchObject({status: 0, stderr: ''});
  expect(again.stdout).toBe(`input: yes\nmetric quality: 1\noutput a: ${bench.path('moved/rerun/out/a.txt')}\n`);
});

test('a slice that was kept may leave an optional output unwritten when it runs again', async () => {
  const good = bench.write('good', 'no');
  const {kept} = await failAndKeep(
    bench.stage(`if (fs.readFileSync(inputs.good, 'utf8') === 'no') throw new StageError('bad');`, {
      slice: 'Bark/a',
      ports: {good: {kind: 'file'}},
      inputs: {good: {kind: 'file', path: good}},
      outputs: {a: {kind: 'file', name: 'a.txt', optional: true}},
    }),
  );
  writeFileSync(good, 'yes');
  expect(reproduce(kept)).toEqual({status: 0, stdout: 'output a: left unwritten\n', stderr: ''});
});

test('a failed command runs again in a copy, with the same inputs and environment', async () => {
  const text = bench.write('text', 'some text');
  const script = `echo "$1"; cat 'in put'; echo "$MODE $TOKEN $TMPDIR" >&2; pwd; ls; echo x > plots/a.svg; exit 3`;
  const job = bench.command(
    ['sh', '-c', script, 'sh', `quote ' and $HOME`],
    {inputs: {'in put': {kind: 'file', path: text}}, outputs: {a: {kind: 'file', name: 'plots/a.svg'}}, node: 'plot'},
    {env: {MODE: 'a b'}, passEnv: ['TOKEN', 'UNSET']},
  );
  const {kept, cause} = await failAndKeep(job);
  expect(cause.code).toBe('command-failed');
  expect(readFileSync(`${kept}/reproduce.sh`, 'utf8')).not.toContain('secret');
  const once = reproduce(kept);
  expect(once).toEqual({
    status: 3,
    stdout: `quote ' and $HOME\nsome text${kept}/rerun/work\nin put\nplots\n`,
    stderr: `a b secret ${kept}/rerun/tmp\n`,
  });
  expect(reproduce(kept)).toEqual(once);
  expect(readdirSync(`${kept}/work/plots`)).toEqual(['a.svg']);
});

test('the job that failed last replaces the one kept before', async () => {
  const first = await failAndKeep(bench.stage(`throw new Error('first');`));
  const second = await failAndKeep(bench.stage(`throw new Error('second');`));
  expect(second.kept).toBe(first.kept);
  expect(readFileSync(`${second.kept}/failure.txt`, 'utf8')).toMatch(/second/);
  expect(readdirSync(bench.path('failed'))).toEqual(['node']);
});

test('a folder that cannot be kept is removed', async () => {
  const folder = await folders.create('node');
  writeFileSync(bench.path('failed'), 'a file is in the way');
  expect(await folders.keep(folder, {...bench.stage(''), folder}, failure('stage-failed', 'x'))).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});

test('folders of dead runs are removed, those of living and of other hosts stay', async () => {
  const plant = (name: string, owner: object) => {
    mkdirSync(bench.path(`work/${name}/1-node`), {recursive: true});
    writeFileSync(bench.path(`work/${name}/owner.json`), JSON.stringify(owner));
  };
  const host = processHost();
  const {pid} = spawnSync('true');
  plant('dead', {pid, processStart: '1', host});
  plant('reused', {...identify(process.pid), processStart: '1', host});
  plant('living', {...identify(process.pid), host});
  plant('foreign', {pid, host: 'elsewhere'});
  plant('ancient', {pid, host: 'elsewhere'});
  utimesSync(bench.path('work/ancient'), 1, 1);
  mkdirSync(bench.path('work/.sweep-1-x'));
  mkdirSync(bench.path('work/.new-x'));
  await make('run-2');
  expect(readdirSync(bench.path('work')).sort()).toEqual(['.new-x', 'foreign', 'living', 'run-1', 'run-2']);
});

test('two runs may sweep at once', async () => {
  for (let index = 0; index < 20; index++) {
    mkdirSync(bench.path(`work/dead-${index}/1-node/out`), {recursive: true});
    writeFileSync(bench.path(`work/dead-${index}/owner.json`), JSON.stringify({pid: 1 << 30, host: processHost()}));
  }
  await Promise.all([make('run-2'), make('run-3')]);
  expect(readdirSync(bench.path('work')).sort()).toEqual(['run-1', 'run-2', 'run-3']);
});

const stay = `require('net').connect(process.argv[1]); process.on('SIGTERM', () => {})`;

test.each([
  ['its leader', ['sh', '-c', 'exec "$@"', 'sh']],
  ['only a child', ['sh', '-c', '"$@" & exit 0', 'sh']],
])('an orphaned command is killed when %s is left', async (_, start) => {
  const here = await awaitPresence(bench.path('socket'));
  const folder = bench.path('work/dead/1-node');
  mkdirSync(folder, {recursive: true});
  writeFileSync(bench.path('work/dead/owner.json'), JSON.stringify({pid: 1 << 30, host: processHost()}));
  const [program, ...args] = [...start, process.execPath, '-e', stay, here.path];
  const orphan = spawn(program, args, {
    detached: true,
    stdio: 'ignore',
    env: {TMPDIR: `${folder}/tmp`, PATH: process.env['PATH']},
  });
  const pgid = orphan.pid ?? 0;
  const {processStart} = identify(pgid);
  writeFileSync(`${folder}/pid.json`, JSON.stringify({pgid, processStart}));
  await here.arrived;
  await make('run-2');
  await here.left;
  expect(existsSync(folder)).toBe(false);
});

test('a process that only has the number of an old one is left alone', async () => {
  const here = await awaitPresence(bench.path('socket'));
  const folder = bench.path('work/dead/1-node');
  mkdirSync(folder, {recursive: true});
  writeFileSync(bench.path('work/dead/owner.json'), JSON.stringify({pid: 1 << 30, host: processHost()}));
  const stranger = spawn(process.execPath, ['-e', stay, here.path], {detached: true, stdio: 'ignore'});
  await here.arrived;
  writeFileSync(`${folder}/pid.json`, JSON.stringify({pgid: stranger.pid, processStart: '1'}));
  await make('run-2');
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  execFileSync('kill', ['-9', String(stranger.pid)]);
  await here.left;
});

test('what a killed run was doing is swept away by the next', async () => {
  const here = await awaitPresence(bench.path('socket'));
  const job = bench.command([process.execPath, '-e', stay, here.path]);
  const order = bench.write('order.json', JSON.stringify({job, dir: bench.path('work'), runId: 'killed'}));
  const program = fileURLToPath(new URL('../../support/exec/parent.mjs', import.meta.url));
  const parent = spawn(process.execPath, [program, order], {stdio: 'ignore'});
  await here.arrived;
  expect(readdirSync(bench.path('work')).sort()).toEqual(['killed', 'run-1']);
  const gone = new Promise((resolve) => parent.once('exit', resolve));
  parent.kill('SIGKILL');
  await gone;
  await make('run-2');
  await here.left;
  expect(readdirSync(bench.path('work')).sort()).toEqual(['run-1', 'run-2']);
});
