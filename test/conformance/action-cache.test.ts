import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {digestOf, sha256} from '../../src/core/digest.ts';
import type {ActionCache} from '../../src/core/ports.ts';
import {memoryActions} from '../support/memory-store.ts';
import {openedStore, tempFolder} from '../support/store-fixture.ts';
import {aFile, anAction, aResult} from '../support/store-records.ts';

const implementations: Record<string, () => ActionCache> = {
  'on disk': () => openedStore(join(tempFolder(), 'cache')).actions,
  'in memory': () => memoryActions(new Map()),
};

describe.each(Object.entries(implementations))('ActionCache %s', (_name, make) => {
  test('knows nothing at first', () => {
    expect(make().get(sha256('anything'))).toBeUndefined();
  });

  test('gives back the whole result', async () => {
    const actions = make();
    const result = aResult(
      {patches: aFile(digestOf('x')), clips: {kind: 'tree', digest: digestOf('t'), files: 2, bytes: 9}},
      anAction({
        each: 'waveform',
        params: {nested: {list: [1, 'two', null, true]}},
        inputs: {many: [digestOf('1'), digestOf('2')]},
      }),
      {slices: digestOf('slices')},
    );
    await actions.put(result);
    expect(actions.get(result.fingerprint)).toEqual(result);
  });

  test('the last put wins', async () => {
    const actions = make();
    const first = aResult({patches: aFile(digestOf('first'))});
    const second = aResult({patches: aFile(digestOf('second'))});
    await Promise.all([actions.put(first), actions.put(first)]);
    await actions.put(second);
    expect(actions.get(first.fingerprint)).toEqual(second);
  });

  test('keeps results of different actions apart', async () => {
    const actions = make();
    const results = Array.from({length: 50}, (_, seed) => aResult({}, anAction({seed})));
    await Promise.all(results.map((result) => actions.put(result)));
    for (const result of results) expect(actions.get(result.fingerprint)).toEqual(result);
  });

  test('a fingerprint that is not that of the action is a bug', async () => {
    await expect(make().put({...aResult(), fingerprint: sha256('another')})).rejects.toThrow('fingerprint');
  });

  test('what was got does not change what is kept', async () => {
    const actions = make();
    const result = aResult();
    await actions.put(result);
    const got = actions.get(result.fingerprint);
    Object.assign(got?.metrics ?? {}, {loss: 99});
    expect(actions.get(result.fingerprint)).toEqual(result);
  });
});
