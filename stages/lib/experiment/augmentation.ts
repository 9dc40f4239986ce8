import type {Clip} from './dataset.ts';
import type {Rng} from '../rng.ts';

export interface CopyOptions {
  /** Train clips that every class shall have, copies included. 0: no copies. */
  readonly perClass: number;
  /** Shifts are the whole numbers -maxSemitones ... maxSemitones without 0. */
  readonly maxSemitones: number;
}

export interface CopyPlan {
  /** Shifts of each recording that is copied, from low to high; by class, then by the order they were drawn in. */
  readonly copies: readonly {readonly parent: Clip; readonly semitones: readonly number[]}[];
  /** Classes that cannot reach `perClass`: even every shift of every clip is not enough. */
  readonly short: readonly {readonly label: string; readonly clips: number; readonly missing: number}[];
}

/**
 * Which pitch-shifted copies bring each class to `perClass` train clips: going round its shuffled clips, each time with a
 * shift that the clip has not had, every shift equally likely. The clips of a class have equally many copies, or one more.
 *
 * A clip's place in the order and its shifts come from its own stream, so a clip that is added or removed changes nothing in
 * other classes, and in its own class only how many of their shifts the others use.
 */
export function planCopies(clips: readonly Clip[], {perClass, maxSemitones}: CopyOptions, rng: Rng): CopyPlan {
  const copies: {parent: Clip; semitones: readonly number[]}[] = [];
  const short: {label: string; clips: number; missing: number}[] = [];
  const shifts = shiftsUpTo(maxSemitones);
  for (const [label, own] of trainClipsByLabel(clips)) {
    const needed = perClass - own.length;
    if (needed <= 0) continue;
    const missing = needed - own.length * shifts.length;
    if (missing > 0) short.push({label, clips: own.length, missing});
    const drawn = own
      .map((parent) => draw(parent, shifts, rng.fork(parent.key)))
      .sort((a, b) => a.place - b.place || (a.parent.key < b.parent.key ? -1 : 1));
    for (const [i, {parent, semitones}] of drawn.entries()) {
      const rounds = Math.floor(needed / own.length) + (i < needed % own.length ? 1 : 0);
      if (rounds > 0) copies.push({parent, semitones: semitones.slice(0, rounds).sort((a, b) => a - b)});
    }
  }
  return {copies, short};
}

/** Labels without a train clip are left out: there is nothing to copy. */
function trainClipsByLabel(clips: readonly Clip[]): ReadonlyMap<string, readonly Clip[]> {
  const byLabel = new Map<string, Clip[]>();
  for (const clip of clips) {
    if (clip.split !== 'train') continue;
    const own = byLabel.get(clip.label);
    if (own === undefined) byLabel.set(clip.label, [clip]);
    else own.push(clip);
  }
  return byLabel;
}

function shiftsUpTo(max: number): readonly number[] {
  return Array.from({length: 2 * max}, (_, i) => (i < max ? i - max : i - max + 1));
}

interface Draw {
  readonly parent: Clip;
  /** Where the clip comes in its class. */
  readonly place: number;
  /** Every shift once, in the order they are used. */
  readonly semitones: readonly number[];
}

function draw(parent: Clip, shifts: readonly number[], rng: Rng): Draw {
  return {parent, place: rng.uniform(), semitones: rng.shuffle(shifts)};
}
