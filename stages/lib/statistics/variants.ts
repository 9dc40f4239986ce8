import {StageError} from 'mixdown/stage';
import type {MetricsReport} from '../learning/report.ts';
import type {VariantScores} from './comparison.ts';

/** Scores of a class in a report. */
export type ClassScore = 'ap' | 'auc' | 'ap3';

/**
 * Takes one score of the classes out of the reports. Throws StageError for reports that cannot be compared class by
 * class.
 */
export function variantsOf(reports: readonly MetricsReport[], score: ClassScore): readonly VariantScores[] {
  const [first] = reports;
  if (first === undefined || reports.length < 2) {
    throw new StageError('there is nothing to compare', 'give the reports of two variants or more');
  }
  const classes = classesOf(first, score);
  const seen = new Set<string>();
  for (const report of reports) {
    if (seen.has(report.variant)) {
      throw new StageError(`two reports are of variant \`${report.variant}\``, 'give each a name of its own');
    }
    seen.add(report.variant);
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
  return reports.map(({variant, perClass}) => ({variant, values: perClass.map((row) => row[score])}));
}

/** All pairs, in order: (1, 2), (1, 3), ... (2, 3), ... */
export function pairsOf<T>(items: readonly T[]): readonly (readonly [T, T])[] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b) => [a, b] as const));
}

/** With the clips of each class, and whether it has a score: another test set of the same size differs in them. */
function classesOf({perClass}: MetricsReport, score: ClassScore): string {
  return JSON.stringify(perClass.map((row) => [row.label, row.clips, row[score] === null]));
}
