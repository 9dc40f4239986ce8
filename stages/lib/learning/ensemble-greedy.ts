export interface GreedyOptions {
  /** So many of the best candidates are picked before the search starts, at least 1. */
  readonly initial: number;
  /** The most picks, those of the start among them, at least 1. */
  readonly size: number;
}

export interface GreedySelection {
  /** How often each candidate was picked. */
  readonly picks: readonly number[];
  /** Score of the mean of the picks. */
  readonly score: number;
}

/**
 * Picks candidates, arrays of one length, so that the mean of the picks scores best: starts with the best candidates, then
 * adds again and again the one, picked before or not, with which the mean scores best. Among all stages of the growing
 * selection the first that scores best is returned. The best candidate alone is one of them, so the result never scores
 * less. Nothing is random: the first among equals is taken. `score` is given the sum of the picks, not their mean, and must
 * not depend on the scale.
 *
 * Source: Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble Selection from Libraries of Models, ICML 2004.
 */
export function selectGreedily(
  candidates: readonly Float32Array[],
  score: (sums: Float64Array) => number,
  {initial, size}: GreedyOptions,
): GreedySelection {
  const [first] = candidates;
  if (first === undefined) throw new RangeError('a selection of no candidates');
  const sums = new Float64Array(first.length);
  const trial = new Float64Array(first.length);
  const scoreWith = (candidate: Float32Array): number => {
    for (let i = 0; i < trial.length; i++) trial[i] = (sums[i] as number) + (candidate[i] as number);
    return score(trial);
  };
  const alone = candidates.map(scoreWith);
  const ranked = alone.map((_, i) => i).sort((a, b) => (alone[b] as number) - (alone[a] as number) || a - b);
  const start = ranked.slice(0, initial);
  const picks = candidates.map(() => 0);
  let best: GreedySelection | undefined;
  for (let round = 0; round < size; round++) {
    const pick = start[round] ?? topOf(candidates.map(scoreWith));
    const candidate = candidates[pick] as Float32Array;
    const reached = scoreWith(candidate);
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (candidate[i] as number);
    picks[pick] = (picks[pick] as number) + 1;
    if (best === undefined || reached > best.score) best = {picks: [...picks], score: reached};
  }
  if (best === undefined) throw new RangeError(`a selection of ${size} picks`);
  return best;
}

/** The first of the highest. */
function topOf(scores: readonly number[]): number {
  let top = 0;
  for (const [i, score] of scores.entries()) if (score > (scores[top] as number)) top = i;
  return top;
}
