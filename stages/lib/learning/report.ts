import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {Interval} from '../statistics/resampling.ts';
import type {ClassMembers} from './class-members.ts';
import {dPrime, meanOf} from './metrics.ts';
import {rankClasses} from './ranking.ts';
import {topThree} from './top-three.ts';

/** What a variant scored. A number is null where it is not defined; d' is null for an AUC of 1, where it is infinite. */
export interface MetricsReport {
  readonly type: 'metrics/1';
  readonly variant: string;
  /** Which of several trainings of the variant, with other seeds, was scored. */
  readonly repeat?: number;
  /** What part of the clips there are was scored; all unless it is said. */
  readonly part?: 'verified' | 'public' | 'private';
  readonly clips: number;
  readonly classes: number;
  /** Clips have any number of classes, not one each. */
  readonly multiLabel?: true;
  /** Mean over the clips of their AP@3: see `TopThree`. */
  readonly map3: number;
  readonly map: number | null;
  readonly auc: number | null;
  readonly dPrime: number | null;
  /** Part of the clips whose highest score is of a class of theirs. */
  readonly accuracy: number;
  readonly intervals?: ScoreIntervals;
  readonly perClass: readonly ClassMetrics[];
  /** Labels whose AP or AUC is not defined, and which the means leave out. */
  readonly undefined: readonly string[];
}

/** Percentile intervals of a bootstrap over the clips; null where the score is. */
export interface ScoreIntervals {
  readonly resamples: number;
  readonly confidence: number;
  readonly map3: Interval;
  readonly map: Interval | null;
  readonly auc: Interval | null;
  readonly dPrime: Interval | null;
  readonly accuracy: Interval;
}

/** Scores of a class in a report. */
export type ClassScore = 'ap' | 'auc' | 'ap3';

export interface ClassMetrics {
  readonly label: string;
  /** Scored clips of this class. */
  readonly clips: number;
  /** Average precision of the class against the others, over all scored clips. */
  readonly ap: number | null;
  readonly auc: number | null;
  /** Mean over the clips of this class of their AP@3. */
  readonly ap3: number | null;
}

/** What a report says besides its scores. */
export type ReportDetails = Pick<MetricsReport, 'repeat' | 'part' | 'intervals'>;

/**
 * Scores class probabilities (clips, classes), none of them NaN; `members` are the clips of each class. MAP and AUC are
 * unweighted means over the classes that have them; d' is that of the mean AUC, not a mean over classes. At least one
 * clip.
 */
export function makeReport(
  variant: string,
  scores: Float32Array,
  members: ClassMembers,
  labels: readonly string[],
  {repeat, part, intervals}: ReportDetails = {},
): MetricsReport {
  const {classes, rows, starts} = members;
  const clips = scores.length / classes;
  const {averagePrecisions, isTopHit} = topThree(scores, members);
  const perClass = rankClasses(scores, members).map(({averagePrecision, areaUnderRoc}, c): ClassMetrics => {
    const own = rows.subarray(starts[c], starts[c + 1]);
    return {
      label: labels[c] ?? '',
      clips: own.length,
      ap: averagePrecision ?? null,
      auc: areaUnderRoc ?? null,
      ap3: meanOf(Array.from(own, (row) => averagePrecisions[row] as number)) ?? null,
    };
  });
  const auc = meanOf(perClass.flatMap((row) => row.auc ?? [])) ?? null;
  const separation = auc === null ? null : dPrime(auc);
  return {
    type: 'metrics/1',
    variant,
    ...(repeat === undefined ? {} : {repeat}),
    ...(part === undefined ? {} : {part}),
    clips,
    classes,
    ...(isMultiLabel(members, clips) ? {multiLabel: true} : {}),
    map3: meanOf(averagePrecisions) ?? 0,
    map: meanOf(perClass.flatMap((row) => row.ap ?? [])) ?? null,
    auc,
    dPrime: separation !== null && Number.isFinite(separation) ? separation : null,
    accuracy: meanOf(isTopHit) ?? 0,
    ...(intervals === undefined ? {} : {intervals}),
    perClass,
    undefined: perClass.filter(({ap, auc}) => ap === null || auc === null).map(({label}) => label),
  };
}

/** Reads what the metrics stage writes. Throws StageError for anything else. `name` stands for the file in messages. */
export function readReport(path: string, name: string): MetricsReport {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new StageError(`${name} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || (value as {type?: unknown}).type !== 'metrics/1') {
    throw new StageError(`${name} is not a metrics/1 report`, 'give the output `metrics` of stage metrics');
  }
  return value as MetricsReport;
}

function isMultiLabel({rows}: ClassMembers, clips: number): boolean {
  return rows.length !== clips || new Set(rows).size !== clips;
}
