import {expect, test} from 'vitest';
import type {Event} from '../../../src/core/events.ts';
import {logPath, runRecorder, type RunFacts, type RunFiles} from '../../../src/report/run-record.ts';
import {event, finished, planned, runFinished, runStarted, started} from './events.ts';

const facts: RunFacts = {
  command: ['mixdown', 'run'],
  seed: 7,
  host: 'box',
  versions: {mixdown: '0.1.0', node: '20'},
  engines: {wasm: {'@tensorflow/tfjs-core': '4.22.0'}},
  machine: {system: 'Linux'},
};

function recordOf(events: readonly Event[]): Map<string, string> {
  const files = new Map<string, string>();
  const disk: RunFiles = {
    write: (path, text) => void files.set(path, text),
    append: (path, text) => void files.set(path, (files.get(path) ?? '') + text),
  };
  const recorder = runRecorder({facts, open: () => disk, onProblem: (error) => expect.unreachable(String(error))});
  for (const each of events) recorder.emit(each);
  recorder.close();
  return files;
}

const story: readonly Event[] = [
  runStarted,
  planned(0, {train: 'will-run', tables: 'may-run'}),
  started(0, 'train'),
  event('node-log', 1, {node: 'train', stream: 'stdout', text: 'epoch 1'}),
  event('node-log', 1, {node: 'train', stream: 'log', text: 'one\ntwo\n', slice: 'dog'}),
  finished(2, 'train', 'executed', {
    fingerprint: 'ab',
    device: 'cpu',
    engine: 'wasm',
    metrics: {loss: 0.5},
    outputs: {},
  }),
  finished(3, 'tables', 'cached'),
  runFinished(3, 'done'),
];

test('keeps run, plan, events and logs', () => {
  const files = recordOf(story);
  expect([...files.keys()].sort()).toEqual(['events.ndjson', 'logs/train.log', 'plan.json', 'run.json']);
  expect(files.get('logs/train.log')).toBe('epoch 1\ndog | one\ndog | two\n');
  expect(
    files
      .get('events.ndjson')!
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Event),
  ).toEqual(story);
  expect(JSON.parse(files.get('run.json')!)).toEqual({
    type: 'run/1',
    id: '20260101-000000-abcd',
    startedAt: '1970-01-01T00:00:00.000Z',
    finishedAt: '1970-01-01T00:00:03.000Z',
    outcome: 'done',
    wallMs: 3000,
    counts: {'up-to-date': 0, cached: 0, executed: 2, failed: 0, blocked: 0, cancelled: 0},
    ...facts,
    targets: ['tables'],
    jobs: 2,
    nodes: {
      train: {
        outcome: 'executed',
        wallMs: 1400,
        fingerprint: 'ab',
        device: 'cpu',
        engine: 'wasm',
        metrics: {loss: 0.5},
        outputs: {},
        log: 'logs/train.log',
      },
      tables: {outcome: 'cached', wallMs: 1400},
    },
  });
  expect((JSON.parse(files.get('plan.json')!) as {nodes: unknown[]}).nodes).toHaveLength(2);
});

test('a run that was killed leaves a record that says so, with everything up to its last finished node', () => {
  const files = recordOf(story.slice(0, 6));
  expect(JSON.parse(files.get('run.json')!)).toMatchObject({outcome: 'running', nodes: {}});
  expect(files.get('events.ndjson')!.trimEnd().split('\n')).toHaveLength(6);
});

test('a record that cannot be written is given up once, and the run goes on', () => {
  const problems: unknown[] = [];
  const full = (): never => {
    throw new Error('disk full');
  };
  const recorder = runRecorder({
    facts,
    open: () => ({write: full, append: full}),
    onProblem: (error) => problems.push(error),
  });
  for (const each of story) recorder.emit(each);
  recorder.close();
  expect(problems).toHaveLength(1);
});

test('log names are node ids where they can be file names, and different nodes never share one', () => {
  expect(logPath('train[fold=1,levels=h1+h2]')).toBe('logs/train[fold=1,levels=h1+h2].log');
  const names = ['a[p="x/y"]', 'a[p="x\\y"]', `a[p=${'x'.repeat(300)}]`, `a[p=${'x'.repeat(301)}]`].map(logPath);
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^logs\/[\w.,=+@[\]-]{1,140}\.log$/);
});
