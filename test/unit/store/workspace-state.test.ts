import {appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import type {Failure} from '../../../src/core/failure.ts';
import type {NodeState, WorkspaceState} from '../../../src/core/ports.ts';
import {openWorkspaceState} from '../../../src/store/workspace-state.ts';
import {compile} from '../../support/child.ts';
import {tempFolder} from '../../support/store-fixture.ts';

function fixture(): {file: string; open: () => WorkspaceState; warnings: Failure[]} {
  const file = join(tempFolder(), 'runs', 'state.ndjson');
  const warnings: Failure[] = [];
  return {file, warnings, open: () => openWorkspaceState({file, warn: (problem) => warnings.push(problem)})};
}

function stateOf(node: string, wallMs = 1): NodeState {
  return {
    node,
    fingerprint: sha256(node),
    outputs: {out: {kind: 'file', digest: digestOf(node)}},
    metrics: {'loss "x"': 0.5},
    wallMs,
  };
}

async function record(state: WorkspaceState, ...nodes: readonly NodeState[]): Promise<void> {
  for (const node of nodes) state.record(node);
  await state.flush();
}

test('a journal cut off anywhere keeps all whole lines, and takes new ones', async () => {
  const {file, open, warnings} = fixture();
  await record(open(), stateOf('a'), stateOf('b'));
  const whole = readFileSync(file);
  for (let length = whole.length - 1; length >= 0; length -= 7) {
    writeFileSync(file, whole.subarray(0, length));
    const cut = open();
    const known = ['a', 'b'].filter((node) => cut.get(node) !== undefined);
    expect([[], ['a'], ['b'], ['a', 'b']]).toContainEqual(known);
    await record(cut, stateOf('c'));
    const next = open();
    for (const node of [...known, 'c']) expect(next.get(node)).toEqual(stateOf(node));
  }
  expect(warnings).toEqual([]);
});

test('a last line that was cut off does not hide the one before', async () => {
  const {file, open} = fixture();
  await record(open(), stateOf('a', 1));
  await record(open(), stateOf('a', 2));
  truncateSync(file, readFileSync(file).length - 20);
  await record(open(), stateOf('b'));
  expect(open().get('a')).toEqual(stateOf('a', 1));
  expect(open().get('b')).toEqual(stateOf('b'));
});

test('damaged lines are passed over with one warning', async () => {
  const {file, open, warnings} = fixture();
  await record(open(), stateOf('good'));
  appendFileSync(file, '{"node":"x","fingerprint":"../../etc"}\n{"node":"y","outputs":[}\n\0\0\0\nnoise\n');
  const state = open();
  expect(['x', 'y', 'noise'].map((node) => state.get(node))).toEqual([undefined, undefined, undefined]);
  expect(state.get('good')).toEqual(stateOf('good'));
  expect(warnings).toMatchObject([{code: 'state-corrupt'}]);
});

test('a journal of another version is left out with a warning, and replaced', async () => {
  const {file, open, warnings} = fixture();
  mkdirSync(join(file, '..'));
  writeFileSync(file, `{"type":"state/2"}\n${JSON.stringify(stateOf('a'))}\n`);
  const state = open();
  expect(state.get('a')).toBeUndefined();
  expect(warnings).toMatchObject([{code: 'state-corrupt', message: expect.stringContaining('another version')}]);
  await record(state, stateOf('b'));
  expect(open().get('b')).toEqual(stateOf('b'));
  expect(readFileSync(file, 'utf8')).not.toContain('state/2');
  expect(warnings).toHaveLength(1);
});

test('recording the same again writes nothing', async () => {
  const {file, open} = fixture();
  await record(open(), stateOf('a'));
  const before = readFileSync(file, 'utf8');
  const state = open();
  await record(state, stateOf('a'));
  expect(readFileSync(file, 'utf8')).toBe(before);
});

test('is rewritten when it has grown to several times its nodes', async () => {
  const {file, open} = fixture();
  const state = open();
  for (let turn = 0; turn < 500; turn++) await record(state, stateOf(`node[${turn % 20}]`, turn));
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(450);
  const next = open();
  for (let node = 0; node < 20; node++) expect(next.get(`node[${node}]`)?.wallMs).toBe(480 + node);
});

test('survives the removal of its folder', async () => {
  const {file, open} = fixture();
  const state = open();
  await record(state, stateOf('a'));
  rmSync(join(file, '..'), {recursive: true});
  await record(state, stateOf('b'));
  expect(open().get('b')).toEqual(stateOf('b'));
});

test('an unwritable journal is a warning, and is written when it can be', async () => {
  const {file, open, warnings} = fixture();
  writeFileSync(join(file, '..'), 'a file where a folder should be');
  const state = open();
  await record(state, stateOf('a'));
  expect(warnings.at(-1)).toMatchObject({code: 'cache-unwritable'});
  rmSync(join(file, '..'));
  await state.flush();
  expect(open().get('a')).toEqual(stateOf('a'));
});

test('a line carried over by a rewrite is older than what came after the rewrite', async () => {
  const {file, open} = fixture();
  const line = (node: string, wallMs: number): string => JSON.stringify(stateOf(node, wallMs));
  const late = (node: string, wallMs: number): string => `{"late":${line(node, wallMs)}}`;
  mkdirSync(join(file, '..'));
  const taken = [line('a', 1), line('b', 1), line('c', 1), '{"type":"rewritten"}'];
  const after = [line('a', 3), late('a', 2), late('b', 2), late('b', 3), late('d', 1), late('c', 2), line('c', 3)];
  writeFileSync(file, ['{"type":"state/1"}', ...taken, ...after, ''].join('\n'));
  const times = (): unknown[] => ['a', 'b', 'c', 'd'].map((node) => open().get(node)?.wallMs);
  expect(times()).toEqual([3, 3, 3, 1]);
  const state = open();
  for (let turn = 0; turn < 300; turn++) await record(state, stateOf('e', turn));
  expect(readFileSync(file, 'utf8')).not.toContain('late');
  expect(times()).toEqual([3, 3, 3, 1]);
});

test('processes that append while others rewrite lose nothing', async () => {
  const {file, open} = fixture();
  const appender = await compile(join(import.meta.dirname, 'children/state-appender.ts'));
  const names = ['one', 'two', 'three', 'four'];
  const ends = names.map(async (name) => {
    const child = appender.start([file, name, '600']);
    const lines: string[] = [];
    for await (const line of child.lines) lines.push(line);
    return lines;
  });
  expect(await Promise.all(ends)).toEqual(names.map(() => ['done']));
  appender.remove();
  const state = open();
  for (const name of names) {
    for (let node = 0; node < 10; node++) {
      const known = state.get(`${name}[${node}]`);
      expect([name, node, known?.wallMs]).toEqual([name, node, 590 + node]);
    }
  }
  expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(2400);
});
