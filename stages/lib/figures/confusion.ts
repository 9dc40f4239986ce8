import {rowOf, topClass} from '../learning/metrics.ts';

/** Clips by true and by predicted class: `counts[true * classes + predicted]`. */
export interface Confusion {
  readonly classes: readonly string[];
  readonly counts: readonly number[];
}

/**
 * Counts the highest score of each row of `scores` (clips, classes), among equal ones the first; `truth` has the true class of
 * each clip.
 */
export function countConfusion(scores: Float32Array, truth: readonly number[], classes: readonly string[]): Confusion {
  const counts = Array.from({length: classes.length ** 2}, () => 0);
  for (const [row, own] of truth.entries()) {
    const place = own * classes.length + topClass(rowOf(scores, classes.length, row));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return {classes, counts};
}

export interface Mistake {
  readonly label: string;
  readonly predicted: string;
  readonly clips: number;
  /** Clips of the true class. */
  readonly of: number;
}

/** Wrong predictions, the most frequent first, then in the order of the classes. */
export function mistakesOf({classes, counts}: Confusion): readonly Mistake[] {
  const size = classes.length;
  return classes
    .flatMap((label, own) => {
      const row = counts.slice(own * size, (own + 1) * size);
      const of = row.reduce((sum, clips) => sum + clips, 0);
      return row.map((clips, other): Mistake => ({
        label,
        predicted: classes[other] ?? '',
        clips: other === own ? 0 : clips,
        of,
      }));
    })
    .filter(({clips}) => clips > 0)
    .sort((a, b) => b.clips - a.clips);
}
