import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {planGc, applyGc} from '../../../src/store/gc.ts';
import {verifyStore} from '../../../src/store/verify.ts';
import {openWorkspaceState} from '../../../src/store/workspace-state.ts';
import {compile, type Program} from '../../support/child.ts';
import {openedStore, tempFolder} from '../../support/store-fixture.ts';

let writer: Program;
let mortal: Program;

beforeAll(async () => {
  writer = await compile(join(import.meta.dirname, 'children/writer.ts'));
  mortal = await compile(join(import.meta.dirname, 'children/mortal.ts'));
});
afterAll(() => {
  writer.remove();
  mortal.remove();
});

test('killed before, or in the middle of, each call that changes a file', async () => {
  const dir = tempFolder();
  const deaths: string[] = [];
  const survives = async (call: number): Promise<boolean> => {
    const child = mortal.start([dir, String(call)]);
    for await (const line of child.lines) deaths.push(line);
    return (await child.ended) !== 'SIGKILL';
  };
  for (let call = 1; !(await Promise.all([survives(call), survives(call + 1)])).includes(true);) call += 2;
  expect(deaths.length).toBeGreaterThan(20);
  expect(new Set(deaths)).toEqual(
    new Set(['writeSync', 'renameSync', 'linkSync', 'unlinkSync', 'chmodSync', 'utimesSync']),
  );

  const store = openedStore(join(dir, 'cache'));
  expect(await verifyStore(store)).toMatchObject({damagedBlobs: [], damagedRecords: [], danglingRecords: []});
  expect(store.warnings).toEqual([]);
  const last = mortal.start([dir, '0']);
  for await (const line of last.lines) expect(line).toBe('no warning');
  expect(await last.ended).toBe(0);
}, 120_000);

test('killed at any moment, alone or beside others, a writer leaves a store without damage', async () => {
  const dir = tempFolder();
  let seed = 0;
  const writeAndDie = async (afterLines: number): Promise<void> => {
    const child = writer.start([dir, String(seed++)]);
    let count = 0;
    for await (const line of child.lines) {
      expect(line).not.toMatch(/^warn/);
      if (++count === afterLines) child.process.kill('SIGKILL');
    }
    expect(await child.ended).toBe('SIGKILL');
  };
  for (const lines of [1, 4, 19]) {
    await Promise.all([writeAndDie(lines), writeAndDie(lines + 30), writeAndDie(2 * lines + 55)]);
  }

  const store = openedStore(dir);
  const report = await verifyStore(store);
  expect(report).toMatchObject({damagedBlobs: [], damagedRecords: [], danglingRecords: []});
  expect(report.records).toBeGreaterThan(40);
  expect(store.warnings).toEqual([]);
  const warnings: string[] = [];
  const state = openWorkspaceState({
    file: join(dir, 'runs/state.ndjson'),
    warn: (problem) => warnings.push(problem.message),
  });
  for (let node = 0; node < 5; node++) expect(state.get(`node[${node}]`)).toBeDefined();
  expect(warnings).toEqual([]);

  // Locks and sessions of the dead are only left-overs: gc takes them, and nobody would have had to wait for them.
  const plan = planGc(store, {runsDirs: [], nowMs: Date.now()});
  expect(plan.inUseBy).toEqual([]);
  applyGc(store, plan);
  expect(readdirSync(store.layout.tmp)).toEqual([]);
  expect(readdirSync(store.layout.locks)).toEqual([]);
  expect(readdirSync(store.layout.sessions).map((name) => join(store.layout.sessions, name))).toEqual(
    readdirSync(store.layout.sessions)
      .map((name) => join(store.layout.sessions, name))
      .filter((path) => readFileSync(path, 'utf8').includes(store.session.nonce)),
  );
}, 120_000);
