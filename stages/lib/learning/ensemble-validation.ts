import {StageError} from 'mixdown/stage';
import type {Folds} from '../experiment/dataset.ts';
import {readFloat32} from '../formats/npy.ts';
import {groupBy} from '../group-by.ts';
import {checkShape, readAxes} from './ensemble-index.ts';
import {scoreOf, type EnsembleScore} from './ensemble-score.ts';

/** What a model gave for the clips of the fold that it did not train on. */
export interface Validation {
  readonly fold: number;
  readonly clips: readonly string[];
  /** Class of each clip. */
  readonly truth: readonly number[];
  /** (clips, classes). */
  readonly data: Float32Array;
}

/** A way to make models, such as a set of levels, with one model in each fold, if there are folds. */
export interface Variant {
  /** Which of the models, by fold. */
  readonly models: readonly number[];
  /** (clips, classes): each clip as scored by the model of its own fold. */
  readonly data: Float32Array;
}

/** Variants that are scored on the same clips, and so can be compared. */
export interface Contest {
  readonly variants: readonly Variant[];
  /** Scores values (clips, classes), which may have any one scale; more is better. */
  readonly score: (values: Float32Array | Float64Array) => number;
}

/** How clips of one class are scored. */
export interface Scoring {
  readonly score: EnsembleScore;
  readonly classes: number;
}

export const CONTESTS = ['all-folds', 'each-fold'] as const;

/**
 * Reads the predictions of each model for its own validation clips: the outputs `validation` and `index` of stage train.
 * Throws StageError when they do not fit each other or the folds table, or when a clip is not a train clip of the model's
 * fold. Labels of test clips are not looked at.
 */
export function readValidation(
  predictions: readonly string[],
  indexes: readonly string[],
  folds: Folds,
): readonly Validation[] {
  // Test clips and copies are left out here, so nothing below can score by them.
  const known = new Map(
    folds.clips.filter(({split, parent}) => split === 'train' && parent === '').map((clip) => [clip.key, clip]),
  );
  return predictions.map((path, i) => {
    const name = `validation ${i + 1}`;
    const axes = readAxes(indexes[i] as string, 'validation', `index ${i + 1}`);
    const {shape, data} = readFloat32(path, 2, name);
    checkShape(shape, axes, name);
    if (axes.classes.join('\n') !== folds.classes.join('\n')) {
      throw new StageError(`index ${i + 1} has other classes than the folds table`);
    }
    if (!data.every(Number.isFinite)) throw new StageError(`${name} hold a value that is not a finite number`);
    const clips = axes.clips.map((key) => {
      const clip = known.get(key);
      if (clip === undefined)
        throw new StageError(`clip \`${key}\` of index ${i + 1} is no train clip of the folds table`);
      return clip;
    });
    const [first] = clips;
    if (first === undefined) {
      throw new StageError(
        `model ${i + 1} has no validation clips`,
        'a model of all train clips (fold 0) cannot be weighed; use method geometric or arithmetic',
      );
    }
    const other = clips.find(({fold}) => fold !== first.fold);
    if (other !== undefined) {
      throw new StageError(
        `${name} are of more than one fold: clip \`${first.key}\` of fold ${first.fold}, clip \`${other.key}\` of fold ${other.fold}`,
        'bind the folds table that the models were trained with',
      );
    }
    return {fold: first.fold, clips: axes.clips, truth: clips.map(({classIndex}) => classIndex), data};
  });
}

/**
 * Says who competes with whom. Models of different folds saw different validation clips, some easier than others, so their
 * scores say nothing of each other. `each-fold`: a contest for each fold, between its models. `all-folds`: one contest
 * between variants, where the k-th model of each fold belongs to variant k; a variant is scored on the clips of all folds
 * together, each clip by the model that has not trained on it. Models of one fold must be for the same clips, and with
 * `all-folds` each fold must have equally many; StageError else.
 */
export function contestsOf(
  models: readonly Validation[],
  how: (typeof CONTESTS)[number],
  scoring: Scoring,
): readonly Contest[] {
  const byFold = groupBy(models.keys(), (i) => (models[i] as Validation).fold);
  const folds = [...byFold].sort(([a], [b]) => a - b).map(([, own]) => own);
  for (const own of folds) checkSameClips(own, models);
  if (how === 'each-fold') {
    return folds.map((own) =>
      contestOf(
        own.map((model) => [model]),
        models,
        scoring,
      ),
    );
  }
  const [first = []] = folds;
  const uneven = folds.find((own) => own.length !== first.length);
  if (uneven !== undefined) {
    const [a, b] = [first, uneven].map(([model = 0]) => models[model]?.fold);
    throw new StageError(
      `there are ${first.length} models of fold ${a} and ${uneven.length} of fold ${b}`,
      'give the same variants of every fold, or set `compare: each-fold`',
    );
  }
  return [
    contestOf(
      first.map((_, k) => folds.map((own) => own[k] as number)),
      models,
      scoring,
    ),
  ];
}

function checkSameClips(own: readonly number[], models: readonly Validation[]): void {
  const [first = 0] = own;
  const wanted = models[first]?.clips.join('\n');
  const other = own.find((model) => models[model]?.clips.join('\n') !== wanted);
  if (other === undefined) return;
  throw new StageError(
    `models ${first + 1} and ${other + 1} validate in fold ${models[first]?.fold}, but not on the same clips`,
    'scores of different clips cannot be compared',
  );
}

function contestOf(
  variants: readonly (readonly number[])[],
  models: readonly Validation[],
  {score, classes}: Scoring,
): Contest {
  const of = (model: number): Validation => models[model] as Validation;
  const truth = (variants[0] ?? []).flatMap((model) => of(model).truth);
  return {
    variants: variants.map((own) => ({models: own, data: concat(own.map((model) => of(model).data))})),
    score: (values) => scoreOf(score, values, truth, classes),
  };
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, {length}) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
