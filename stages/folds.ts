import {defineStage, StageError} from 'mixdown/stage';
import {classesOf, compareCodePoints, writeFolds, type Clip} from './lib/dataset.ts';
import {readLabels} from './lib/labels.ts';
import {createRng} from './lib/rng.ts';
import {stratify} from './lib/stratify.ts';

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
      about: 'share of the clips to test on; a `split` or `fold` column of the labels table takes its place',
    },
    verifiedTest: {
      type: 'boolean',
      default: true,
      about: 'draw test clips among the manually verified ones first, as FSDKaggle2018 does',
    },
  },
  inputs: {
    labels: {
      kind: 'file',
      about: 'csv: fname,label,manually_verified; optional split (train, test) and fold (1 ... folds, 0 for test)',
    },
    clips: {kind: 'tree', about: 'the clips; fname is a path in it'},
  },
  outputs: {
    folds: {
      kind: 'file',
      name: 'folds.csv',
      about: 'csv: key,label,class,verified,split,fold,group,parent, sorted by key',
    },
  },
  seeded: true,
  run({params, inputs, outputs, seed, log, metric}) {
    const {folds} = params;
    const labelled = readLabels(inputs.labels, inputs.clips, folds).toSorted((a, b) => compareCodePoints(a.key, b.key));
    const classes = classesOf(labelled.map((clip) => clip.label));
    const drawn = stratify(labelled, params, createRng(seed));
    const clips = labelled.map(({key, label, verified, fold}, i): Clip => {
      const place = fold ?? drawn[i] ?? 0;
      return {
        key,
        label,
        classIndex: classes.indexOf(label),
        verified,
        split: place === 0 ? 'test' : 'train',
        fold: place,
        group: '',
        parent: '',
      };
    });
    checkFolds(clips, folds);
    for (const text of sparseClasses(clips, classes, folds)) log(text);
    writeFolds(outputs.folds, clips);
    metric('clips', clips.length);
    metric('classes', classes.length);
    metric('testClips', clips.filter((clip) => clip.split === 'test').length);
  },
});

function checkFolds(clips: readonly Clip[], folds: number): void {
  for (let fold = 1; fold <= folds; fold++) {
    if (clips.some((clip) => clip.fold === fold)) continue;
    const train = clips.filter((clip) => clip.split === 'train').length;
    throw new StageError(
      `fold ${fold} of ${folds} has no clips: there are ${train} train clips`,
      'use fewer folds or more clips',
    );
  }
}

/** What the numbers of later stages cannot show: labels that some fold, or the test, does not see. */
function sparseClasses(clips: readonly Clip[], classes: readonly string[], folds: number): readonly string[] {
  const hasTest = clips.some((clip) => clip.split === 'test');
  return classes.flatMap((label) => {
    const members = clips.filter((clip) => clip.label === label);
    const train = members.filter((clip) => clip.split === 'train').length;
    const texts: string[] = [];
    if (train < folds) texts.push(`label \`${label}\` has ${train} train clips: fewer than the ${folds} folds`);
    if (hasTest && train === members.length) texts.push(`label \`${label}\` has no test clip`);
    return texts;
  });
}
