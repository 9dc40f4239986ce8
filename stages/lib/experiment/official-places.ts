import {StageError} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';
import type {LabelledClip} from './labels.ts';
import {count, firstOf, gatherProblems} from '../problems.ts';

export interface OfficialOptions {
  readonly folds: number;
  /** What is kept of the labels table's places: split and folds, the split only, or nothing. */
  readonly official: 'all' | 'split' | 'none';
  /** Whether groups count. */
  readonly groups: boolean;
}

/**
 * The clips with those places and groups that count. Throws StageError when the table's folds are not those of `folds`, and
 * when clips of a group have different places.
 */
export function officialPlaces(
  clips: readonly LabelledClip[],
  {folds, official, groups}: OfficialOptions,
): readonly LabelledClip[] {
  const placed = clips.map((clip) => ({
    ...clip,
    split: official === 'none' ? undefined : clip.split,
    fold: official === 'all' ? clip.fold : undefined,
    group: groups ? clip.group : '',
  }));
  checkFoldCount(placed, folds);
  checkGroups(placed);
  return placed;
}

function checkFoldCount(clips: readonly LabelledClip[], folds: number): void {
  const inFolds = clips.filter(({fold}) => fold !== undefined);
  const last = inFolds.reduce((most, {fold}) => Math.max(most, fold ?? 0), 0);
  const isDrawn = clips.some(({split, fold}) => split !== 'test' && fold === undefined);
  if (last === 0 || last === folds || (last < folds && isDrawn)) return;
  const first = inFolds.find(({fold}) => fold === last);
  const mayCountFromZero = last === folds - 1 && clips.some(({split}) => split === 'test');
  throw new StageError(
    `the labels table has folds 1 ... ${last} (fold ${last} on line ${first?.line}), but the param folds is ${folds}`,
    `set \`folds: ${last}\`, or \`official: split\` to draw the folds anew` +
      (mayCountFromZero ? '; if fold 0 is a fold and not the test, set `firstFold: 0` of stage dataset' : ''),
  );
}

function checkGroups(clips: readonly LabelledClip[]): void {
  const problems = gatherProblems('the groups of the labels table');
  const grouped = groupBy(
    clips.filter(({group}) => group !== ''),
    ({group}) => group,
  );
  for (const [group, members] of grouped) {
    const places = groupBy(
      members.filter(({split, fold}) => split !== undefined || fold !== undefined),
      (clip) => clip.fold ?? clip.split,
    );
    // A train clip whose fold is to be drawn goes where its group is, in any fold.
    const kinds = [...places.keys()].filter((place) => place !== 'train');
    if (kinds.length === 0 || (kinds.length === 1 && !(kinds[0] === 'test' && places.has('train')))) continue;
    const said = [...places].map(([place, own]) => `${placeName(place)} (\`${own[0]?.key}\`, line ${own[0]?.line})`);
    problems.add(
      `the ${count(members.length, 'clip')} of group \`${group}\` lie in ${firstOf(said)}`,
      'a group belongs in one place: mend the table, draw anew by `official: none`, or set `groups: false` to accept the leak',
    );
  }
  problems.check();
}

function placeName(place: number | 'train' | 'test' | undefined): string {
  return typeof place === 'number' ? `fold ${place}` : `the ${place} split`;
}
