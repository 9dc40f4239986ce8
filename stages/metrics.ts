import {writeFileSync} from 'node:fs';
import {setImmediate} from 'node:timers/promises';
import {defineStage, StageError} from 'mixdown/stage';
import {countConfusion} from './lib/figures/confusion.ts';
import {readCsv, writeCsv} from './lib/formats/csv.ts';
import {readFolds, type Clip, type Folds} from './lib/experiment/dataset.ts';
import {openNpyRows} from './lib/formats/npy-rows.ts';
import {readFloat32} from './lib/formats/npy.ts';
import {multiHotBytes} from './lib/audioset/multi-hot.ts';
import {membersOf, membersOfTargets, type ClassMembers} from './lib/learning/class-members.ts';
import {makeReport} from './lib/learning/report.ts';
import {count} from './lib/problems.ts';
import {joinValidation, type ClipScores} from './lib/learning/validation-scores.ts';
import {rowOf} from './lib/learning/metrics.ts';
import {createRng} from './lib/rng.ts';
import {bootstrapClips} from './lib/statistics/clip-bootstrap.ts';

export default defineStage({
  name: 'metrics',
  summary: "MAP@3, MAP, AUC, d', accuracy and per-class scores of class probabilities.",
  params: {
    variant: {type: 'string', minLength: 1, about: 'name of this row in the tables'},
    split: {
      type: 'string',
      enum: ['test', 'train'],
      default: 'test',
      about: 'the clips that the predictions are for',
    },
    fold: {type: 'integer', minimum: 0, default: 0, about: 'with split train: only the clips of this fold; 0: all'},
    clips: {
      type: 'string',
      enum: ['all', 'verified', 'public', 'private'],
      default: 'all',
      about:
        'of the clips that the predictions are for, those to score; verified: whose label a person has confirmed; public, ' +
        'private: of this part of the test set, as FSDKaggle2018 has them',
    },
    repeat: {
      type: 'integer',
      minimum: 0,
      default: 0,
      about: 'which of several trainings of the variant this is, from other seeds: tables show their mean and spread',
    },
    bootstrap: {
      type: 'integer',
      minimum: 0,
      maximum: 100_000,
      default: 0,
      about:
        'samples of the clips for intervals of the scores, such as 1000; 0: no intervals. That of MAP lies too high where ' +
        'classes have a few clips only',
    },
    confidence: {type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.95, about: 'of the intervals'},
  },
  inputs: {
    predictions: {kind: 'file', many: true, about: 'float32 .npy (clips by key, classes); several with `indexes` only'},
    indexes: {
      kind: 'file',
      many: true,
      optional: true,
      about:
        'with split train: the output `index` of stage train, for each of the predictions, which are its output `validation`; ' +
        'the clips of all of them are scored together',
    },
    folds: {kind: 'file', optional: true, about: 'the folds table, for clips of one class each'},
    targets: {
      kind: 'file',
      optional: true,
      about:
        'in place of folds, for clips of any number of classes: uint8 .npy (clips, bytes), a bit a class, highest ' +
        'first, such as targets.npy of audioset-features; the predictions have the same clips',
    },
    classes: {kind: 'file', optional: true, about: 'with targets: csv with column label, a row a class in their order'},
  },
  outputs: {
    // Scores depend on ranks: where no rank changes they are the same, and where one does they may jump. What is below the
    // third decimal, one clip in a thousand, is tolerated; more is another result.
    metrics: {
      kind: 'file',
      name: 'metrics.json',
      compare: {as: 'json', digits: 3},
      about: 'all scores, type metrics/1',
    },
    perClass: {
      kind: 'file',
      name: 'per-class.csv',
      show: 'bars:ap',
      compare: {as: 'csv', digits: 3},
      about: 'label, clips, ap, auc, ap3; empty where not defined',
    },
    confusion: {
      kind: 'file',
      name: 'confusion.csv',
      show: 'confusion',
      about:
        'of clips of one class each: label, then a column a class with how often its score was the highest; else empty',
    },
  },
  compareMetrics: {digits: 3},
  seeded: true,
  async run({params, inputs, outputs, seed, signal, log, progress, metric}) {
    const {data, members, labels, truth} = readScored(params, inputs);
    if (!data.every(Number.isFinite)) throw new StageError('the predictions hold a value that is not a finite number');
    const {repeat, bootstrap: resamples, confidence} = params;
    let ranked = 0;
    const pause = async (): Promise<void> => {
      await setImmediate();
      signal.throwIfAborted();
      progress(ranked++ / labels.length);
    };
    const report = makeReport(params.variant, data, members, labels, {
      ...(repeat > 0 && {repeat}),
      ...(params.clips !== 'all' && {part: params.clips}),
      ...(resamples > 0 && {
        intervals: await bootstrapClips(createRng(seed), data, members, {resamples, confidence}, pause),
      }),
    });
    writeFileSync(outputs.metrics, `${JSON.stringify(report, null, 2)}\n`);
    writeCsv(
      outputs.perClass,
      ['label', 'clips', 'ap', 'auc', 'ap3'],
      report.perClass.map(({label, clips: own, ap, auc, ap3}) => [label, own, ap ?? '', auc ?? '', ap3 ?? '']),
    );
    writeConfusion(outputs.confusion, data, truth, labels);
    if (report.undefined.length > 0) log(`left out of MAP or AUC, as not defined: ${report.undefined.join(', ')}`);
    const unlabelled = report.clips - new Set(members.rows).size;
    if (unlabelled > 0) log(`${count(unlabelled, 'clip')} without a class: 0 in MAP@3 and accuracy`);
    for (const name of ['map3', 'map', 'auc', 'dPrime', 'accuracy'] as const) {
      const value = report[name];
      if (value !== null) metric(name, value);
    }
  },
});

interface Inputs {
  readonly predictions: readonly string[];
  readonly indexes: readonly string[];
  readonly folds: string | undefined;
  readonly targets: string | undefined;
  readonly classes: string | undefined;
}

interface Params {
  readonly split: 'train' | 'test';
  readonly fold: number;
  readonly clips: 'all' | 'verified' | 'public' | 'private';
}

/** Class probabilities (clips, classes) and what is true of the clips. */
interface Scored {
  readonly data: Float32Array;
  readonly members: ClassMembers;
  readonly labels: readonly string[];
  /** The class of each clip, where each has one. */
  readonly truth?: readonly number[];
}

function readScored(params: Params, inputs: Inputs): Scored {
  const {folds: foldsPath, targets, classes} = inputs;
  if (foldsPath !== undefined && targets === undefined && classes === undefined) {
    const folds = readFolds(foldsPath);
    const {clips, data} = partOf(readFoldScores(params, inputs, folds), params, folds.classes.length);
    const rows = Int32Array.from(clips, (_, row) => row);
    const truth = clips.map(({classIndex}) => classIndex);
    const members = membersOf(rows, Int32Array.from(truth), folds.classes.length);
    return {data, members, labels: folds.classes, truth};
  }
  if (foldsPath !== undefined || targets === undefined || classes === undefined) {
    throw new StageError('what is true of the clips is not clear', 'bind `folds`, or `targets` and `classes`');
  }
  if (inputs.indexes.length > 0 || params.split === 'train' || params.fold !== 0 || params.clips !== 'all') {
    throw new StageError(
      'targets have no split and no folds, and do not say which clips are verified',
      'leave `indexes`, `split`, `fold` and `clips` out',
    );
  }
  return readTargetScores(onlyOf(inputs.predictions), targets, classes);
}

/** A row a true class, in the order of the columns. */
function writeConfusion(
  path: string,
  data: Float32Array,
  truth: readonly number[] | undefined,
  labels: readonly string[],
): void {
  if (truth === undefined) {
    writeCsv(path, ['label'], []);
    return;
  }
  const {counts} = countConfusion(data, truth, labels);
  const rows = labels.map((label, own) => [label, ...counts.slice(own * labels.length, (own + 1) * labels.length)]);
  writeCsv(path, ['label', ...labels], rows);
}

function partOf(scores: ClipScores, {clips: part}: Params, classes: number): ClipScores {
  if (part === 'all') return scores;
  const isOfPart = ({verified, usage}: Clip): boolean => (part === 'verified' ? verified : usage === part);
  const rows = [...scores.clips.entries()].flatMap(([row, clip]) => (isOfPart(clip) ? [row] : []));
  if (rows.length === 0) throw new StageError(`none of the clips is ${part}`, 'leave the param `clips` out');
  const data = new Float32Array(rows.length * classes);
  for (const [i, row] of rows.entries()) data.set(rowOf(scores.data, classes, row), i * classes);
  return {clips: scores.clips.filter(isOfPart), data};
}

function readTargetScores(predictions: string, targets: string, classes: string): Scored {
  const labels = readCsv(classes, ['label'], 'the classes table').map(({label = ''}) => label);
  const file = openNpyRows(targets, 'the targets');
  file.close();
  const [clips = 0, bytes = 0] = file.shape;
  if (labels.length === 0 || clips === 0) throw new StageError('the targets are empty: there is nothing to score');
  if (bytes !== multiHotBytes(labels.length)) {
    throw new StageError(
      `the targets have ${bytes} bytes a clip; ${labels.length} classes need ${multiHotBytes(labels.length)}`,
    );
  }
  const {shape, data} = readFloat32(predictions, 2, 'the predictions');
  if (shape[0] !== clips || shape[1] !== labels.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; the targets have ${clips} clips of ${labels.length} classes`,
    );
  }
  return {data, members: membersOfTargets(targets, labels.length, 'the targets'), labels};
}

function onlyOf(predictions: readonly string[]): string {
  const [path = ''] = predictions;
  if (predictions.length === 1) return path;
  throw new StageError(
    `there are ${predictions.length} arrays of predictions`,
    'give one, or bind `indexes` to score validation clips of several folds',
  );
}

function readFoldScores({split, fold}: Params, {predictions, indexes}: Inputs, folds: Folds): ClipScores {
  if (indexes.length > 0) {
    if (split === 'test' || fold !== 0) {
      throw new StageError('indexes say which clips are scored', 'set `split: train`, and leave `fold` out');
    }
    return joinValidation(predictions, indexes, folds.clips, folds.classes);
  }
  const clips = folds.clips.filter(
    (clip) => clip.parent === '' && clip.split === split && (fold === 0 || clip.fold === fold),
  );
  if (clips.length === 0) {
    throw new StageError(
      `the folds table has no ${split} clips to score`,
      split === 'test' ? 'to score the validation clips, set `split: train` and bind `indexes`' : undefined,
    );
  }
  const {shape, data} = readFloat32(onlyOf(predictions), 2, 'the predictions');
  if (shape[0] !== clips.length || shape[1] !== folds.classes.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; the folds table has ${clips.length} ${split} clips ` +
        `of ${folds.classes.length} classes`,
    );
  }
  return {clips, data};
}
