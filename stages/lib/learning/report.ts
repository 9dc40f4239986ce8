import {readFileSync} from 'node:fs';
import {StageError} from 'mixdown/stage';
import type {Clip} from '../experiment/dataset.ts';
import {
  areaUnderRoc,
  averagePrecision,
  averagePrecisionAt3,
  dPrime,
  meanAveragePrecisionAt3,
  meanOf,
  rowOf,
  topClass,
} from './metrics.ts';

/** What a variant scored. A number is null where it is not defined; d' is null for an AUC of 1, where it is infinite. */
export interface MetricsReport {
  readonly type: 'metrics/1';
  readonly variant: string;
  readonly clips: number;
  readonly classes: number;
  readonly map3: number;
  readonly map: number | null;
  readonly auc: number | null;
  readonly dPrime: number | null;
  /** Part of the clips whose true class scores highest. */
  readonly accuracy: number;
  readonly perClass: readonly ClassMetrics[];
  /** Labels whose AP or AUC is not defined, and which the means leave out. */
  readonly undefined: readonly string[];
}

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

/**
 * Scores class probabilities (clips, classes). MAP and AUC are unweighted means over the classes that have them; d' is that
 * of the mean AUC, not a mean over classes. At least one clip.
 */
export function makeReport(
  variant: string,
  scores: Float32Array,
  clips: readonly Clip[],
  labels: readonly string[],
): MetricsReport {
  const classes = labels.length;
  const truth = clips.map(({classIndex}) => classIndex);
  const perClass = labels.map((label, index): ClassMetrics => {
    const column = clips.map((_, row) => scores[row * classes + index] as number);
    const positive = truth.map((own) => own === index);
    const own = truth.flatMap((trueClass, row) =>
      trueClass === index ? [averagePrecisionAt3(rowOf(scores, classes, row), index)] : [],
    );
    return {
      label,
      clips: own.length,
      ap: averagePrecision(column, positive) ?? null,
      auc: areaUnderRoc(column, positive) ?? null,
      ap3: meanOf(own) ?? null,
    };
  });
  const auc = meanOf(perClass.flatMap((row) => row.auc ?? [])) ?? null;
  const separation = auc === null ? null : dPrime(auc);
  return {
    type: 'metrics/1',
    variant,
    clips: clips.length,
    classes,
    map3: meanAveragePrecisionAt3(scores, classes, truth) ?? 0,
    map: meanOf(perClass.flatMap((row) => row.ap ?? [])) ?? null,
    auc,
    dPrime: separation !== null && Number.isFinite(separation) ? separation : null,
    accuracy: meanOf(truth.map((own, row) => (topClass(rowOf(scores, classes, row)) === own ? 1 : 0))) ?? 0,
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
