import {writeCsv} from '../formats/csv.ts';
import type {Clip} from './dataset.ts';
import {groupBy} from '../group-by.ts';
import {count, firstOf} from '../problems.ts';

/** What numbers of later stages cannot show: where a label has no clips. */
export interface Coverage {
  /** A line for each such label. */
  readonly texts: readonly string[];
  /** Pairs of a label and a fold without a clip of it to validate on. */
  readonly missingInFolds: number;
  /** Pairs of a label and a fold without a clip of it to train on, the model of that fold never learns it. */
  readonly missingInTraining: number;
  /** Labels without a test clip; 0 where there is no test at all. */
  readonly missingInTest: number;
}

export function coverageOf(clips: readonly Clip[], classes: readonly string[], folds: number): Coverage {
  const hasTest = clips.some(({split}) => split === 'test');
  const byLabel = groupBy(clips, ({label}) => label);
  const texts: string[] = [];
  let missingInFolds = 0;
  let missingInTraining = 0;
  let missingInTest = 0;
  for (const label of classes) {
    const own = byLabel.get(label) ?? [];
    const present = new Set(own.map(({fold}) => fold));
    const absent = Array.from({length: folds}, (_, i) => i + 1).filter((fold) => !present.has(fold));
    const lacks = [
      ...(absent.length === 0 ? [] : [`in ${absent.length === 1 ? 'fold' : 'folds'} ${firstOf(absent.map(String))}`]),
      ...(hasTest && !present.has(0) ? ['to test on'] : []),
    ];
    missingInFolds += absent.length;
    if (hasTest && !present.has(0)) missingInTest++;
    // All train clips in one fold: its model trains on none.
    if (absent.length === folds - 1) missingInTraining++;
    if (lacks.length === 0) continue;
    const only = absent.length === folds - 1 ? ', and none to train on when that of its only fold is left out' : '';
    texts.push(`label \`${label}\` (${count(own.length, 'clip')}) has no clip ${lacks.join(', and none ')}${only}`);
  }
  return {texts, missingInFolds, missingInTraining, missingInTest};
}

/** Writes the order of the classes: index, label, and how many clips it has. */
export function writeClasses(path: string, clips: readonly Clip[], classes: readonly string[]): void {
  const byLabel = groupBy(clips, ({label}) => label);
  const rows = classes.map((label, index) => {
    const own = byLabel.get(label) ?? [];
    const test = own.filter(({split}) => split === 'test').length;
    return [index, label, own.length - test, test];
  });
  writeCsv(path, ['index', 'label', 'trainClips', 'testClips'], rows);
}
