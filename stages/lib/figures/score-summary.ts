import {meanOf} from '../learning/metrics.ts';
import {sampleDeviation, type VariantReports} from '../learning/repeats.ts';
import type {MetricsReport} from '../learning/report.ts';
import type {Interval} from '../statistics/resampling.ts';
import type {Score} from './scores.ts';

/** A score of a variant, over its repeats. */
export interface ScoreSummary {
  /** Null where a repeat does not have the score; infinite for the d' of an AUC of 1. */
  readonly mean: number | null;
  /** Standard deviation over the repeats, with n - 1; undefined for one, and where the mean is no finite number. */
  readonly deviation: number | undefined;
  /** Of a variant without repeats whose report has intervals. */
  readonly interval: Interval | undefined;
}

export function summarize({reports}: VariantReports, score: Score): ScoreSummary {
  const values = reports.map((report) => valueOf(report, score));
  const defined = values.filter((value) => value !== null);
  if (defined.length < values.length) return {mean: null, deviation: undefined, interval: undefined};
  const mean = meanOf(defined) ?? null;
  const deviation = mean === Infinity ? undefined : sampleDeviation(defined);
  const interval = reports.length === 1 ? reports[0].intervals?.[score] : undefined;
  return {mean, deviation, interval: interval ?? undefined};
}

/** `0.688`, `0.688 ± 0.004` or `0.688 [0.679, 0.697]`. */
export function summaryText({mean, deviation, interval}: ScoreSummary): string {
  if (mean === null) return NONE;
  if (deviation !== undefined) return `${decimals(mean)} ± ${decimals(deviation)}`;
  return interval === undefined
    ? decimals(mean)
    : `${decimals(mean)} [${decimals(interval.low)}, ${decimals(interval.high)}]`;
}

/** What stands where there is no figure. */
export const NONE = '-';

export function decimals(value: number): string {
  return value === Infinity ? 'inf' : value.toFixed(3);
}

function valueOf(report: MetricsReport, score: Score): number | null {
  return score === 'dPrime' && report.auc === 1 ? Infinity : report[score];
}
