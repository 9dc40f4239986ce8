import {StageError} from 'mixdown/stage';
import {readFloat32} from '../formats/npy.ts';
import type {ClassMembers} from '../learning/class-members.ts';
import {checkSameAxes, checkShape, readAxes} from '../learning/ensemble-index.ts';
import {openClipTargets} from './clip-targets.ts';

/** What taggers gave for the clips that none of them trained on. */
export interface HeldOut {
  /** Of each tagger, (clips, classes). */
  readonly predictions: readonly Float32Array[];
  /** The clips of each class, by their place. */
  readonly truth: ClassMembers;
}

/**
 * Reads the outputs `validation` and `index` of stage train-tagger, and the classes of the clips held out from the `targets` that
 * it trained with. Throws StageError when the taggers did not hold out the same clips, or none, or when their classes are
 * not to be had.
 */
export function readHeldOut(
  validation: readonly string[],
  indexes: readonly string[],
  targets: readonly string[],
): HeldOut {
  const axes = indexes.map((path, i) => readAxes(path, 'validation', `index ${i + 1}`));
  checkSameAxes(axes, 'train the taggers with one `holdoutSeed`, `holdout` and `holdoutMost`, on the same clips');
  const {clips = [], classes = []} = axes[0] ?? {};
  if (clips.length === 0) {
    throw new StageError(
      'the taggers have no clips held out',
      'train them with `selectOn: holdout`, or use method geometric or arithmetic',
    );
  }
  const predictions = validation.map((path, i) => {
    const name = `validation ${i + 1}`;
    const {shape, data} = readFloat32(path, 2, name);
    checkShape(shape, {clips, classes}, name);
    if (!data.every(Number.isFinite)) throw new StageError(`${name} hold a value that is not a finite number`);
    return data;
  });
  const known = openClipTargets(targets, classes.length, 'the training clips');
  try {
    const rows = Int32Array.from(clips, (text) => {
      if (/^\d{1,9}$/.test(text) && Number(text) < known.count) return Number(text);
      throw new StageError(
        `clip \`${text}\` held out is no row of the targets, which have ${known.count}`,
        'bind the targets that the taggers were trained with, in their order',
      );
    });
    const truth = known.members(rows, 'place');
    if (truth.rows.length === 0) throw new StageError('the clips held out have no class', 'hold out more clips');
    return {predictions, truth};
  } finally {
    known.close();
  }
}
