import {once} from 'node:events';
import {cpSync, existsSync, readdirSync, symlinkSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {afterEach, describe, expect, it} from 'vitest';
import type {Event} from '../../src/core/events.ts';
import {ended, Workspace} from '../support/workspace.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

let workspace: Workspace;
afterEach(() => {
  workspace.dispose();
});

/** Runs and hits the process at the first event that `when` is true of, if there is one; gives the events. */
async function hit(signal: NodeJS.Signals, when: (event: Event) => boolean, ...args: string[]): Promise<Event[]> {
  const child = workspace.start(['run', '--json', ...args]);
  const end = ended(child);
  const events: Event[] = [];
  createInterface({input: child.stdout!}).on('line', (line) => {
    const event = JSON.parse(line) as Event;
    events.push(event);
    if (when(event)) child.kill(signal);
  });
  const {stderr} = await end;
  expect(stderr.replace(/^trying the tensor engine .*\n/m, '')).toBe('');
  return events;
}

/** Hits the process while its stage rests after this step. */
async function hitAt(signal: NodeJS.Signals, step: number, ...args: string[]): Promise<Event[]> {
  workspace.write('rest', String(step));
  const events = await hit(signal, says(`step ${step}`), ...args);
  workspace.remove('rest');
  return events;
}

const logged = (events: readonly Event[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'node-log' ? event.text.split('\n') : []));
const says = (text: string) => (event: Event) => event.type === 'node-log' && event.text.includes(text);

describe('a stage that goes on from a checkpoint', () => {
  /** Counts to ten, a step at a time, and tells each. Rests after the step that a file names, and goes on no more. */
  const stage = `
import {readFileSync, renameSync, writeFileSync, existsSync} from 'node:fs';
import {defineStage, StageError} from 'mixdown/stage';
const restFile = REST_FILE;
export default defineStage({
  name: 'climb',
  summary: 'Climbs.',
  params: {steps: {type: 'integer', default: 10, about: 'steps'}},
  inputs: {plan: {kind: 'file', about: 'whether it fails after step 4'}},
  outputs: {way: {kind: 'file', name: 'way.txt', about: 'the way'}},
  resumable: true,
  async run({params, inputs, outputs, checkpoint, log, signal}) {
    const file = checkpoint + '/way';
    let way = existsSync(file) ? readFileSync(file, 'utf8') : '';
    log('starts at ' + way.length);
    while (way.length < params.steps) {
      way += 'x';
      writeFileSync(file + '.new', way);
      renameSync(file + '.new', file);
      log('step ' + way.length);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      if (way.length === 4 && readFileSync(inputs.plan, 'utf8') === 'fail') throw new StageError('slipped');
      const rests = existsSync(restFile) && Number(readFileSync(restFile, 'utf8')) === way.length;
      if (rests) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }
    writeFileSync(outputs.way, way);
  },
});
`;
  const start = (yaml: string, plan = 'go'): void => {
    workspace = new Workspace();
    workspace.write('stages/climb.ts', stage.replace('REST_FILE', JSON.stringify(workspace.path('rest'))));
    workspace.write('plan.txt', plan);
    workspace.write('pipeline.yaml', `version: 1\nsources: {plan: plan.txt}\nnodes:\n${yaml}`);
    symlinkSync(join(repository, 'node_modules'), workspace.path('node_modules'));
  };
  const one = '  climb: {stage: climb, inputs: {plan: plan}}\n';
  const kept = (): readonly string[] =>
    existsSync(workspace.path('cache/checkpoints')) ? readdirSync(workspace.path('cache/checkpoints')) : [];

  it.each(['SIGKILL', 'SIGINT'] as const)('goes on after %s, and the plan says so', async (signal) => {
    start(one);
    expect((await workspace.run('plan')).stdout).not.toContain('checkpoint');
    await hitAt(signal, 3);
    expect((await workspace.run('plan')).stdout).toMatch(/will run\s+climb\s+.*; goes on from a checkpoint/);
    expect((await workspace.run('explain', 'climb')).stdout).toContain(
      'goes on from a checkpoint that a stopped run left',
    );
    expect(await workspace.json('plan')).toMatchObject({nodes: [{node: 'climb', checkpoints: 1}]});
    expect((await workspace.run('doctor')).stdout).toContain('1 checkpoint');
    const lines = logged(await hit(signal, () => false));
    expect(Number(lines[0]?.replace('starts at ', ''))).toBeGreaterThanOrEqual(3);
    expect(workspace.read('runs/latest/out/climb/way.txt')).toBe('x'.repeat(10));
    expect(kept()).toEqual([]);
  });

  it('goes on after a failure, in a retry of the same run too; its script starts anew', async () => {
    start('  climb: {stage: climb, inputs: {plan: plan}, retries: 1}\n', 'fail');
    // The second attempt is past the step that fails.
    expect(logged(await hit('SIGKILL', () => false))).toEqual(expect.arrayContaining(['starts at 0', 'starts at 4']));
    expect(kept()).toEqual([]);
    workspace.edit('pipeline.yaml', ', retries: 1', ', params: {steps: 11}');
    const {code, stdout} = await workspace.run('run');
    expect(code).toBe(1);
    expect(stdout).toContain('reproduce');
    expect(kept()).toHaveLength(1);
    const script = workspace.path('cache/failed/climb/reproduce.sh');
    expect(existsSync(script)).toBe(true);
    expect(workspace.read('cache/failed/climb/reproduce.sh')).toContain('job.json');
    const lines = logged(await hit('SIGKILL', () => false));
    expect(lines[0]).toBe('starts at 4');
  });

  it('starts anew when forced; clean forgets checkpoints when asked to', async () => {
    start(one);
    await hitAt('SIGKILL', 3);
    expect(logged(await hitAt('SIGKILL', 2, '--force'))[0]).toBe('starts at 0');
    expect((await workspace.run('clean')).stdout).not.toContain('checkpoint');
    expect(kept()).toHaveLength(1);
    expect((await workspace.run('clean', '--checkpoints')).stdout).toContain('removed 1 checkpoint');
    expect(kept()).toEqual([]);
    expect(logged(await hit('SIGKILL', () => false))[0]).toBe('starts at 0');
  });

  it('of a node with slices has a checkpoint for each', async () => {
    start('  climb: {stage: climb, each: {plan: plans}}\n');
    workspace.edit('pipeline.yaml', 'sources: {plan: plan.txt}', 'sources: {plans: {path: plans}}');
    for (const name of ['a', 'b', 'c']) workspace.write(`plans/${name}.txt`, name);
    await hitAt('SIGKILL', 3, '--jobs', '1');
    expect((await workspace.run('plan')).stdout).toMatch(/goes? on from (a )?checkpoints?/);
    const lines = logged(await hit('SIGKILL', () => false, '--jobs', '1'));
    expect(lines.filter((line) => line === 'starts at 0').length).toBe(2);
    expect(kept()).toEqual([]);
  });

  it('two runs at once: one works, the other takes its result, or goes on when it is killed', async () => {
    start(one);
    workspace.write('rest', '2');
    const first = workspace.start(['run', '--json']);
    const firstEnd = ended(first);
    const firstLines = createInterface({input: first.stdout!});
    let second: Promise<Event[]> | undefined;
    firstLines.on('line', (line) => {
      if (!line.includes('step 2') || second !== undefined) return;
      first.kill('SIGSTOP');
      // It waits for the first one, which is then killed.
      workspace.remove('rest');
      second = hit('SIGKILL', (event) => {
        if (event.type === 'node-waiting') first.kill('SIGKILL');
        return false;
      });
    });
    await once(first, 'close');
    await firstEnd;
    const events = await second!;
    expect(events.some(({type}) => type === 'node-waiting')).toBe(true);
    expect(events.at(-1)).toMatchObject({type: 'run-finished', outcome: 'done'});
    expect(workspace.read('runs/latest/out/climb/way.txt')).toBe('x'.repeat(10));
    expect(kept()).toEqual([]);
  });
});

describe('fine-tune', () => {
  const pipeline = `version: 1
seed: 3
nodes:
  demo: {stage: demo-sounds, params: {classes: 4, fewestClips: 5, mostClips: 6}}
  waveforms: {stage: resample-trim, each: demo.clips}
  folds: {stage: folds, inputs: {labels: labels, clips: demo.clips}, params: {folds: 2}}
  labels: {stage: dataset, inputs: {clips: demo.clips, labels: demo.labels}, params: {layout: table}}
  log-mel: {stage: log-mel, each: waveforms.waveform}
  weights: {stage: vggish-weights, params: {width: 0.05}}
  tuned:
    stage: fine-tune
    matrix: {strategy: [balanced, unbalanced], validation: [first, last]}
    inputs: {patches: log-mel, folds: folds.folds, weights: weights}
    params:
      strategy: '\${matrix.strategy}'
      validation: '\${matrix.validation}'
      validationFraction: 0.25
      epochs: 3
      checkpointEvery: 1
      learningRate: 0.001
targets:
  one: ['tuned[strategy=balanced,validation=last]']
  all: ['tuned[*]']
`;
  const start = (): void => {
    workspace = new Workspace();
    workspace.write('pipeline.yaml', pipeline);
    cpSync(join(repository, 'stages'), workspace.path('stages'), {recursive: true});
    symlinkSync(join(repository, 'node_modules'), workspace.path('node_modules'));
  };
  const results = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(workspace.hashes('runs/latest/out')).filter(([path]) => path.startsWith('tuned')),
    );
  /** Removes the result of the node, and keeps those of all others. */
  const forget = async (): Promise<void> => {
    const {nodes} = await workspace.json<{nodes: {node: string; fingerprint: string}[]}>('plan', 'one');
    const {fingerprint} = nodes.find(({node}) => node.startsWith('tuned'))!;
    workspace.remove(`cache/actions/${fingerprint.slice(0, 2)}/${fingerprint}.json`);
    workspace.remove('runs');
  };
  const epochs = (events: readonly Event[]): number =>
    logged(events).filter((line) => /^epoch \d+: /.test(line)).length;
  it('trains with each of the four strategies', async () => {
    start();
    const events = await hit('SIGKILL', () => false, 'all');
    expect(events.at(-1)).toMatchObject({outcome: 'done'});
    const models = Object.entries(results()).filter(([path]) => path.endsWith('model.safetensors'));
    expect(new Set(models.map(([, hash]) => hash)).size).toBe(4);
  }, 240_000);

  it('killed at any moment, goes on and ends with the same bytes', async () => {
    start();
    const whole = await hit('SIGKILL', () => false, 'one');
    const expected = results();
    expect(Object.keys(expected).length).toBe(2);
    expect(epochs(whole)).toBe(3);
    for (const text of ['to train on', 'epoch 1: ', 'epoch 2: ', 'epoch 3: ']) {
      await forget();
      await hit('SIGKILL', says(text), 'one');
      const rest = await hit('SIGKILL', () => false, 'one');
      expect(rest.at(-1)).toMatchObject({outcome: 'done'});
      expect(results()).toEqual(expected);
      // What was said was kept. A kill may come a little late.
      if (text.startsWith('epoch')) expect(epochs(rest)).toBeLessThanOrEqual(3 - Number(text.charAt(6)));
    }
  }, 240_000);
});
