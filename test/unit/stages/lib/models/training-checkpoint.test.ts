import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import type {Snapshot} from '../../../../../stages/lib/experiment/fine-tune-training.ts';
import {trainingCheckpoint, type Checkpoint} from '../../../../../stages/lib/models/training-checkpoint.ts';
import {temporaryFolder} from '../../../../support/stage-harness.ts';

const array = (...values: readonly number[]) => ({shape: [values.length], data: Float32Array.from(values)});
const snapshot: Snapshot = {
  curve: [{epoch: 1, trainLoss: 1 / 3, validationLoss: 0.1 + 0.2, validationAccuracy: 2 / 7}],
  batch: 4,
  lossSum: 1e-17 + 5,
  pieces: 88,
  trainer: {arrays: new Map([['weights/a', array(1.5, -2)]]), counters: {adam: 12, steps: 12}},
  best: new Map([['a', array(3)]]),
};

interface Place {
  readonly folder: string;
  readonly logs: string[];
  readonly open: (identity?: string) => Checkpoint<Snapshot>;
}

function place(): Place {
  const folder = temporaryFolder();
  const logs: string[] = [];
  return {
    folder,
    logs,
    open: (identity = 'x') => trainingCheckpoint<Snapshot>(folder, identity, (text) => logs.push(text)),
  };
}

describe('a checkpoint', () => {
  test('gives back to the bit what was kept last', () => {
    const {open, folder, logs} = place();
    expect(open().read()).toBeUndefined();
    open().write({...snapshot, batch: 1, best: undefined});
    expect(open().read()).toEqual({...snapshot, batch: 1, best: undefined});
    open().write(snapshot);
    expect(open().read()).toEqual(snapshot);
    expect(readdirSync(folder)).toEqual(['snapshot.safetensors']);
    expect(logs).toEqual([]);
  });

  test('of another training is none', () => {
    const {open, logs} = place();
    open('one').write(snapshot);
    expect(open('two').read()).toBeUndefined();
    expect(logs).toEqual(['the checkpoint is of no use, training starts anew: it is of another training']);
  });

  test('that is damaged is none, whichever byte it is', () => {
    const {open, folder, logs} = place();
    open().write(snapshot);
    const file = join(folder, 'snapshot.safetensors');
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      const read = open().read();
      // A flip may turn a blank of the header's padding into another one that JSON allows.
      if (read !== undefined) expect(read).toEqual(snapshot);
    }
    expect(logs.length).toBeGreaterThan(whole.length - 64);
    for (const length of [0, 7, 100, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect(open().read()).toBeUndefined();
    }
  });

  test('left half-written by a kill is not seen', () => {
    const {open, folder} = place();
    open().write(snapshot);
    writeFileSync(join(folder, 'snapshot.tmp'), 'half');
    expect(open().read()).toEqual(snapshot);
    open().write({...snapshot, batch: 5});
    expect(open().read()?.batch).toBe(5);
  });

  test('that cannot be written leaves the one before, and training goes on', () => {
    const {open, folder, logs} = place();
    open().write(snapshot);
    mkdirSync(join(folder, 'snapshot.tmp'));
    open().write({...snapshot, batch: 9});
    expect(open().read()).toEqual(snapshot);
    expect(logs[0]).toContain('the checkpoint could not be written, and training goes on');
    open().write({...snapshot, batch: 9});
    expect(open().read()?.batch).toBe(9);
  });
});
