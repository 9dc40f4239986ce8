import {StageError} from 'mixdown/stage';
import {groupBy} from '../group-by.ts';
import {meanOf} from './metrics.ts';
import type {ClassScore, MetricsReport} from './report.ts';

/** The reports of one variant: one, or one for each repeat of the training. */
export interface VariantReports {
  readonly variant: string;
  /** In the order of `repeat`; all of the same clips and classes. */
  readonly reports: readonly [MetricsReport, ...MetricsReport[]];
}

/**
 * Variants in order of appearance. Throws StageError where two reports are of one variant and `repeat` does not tell them
 * apart, or they were not scored on the same clips.
 */
export function groupRepeats(reports: readonly MetricsReport[]): readonly VariantReports[] {
  return [...groupBy(reports, ({variant}) => variant)].map(([variant, all]): VariantReports => {
    const [first, ...others] = [...all].sort((a, b) => repeatOf(a) - repeatOf(b));
    if (first === undefined) throw new Error('a group has a member');
    for (const [i, other] of others.entries()) {
      const before = others[i - 1] ?? first;
      if (repeatOf(before) === repeatOf(other)) {
        throw new StageError(
          `two reports are of variant \`${variant}\`${other.repeat === undefined ? '' : ` and repeat ${other.repeat}`}`,
          'give each variant a name of its own, and repeats of one the param `repeat` of stage metrics',
        );
      }
      if (placesOf(other) !== placesOf(first)) {
        throw new StageError(
          `repeats ${repeatOf(first)} and ${repeatOf(other)} of variant \`${variant}\` were not scored on the same clips`,
        );
      }
    }
    return {variant, reports: [first, ...others]};
  });
}

/** A score of each class, as its mean over the repeats; null where it is not defined. */
export function classMeans({reports}: VariantReports, score: ClassScore): readonly (number | null)[] {
  return reports[0].perClass.map((_, c) => {
    const values = reports.map(({perClass}) => perClass[c]?.[score] ?? null);
    return values.includes(null) ? null : (meanOf(values.filter((value) => value !== null)) ?? null);
  });
}

/** Standard deviation of a sample, with n - 1; undefined for fewer than two values. */
export function sampleDeviation(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const mean = meanOf(values) ?? 0;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** A report that does not say which is the first of several, or the only one. */
function repeatOf({repeat = 0}: MetricsReport): number {
  return repeat;
}

function placesOf({clips, perClass}: MetricsReport): string {
  return JSON.stringify([clips, perClass.map(({label, clips: own}) => [label, own])]);
}
