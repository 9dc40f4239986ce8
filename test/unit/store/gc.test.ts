import {mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import type {Action, ActionResult, SliceManifest} from '../../../src/core/action.ts';
import {digestOf, sha256, type Digest} from '../../../src/core/digest.ts';
import {canonicalJson, type Json} from '../../../src/core/json.ts';
import {treeText, type Artifact} from '../../../src/core/tree.ts';
import {applyGc, planGc, type GcPlan, type GcRequest} from '../../../src/store/gc.ts';
import {blobPath, recordPath} from '../../../src/store/layout.ts';
import {registerCheckout} from '../../../src/store/roots.ts';
import {openRunStore} from '../../../src/store/run-store.ts';
import {sealMs} from '../../../src/store/seal.ts';
import {introduce} from '../../../src/store/session.ts';
import {verifyStore} from '../../../src/store/verify.ts';
import {openWorkspaceState} from '../../../src/store/workspace-state.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';
import {aFile, aResult, anAction} from '../../support/store-records.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * The change time of a file cannot be set, so a blob cannot be made to look old. The tests look from the future instead:
 * "now" is a hundred days on, and what was put just now was last used a hundred days before.
 */
const aheadMs = 100 * dayMs;
const later = (): number => Date.now() + aheadMs;

interface Fixture {
  readonly store: OpenedStore;
  readonly runsDir: string;
  readonly folder: string;
  plan(request?: Partial<GcRequest>): GcPlan;
}

function fixture(): Fixture {
  const folder = tempFolder();
  const store = openedStore(join(folder, 'cache'));
  const runsDir = join(folder, 'runs');
  return {
    store,
    folder,
    runsDir,
    plan: (request = {}) => planGc(store, {runsDirs: [runsDir], nowMs: later(), ...request}),
  };
}

/** Puts a result with one output of the given text. */
async function put(
  store: OpenedStore,
  text: string,
  change: Partial<Action> = {},
  usedDaysAgo = 100,
): Promise<ActionResult> {
  const digest = await store.cas.putBytes(text);
  return putResult(store, aResult({out: aFile(digest)}, anAction({salt: text, ...change})), usedDaysAgo);
}

async function putResult(store: OpenedStore, result: ActionResult, usedDaysAgo = 100): Promise<ActionResult> {
  await store.actions.put(result);
  const used = (later() - usedDaysAgo * dayMs) / 1000;
  utimesSync(recordPath(store.layout.actions, result.fingerprint), used, used);
  return result;
}

async function remember(runsDir: string, ...results: readonly ActionResult[]): Promise<void> {
  const state = openWorkspaceState({file: join(runsDir, 'state.ndjson'), warn: () => undefined});
  results.forEach(({fingerprint, outputs, metrics, slices}, index) => {
    state.record({node: `node[${index}]`, fingerprint, outputs, metrics, wallMs: 1, ...(slices ? {slices} : {})});
  });
  await state.flush();
}

function removed(plan: GcPlan): {records: string[]; blobs: string[]} {
  return {
    records: plan.records.map((record) => record.fingerprint).toSorted(),
    blobs: plan.blobs.map((blob) => blob.hash).toSorted(),
  };
}

test('without an age or a size only blobs that no record refers to are removed', async () => {
  const {store, plan} = fixture();
  const kept = await put(store, 'kept');
  const garbage = await store.cas.putBytes('garbage');
  const planned = plan();
  expect(removed(planned)).toEqual({records: [], blobs: [garbage.hash]});
  expect(planned.freedBytes).toBe(garbage.size);
  expect(applyGc(store, {...planned, usedSinceMs: later() - dayMs})).toEqual({
    records: 0,
    blobs: 1,
    freedBytes: garbage.size,
  });
  expect(store.cas.holds(garbage)).toBe(false);
  expect(store.actions.get(kept.fingerprint)).toEqual(kept);
  expect(await verifyStore(store)).toMatchObject({damagedBlobs: [], danglingRecords: [], records: 1, blobs: 1});
});

test('young blobs are left alone: their record may be on its way', async () => {
  const {store, plan} = fixture();
  await store.cas.putBytes('just put');
  expect(removed(plan({nowMs: Date.now()})).blobs).toEqual([]);
  expect(removed(plan({nowMs: Date.now() + hourMs / 2})).blobs).toEqual([]);
  expect(removed(plan({nowMs: Date.now() + 2 * hourMs})).blobs).toHaveLength(1);
  expect(removed(plan({nowMs: Date.now() + 2 * hourMs, graceMs: 3 * hourMs})).blobs).toEqual([]);
  expect(removed(plan({nowMs: Date.now() + hourMs / 2, graceMs: 0})).blobs).toEqual([]);
});

test('old results that no checkout refers to go, with their blobs', async () => {
  const {store, plan, runsDir} = fixture();
  const old = await put(store, 'old');
  const recent = await put(store, 'recent', {}, 3);
  const rooted = await put(store, 'rooted');
  await remember(runsDir, rooted);
  const planned = plan({olderThanMs: 30 * dayMs});
  expect(removed(planned)).toEqual({records: [old.fingerprint], blobs: [digestOf('old').hash]});
  applyGc(store, planned);
  expect([old, recent, rooted].map(({fingerprint}) => store.actions.peek(fingerprint) !== undefined)).toEqual([
    false,
    true,
    true,
  ]);
  expect(await verifyStore(store)).toMatchObject({danglingRecords: [], blobs: 2});
});

test('a blob that a kept result shares with a removed one stays', async () => {
  const {store, plan, runsDir} = fixture();
  const one = await put(store, 'shared', {seed: 1});
  const two = await put(store, 'shared', {seed: 2});
  await remember(runsDir, two);
  expect(removed(plan({olderThanMs: dayMs}))).toEqual({records: [one.fingerprint], blobs: []});
});

test('the size limit drops the least recently used first, and never what a checkout refers to', async () => {
  const {store, plan, runsDir} = fixture();
  const results: ActionResult[] = [];
  for (const [index, days] of [40, 10, 30, 20].entries())
    results.push(await put(store, `${index}`.repeat(10_000), {salt: `${index}`}, days));
  const rooted = await put(store, 'r'.repeat(10_000), {salt: 'r'}, 99);
  await remember(runsDir, rooted);
  const all = plan();
  const dropped = (maxBytes: number): number[] =>
    removed(plan({maxBytes})).records.map((fingerprint) =>
      results.findIndex((result) => result.fingerprint === fingerprint),
    );
  expect(dropped(all.keptBytes)).toEqual([]);
  expect(dropped(all.keptBytes - 1)).toEqual([0]);
  expect(dropped(all.keptBytes - 11_000).toSorted((a, b) => a - b)).toEqual([0, 2]);
  expect(dropped(0).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  const smaller = plan({maxBytes: all.keptBytes - 11_000});
  expect(smaller.keptBytes).toBeLessThanOrEqual(all.keptBytes - 11_000);
  expect(smaller.keptBytes + smaller.freedBytes).toBe(all.keptBytes);
  expect(plan({maxBytes: 0}).keptRecords).toBe(1);
});

test('trees, logs, slices and manifests of kept results stay', async () => {
  const {store, plan, runsDir} = fixture();
  const {cas} = store;
  const digests: Digest[] = [];
  const keep = async (text: string): Promise<Digest> => {
    const digest = await cas.putBytes(text);
    digests.push(digest);
    return digest;
  };
  const entry = await keep('entry');
  const treeOf = (path: string): string => treeText({entries: [{path, digest: entry}]});
  const tree: Artifact = {kind: 'tree', digest: await keep(treeOf('a')), files: 1, bytes: 5};
  const inputTree = await keep(treeOf('input'));
  const code = await keep(canonicalJson({type: 'code/1', files: {}, packages: {}}));
  const item = digestOf('item');
  const slice = await putResult(store, aResult({out: aFile(entry)}, anAction({salt: 'slice'})));
  const sliceTree: Artifact = {kind: 'tree', digest: await keep(treeOf('in the slice')), files: 1, bytes: 5};
  const other = await putResult(store, aResult({out: sliceTree}, anAction({salt: 'slice with a tree'})));
  const manifest: SliceManifest = {
    type: 'slices/1',
    slices: [
      {key: 'a', item, fingerprint: slice.fingerprint, outputs: {out: entry}, wallMs: 1},
      {key: 'b', item, fingerprint: other.fingerprint, outputs: {out: sliceTree.digest}, wallMs: 1},
      {key: 'c', item, fingerprint: other.fingerprint, outputs: {}, wallMs: 1},
    ],
  };
  const slices = await keep(canonicalJson(manifest as unknown as Json));
  const log = await keep('what it said');
  const {execution} = aResult();
  const node = await putResult(
    store,
    aResult({out: tree}, anAction({code: code.hash, inputs: {waves: inputTree, one: [digestOf('not kept')]}}), {
      slices,
      execution: {...execution, log},
    }),
  );
  await cas.putBytes('not kept');
  await remember(runsDir, node);
  const planned = plan({olderThanMs: dayMs});
  expect(removed(planned)).toEqual({records: [], blobs: [digestOf('not kept').hash]});
  applyGc(store, {...planned, usedSinceMs: later()});
  for (const digest of digests) expect(cas.holds(digest)).toBe(true);
});

test('run records and the events of unfinished runs are roots', async () => {
  const {store, plan, runsDir} = fixture();
  const [finished, running, lost] = [
    await put(store, 'finished'),
    await put(store, 'running'),
    await put(store, 'lost'),
  ];
  const runs = openRunStore(runsDir);
  const one = runs.create('20250301-101500-00001');
  const two = runs.create('20250301-101501-00002');
  if (!one.ok || !two.ok) throw new Error('no run');
  one.value.write(
    'run.json',
    JSON.stringify({type: 'run/1', outcome: 'done', nodes: {a: {fingerprint: finished.fingerprint}}}),
  );
  two.value.write('run.json', JSON.stringify({type: 'run/1', outcome: 'running', nodes: {}}));
  two.value.append(
    'events.ndjson',
    `${JSON.stringify({type: 'node-finished', node: 'b', fingerprint: running.fingerprint})}\n{"type":`,
  );
  expect(removed(plan({olderThanMs: dayMs})).records).toEqual([lost.fingerprint]);
  runs.remove('20250301-101500-00001');
  expect(removed(plan({olderThanMs: dayMs})).records).toEqual([lost.fingerprint, finished.fingerprint].toSorted());
});

test('results of other checkouts that share the store stay', async () => {
  const {store, plan, folder} = fixture();
  const theirs = await put(store, 'theirs');
  const other = join(folder, 'other/runs');
  await remember(other, theirs);
  expect(removed(plan({olderThanMs: dayMs})).records).toEqual([theirs.fingerprint]);
  registerCheckout(store.layout.checkouts, other);
  registerCheckout(store.layout.checkouts, other);
  expect(readdirSync(store.layout.checkouts)).toHaveLength(1);
  expect(removed(plan({olderThanMs: dayMs})).records).toEqual([]);
  renameSync(join(folder, 'other'), join(folder, 'moved'));
  expect(removed(plan({olderThanMs: dayMs})).records).toEqual([theirs.fingerprint]);
});

test('what was used after the plan was made is not removed', async () => {
  const {store, plan} = fixture();
  const used = await put(store, 'used', {}, 40);
  const unused = await put(store, 'unused', {}, 40);
  const usedSinceMs = Date.now() + 60_000;
  const planned = {...plan({olderThanMs: dayMs}), usedSinceMs};
  expect(removed(planned).records).toHaveLength(2);
  // A build that starts now: it finds the record and relies on the blob.
  const now = (usedSinceMs + 1000) / 1000;
  utimesSync(recordPath(store.layout.actions, used.fingerprint), now, now);
  utimesSync(blobPath(store.layout.cas, digestOf('used').hash), now, sealMs / 1000);
  for (const result of [unused]) {
    const old = (Date.now() - dayMs) / 1000;
    utimesSync(recordPath(store.layout.actions, result.fingerprint), old, old);
  }
  expect(applyGc(store, planned)).toMatchObject({records: 1, blobs: 1});
  expect(store.actions.get(used.fingerprint)).toEqual(used);
  expect(store.cas.holds(digestOf('used'))).toBe(true);
  expect(store.cas.holds(digestOf('unused'))).toBe(false);
});

test('while another process uses the store, all that was used since it began stays', async () => {
  const {store, plan} = fixture();
  await put(store, 'result', {}, 40);
  expect(removed(plan({olderThanMs: dayMs})).records).toHaveLength(1);
  const build = openedStore(store.dir, 'run 20250301-101500-3e7ab');
  build.cas.holds(digestOf('result'));
  const planned = plan({olderThanMs: dayMs, maxBytes: 0});
  expect(planned.inUseBy).toEqual(['run 20250301-101500-3e7ab']);
  expect(removed(planned)).toEqual({records: [], blobs: []});
  build.close();
  expect(plan({olderThanMs: dayMs}).inUseBy).toEqual([]);
  expect(removed(plan({olderThanMs: dayMs})).records).toHaveLength(1);
});

test('what dead processes left behind is removed, and what living ones use is not', async () => {
  const {store, plan} = fixture();
  const {layout} = store;
  for (const dir of [layout.tmp, layout.locks, layout.sessions, layout.quarantine]) mkdirSync(dir, {recursive: true});
  const dead = {...introduce('gone', 'dead').record, pid: 4_194_301};
  const alive = introduce('here', 'beef').record;
  writeFileSync(join(layout.sessions, `${dead.pid}-dead.json`), JSON.stringify(dead));
  writeFileSync(join(layout.sessions, `${alive.pid}-beef.json`), JSON.stringify(alive));
  writeFileSync(join(layout.tmp, `${dead.pid}-dead-0`), 'half a blob');
  writeFileSync(join(layout.tmp, `${alive.pid}-beef-0`), 'half a blob');
  writeFileSync(join(layout.locks, 'a.lock'), JSON.stringify(dead));
  writeFileSync(join(layout.locks, 'b.lock'), JSON.stringify(alive));
  writeFileSync(join(layout.quarantine, 'damaged'), 'x');
  const planned = plan({nowMs: Date.now()});
  expect(planned.leftovers.map(({what}) => what).toSorted()).toEqual(['lock', 'session', 'temporary file']);
  applyGc(store, planned);
  expect(readdirSync(layout.tmp)).toEqual([`${alive.pid}-beef-0`]);
  expect(readdirSync(layout.locks)).toEqual(['b.lock']);
  expect(readdirSync(layout.sessions)).not.toContain(`${dead.pid}-dead.json`);
  expect(plan().leftovers.map(({what}) => what)).toContain('quarantined file');
});

test('a file that is being received stays for a week, unless its blob has come by another way or somebody is at it', async () => {
  const {store, plan} = fixture();
  mkdirSync(store.layout.tmp, {recursive: true});
  const [begun, come] = [sha256('begun'), (await store.cas.putBytes('come')).hash];
  for (const hash of [begun, come]) writeFileSync(join(store.layout.tmp, `partial-${hash}`), 'half a blob');
  const found = (nowMs: number): string[] =>
    plan({nowMs}).leftovers.flatMap(({what, path}) => (what === 'partial download' ? [path.slice(-64)] : []));
  expect(found(Date.now())).toEqual([come]);
  expect(found(Date.now() + 6 * dayMs)).toEqual([come]);
  const late = plan({nowMs: Date.now() + 8 * dayMs});
  expect(found(Date.now() + 8 * dayMs).toSorted()).toEqual([begun, come].toSorted());
  const inUse = store.takePartial(begun);
  applyGc(store, late);
  expect(readdirSync(store.layout.tmp)).toEqual([`partial-${begun}`]);
  inUse.release();
  applyGc(store, late);
  expect(readdirSync(store.layout.tmp)).toEqual([]);
});

test('a blob that is put again, or held, cannot be discarded as unused', async () => {
  const {store} = fixture();
  const digest = await store.cas.putBytes('content');
  const path = store.cas.pathOf(digest);
  const old = Date.now() - 10 * dayMs;
  for (const use of [() => Promise.resolve(store.cas.holds(digest)), () => store.cas.putBytes('content')]) {
    utimesSync(path, old / 1000, sealMs / 1000);
    await use();
    expect(statSync(path).atimeMs).toBeGreaterThan(Date.now() - hourMs);
    expect(store.blobs.discard(digest.hash, Date.now() - hourMs)).toBe(false);
  }
  expect(store.blobs.discard(digest.hash, Date.now() + hourMs)).toBe(true);
  expect(store.blobs.discard(digest.hash, Date.now() + hourMs)).toBe(false);
  expect(readdirSync(store.layout.tmp)).toEqual([]);
  expect(store.blobs.sizeOf(sha256('content'))).toBeUndefined();
});

test('what a job on a cluster may yet read stays until its submission is gone', async () => {
  const {store, plan} = fixture();
  const [file, entry, lost] = await Promise.all(
    ['read', 'file of a tree', 'lost'].map((text) => store.cas.putBytes(text)),
  );
  const tree = await store.cas.putBytes(treeText({entries: [{path: 'a', digest: entry!}]}));
  const folder = join(store.layout.submissions, 'run-1');
  mkdirSync(folder, {recursive: true});
  const inputs = {
    file: {kind: 'file', path: blobPath(store.layout.cas, file!.hash)},
    tree: {kind: 'tree', manifest: blobPath(store.layout.cas, tree.hash), base: {in: 'cas', path: store.layout.cas}},
  };
  writeFileSync(join(folder, '0.task.json'), JSON.stringify({type: 'slurm-task/1', jobs: [{inputs}]}));
  const hashes = (): readonly string[] =>
    plan()
      .blobs.map(({hash}) => hash)
      .sort();
  expect(hashes()).toEqual([lost!.hash]);
  rmSync(folder, {recursive: true});
  expect(hashes()).toEqual([file!, entry!, lost!, tree].map(({hash}) => hash).sort());
});
