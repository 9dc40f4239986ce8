import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {sha256} from '../../../src/core/digest.ts';
import type {Checkpoint, Checkpoints} from '../../../src/core/ports.ts';
import {listCheckpoints} from '../../../src/store/checkpoints.ts';
import {applyGc, planGc} from '../../../src/store/gc.ts';
import {openedStore, tempFolder, type OpenedStore} from '../../support/store-fixture.ts';
import {aResult, anAction} from '../../support/store-records.ts';

const fingerprint = sha256('an action');
const other = sha256('another one');
const dayMs = 24 * 3_600_000;

function store(): OpenedStore {
  return openedStore(join(tempFolder(), 'cache'));
}

function taken(checkpoints: Checkpoints, of = fingerprint): Checkpoint {
  const checkpoint = checkpoints.take(of);
  if (checkpoint === undefined) throw new Error('it is taken');
  return checkpoint;
}

/** Opens it, adds a line to what is in it, and leaves it. */
function addLine({checkpoints}: OpenedStore, line: string): void {
  const checkpoint = taken(checkpoints);
  const file = join(checkpoint.open('resume'), 'lines');
  writeFileSync(file, line, {flag: 'a'});
  checkpoint.leave();
}

const linesOf = (folder: string): string => readFileSync(join(folder, 'lines'), 'utf8');

describe('a checkpoint', () => {
  test('is empty at first, and has then what was left in it', () => {
    const opened = store();
    const {checkpoints} = opened;
    expect(checkpoints.waits(fingerprint)).toBe(false);
    addLine(opened, 'a');
    addLine(opened, 'b');
    expect(checkpoints.waits(fingerprint)).toBe(true);
    expect(checkpoints.waits(other)).toBe(false);
    const checkpoint = taken(checkpoints);
    expect(linesOf(checkpoint.open('resume'))).toBe('ab');
    expect(readdirSync(checkpoint.open('anew'))).toEqual([]);
    checkpoint.leave();
    expect(checkpoints.waits(fingerprint)).toBe(false);
  });

  test('leaves nothing behind when nothing was written in it, or when it is of no more use', () => {
    const opened = store();
    const {checkpoints, layout} = opened;
    const empty = taken(checkpoints);
    empty.open('resume');
    empty.leave();
    expect(readdirSync(layout.checkpoints)).toEqual([]);
    addLine(opened, 'a');
    const full = taken(checkpoints);
    full.open('resume');
    full.discard();
    expect(readdirSync(layout.checkpoints)).toEqual([]);
    full.leave();
  });

  test('is had by one job at a time, over all processes', () => {
    const one = store();
    const two = openedStore(one.dir);
    const checkpoint = taken(one.checkpoints);
    checkpoint.open('resume');
    expect(one.checkpoints.take(fingerprint)).toBeUndefined();
    expect(two.checkpoints.take(fingerprint)).toBeUndefined();
    expect(two.checkpoints.take(other)).toBeDefined();
    checkpoint.leave();
    expect(two.checkpoints.take(fingerprint)).toBeDefined();
  });

  test('has another path for each attempt: a straggler of an earlier one writes nowhere', () => {
    const opened = store();
    const {checkpoints, layout} = opened;
    const checkpoint = taken(checkpoints);
    const before = checkpoint.open('resume');
    writeFileSync(join(before, 'lines'), 'kept');
    const now = checkpoint.open('resume');
    expect(existsSync(before)).toBe(false);
    expect(() => writeFileSync(join(before, 'lines'), 'late')).toThrow('ENOENT');
    expect(linesOf(now)).toBe('kept');
    // Some make their folder again.
    mkdirSync(before);
    writeFileSync(join(before, 'lines'), 'late');
    checkpoint.leave();
    const later = taken(checkpoints);
    expect(linesOf(later.open('resume'))).toBe('kept');
    expect(readdirSync(join(layout.checkpoints, fingerprint))).toHaveLength(1);
    later.leave();
  });

  test('outlives a process that died at any point of taking it', () => {
    const opened = store();
    const {checkpoints, layout} = opened;
    addLine(opened, 'a');
    const place = join(layout.checkpoints, fingerprint);
    // Renamed, but nothing of it written yet; then begun anew, with the old one still there.
    renameSync(join(place, '1'), join(place, '7'));
    expect(checkpoints.waits(fingerprint)).toBe(true);
    mkdirSync(join(place, '8'));
    expect(checkpoints.waits(fingerprint)).toBe(false);
    const checkpoint = taken(checkpoints);
    expect(readdirSync(checkpoint.open('resume'))).toEqual([]);
    expect(readdirSync(place)).toEqual(['9']);
    checkpoint.leave();
  });

  test('that cannot be made is a failure that says so', () => {
    const {checkpoints, layout} = store();
    writeFileSync(layout.checkpoints, 'a file');
    expect(checkpoints.waits(fingerprint)).toBe(false);
    const checkpoint = taken(checkpoints);
    expect(() => checkpoint.open('resume')).toThrow(/Could not write a checkpoint in .*: /);
    checkpoint.leave();
  });
});

describe('gc', () => {
  const plan = (opened: OpenedStore, laterMs: number, olderThanMs?: number) =>
    planGc(opened, {
      runsDirs: [],
      nowMs: Date.now() + laterMs,
      ...(olderThanMs === undefined ? {} : {olderThanMs}),
    });
  const whatOf = ({leftovers}: ReturnType<typeof planGc>): readonly string[] => leftovers.map(({what}) => what);

  test('removes a checkpoint that nobody touched for seven days, or as long as is asked for', () => {
    const opened = store();
    addLine(opened, 'abc');
    expect(whatOf(plan(opened, 6.9 * dayMs))).toEqual([]);
    expect(whatOf(plan(opened, 2 * dayMs, dayMs))).toEqual(['checkpoint']);
    const planned = plan(opened, 7.1 * dayMs);
    expect(planned.leftovers).toMatchObject([{what: 'checkpoint', bytes: 3}]);
    applyGc(opened, planned);
    expect(readdirSync(opened.layout.checkpoints)).toEqual([]);
  });

  test('removes one at once whose result is there', async () => {
    const opened = store();
    const result = aResult({}, anAction());
    await opened.actions.put(result);
    const checkpoint = taken(opened.checkpoints, result.fingerprint);
    writeFileSync(join(checkpoint.open('resume'), 'x'), '');
    checkpoint.leave();
    addLine(opened, 'other');
    applyGc(opened, plan(opened, 0));
    expect(listCheckpoints(opened.layout.checkpoints).map((kept) => kept.fingerprint)).toEqual([fingerprint]);
  });

  test('leaves alone what a job has, and what a job took since the plan was made', () => {
    const opened = store();
    const build = openedStore(opened.dir);
    addLine(opened, 'a');
    const planned = plan(opened, 8 * dayMs);
    expect(whatOf(planned)).toEqual(['checkpoint']);
    const checkpoint = taken(build.checkpoints);
    const folder = checkpoint.open('resume');
    expect(whatOf(plan(opened, 8 * dayMs))).not.toContain('checkpoint');
    applyGc(opened, planned);
    expect(linesOf(folder)).toBe('a');
    checkpoint.leave();
  });

  test('leaves alone what was touched since the plan was made', () => {
    const opened = store();
    addLine(opened, 'a');
    const planned = {...plan(opened, 8 * dayMs), checkpointsBeforeMs: Date.now() - 1000};
    applyGc(opened, planned);
    expect(listCheckpoints(opened.layout.checkpoints)).toHaveLength(1);
  });

  test('leaves alone what it does not know', () => {
    const opened = store();
    mkdirSync(join(opened.layout.checkpoints, 'mine'), {recursive: true});
    expect(whatOf(plan(opened, 8 * dayMs))).toEqual([]);
  });
});
