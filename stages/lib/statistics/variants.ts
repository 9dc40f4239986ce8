import {StageError} from 'mixdown/stage';
import {classMeans, groupRepeats} from '../learning/repeats.ts';
import type {ClassScore, MetricsReport} from '../learning/report.ts';
import type {VariantScores} from './comparison.ts';

/**
 * Takes one score of the classes out of the reports; of a variant with several repeats, each class's mean over them, so that
 * pairs are of classes, however often a variant was trained. Throws StageError for reports that cannot be compared class by
 * class.
 */
export function variantsOf(reports: readonly MetricsReport[], score: ClassScore): readonly VariantScores[] {
  const variants = groupRepeats(reports);
  const first = variants[0]?.reports[0];
  if (first === undefined || variants.length < 2) {
    throw new StageError('there is nothing to compare', 'give the reports of two variants or more');
  }
  const classes = classesOf(first, score);
  for (const report of variants.flatMap(({reports: own}) => own)) {
    if (classesOf(report, score) !== classes || report.clips !== first.clips) {
      throw new StageError(
        `\`${report.variant}\` was scored on ${report.clips} clips of ${report.classes} classes, ` +
          `\`${first.variant}\` on ${first.clips} of ${first.classes}, or on other classes`,
        'tests are paired: compare what was scored on the same clips',
      );
    }
    if (report.perClass.every((row) => row[score] === null)) {
      throw new StageError(`\`${report.variant}\` has no class whose ${score} is defined`);
    }
  }
  return variants.map((own) => ({variant: own.variant, values: classMeans(own, score)}));
}

/** All pairs, in order: (1, 2), (1, 3), ... (2, 3), ... */
export function pairsOf<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b) => [a, b] as const));
}

/** With the clips of each class, and whether it has a score: another test set of the same size differs in them. */
function classesOf({perClass}: MetricsReport, score: ClassScore): string {
  return JSON.stringify(perClass.map((row) => [row.label, row.clips, row[score] === null]));
}
