import {StageError} from 'mixdown/stage';
import {readFolds, type Folds} from '../experiment/dataset.ts';
import {readFloat32} from '../formats/npy.ts';
import {joinValidation, type ClipScores} from '../learning/validation-scores.ts';
import {countConfusion, type Confusion} from './confusion.ts';

export interface ConfusionInputs {
  readonly predictions: readonly string[];
  /** With predictions of validation clips: output `index` of stage train for each. */
  readonly indexes: readonly string[];
  readonly folds: string | undefined;
}

/**
 * Counts the predictions (clips, classes) of the test clips of a folds table, or of the validation clips of several folds.
 * Throws StageError for what does not fit together.
 */
export function readConfusion({predictions, indexes, folds: table}: ConfusionInputs): Confusion {
  if (table === undefined) throw new StageError('the true classes are not known', 'bind `folds` to the folds table');
  const folds = readFolds(table);
  const {clips, data} =
    indexes.length > 0
      ? joinValidation(predictions, indexes, folds.clips, folds.classes)
      : readTestClips(predictions, folds);
  if (!data.every(Number.isFinite)) throw new StageError('the predictions hold a value that is not a finite number');
  return countConfusion(
    data,
    clips.map(({classIndex}) => classIndex),
    folds.classes,
  );
}

function readTestClips(predictions: readonly string[], folds: Folds): ClipScores {
  const [path = ''] = predictions;
  if (predictions.length !== 1) {
    throw new StageError(
      `there are ${predictions.length} arrays of predictions`,
      'give one, or bind `indexes` to draw the validation clips of several folds',
    );
  }
  const clips = folds.clips.filter(({split, parent}) => split === 'test' && parent === '');
  const {shape, data} = readFloat32(path, 2, 'the predictions');
  if (shape[0] !== clips.length || shape[1] !== folds.classes.length) {
    throw new StageError(
      `the predictions have shape [${shape.join(', ')}]; the folds table has ${clips.length} test clips ` +
        `of ${folds.classes.length} classes`,
      'for the validation clips bind `indexes`',
    );
  }
  return {clips, data};
}
