import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {digestOf, sha256} from '../../src/core/digest.ts';
import type {NodeState, WorkspaceState} from '../../src/core/ports.ts';
import {openWorkspaceState} from '../../src/store/workspace-state.ts';
import {memoryState} from '../support/memory-store.ts';
import {tempFolder} from '../support/store-fixture.ts';

/** Each call of the result opens what the last one has flushed. */
const implementations: Record<string, () => () => WorkspaceState> = {
  'on disk': () => {
    const file = join(tempFolder(), 'runs', 'state.ndjson');
    return () =>
      openWorkspaceState({
        file,
        warn(problem) {
          throw new Error(problem.message);
        },
      });
  },
  'in memory': () => {
    const kept = new Map<string, NodeState>();
    return () => memoryState(kept);
  },
};

function stateOf(node: string, text = node): NodeState {
  return {
    node,
    fingerprint: sha256(text),
    outputs: {
      out: {kind: 'file', digest: digestOf(text)},
      tree: {kind: 'tree', digest: digestOf(text), files: 1, bytes: 3},
    },
    metrics: {loss: 0.5},
    wallMs: 12.5,
  };
}

describe.each(Object.entries(implementations))('WorkspaceState %s', (_name, make) => {
  test('knows nothing at first', () => {
    expect(make()().get('train')).toBeUndefined();
  });

  test('gives back what was recorded, before and after a flush, and in the next process', async () => {
    const open = make();
    const state = open();
    const recorded = {...stateOf('train[fold=1]'), slices: digestOf('slices')};
    state.record(recorded);
    expect(state.get('train[fold=1]')).toEqual(recorded);
    await state.flush();
    expect(state.get('train[fold=1]')).toEqual(recorded);
    expect(open().get('train[fold=1]')).toEqual(recorded);
  });

  test('forgets what was not flushed', () => {
    const open = make();
    open().record(stateOf('train'));
    expect(open().get('train')).toBeUndefined();
  });

  test('the last record of a node counts', async () => {
    const open = make();
    const state = open();
    state.record(stateOf('train', 'one'));
    await state.flush();
    state.record(stateOf('train', 'two'));
    state.record(stateOf('train', 'three'));
    await state.flush();
    expect(open().get('train')).toEqual(stateOf('train', 'three'));
  });

  test('node ids may hold quotes, backslashes and any character', async () => {
    const open = make();
    const state = open();
    const nodes = ['a[x="q,r"]', 'b[x="\\\\"]', 'c[x="\\""]', 'd[π="😀\n"]', '__proto__', 'constructor'];
    for (const node of nodes) state.record(stateOf(node));
    await state.flush();
    const next = open();
    for (const node of nodes) expect(next.get(node)).toEqual(stateOf(node));
  });

  test('two processes on one checkout both keep what they recorded', async () => {
    const open = make();
    const one = open();
    const two = open();
    for (let index = 0; index < 20; index++) {
      one.record(stateOf(`one[${index}]`));
      two.record(stateOf(`two[${index}]`));
      await Promise.all([one.flush(), two.flush()]);
    }
    const next = open();
    for (let index = 0; index < 20; index++) {
      expect(next.get(`one[${index}]`)).toEqual(stateOf(`one[${index}]`));
      expect(next.get(`two[${index}]`)).toEqual(stateOf(`two[${index}]`));
    }
  });
});
