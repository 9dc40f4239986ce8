import {StageError} from 'mixdown/stage';
import type {VariantReports} from '../learning/repeats.ts';
import type {Curve} from './curve-file.ts';
import type {Reference} from './reference.ts';
import {summarize} from './score-summary.ts';
import {SCORE_NAMES, type Score} from './scores.ts';

export interface SettingOptions {
  /** What the values are, such as `mixup alpha`. */
  readonly setting: string;
  /** One of each variant, all different. */
  readonly settings: readonly number[];
  readonly scores: readonly Score[];
  readonly reference: Reference | undefined;
}

/** Scores by the value of a setting: a line of ours, and one of the reference where it has such variants. */
export function settingCurves(
  variants: readonly VariantReports[],
  {setting, settings, scores, reference}: SettingOptions,
): readonly Curve[] {
  if (settings.length !== variants.length) {
    throw new StageError(`there are ${variants.length} variants and ${settings.length} settings for them`);
  }
  const points = variants
    .map((own, i) => ({own, x: settings[i] ?? 0, published: reference?.find(own.variant)}))
    .sort((a, b) => a.x - b.x);
  const twice = points.find(({x}, i) => x === points[i - 1]?.x);
  if (twice !== undefined) throw new StageError(`two variants have the ${setting} ${twice.x}`);
  const curve = (name: string, of: (point: (typeof points)[number], score: Score) => number | undefined): Curve => ({
    name,
    dots: true,
    unit: setting,
    x: points.map(({x}) => x),
    columns: new Map(scores.map((score) => [SCORE_NAMES[score], points.map((point) => of(point, score))])),
  });
  const ours = curve('ours', ({own}, score) => {
    const {mean} = summarize(own, score);
    return mean === null || mean === Infinity ? undefined : mean;
  });
  const theirs = curve('published', ({published}, score) => published?.scores[score]);
  return [...theirs.columns.values()].flat().some((value) => value !== undefined) ? [ours, theirs] : [ours];
}
