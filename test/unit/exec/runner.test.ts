import {spawn, type ChildProcess} from 'node:child_process';
import {once} from 'node:events';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {Job, Runner} from '../../../src/core/ports.ts';
import {createRunner, type RunnerOptions} from '../../../src/exec/runner.ts';
import {createBench, type Bench} from '../../support/exec/bench.ts';
import {awaitPresence, type Presence} from '../../support/exec/presence.ts';

const never = new AbortController().signal;
const parentProgram = fileURLToPath(new URL('../../support/exec/parent.mjs', import.meta.url));

let bench: Bench;
beforeAll(() => {
  bench = createBench();
});
afterAll(() => bench.remove());

async function withRunner(options: Partial<RunnerOptions>, use: (runner: Runner) => Promise<void>): Promise<void> {
  const runner = createRunner({workers: 1, env: process.env, ...options});
  try {
    await use(runner);
  } finally {
    await runner.close();
  }
}

/** Process id of the worker that ran the job. */
async function workerOf(runner: Runner, rest: Partial<Job> = {}, engine = ''): Promise<string> {
  const result = await runner.run(bench.stage(`log(String(process.pid));`, rest, engine), () => {}, never);
  if (!result.ok) throw new Error(result.error.message);
  return result.value.log;
}

/** Runs a job that leaves its worker connected to a socket, so that the worker's end is noticed. */
async function settleIn(runner: Runner, name: string, rest: Partial<Job> = {}, engine = ''): Promise<Presence> {
  const here = await awaitPresence(bench.path(name));
  const stay = `const {connect} = await import('node:net'); await new Promise((done) => connect(params.socket, done));`;
  const result = await runner.run(bench.stage(stay, {params: {socket: here.path}, ...rest}, engine), () => {}, never);
  if (!result.ok) throw new Error(result.error.message);
  await here.arrived;
  return here;
}

test('a worker stays warm and is replaced after its number of jobs', async () => {
  await withRunner({maxJobsPerWorker: 2}, async (runner) => {
    const pids = [await workerOf(runner), await workerOf(runner), await workerOf(runner)];
    expect(pids[1]).toBe(pids[0]);
    expect(pids[2]).not.toBe(pids[0]);
  });
});

test('a worker that has grown too large is replaced', async () => {
  await withRunner({maxRssBytes: 1}, async (runner) => {
    expect(await workerOf(runner)).not.toBe(await workerOf(runner));
  });
});

test('a worker of another kind makes room, and a failed stage does not cost the worker', async () => {
  await withRunner({}, async (runner) => {
    const first = await workerOf(runner);
    await runner.run(bench.stage(`throw new Error('x');`), () => {}, never);
    expect(await workerOf(runner)).toBe(first);
    const here = await settleIn(runner, 'room');
    const lease = {cpu: 2, memoryMiB: 1, gpus: [], device: 'cpu'};
    expect(await workerOf(runner, {lease})).not.toBe(first);
    await here.left;
  });
});

test('a worker holds one tensor engine; jobs without one use any', async () => {
  await withRunner({workers: 2}, async (runner) => {
    const on = (engine: string): Promise<string> => workerOf(runner, {}, engine);
    const first = await on('');
    expect(await on('wasm')).toBe(first);
    expect(await on('wasm')).toBe(first);
    expect(await on('')).toBe(first);
    const second = await on('cpu');
    expect(second).not.toBe(first);
    expect(await on('wasm')).toBe(first);
    expect(await on('cpu')).toBe(second);
  });
});

test('a worker with another engine makes room, also on a device', async () => {
  const gpu = {uuid: 'GPU-1', index: 0, name: 'a GPU', memoryMiB: 1000};
  const lease = {cpu: 1, memoryMiB: 1, gpus: [gpu], device: 'gpu0'};
  await withRunner({workers: 2}, async (runner) => {
    const here = await settleIn(runner, 'engine', {lease}, 'tensorflow-gpu');
    await workerOf(runner, {lease}, 'webgpu');
    await expect(here.left).resolves.toBeUndefined();
  });
});

test('an idle worker gives up the memory of its device before a command uses it', async () => {
  await withRunner({workers: 2}, async (runner) => {
    const gpu = {uuid: 'GPU-1', index: 0, name: 'a GPU', memoryMiB: 1000};
    const lease = {cpu: 1, memoryMiB: 1, gpus: [gpu], device: 'gpu0'};
    const here = await settleIn(runner, 'device', {lease});
    const other = await workerOf(runner);
    const result = await runner.run(bench.command(['true'], {lease}), () => {}, never);
    expect(result.ok).toBe(true);
    await here.left;
    expect(await workerOf(runner)).toBe(other);
  });
});

test('an idle worker that dies is replaced', async () => {
  await withRunner({}, async (runner) => {
    const pid = await workerOf(runner);
    process.kill(Number(pid), 'SIGKILL');
    const result = await runner.run(bench.stage(''), () => {}, never);
    // The job either met the dying worker or got a new one; the next one certainly is new.
    expect([true, 'out-of-memory']).toContain(result.ok || result.error.code);
    expect(await workerOf(runner)).not.toBe(pid);
  });
});

test('a full heap is told as such', async () => {
  const env = {...process.env, NODE_OPTIONS: '--max-old-space-size=30'};
  await withRunner({env, passEnv: ['NODE_OPTIONS']}, async (runner) => {
    const job = bench.stage(`const all = []; for (;;) all.push(new Array(1000).fill(all.length));`);
    const result = await runner.run(job, () => {}, never);
    expect(result).toMatchObject({ok: false, error: {code: 'out-of-memory'}});
  });
});

test('a program that cannot start workers says why', async () => {
  await withRunner({nodePath: '/no/such/node'}, async (runner) => {
    const result = await runner.run(bench.stage(''), () => {}, never);
    expect(result).toMatchObject({
      ok: false,
      error: {code: 'worker-crashed', message: expect.stringContaining('/no/such/node')},
    });
  });
});

test('an idle pool does not keep its program alive', async () => {
  const source = `import {createRunner} from ${JSON.stringify(new URL('../../../dist/exec/runner.js', import.meta.url).href)};
    const job = ${JSON.stringify(bench.stage(''))};
    const runner = createRunner({workers: 1, env: process.env});
    const result = await runner.run(job, () => {}, new AbortController().signal);
    process.exitCode = result.ok ? 7 : 1;`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(7);
});

const connect = `require('net').connect(process.argv[1]).on('connect', () => {
  require('fs').writeSync(1, 'here\\n');
  for (;;);
})`;

test.each([
  [
    'a stage that computes without a pause',
    (socket: string) =>
      bench.stage(
        `const {connect} = await import('node:net');
         await new Promise((resolve) => connect(params.socket, resolve)); for (;;);`,
        {params: {socket}},
      ),
    () => undefined,
  ],
  [
    'a command',
    (socket: string) => bench.command(['sh', '-c', '"$@" & wait', 'sh', process.execPath, '-e', connect, socket]),
    // Before it listens to a command, a program that is killed leaves it alone.
    (parent: ChildProcess) => once(parent.stdout!, 'data'),
  ],
])('%s dies with its program, even by kill -9', async (_, makeJob, isHeard) => {
  const here = await awaitPresence(bench.path(`presence-${bench.stage('').id}`));
  const order = bench.write(
    'order.json',
    JSON.stringify({job: makeJob(here.path), dir: bench.path('work'), runId: here.path.slice(-2)}),
  );
  const parent = spawn(process.execPath, [parentProgram, order], {stdio: ['ignore', 'pipe', 'ignore']});
  const heard = isHeard(parent);
  await here.arrived;
  await heard;
  parent.kill('SIGKILL');
  await expect(here.left).resolves.toBeUndefined();
});
