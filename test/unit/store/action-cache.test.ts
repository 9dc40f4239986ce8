import {existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, test} from 'vitest';
import {fingerprintOf, type ActionResult} from '../../../src/core/action.ts';
import {digestOf, sha256} from '../../../src/core/digest.ts';
import {recordPath} from '../../../src/store/layout.ts';
import {touchEveryMs} from '../../../src/store/seal.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';
import {aFile, anAction, aResult} from '../../support/store-records.ts';

const result = aResult();
const text = JSON.stringify(result);

/** What may lie in a record's place after a crash, a failing disk, another version, or somebody's hand. */
const damaged: Record<string, {readonly text: string; readonly code?: string}> = {
  empty: {text: ''},
  'cut short': {text: text.slice(0, text.length / 2)},
  'full of zeros': {text: '\0'.repeat(text.length)},
  'not an object': {text: '[]'},
  null: {text: 'null'},
  'of another action': {text: JSON.stringify(aResult({}, anAction({seed: 7})))},
  'with an edited action': {text: JSON.stringify({...result, action: {...result.action, seed: 7}})},
  'of another version': {text: JSON.stringify({...result, type: 'action-result/2'}), code: 'record-version'},
  'without outputs': {text: JSON.stringify({...result, outputs: undefined})},
  'without an output that its action declares': {text: JSON.stringify({...result, outputs: {}})},
  'with a hash that is a path': {
    text: JSON.stringify({
      ...result,
      outputs: {patches: {kind: 'file', digest: {hash: '../../../../etc/passwd', size: 1}}},
    }),
  },
  'with a number beyond all': {
    text: JSON.stringify({...result, metrics: {loss: 7}}).replace('"loss":7', '"loss":1e999'),
  },
  'with a time beyond all': {text: text.replace(/"wallMs":[0-9.]+/, '"wallMs":1e999')},
  'with a negative size': {
    text: JSON.stringify({...result, outputs: {patches: aFile({hash: sha256('x'), size: -1})}}),
  },
};

test.each(Object.entries(damaged))(
  'a record that is %s is a miss with a warning, and goes to quarantine',
  async (_what, {text, code}) => {
    const store = openedStore(join(tempFolder(), 'cache'));
    const path = recordPath(store.layout.actions, result.fingerprint);
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, text);
    expect(store.actions.get(result.fingerprint)).toBeUndefined();
    expect(store.warnings).toMatchObject([
      {code: code ?? 'record-corrupt', message: expect.stringContaining(result.fingerprint)},
    ]);
    expect(existsSync(path)).toBe(false);
    expect(readFileSync(store.quarantine.list()[0]?.path ?? '', 'utf8')).toBe(text);
    expect(store.actions.get(result.fingerprint)).toBeUndefined();
    expect(store.warnings).toHaveLength(1);
    await store.actions.put(result);
    expect(store.actions.get(result.fingerprint)).toEqual(result);
  },
);

test('a record lacks nothing without the optional outputs of its action', async () => {
  const {actions, warnings} = openedStore(join(tempFolder(), 'cache'));
  const {patches} = result.outputs;
  const {action} = aResult(result.outputs);
  const outputs = {...action.outputs, report: {kind: 'file', name: 'report.json', optional: true}} as const;
  const lenient = {...action, outputs};
  const record = {...result, action: lenient, fingerprint: fingerprintOf(lenient), outputs: {patches: patches!}};
  await actions.put(record);
  expect(actions.get(record.fingerprint)).toEqual(record);
  expect(warnings).toEqual([]);
});

test('a hit renews the time of last use, but not more often than needed', async () => {
  const {actions, layout} = openedStore(join(tempFolder(), 'cache'));
  await actions.put(result);
  const path = recordPath(layout.actions, result.fingerprint);
  const at = (agoMs: number): number => {
    const time = (Date.now() - agoMs) / 1000;
    utimesSync(path, time, time);
    return statSync(path).mtimeMs;
  };
  const old = at(2 * touchEveryMs);
  actions.peek(result.fingerprint);
  expect(statSync(path).mtimeMs).toBe(old);
  actions.get(result.fingerprint);
  expect(statSync(path).mtimeMs).toBeGreaterThan(old);
  const recent = at(touchEveryMs / 2);
  actions.get(result.fingerprint);
  expect(statSync(path).mtimeMs).toBe(recent);
});

test('lists and discards records, but none that was used since', async () => {
  const {actions} = openedStore(join(tempFolder(), 'cache'));
  const results: ActionResult[] = [1, 2, 3].map((seed) => aResult({}, anAction({seed})));
  for (const one of results) await actions.put(one);
  const listed = [...actions.list()];
  expect(listed.map(({fingerprint}) => fingerprint).toSorted()).toEqual(
    results.map(({fingerprint}) => fingerprint).toSorted(),
  );
  const [first] = listed;
  if (first === undefined) throw new Error('nothing listed');
  expect(actions.discard(first.fingerprint, first.usedAtMs)).toBe(false);
  expect(actions.discard(first.fingerprint, first.usedAtMs + 1)).toBe(true);
  expect(actions.discard(first.fingerprint, Infinity)).toBe(false);
  expect([...actions.list()]).toHaveLength(2);
});

test('an unwritable record is a failure', async () => {
  const {actions, layout} = openedStore(join(tempFolder(), 'cache'));
  writeFileSync(layout.actions, 'a file where a folder should be');
  await expect(actions.put(result)).rejects.toMatchObject({failure: {code: 'cache-unwritable'}});
  expect(actions.get(digestOf('x').hash)).toBeUndefined();
});
