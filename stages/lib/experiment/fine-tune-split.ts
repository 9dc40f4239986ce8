import {StageError} from 'mixdown/stage';
import {count} from '../problems.ts';
import {createRng} from '../rng.ts';
import type {Clip} from './dataset.ts';
import {isTraining} from './piece-rows.ts';

/** Clips to fine-tune on, and those that say when to stop. */
export interface FineTuneSplit {
  /** Recordings, and copies of them, by key. */
  readonly training: readonly Clip[];
  /** Recordings, by key. */
  readonly validation: readonly Clip[];
}

export interface SplitOptions {
  /** Leaves out the clips of a fold, for which the extractor is then as good as new; 0 leaves out none. */
  readonly fold: number;
  /** Of the train clips: that of their keys, or one in which a clip's place depends on the seed and its key alone. */
  readonly order: 'key' | 'random';
  readonly seed: number;
  /** Which end of the order validates. */
  readonly validation: 'first' | 'last';
  /** Recordings that validate; 0: as `validationFraction` says. */
  readonly validationClips: number;
  /** Of the recordings, rounded; at least one. */
  readonly validationFraction: number;
}

/**
 * Cuts the train clips in two, so many from one end of their order. Clips of one group stay together: where the cut goes through
 * one, all of it validates. A copy trains if its recording does, and never validates. Throws
 * StageError when nothing is left on one side.
 */
export function splitClips(clips: readonly Clip[], options: SplitOptions): FineTuneSplit {
  const {fold, validation: end} = options;
  const usable = clips.filter((clip) => isTraining(clip, fold));
  const recordings = ordered(
    usable.filter(({parent}) => parent === ''),
    options,
  );
  const wanted = options.validationClips || Math.max(1, Math.round(recordings.length * options.validationFraction));
  if (wanted >= recordings.length) {
    throw new StageError(
      `${count(wanted, 'clip')} are to validate, and there are ${recordings.length} train clips` +
        (fold === 0 ? '' : ` outside fold ${fold}`),
      'lower `validationClips` or `validationFraction`',
    );
  }
  const part = end === 'first' ? recordings.slice(0, wanted) : recordings.slice(-wanted);
  const groups = new Set(part.map(({group}) => group).filter((group) => group !== ''));
  const keys = new Set(part.map(({key}) => key));
  const validates = ({key, group}: Clip): boolean => keys.has(key) || groups.has(group);
  const validation = usable.filter((clip) => clip.parent === '' && validates(clip));
  const validated = new Set(validation.map(({key}) => key));
  const training = usable.filter(({key, parent}) => !validated.has(parent === '' ? key : parent));
  if (training.length === 0) {
    throw new StageError('no clip is left to train on: all are of groups that validate', 'validate on fewer clips');
  }
  return {training, validation};
}

/** Labels of the clips that validate and do not train. */
export function untrainedLabels({training, validation}: FineTuneSplit): readonly string[] {
  const trained = new Set(training.map(({label}) => label));
  return [...new Set(validation.map(({label}) => label))].filter((label) => !trained.has(label));
}

function ordered(clips: readonly Clip[], {order, seed}: SplitOptions): readonly Clip[] {
  if (order === 'key') return clips;
  const rng = createRng(seed);
  const placed = clips.map((clip) => ({clip, place: rng.fork(`order/${clip.key}`).uniform()}));
  return placed.sort((a, b) => a.place - b.place).map(({clip}) => clip);
}
