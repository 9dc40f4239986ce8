/**
 * p-values of one family of tests, corrected so that the chance of any false finding stays below the level (Holm's
 * step-down method). A test that is not defined counts for nothing and stays undefined.
 */
export function holm(pValues: readonly (number | undefined)[]): (number | undefined)[] {
  const defined = pValues.flatMap((p, index) => (p === undefined ? [] : [{p, index}])).sort((a, b) => a.p - b.p);
  const corrected: (number | undefined)[] = pValues.map(() => undefined);
  let largest = 0;
  for (const [i, {p, index}] of defined.entries()) {
    largest = Math.max(largest, Math.min(1, p * (defined.length - i)));
    corrected[index] = largest;
  }
  return corrected;
}
