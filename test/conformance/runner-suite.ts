import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {digestOf} from '../../src/core/digest.ts';
import type {Failure} from '../../src/core/failure.ts';
import type {Job, JobResult, Runner} from '../../src/core/ports.ts';
import {makeTree} from '../../src/core/tree.ts';
import {collectEvents, createBench, type Bench} from '../support/exec/bench.ts';
import {awaitPresence} from '../support/exec/presence.ts';

const never = new AbortController().signal;
const file = {kind: 'file', name: 'a.txt'} as const;

/**
 * What every runner of stages and commands must do.
 *
 * @param away - it sends jobs to other hosts: these choose folders, devices and workers, and tests wait side by side
 */
export function describeRunner(name: string, create: () => Runner, away = false): void {
  describe(`runner: ${name}`, {concurrent: away}, () => {
    let bench: Bench;
    let runner: Runner;
    beforeAll(() => {
      bench = createBench();
      runner = create();
    });
    afterAll(async () => {
      await runner.close();
      bench.remove();
    });

    const run = (job: Job, signal = never) => runner.run(job, () => {}, signal);
    const succeed = async (job: Job): Promise<JobResult> => {
      const result = await run(job);
      if (!result.ok) throw new Error(`the job failed: ${JSON.stringify(result.error)}`);
      return result.value;
    };
    const fail = async (job: Job, signal = never): Promise<Failure> => {
      const result = await run(job, signal);
      if (result.ok) throw new Error('the job succeeded');
      return result.error;
    };
    let sockets = 0;
    const presence = () => awaitPresence(bench.path(`socket-${++sockets}`));

    describe('stages', () => {
      test('get the folder of their checkpoint, made when missing; others get none', async () => {
        const note = `fs.writeFileSync(outputs.a, checkpoint === '' ? 'none' : String(fs.statSync(checkpoint).isDirectory()));`;
        const checkpoint = bench.path('deep/checkpoint');
        for (const [rest, said] of [[{checkpoint}, 'true'] as const, [{}, 'none'] as const]) {
          const {outputs} = await succeed(bench.stage(note, {outputs: {a: file}, ...rest}));
          expect(readFileSync(outputs['a'] ?? '', 'utf8')).toBe(said);
        }
      });

      test('get params, seed, lease and absolute output paths, and leave outputs, metrics and a log', async () => {
        const job = bench.stage(
          `fs.writeFileSync(outputs.a, JSON.stringify({params, seed, threads, device, cwd: process.cwd()}));
           fs.writeFileSync(outputs.t + '/b.txt', 'b');
           metric('loss', 0.25);
           console.log('to stdout');
           console.error('to stderr');
           log('two\\nlines');`,
          {params: {rate: 3}, seed: 7, outputs: {a: file, t: {kind: 'tree', name: 'sub/tree'}}},
        );
        const {events, emit} = collectEvents();
        const result = await runner.run({...job, slice: 'clip-1'}, emit, never);
        if (!result.ok) throw new Error(result.error.message);
        const {outputs, metrics, log, wallMs, cpuMs, maxRssBytes} = result.value;
        expect(outputs).toEqual({a: `${job.folder}/out/a.txt`, t: `${job.folder}/out/sub/tree`});
        expect(JSON.parse(readFileSync(outputs['a'] ?? '', 'utf8'))).toEqual({
          params: {rate: 3},
          seed: 7,
          threads: 1,
          device: 'cpu',
          cwd: away ? expect.any(String) : job.folder,
        });
        expect(metrics).toEqual({loss: 0.25});
        expect(log.split('\n').sort()).toEqual(['', 'lines', 'to stderr', 'to stdout', 'two']);
        expect(Math.min(wallMs, cpuMs, maxRssBytes)).toBeGreaterThan(0);
        const logs = events.map((event) => event.type === 'node-log' && [event.stream, event.text, event.slice]);
        expect(logs).toContainEqual(['stdout', 'to stdout', 'clip-1']);
        expect(logs).toContainEqual(['stderr', 'to stderr', 'clip-1']);
        expect(logs).toContainEqual(['log', 'two\nlines', 'clip-1']);
      });

      test('see files, trees, lists and missing optional inputs', async () => {
        const a = bench.write('a.bin', 'aa');
        const {text} = makeTree([
          {path: 'x/one.wav', digest: digestOf('1')},
          {path: 'two', digest: digestOf('22')},
        ]);
        const manifest = bench.write('tree.json', text);
        const job = bench.stage(
          `const {entries} = inputs.clips;
           fs.writeFileSync(outputs.a, JSON.stringify({
             ...inputs, clips: entries, one: inputs.clips.file('x/one.wav'), cas: inputs.cas.file('two'),
             missing: inputs.missing === undefined, none: inputs.none,
           }));`,
          {
            outputs: {a: file},
            ports: {
              one: {kind: 'file'},
              list: {kind: 'file', many: true},
              clips: {kind: 'tree'},
              cas: {kind: 'tree'},
              missing: {kind: 'file', optional: true},
              none: {kind: 'file', many: true, optional: true},
            },
            inputs: {
              one: {kind: 'file', path: a},
              list: {
                kind: 'many',
                items: [
                  {kind: 'file', path: a},
                  {kind: 'file', path: '/b'},
                ],
              },
              clips: {kind: 'tree', manifest, base: {in: 'folder', path: '/clips'}},
              cas: {kind: 'tree', manifest, base: {in: 'cas', path: '/cas'}},
            },
          },
        );
        const {outputs} = await succeed(job);
        const two = digestOf('22').hash;
        expect(JSON.parse(readFileSync(outputs['a'] ?? '', 'utf8'))).toEqual({
          one: '/clips/x/one.wav',
          list: [a, '/b'],
          clips: [
            {path: 'two', key: 'two', file: '/clips/two', size: 2},
            {path: 'x/one.wav', key: 'x/one', file: '/clips/x/one.wav', size: 1},
          ],
          cas: `/cas/${two.slice(0, 2)}/${two}`,
          missing: true,
          none: [],
        });
      });

      test('report progress, the first at once', async () => {
        const {events, emit} = collectEvents();
        await runner.run(bench.stage(`progress(0.5, 'half'); for (let i = 0; i < 1e4; i++) progress(2);`), emit, never);
        const progress = events.filter((event) => event.type === 'node-progress');
        expect(progress[0]).toMatchObject({node: 'node', fraction: 0.5, message: 'half'});
        expect(progress.length).toBeLessThan(1000);
      });

      test('keep the beginning and the end of a huge log', async () => {
        const job = bench.stage(`for (let i = 0; i < 3e5; i++) console.log('line ' + i + ' of a long story');`);
        const {log} = await succeed(job);
        expect(log.length).toBeLessThan(1.1 * 1024 ** 2);
        expect(log).toMatch(/^line 0 of/);
        expect(log).toMatch(/characters left out/);
        expect(log).toMatch(/line 299999 of a long story\n$/);
      });

      test('fail with what they threw', async () => {
        const bug = await fail(bench.stage(`throw new TypeError('x is not a function', {cause: new Error('why')});`));
        expect(bug).toMatchObject({code: 'stage-failed', message: 'TypeError: x is not a function', node: 'node'});
        expect(bug.stack).toMatch(/stage-\d+\.mjs:6/);
        expect(bug.stack).toMatch(/caused by Error: why/);
        expect(bug.stack).not.toMatch(/node:internal|exec\/stage-run/);

        const expected = await fail(bench.stage(`throw new StageError('the clip is empty', 'drop it');`));
        expect(expected).toEqual({code: 'stage-failed', message: 'the clip is empty', hint: 'drop it', node: 'node'});

        const later = bench.stage(`await new Promise(() => setTimeout(() => { throw new Error('late'); }, 1));`);
        expect(await fail(later)).toMatchObject({code: 'stage-failed', message: 'late'});
        expect(await fail(bench.stage(`throw 'text';`))).toMatchObject({message: expect.stringContaining('text')});
      });

      test('fail when their promise can never settle', async () => {
        expect(await fail(bench.stage(`await new Promise(() => {});`))).toMatchObject({
          code: 'stage-failed',
          message: expect.stringContaining('never settled'),
        });
      });

      test('fail when they cannot be loaded', async () => {
        const broken = bench.stage('');
        bench.write('broken.mjs', `import 'no-such-package';`);
        const work = {type: 'stage', stage: 'broken', module: bench.path('broken.mjs'), engine: ''} as const;
        expect(await fail({...broken, work})).toMatchObject({
          code: 'stage-failed',
          message: expect.stringContaining('no-such-package'),
        });
        bench.write('empty.mjs', `export default {};`);
        const empty = {...work, module: bench.path('empty.mjs')};
        expect(await fail({...broken, work: empty})).toMatchObject({code: 'stage-invalid'});
      });

      test.each(['NaN', 'Infinity', '-Infinity'])('fail on a metric that is %s', async (value) => {
        expect(await fail(bench.stage(`metric('auc', ${value});`))).toMatchObject({
          code: 'stage-failed',
          message: expect.stringContaining(`metric "auc" is ${value}`),
        });
      });

      test.each([
        ['process.exit(3);', 'worker-crashed', /exit code 3.*last words/s],
        ['process.abort();', 'worker-crashed', /SIGABRT/],
        [`process.kill(process.pid, 'SIGKILL');`, 'out-of-memory', /SIGKILL/],
      ])('fail when they end the worker: %s', async (code, failure, message) => {
        const broken = await fail(bench.stage(`console.error('last words'); ${code}`));
        expect(broken.code).toBe(failure);
        expect(broken.message).toMatch(message);
        await succeed(bench.stage(''));
      });

      test('may leave an optional output unwritten in a slice, and only there', async () => {
        const outputs = {a: {...file, optional: true}, t: {kind: 'tree', name: 't'}} as const;
        const empty = await succeed(bench.stage('', {outputs, slice: 'clip-1'}));
        expect(Object.keys(empty.outputs)).toEqual(['t']);
        const written = await succeed(bench.stage(`fs.writeFileSync(outputs.a, '');`, {outputs, slice: 'clip-1'}));
        expect(Object.keys(written.outputs)).toEqual(['a', 't']);
        expect(await fail(bench.stage('', {outputs}))).toMatchObject({
          code: 'output-missing',
          message: expect.stringMatching(/a\.txt does not exist; an optional output may .* only under `each`$/),
        });
        const misspelt = bench.stage(`fs.writeFileSync('out/b.txt', '');`, {outputs, slice: 'clip-1'});
        expect((await fail(misspelt)).code).toBe('output-undeclared');
        const folder = bench.stage(`fs.mkdirSync(outputs.a);`, {outputs, slice: 'clip-1'});
        expect((await fail(folder)).message).toContain('a.txt is a folder');
      });

      test.each([
        ['missing', '', 'output-missing', /"a" was not made: a\.txt does not exist$/],
        ['misspelt', `fs.writeFileSync('out/b.txt', '');`, 'output-missing', /written instead: b\.txt/],
        ['a folder', `fs.mkdirSync(outputs.a);`, 'output-missing', /a\.txt is a folder, but it is declared as a file/],
        ['a symlink', `fs.symlinkSync('/etc/hosts', outputs.a);`, 'output-unreadable', /a\.txt/],
        [
          'undeclared',
          `fs.writeFileSync(outputs.a, ''); for (let i = 10; i < 22; i++) fs.writeFileSync('out/x' + i, '');`,
          'output-undeclared',
          /12 files.*: x10, .*x19 and 2 more/,
        ],
      ])('fail when an output is %s', async (_, code, failure, message) => {
        const bad = await fail(bench.stage(code, {outputs: {a: file}}));
        expect(bad.code).toBe(failure);
        expect(bad.message).toMatch(message);
      });

      test('fail when a tree holds a symbolic link', async () => {
        const job = bench.stage(`fs.symlinkSync('/etc/hosts', outputs.t + '/link');`, {
          outputs: {t: {kind: 'tree', name: 't'}},
        });
        expect(await fail(job)).toMatchObject({code: 'output-unreadable', message: expect.stringContaining('t/link')});
      });

      test('are killed when they compute beyond their time', async () => {
        const job = bench.stage(`for (;;);`, {timeoutMs: 200, graceMs: 50});
        expect(await fail(job)).toMatchObject({code: 'timed-out', message: 'not done after 200 ms'});
        await succeed(bench.stage(''));
      });

      test('may end in good order when they are cancelled, but do not count as done', async () => {
        const job = bench.stage(
          `progress(0);
           await new Promise((resolve) => { signal.addEventListener('abort', resolve); setTimeout(() => {}, 1e6); });
           console.log('saw ' + signal.reason.message); fs.writeFileSync(outputs.a, 'half');`,
          {outputs: {a: file}},
        );
        const {emit, first} = collectEvents();
        const controller = new AbortController();
        const done = runner.run(job, emit, controller.signal);
        await first('node-progress');
        controller.abort();
        expect(await done).toMatchObject({ok: false, error: {code: 'cancelled'}});
        if (!away) expect(readFileSync(`${job.folder}/log.txt`, 'utf8')).toMatch(/saw the job was stopped: cancelled/);
      });

      test('are killed with their children when they ignore being cancelled', async () => {
        const here = await presence();
        const job = bench.stage(
          `const {spawn} = await import('node:child_process');
           spawn(process.execPath, ['-e', "require('net').connect(process.argv[1])", params.socket], {stdio: 'ignore'});
           await new Promise((resolve) => setTimeout(resolve, 1e8));`,
          {params: {socket: here.path}, graceMs: 1},
        );
        const controller = new AbortController();
        const done = fail(job, controller.signal);
        await here.arrived;
        controller.abort();
        expect((await done).code).toBe('cancelled');
        await here.left;
      });

      test('do not start when they are cancelled before', async () => {
        const job = bench.stage(`fs.writeFileSync(params.witness, '');`, {params: {witness: bench.path('witness')}});
        expect(await fail(job, AbortSignal.abort())).toMatchObject({code: 'cancelled'});
        expect(existsSync(bench.path('witness'))).toBe(false);
      });

      test.skipIf(away)('run side by side, one at a time on each worker', async () => {
        const jobs = Array.from({length: 12}, (_, index) =>
          bench.stage(
            `await null; console.log('job ' + params.index);
             metric('index', params.index); metric('pid', process.pid);`,
            {
              params: {index},
            },
          ),
        );
        const results = await Promise.all(jobs.map(succeed));
        expect(results.map(({metrics, log}) => [metrics['index'], log])).toEqual(
          jobs.map((_, index) => [index, `job ${index}\n`]),
        );
        const workers = new Set(results.map(({metrics}) => metrics['pid']));
        expect(workers.size).toBeLessThanOrEqual(2);
      });

      test.skipIf(away)('are told their devices and threads by the environment', async () => {
        const gpu = {uuid: 'GPU-1', index: 1, name: 'a GPU', memoryMiB: 1000};
        const code = `console.log([process.env.CUDA_VISIBLE_DEVICES, process.env.OMP_NUM_THREADS, threads, device]);`;
        const lease = {cpu: 3, memoryMiB: 256, gpus: [gpu], device: 'gpu1'};
        expect((await succeed(bench.stage(code, {lease}))).log).toBe(`[ 'GPU-1', '3', 3, 'gpu1' ]\n`);
        expect((await succeed(bench.stage(code))).log).toBe(`[ '-1', '1', 1, 'cpu' ]\n`);
      });

      test.skipIf(away)('see by CUDA only the devices that it reaches', async () => {
        const gpu = {uuid: 'webgpu', index: 0, name: 'a GPU', memoryMiB: 1000, api: 'webgpu'} as const;
        const lease = {cpu: 1, memoryMiB: 256, gpus: [gpu], device: 'gpu0'};
        const code = `console.log(process.env.CUDA_VISIBLE_DEVICES, device, engine);`;
        expect((await succeed(bench.stage(code, {lease}, 'webgpu'))).log).toBe('-1 gpu0 webgpu\n');
      });

      test('take the memory of a shared device as they need it, and compute the same again', async () => {
        const names = ['TF_FORCE_GPU_ALLOW_GROWTH', 'TF_DETERMINISTIC_OPS', 'CUBLAS_WORKSPACE_CONFIG'];
        const code = `console.log(${names.map((name) => `process.env.${name}`).join(', ')});`;
        expect((await succeed(bench.stage(code))).log).toBe('true 1 :4096:8\n');
      });
    });

    describe('commands', () => {
      test('find inputs by port name in their working folder and leave outputs there', async () => {
        const one = bench.write('one.txt', 'one');
        const {text} = makeTree([{path: 'sub/leaf.txt', digest: digestOf('leaf')}]);
        const manifest = bench.write('clips.json', text);
        mkdirSync(bench.path('clips/sub'), {recursive: true});
        writeFileSync(bench.path('clips/sub/leaf.txt'), 'leaf');
        const hash = digestOf('blob').hash;
        mkdirSync(bench.path(`cas/${hash.slice(0, 2)}`), {recursive: true});
        const blob = bench.write(`cas/${hash.slice(0, 2)}/${hash}`, 'blob');
        const job = bench.command(
          `cat one clips/sub/leaf.txt; ls list; cp one plots/a.txt; ls >&2; echo "$MIXDOWN_SEED $MIXDOWN_THREADS"`,
          {
            seed: 5,
            outputs: {a: {kind: 'file', name: 'plots/a.txt'}, t: {kind: 'tree', name: 't'}},
            inputs: {
              one: {kind: 'file', path: one},
              clips: {kind: 'tree', manifest, base: {in: 'folder', path: bench.path('clips')}},
              list: {
                kind: 'many',
                items: [
                  {kind: 'file', path: one},
                  {kind: 'file', path: blob},
                  {kind: 'file', path: blob, name: 'scores.csv'},
                ],
              },
            },
          },
        );
        const {outputs, log} = await succeed(job);
        expect(outputs).toEqual({a: `${job.folder}/work/plots/a.txt`, t: `${job.folder}/work/t`});
        expect(readFileSync(outputs['a'] ?? '', 'utf8')).toBe('one');
        const lines = ['oneleaf000-one.txt', '001', '002-scores.csv', '5 1', 'clips', 'list', 'one', 'plots', 't', ''];
        expect(log.split('\n').sort()).toEqual(lines.sort());
      });

      test('see a small environment and no shell', async () => {
        const spec = {env: {MODE: 'fast'}, passEnv: ['SECRET']};
        const {log} = await succeed(bench.command(['env'], {}, spec));
        const names = log
          .trim()
          .split('\n')
          .map((line) => line.replace(/=.*/, ''));
        const allowed =
          'CUDA_VISIBLE_DEVICES HOME LANG LC_ALL LOGNAME MIXDOWN_SEED MIXDOWN_THREADS MKL_NUM_THREADS MODE ' +
          'NUMEXPR_NUM_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS PATH SECRET SHELL TMPDIR TZ USER ' +
          'VECLIB_MAXIMUM_THREADS';
        expect(names.filter((name) => !allowed.split(' ').includes(name))).toEqual([]);
        expect(names).toEqual(expect.arrayContaining(['MODE', 'SECRET', 'TMPDIR', 'CUDA_VISIBLE_DEVICES']));
        expect((await succeed(bench.command(['echo', '$HOME', '*', `'"`]))).log).toBe(`$HOME * '"\n`);
      });

      test('fail with their exit code and last lines', async () => {
        const failure = await fail(bench.command(`for i in $(seq 30); do echo line $i; done; exit 4`));
        expect(failure.code).toBe('command-failed');
        expect(failure.message).toMatch(/^sh ended with exit code 4; last lines:\n  line 11\n/);
        expect(failure.message).toMatch(/line 30$/);
        expect((await fail(bench.command(`kill -TERM $$`))).message).toMatch(/ended by SIGTERM/);
      });

      test('fail when the program is not there', async () => {
        expect(await fail(bench.command(['no-such-program-here']))).toMatchObject({
          code: 'command-not-found',
          message: 'the program no-such-program-here was not found',
        });
        const path = bench.write('script.sh', 'echo');
        const job = bench.command(['./script.sh'], {inputs: {'script.sh': {kind: 'file', path}}});
        expect(await fail(job)).toMatchObject({
          code: 'command-not-found',
          message: expect.stringContaining('not exec'),
        });
      });

      test('may leave an optional output unwritten in a slice, and only there', async () => {
        const outputs = {a: {...file, optional: true}} as const;
        expect((await succeed(bench.command('true', {outputs, slice: 'clip-1'}))).outputs).toEqual({});
        expect((await fail(bench.command('true', {outputs}))).code).toBe('output-missing');
      });

      test('fail when an output is missing, undeclared or a link', async () => {
        const outputs = {a: file};
        expect(await fail(bench.command(`echo > b.txt`, {outputs}))).toMatchObject({
          code: 'output-missing',
          message: expect.stringContaining('written instead: b.txt'),
        });
        expect(await fail(bench.command(`mkdir -p x/y; echo > a.txt; echo > x/y/z`, {outputs}))).toMatchObject({
          code: 'output-undeclared',
          message: expect.stringContaining('x/y/z'),
          hint: expect.stringContaining('scratch'),
        });
        const scratch = {scratch: ['**/__pycache__/**', '*.tmp']};
        await succeed(
          bench.command(`mkdir __pycache__; echo > __pycache__/x; echo > a.txt; echo > .b.tmp`, {outputs}, scratch),
        );
        expect(await fail(bench.command(`ln -s /etc/hosts a.txt`, {outputs}))).toMatchObject({
          code: 'output-unreadable',
        });
      });

      test('are killed when they ignore the polite signal, with everything they started', async () => {
        const here = await presence();
        const child = `require('net').connect(process.argv[1]);process.on('SIGTERM',()=>{})`;
        const script = `trap '' TERM; "$1" -e "$2" "$3" & wait; wait; sleep 100`;
        const argv = ['sh', '-c', script, 'sh', process.execPath, child, here.path];
        const controller = new AbortController();
        const done = fail(bench.command(argv, {graceMs: 100}), controller.signal);
        await here.arrived;
        controller.abort();
        expect((await done).code).toBe('cancelled');
        await here.left;
      });

      test('lose what they leave running in the background when they end', async () => {
        const here = await presence();
        const script = `"$1" -e "$2" "$3" & read -r _ < "$4"`;
        const child = `require('net').connect(process.argv[1])`;
        const fifo = bench.path('go');
        execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', fifo]);
        const done = run(bench.command(['sh', '-c', script, 'sh', process.execPath, child, here.path, fifo]));
        await here.arrived;
        writeFileSync(fifo, 'go\n');
        expect(await done).toMatchObject({ok: true});
        await here.left;
      });

      test('may clean up when their time is up', async () => {
        const job = bench.command(`trap 'echo cleaned; exit 0' TERM; echo started; while :; do sleep 0.05; done`, {
          timeoutMs: 300,
        });
        const failure = await fail(job);
        expect(failure.code).toBe('timed-out');
        expect(failure.message).toMatch(/cleaned/);
      });

      test('show of a progress bar what a terminal would show in the end', async () => {
        const {log} = await succeed(bench.command(['printf', '10%%\\r50%%\\r100%%\\r\\nno newline']));
        expect(log).toBe('100%\nno newline\n');
      });
    });

    test('after a kill, running jobs are cancelled and none starts', async () => {
      const doomed = create();
      const {emit, first} = collectEvents();
      const stage = doomed.run(bench.stage(`progress(0); for (;;);`), emit, never);
      const shell = collectEvents();
      const command = doomed.run(bench.command(`echo started; sleep 1000`), shell.emit, never);
      await Promise.all([first('node-progress'), shell.first('node-log')]);
      doomed.kill();
      expect(await stage).toMatchObject({ok: false, error: {code: 'cancelled'}});
      expect(await command).toMatchObject({ok: false, error: {code: 'cancelled'}});
      expect(await doomed.run(bench.stage(''), emit, never)).toMatchObject({ok: false, error: {code: 'cancelled'}});
      await doomed.close();
    });
  });
}
