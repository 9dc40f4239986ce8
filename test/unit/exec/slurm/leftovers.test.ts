import {chmodSync, existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import type {Job} from '../../../../src/core/ports.ts';
import {createSlurmClient} from '../../../../src/exec/slurm/client.ts';
import {resultName, workName, type ResultFile} from '../../../../src/exec/slurm/files.ts';
import {sharedDisk} from '../../../../src/exec/slurm/courier.ts';
import {cancelUseless, discardLeftovers, SlurmLeftovers} from '../../../../src/exec/slurm/leftovers.ts';
import {noteJobId, writeSubmission} from '../../../../src/exec/slurm/submissions.ts';
import type {Flight} from '../../../../src/exec/slurm/task.ts';
import {createBench, type Bench} from '../../../support/exec/bench.ts';

let bench: Bench;
let dir: string;
beforeEach(() => {
  bench = createBench();
  dir = bench.path('slurm');
  mkdirSync(bench.path('bin'));
  queue();
  program('scancel', 'echo "$@" >> "$BIN/cancelled"');
});
afterEach(() => bench.remove());

function program(name: string, script: string): void {
  writeFileSync(bench.path(`bin/${name}`), `#!/bin/sh\n${script}\n`);
  chmodSync(bench.path(`bin/${name}`), 0o755);
}

/** What squeue says: lines in the format that is asked for. */
function queue(...lines: readonly string[]): void {
  program('squeue', `cat <<'END'\n${lines.join('\n')}\nEND`);
}

const client = () => createSlurmClient({PATH: `${bench.path('bin')}:/bin:/usr/bin`, BIN: bench.path('bin')});
const leftovers = () => new SlurmLeftovers(dir, client(), sharedDisk({env: {}}));
const cancelled = () =>
  existsSync(bench.path('bin/cancelled')) ? readFileSync(bench.path('bin/cancelled'), 'utf8').trim() : '';

async function submit(folder: string, units: readonly (readonly Job[])[], env = {}): Promise<void> {
  const dispatch = await sharedDisk({env}).dispatch(folder, units, new AbortController().signal);
  if (dispatch.ok) await writeSubmission(folder, units, dispatch.value.script);
}

/** A submission of a process that is gone. */
async function left(name: string, units: readonly (readonly Job[])[], jobId?: string): Promise<string> {
  const folder = join(dir, name);
  await submit(folder, units);
  const file = join(folder, 'submission.json');
  const value = JSON.parse(readFileSync(file, 'utf8')) as {owner: object};
  writeFileSync(file, JSON.stringify({...value, owner: {...value.owner, pid: 1, processStart: 'another'}}));
  if (jobId !== undefined) noteJobId(folder, jobId);
  return folder;
}

function ended(folder: string, task: number, index: number, ok: boolean): void {
  const work = workName(task, index, 0);
  mkdirSync(join(folder, work), {recursive: true});
  const value = {outputs: {}, metrics: {}, wallMs: 1, cpuMs: 1, maxRssBytes: 1, log: ''};
  const result: ResultFile['result'] = ok
    ? {ok: true, value}
    : {ok: false, error: {code: 'stage-failed', message: 'no'}};
  const file: ResultFile = {type: 'slurm-result/1', work, result, place: {host: 'n1', device: 'cpu'}};
  writeFileSync(join(folder, resultName(task, index)), JSON.stringify(file));
}

function flight(job: Job): Flight {
  const {signal} = new AbortController();
  return {job, emit: () => {}, signal, answer: () => {}, settled: false, losses: 0};
}

it('goes on with a task that runs, and with one that ended well while nobody waited', async () => {
  const [a, b, c] = [bench.command(['a']), bench.command(['b']), bench.command(['c'])];
  const folder = await left('r-1', [[a], [b, c]], '7');
  queue('7|7|0|RUNNING|None|mixdown:x', '8|7|1|COMPLETED|None|mixdown:x');
  ended(folder, 1, 0, true);
  const found = leftovers();
  expect(await Promise.all([a, b, c].map(({id}) => found.holds(id)))).toEqual([true, true, false]);
  const wanted = flight(b);
  const live = await found.adopt(wanted);
  expect(live).toMatchObject({folder, tasks: [{id: '7_0'}, {id: '7_1'}]});
  expect(live?.tasks[1]?.flights[0]).toBe(wanted);
  expect(await found.adopt(flight(c))).toBeUndefined();
  expect(cancelled()).toBe('');
});

it('does not take over a failure: what was wrong may have been put right', async () => {
  const job = bench.command(['a']);
  const folder = await left('r-1', [[job]], '7');
  queue('7|7|N/A|COMPLETED|None|mixdown:x');
  ended(folder, 0, 0, false);
  const found = leftovers();
  expect(await found.holds(job.id)).toBe(false);
  expect(await found.adopt(flight(job))).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
});

it('does not go on with a job whose source was touched since, and cancels it', async () => {
  const path = bench.write('source.txt', 'one');
  utimesSync(path, 1_000_000, 1_000_000);
  const job = bench.command(['a'], {inputs: {a: {kind: 'file', path}}});
  const folder = await left('r-1', [[job]], '7');
  queue('7|7|N/A|RUNNING|None|mixdown:x');
  const later = Date.now() / 1000 + 60;
  utimesSync(path, later, later);
  expect(await leftovers().adopt(flight(job))).toBeUndefined();
  expect(cancelled()).toBe('--quiet 7');
  expect(existsSync(folder)).toBe(false);
});

it('a run that died before it knew the number finds the job by its comment', async () => {
  const job = bench.command(['a']);
  const folder = await left('r-1', [[job]]);
  queue(`9|9|N/A|PENDING|Priority|mixdown:${job.id}`);
  expect(await leftovers().adopt(flight(job))).toMatchObject({folder, tasks: [{id: '9'}]});
});

it('takes the folder from a job that may yet be on its way to the queue', async () => {
  const job = bench.command(['a']);
  const folder = await left('r-1', [[job]]);
  expect(await leftovers().holds(job.id)).toBe(false);
  expect(existsSync(folder)).toBe(false);
});

it('where the queue cannot be asked, waits for what it knows of', async () => {
  const job = bench.command(['a']);
  await left('r-1', [[job]], '7');
  program('squeue', 'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1');
  expect(await leftovers().adopt(flight(job))).toMatchObject({tasks: [{id: '7'}]});
});

it('leaves alone what a living run waits for', async () => {
  const job = bench.command(['a']);
  const folder = join(dir, 'r-1');
  await submit(folder, [[job]]);
  noteJobId(folder, '7');
  queue('7|7|N/A|RUNNING|None|mixdown:x');
  expect(await leftovers().holds(job.id)).toBe(false);
  expect(await discardLeftovers(dir, client(), Date.now())).toBe(0);
  expect(existsSync(folder)).toBe(true);
});

it('keeps what a submission tells of the environment from other users', async () => {
  const job = bench.command(['a'], {}, {passEnv: ['TOKEN']});
  const folder = join(dir, 'r-1');
  await submit(folder, [[job]], {TOKEN: 't', OTHER: 'o', TMPDIR: '/here'});
  expect(statSync(folder).mode & 0o77).toBe(0);
  const task = join(folder, '0.task.json');
  expect(JSON.parse(readFileSync(task, 'utf8'))).toMatchObject({env: {TOKEN: 't'}});
  expect(readFileSync(task, 'utf8')).not.toMatch(/OTHER|\/here/);
});

it('cancels what nobody waits for when its result is there, and nothing else', async () => {
  const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => bench.command([name]));
  const [a, b, c, d, e] = jobs as [Job, Job, Job, Job, Job];
  const whole = await left('r-1', [[a, b]], '7');
  const half = await left('r-2', [[c], [d]], '8');
  const elsewhere = await left('r-3', [[e]], '9');
  const path = join(elsewhere, 'submission.json');
  const value = JSON.parse(readFileSync(path, 'utf8')) as {owner: object};
  writeFileSync(path, JSON.stringify({...value, owner: {...value.owner, host: 'another'}}));
  queue('7|7|N/A|RUNNING|None|mixdown:x', '10|8|0|PENDING|None|mixdown:y', '8|8|1|RUNNING|None|mixdown:y');
  const there = new Set([a.id, b.id, d.id, e.id]);
  const cancel = () => cancelUseless(dir, client(), (id) => there.has(id), Date.now());
  expect(await cancel()).toBe(2);
  expect(cancelled()).toBe('--quiet 7 8_1');
  expect([whole, half, elsewhere].map((folder) => existsSync(folder))).toEqual([false, true, true]);
  queue('10|8|0|RUNNING|None|mixdown:y', '8|8|1|CANCELLED|None|mixdown:y');
  expect(await cancel()).toBe(0);
  expect(cancelled()).toBe('--quiet 7 8_1');
});

it('where the queue cannot be asked, useless jobs are left for the next run', async () => {
  const job = bench.command(['a']);
  const folder = await left('r-1', [[job]], '7');
  program('squeue', 'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1');
  expect(await cancelUseless(dir, client(), () => true, Date.now())).toBe(0);
  expect(existsSync(folder)).toBe(true);
});
