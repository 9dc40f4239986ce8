/** How many steps of colour a matrix has; `--heat-0` to `--heat-7` of the style. */
const STEPS = 8;

/** The step of a share between 0 and 1. None at all is step 0, and only that. */
export function heatStep(share: number): number {
  if (!(share > 0)) return 0;
  return Math.min(STEPS - 1, 1 + Math.floor(share * (STEPS - 1)));
}

/** Of each row, what part of its sum each cell has; zeros where the row is empty. */
export function rowShares(counts: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return counts.map((row) => {
    const sum = row.reduce((total, count) => total + count, 0);
    return row.map((count) => (sum > 0 ? count / sum : 0));
  });
}

/** How many of the counts are on the diagonal, and how many there are. */
export function hits(counts: readonly (readonly number[])[]): {readonly right: number; readonly all: number} {
  const right = counts.reduce((total, row, at) => total + (row[at] ?? 0), 0);
  const all = counts.flat().reduce((total, count) => total + count, 0);
  return {right, all};
}
