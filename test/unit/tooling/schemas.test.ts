import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, it} from 'vitest';
import {digestOf} from '../../../src/core/digest.ts';
import type {Event} from '../../../src/core/events.ts';
import {failure} from '../../../src/core/failure.ts';
import type {StaleReason} from '../../../src/core/reason.ts';
import {makeTree} from '../../../src/core/tree.ts';
import {runRecorder, type RunFiles} from '../../../src/report/run-record.ts';
import {openStore} from '../../../src/store/store.ts';
import {openWorkspaceState} from '../../../src/store/workspace-state.ts';
import {eachNode, EngineRig, node} from '../../support/engine-rig.ts';
import {errorsOf, linesOf} from '../../support/schemas.ts';
import {temporaryFolder} from '../../support/stage-harness.ts';

const digest = digestOf('a');
const hash = digest.hash;
const problem = failure('stage-failed', 'It failed.', {
  hint: 'Look.',
  node: 'a',
  stack: 'at a',
  reproduce: 'cache/failed/a',
  diagnostics: [
    {
      code: 'bad-value',
      message: 'm',
      hint: 'h',
      frame: '> 1',
      range: {file: 'a', line: 1, column: 1, endLine: 1, endColumn: 2},
    },
  ],
});

const reasons = {
  'never-built': {kind: 'never-built'},
  'stage-changed': {kind: 'stage-changed', before: 'a', after: 'b'},
  'code-changed': {kind: 'code-changed', before: hash, after: hash, files: [{what: 'file', name: 'a.ts', after: 'b'}]},
  'param-changed': {kind: 'param-changed', param: 'a', before: [1], after: {b: null}},
  'param-added': {kind: 'param-added', param: 'a', after: 1},
  'param-removed': {kind: 'param-removed', param: 'a', before: 1},
  'input-changed': {
    kind: 'input-changed',
    input: 'a',
    index: 0,
    before: digest,
    after: digest,
    entries: {added: ['a'], removed: [], changed: [], addedCount: 1, removedCount: 0, changedCount: 0, total: 1},
  },
  'input-count-changed': {kind: 'input-count-changed', input: 'a', before: 1, after: 2},
  'input-added': {kind: 'input-added', input: 'a'},
  'input-removed': {kind: 'input-removed', input: 'a'},
  'outputs-changed': {kind: 'outputs-changed', before: {}, after: {a: {kind: 'file', name: 'a'}}},
  'seed-changed': {kind: 'seed-changed', before: 0, after: 1},
  'toolchain-changed': {kind: 'toolchain-changed', tool: 'node', before: undefined, after: '20'},
  'salt-changed': {kind: 'salt-changed'},
  'slicing-changed': {kind: 'slicing-changed', before: 'clip', after: undefined},
  'output-missing': {kind: 'output-missing', output: 'a'},
  upstream: {kind: 'upstream', input: 'a', node: 'b'},
  distrusted: {kind: 'distrusted', voucher: 'namespace:pr', builder: {name: 'a', commit: 'c', job: 'j'}},
  recheck: {kind: 'recheck', voucher: 'key:00'},
  forced: {kind: 'forced'},
} satisfies {[K in StaleReason['kind']]: StaleReason & {kind: K}};

const [at, wallMs, slices] = [1, 2, {total: 3, stale: 1}];
const outcomes = {'up-to-date': 0, cached: 0, executed: 1, failed: 0, blocked: 0, cancelled: 0};
const recheck = {taken: 5, agreed: 1, differed: 1, undecided: 1, failed: 1, tooLong: 1};
const outputs = {out: {kind: 'file', digest}, tree: makeTree([{path: 'a', digest}]).artifact} as const;
const events = {
  'run-started': {type: 'run-started', at, runId: 'r', targets: ['a'], jobs: 2, devices: ['cpu']},
  'run-planned': {
    type: 'run-planned',
    at,
    counts: {'up-to-date': 0, cached: 0, 'will-run': 1, 'may-run': 0},
    nodes: [{node: 'a', status: 'will-run', reasons: Object.values(reasons), engine: 'wasm', expectedMs: 1, slices}],
    expectedMs: 1,
  },
  'node-waiting': {type: 'node-waiting', at, node: 'a', holder: 'run r'},
  'node-queue': {type: 'node-queue', at, node: 'a', waits: true},
  'node-started': {
    type: 'node-started',
    at,
    node: 'a',
    device: 'cpu',
    engine: 'wasm',
    attempt: 1,
    reasons: [],
    expectedMs: 1,
    slices,
  },
  'node-progress': {type: 'node-progress', at, node: 'a', fraction: 0.5, message: 'half'},
  'node-log': {type: 'node-log', at, node: 'a', stream: 'stdout', text: 'a\n', slice: 'k'},
  'node-retry': {type: 'node-retry', at, node: 'a', attempt: 1, of: 2, failure: problem},
  'slice-finished': {
    type: 'slice-finished',
    at,
    node: 'a',
    key: 'k',
    outcome: 'failed',
    wallMs,
    done: 1,
    total: 3,
    absent: ['out'],
    failure: problem,
  },
  'node-finished': {
    type: 'node-finished',
    at,
    node: 'a',
    outcome: 'executed',
    wallMs,
    device: 'cpu',
    engine: 'wasm',
    fingerprint: hash,
    outputs,
    metrics: {map: 0.5},
    unchanged: true,
    slices: {total: 3, executed: 1, cached: 2, leftOut: 1, unmatched: 1},
    failure: problem,
  },
  warning: {type: 'warning', at, failure: problem},
  interrupted: {type: 'interrupted', at, times: 1},
  'run-finished': {type: 'run-finished', at, wallMs, outcome: 'done', counts: outcomes, recheck},
} satisfies {[K in Event['type']]: Event & {type: K}};

const rig = new EngineRig();
const files = new Map<string, string>();
const folder = temporaryFolder();
const statePath = join(folder, 'state.ndjson');

/** A small build of every kind of record: a file, a tree, slices, a failure. */
beforeAll(async () => {
  rig.nodes = [
    eachNode('letters', '@notes'),
    node('all', ['letters'], {ports: {in0: {kind: 'tree'}}}),
    eachNode('some', ['@notes', 'letters'], {outputs: {out: {kind: 'file', name: 'out.txt', optional: true}}}),
    eachNode('trees', ['@notes', 'some'], {outputs: {out: {kind: 'tree', name: 'out'}}}),
    node('broken', []),
    node('after', ['broken']),
  ];
  rig.onFailure = 'continue';
  rig.work = (job) => {
    if (job.node === 'broken') return failure('stage-failed', 'It broke.');
    if (job.node === 'some' && job.slice === 'b') return {made: {}};
    return job.node === 'trees' ? {made: {out: {x: 'x'}}} : job.texts.join();
  };
  rig.write('notes/a.txt', 'a');
  rig.write('notes/b.txt', 'b');
  await rig.build();

  const state = openWorkspaceState({file: statePath, warn: (warned) => expect.unreachable(warned.message)});
  for (const {id} of rig.nodes) {
    const known = rig.state.get(id);
    if (known) state.record(known);
  }
  await state.flush();
  const recorder = runRecorder({
    facts: {
      command: ['mixdown', 'run'],
      seed: 1,
      host: 'h',
      versions: {mixdown: '0'},
      engines: {wasm: {'@tensorflow/tfjs-core': '4.22.0'}},
      machine: {system: 'Linux'},
    },
    open: (): RunFiles => ({
      write: (path, text) => files.set(path, text),
      append: (path, text) => files.set(path, (files.get(path) ?? '') + text),
    }),
    onProblem: (error) => expect.unreachable(String(error)),
  });
  rig.events.forEach((event) => recorder.emit(event));
  recorder.close();
});

describe('what a build leaves on disk matches', () => {
  it('action-result.schema.json', () => {
    const records = [...rig.store.records.values()];
    expect(records.length).toBeGreaterThan(2);
    for (const record of records) expect(errorsOf('action-result', record)).toEqual([]);
  });

  it('tree, slices and code.schema.json, for the blobs that are such', () => {
    const files = [...rig.store.files].filter(([path]) => path.startsWith(`${rig.store.cas.dir}/`));
    const blobs = files.map(([, bytes]) => new TextDecoder().decode(bytes)).filter((text) => text.startsWith('{'));
    const types = blobs.map((text) => {
      const blob = JSON.parse(text) as {readonly type: string};
      const name = blob.type.replace(/\/1$/, '');
      expect(errorsOf(name, blob)).toEqual([]);
      return name;
    });
    expect([...new Set(types)].sort()).toEqual(['code', 'slices', 'tree']);
  });

  it('run, plan and event.schema.json', () => {
    expect(errorsOf('run', JSON.parse(files.get('run.json')!))).toEqual([]);
    expect(errorsOf('plan', JSON.parse(files.get('plan.json')!))).toEqual([]);
    for (const line of linesOf(files.get('events.ndjson')!)) expect(errorsOf('event', line)).toEqual([]);
  });

  it('state.schema.json', () => {
    const lines = linesOf(readFileSync(statePath, 'utf8'));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) expect(errorsOf('state', line)).toEqual([]);
  });

  it('lock.schema.json', async () => {
    const opened = openStore({dir: join(folder, 'cache'), warn: () => {}, what: 'a test'});
    if (!opened.ok) throw new Error(opened.error[0]?.message);
    await opened.value.cas.putBytes('announces the session');
    const sessions = readdirSync(opened.value.layout.sessions).map((name) => join(opened.value.layout.sessions, name));
    expect(sessions).toHaveLength(1);
    for (const path of sessions) expect(errorsOf('lock', JSON.parse(readFileSync(path, 'utf8')))).toEqual([]);
    opened.value.close();
  });
});

describe.each(Object.entries(events))('event %s', (_, event) => {
  const json = JSON.parse(JSON.stringify(event)) as Record<string, unknown>;

  it('is valid with every member it may have', () => {
    expect(errorsOf('event', json)).toEqual([]);
  });

  it('is invalid with a member it may not have, or one of another type', () => {
    expect(errorsOf('event', {...json, surprise: 1})).not.toEqual([]);
    for (const key of Object.keys(json)) expect(errorsOf('event', {...json, [key]: -0.5})).not.toEqual([]);
  });
});

describe('tree.schema.json', () => {
  it.each(['a', 'a/b', '.a', '..a', 'a./b..', '...', 'a b/ü'])('takes the path %s', (path) => {
    expect(errorsOf('tree', {type: 'tree/1', entries: [[path, hash, 1]]})).toEqual([]);
  });

  it.each(['', '/a', 'a/', 'a//b', '.', '..', '../a', 'a/..', 'a/../b', 'a/./b'])('refuses the path %s', (path) => {
    expect(errorsOf('tree', {type: 'tree/1', entries: [[path, hash, 1]]})).not.toEqual([]);
  });
});

describe('runs.schema.json', () => {
  it('has every member of a run record but the nodes', () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8'));
    const {properties} = read('run') as {readonly properties: object};
    const {items} = read('runs') as {readonly items: {readonly properties: object}};
    expect(new Set([...Object.keys(items.properties), 'nodes'])).toEqual(new Set(Object.keys(properties)));
  });
});
