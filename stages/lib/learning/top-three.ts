import type {ClassMembers} from './class-members.ts';

/** How the three best classes of each row fit its own classes. */
export interface TopThree {
  /**
   * Average precision at 3 of each row: the sum over its hits of (hits so far) / rank, over the smaller of 3 and the
   * number of its classes; with one class 1, 1/2 or 1/3. A row without classes has 0. Among equal scores the lower
   * class comes first. Source: ml_metrics' apk.
   */
  readonly averagePrecisions: Float64Array;
  /** 1 where the best class is one of the row's own. */
  readonly isTopHit: Uint8Array;
}

/** `scores` (rows, classes), none of them NaN. */
export function topThree(scores: Float32Array, {classes, rows: members, starts}: ClassMembers): TopThree {
  const rows = scores.length / classes;
  const best = new Int32Array(rows * 3);
  for (let row = 0; row < rows; row++) fillBest(best, row, scores, classes);
  const isHit = new Uint8Array(rows * 3);
  const labels = new Int32Array(rows);
  for (let c = 0; c < classes; c++) {
    for (const row of members.subarray(starts[c], starts[c + 1])) {
      labels[row] = (labels[row] as number) + 1;
      for (let i = row * 3; i < row * 3 + 3; i++) if (best[i] === c) isHit[i] = 1;
    }
  }
  const averagePrecisions = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let hits = 0;
    let sum = 0;
    for (let rank = 1; rank <= 3; rank++) if (isHit[row * 3 + rank - 1] === 1) sum += ++hits / rank;
    averagePrecisions[row] = hits === 0 ? 0 : sum / Math.min(3, labels[row] as number);
  }
  return {
    averagePrecisions,
    isTopHit: isHit.filter((_, i) => i % 3 === 0),
  };
}

/** The classes of the three highest scores of a row; -1 where there are fewer classes. */
function fillBest(best: Int32Array, row: number, scores: Float32Array, classes: number): void {
  const place = row * 3;
  const start = row * classes;
  best.fill(-1, place, place + 3);
  for (let c = 0; c < classes; c++) {
    const score = scores[start + c] as number;
    let rank = 3;
    while (rank > 0) {
      const before = best[place + rank - 1] as number;
      if (before !== -1 && !(score > (scores[start + before] as number))) break;
      if (rank < 3) best[place + rank] = before;
      rank--;
    }
    if (rank < 3) best[place + rank] = c;
  }
}
