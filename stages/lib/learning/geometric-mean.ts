/** Probabilities below this count as this, so that one zero does not decide alone. */
const FLOOR = 1e-12;

/**
 * Geometric mean of several arrays of class probabilities (N, classes), each row divided by its sum afterwards:
 * exp(mean over arrays of ln(max(p, 1e-12))), in float64. At least one array; all of one length.
 */
export function geometricMean(arrays: readonly Float32Array[], classes: number): Float32Array {
  const [first] = arrays;
  if (first === undefined) throw new RangeError('the mean of no arrays');
  if (arrays.some((array) => array.length !== first.length)) throw new RangeError('the arrays differ in length');
  const result = new Float32Array(first.length);
  const row = new Float64Array(classes);
  for (let start = 0; start < result.length; start += classes) {
    let total = 0;
    for (let c = 0; c < classes; c++) {
      let logs = 0;
      for (const array of arrays) logs += Math.log(Math.max(array[start + c] as number, FLOOR));
      const mean = Math.exp(logs / arrays.length);
      row[c] = mean;
      total += mean;
    }
    for (let c = 0; c < classes; c++) result[start + c] = (row[c] as number) / total;
  }
  return result;
}
