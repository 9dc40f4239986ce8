import {defineStage, StageError} from 'mixdown/stage';
import {readSkipped} from './lib/audio/clip-report.ts';
import {classesOf, compareCodePoints, writeFolds, type Clip} from './lib/experiment/dataset.ts';
import {coverageOf, writeClasses} from './lib/experiment/fold-coverage.ts';
import {readLabels, type LabelledClip} from './lib/experiment/labels.ts';
import {officialPlaces} from './lib/experiment/official-places.ts';
import {count, firstOf} from './lib/problems.ts';
import {createRng} from './lib/rng.ts';
import {stratify} from './lib/experiment/stratify.ts';

export default defineStage({
  name: 'folds',
  summary: 'Splits labelled clips into test clips and cross-validation folds, each label spread evenly.',
  params: {
    folds: {type: 'integer', minimum: 2, maximum: 100, default: 5, about: 'cross-validation folds of the train clips'},
    testFraction: {
      type: 'number',
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.2,
      about: 'share of the clips to test on, of those whose split the labels table leaves open',
    },
    verifiedTest: {
      type: 'boolean',
      default: true,
      about: 'draw test clips among the manually verified ones first, as FSDKaggle2018 does',
    },
    official: {
      type: 'string',
      enum: ['all', 'split', 'none'],
      default: 'all',
      about: 'what to keep of the labels table: all: its split and folds; split: its split only; none: nothing',
    },
    groups: {
      type: 'boolean',
      default: true,
      about: 'keep the clips of a group, that is of one source recording, in one place',
    },
  },
  inputs: {
    labels: {kind: 'file', about: 'the labels table: csv with fname, label, and what else stage dataset writes'},
    clips: {kind: 'tree', about: 'the clips; fname is a path in it, whatever the extension'},
    report: {kind: 'file', optional: true, about: 'clips.csv of clip-report: clips skipped there are left out'},
  },
  outputs: {
    folds: {
      kind: 'file',
      name: 'folds.csv',
      about:
        'csv: key,label,class,verified,split,fold,group,parent, sorted by key; with usage (public, private) where the labels table has it',
    },
    classes: {
      kind: 'file',
      name: 'classes.csv',
      about: 'csv: index,label,trainClips,testClips: the order of every class axis, labels sorted by code point',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed, log, metric}) {
    const {folds} = params;
    const reasonOf = inputs.report === undefined ? new Map<string, string>() : readSkipped(inputs.report);
    const all = readLabels(inputs.labels, inputs.clips, reasonOf);
    const kept = leaveOut(all, reasonOf, log);
    const known = new Set(all.map(({key}) => key));
    const unlabelled = inputs.clips.entries.filter(({key}) => !known.has(key)).length;
    if (unlabelled > 0) log(`${count(unlabelled, 'clip')} without a label left out`);
    const labelled = officialPlaces(kept, params).toSorted((a, b) => compareCodePoints(a.key, b.key));
    const classes = classesOf(labelled.map((clip) => clip.label));
    const places = stratify(labelled, params, createRng(seed));
    const clips = labelled.map(({key, label, verified, usage, group}, i): Clip => {
      const fold = places[i] ?? 0;
      const split = fold === 0 ? 'test' : 'train';
      // A clip that `official: none` makes one to train on is of no part of a test set.
      const part = split === 'test' && usage !== undefined ? {usage} : {};
      return {key, label, classIndex: classes.indexOf(label), verified, split, ...part, fold, group, parent: ''};
    });
    checkFolds(clips, folds);
    const coverage = coverageOf(clips, classes, folds);
    for (const text of coverage.texts.slice(0, MOST_LINES)) log(text);
    const more = coverage.texts.length - MOST_LINES;
    if (more > 0) log(`and ${count(more, 'label')} more without a clip somewhere`);
    writeFolds(outputs.folds, clips);
    writeClasses(outputs.classes, clips, classes);
    metric('clips', clips.length);
    metric('classes', classes.length);
    metric('testClips', clips.filter((clip) => clip.split === 'test').length);
    metric('skipped', all.length - kept.length);
    metric('unlabelled', unlabelled);
    metric('classesMissingInFolds', coverage.missingInFolds);
    metric('classesMissingInTraining', coverage.missingInTraining);
    metric('classesMissingInTest', coverage.missingInTest);
  },
});

const MOST_LINES = 20;

/** Clips without those that could not be decoded. */
function leaveOut(
  clips: readonly LabelledClip[],
  reasonOf: ReadonlyMap<string, string>,
  log: (text: string) => void,
): readonly LabelledClip[] {
  const skipped = clips.filter(({key}) => reasonOf.has(key));
  if (skipped.length === 0) return clips;
  const named = skipped.map(({key}) => `\`${key}\` (${reasonOf.get(key)})`);
  if (skipped.length === clips.length) {
    throw new StageError(`all ${count(clips.length, 'labelled clip')} were skipped`, `the first: ${named[0]}`);
  }
  log(`${count(skipped.length, 'skipped clip')} left out: ${firstOf(named)}`);
  return clips.filter(({key}) => !reasonOf.has(key));
}

function checkFolds(clips: readonly Clip[], folds: number): void {
  for (let fold = 1; fold <= folds; fold++) {
    if (clips.some((clip) => clip.fold === fold)) continue;
    const train = clips.filter((clip) => clip.split === 'train').length;
    throw new StageError(
      `fold ${fold} of ${folds} has no clips: there are ${count(train, 'train clip')}`,
      'use fewer folds, more clips or smaller groups',
    );
  }
}
