import {mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {defineStage, StageError} from 'mixdown/stage';
import {planCopies} from './lib/experiment/augmentation.ts';
import {readFolds, writeFolds, type Clip} from './lib/experiment/dataset.ts';
import {createRng} from './lib/rng.ts';
import {shiftName, writeShifts, type Shift} from './lib/experiment/shifts.ts';

export default defineStage({
  name: 'augmentation',
  summary: 'Plans pitch-shifted copies of train clips until every class has enough; pitch-shift makes them.',
  params: {
    perClass: {
      type: 'integer',
      minimum: 0,
      default: 600,
      about: 'train clips of a class, copies included; 0 makes no copies',
    },
    maxSemitones: {
      type: 'integer',
      minimum: 1,
      maximum: 12,
      default: 12,
      about: 'a copy is shifted by a whole number of semitones from -maxSemitones to maxSemitones, never 0',
    },
  },
  inputs: {folds: {kind: 'file', about: 'the folds table, without copies'}},
  outputs: {
    shifts: {kind: 'tree', name: 'shifts', about: 'one .json for each clip that is copied: names and semitones'},
    folds: {
      kind: 'file',
      name: 'folds.csv',
      about: 'the folds table with the copies: each in the split and fold of its parent; test clips have none',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed, log, metric}) {
    const {clips} = readFolds(inputs.folds);
    const copied = clips.find(({parent}) => parent !== '');
    if (copied !== undefined) {
      throw new StageError(
        `the folds table has copies already, such as \`${copied.key}\``,
        'give the output of stage folds',
      );
    }
    const plan = planCopies(clips, params, createRng(seed));
    const copies: Clip[] = [];
    for (const {parent, semitones} of plan.copies) {
      const shifts = semitones.map((value): Shift => ({name: shiftName(value), semitones: value}));
      for (const {name} of shifts) copies.push({...parent, key: `${parent.key}/${name}`, parent: parent.key});
      const path = join(outputs.shifts, `${parent.key}.json`);
      mkdirSync(dirname(path), {recursive: true});
      writeShifts(path, shifts);
    }
    checkKeys(clips, copies);
    writeFolds(outputs.folds, [...clips, ...copies]);
    for (const {label, clips: own, missing} of plan.short) {
      log(
        `label \`${label}\` stays ${missing} short of ${params.perClass}: all ${2 * params.maxSemitones} shifts of its ` +
          `${own} train clip${own === 1 ? '' : 's'} are used`,
      );
    }
    metric('copies', copies.length);
    metric('clips', clips.length + copies.length);
    metric('classes', new Set(copies.map(({label}) => label)).size);
  },
});

/** `a/pitch+05` may be a recording: file `pitch+05.wav` of folder `a`, beside `a.wav`. */
function checkKeys(clips: readonly Clip[], copies: readonly Clip[]): void {
  const recordings = new Set(clips.map(({key}) => key));
  const taken = copies.find(({key}) => recordings.has(key));
  if (taken === undefined) return;
  throw new StageError(
    `a copy of clip \`${taken.parent}\` would be called \`${taken.key}\`, as a recording is`,
    'rename the recording',
  );
}
