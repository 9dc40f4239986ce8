export interface GeometricMeanOptions {
  /** Probabilities below this count as this, so that one zero does not decide alone; above 0. */
  readonly floor?: number;
  /** Divide each row by its sum: for one class a clip, not for several. */
  readonly renormalise?: boolean;
}

/**
 * Geometric mean of several arrays of class probabilities (N, classes), each row divided by its sum afterwards unless
 * said otherwise: exp(mean over arrays of ln(max(p, floor))), in float64. At least one array; all of one length.
 */
export function geometricMean(
  arrays: readonly Float32Array[],
  classes: number,
  {floor = 1e-12, renormalise = true}: GeometricMeanOptions = {},
): Float32Array {
  const [first] = arrays;
  if (first === undefined) throw new RangeError('the mean of no arrays');
  if (arrays.some((array) => array.length !== first.length)) throw new RangeError('the arrays differ in length');
  const result = new Float32Array(first.length);
  const row = new Float64Array(classes);
  for (let start = 0; start < result.length; start += classes) {
    let total = 0;
    for (let c = 0; c < classes; c++) {
      let logs = 0;
      for (const array of arrays) logs += Math.log(Math.max(array[start + c] as number, floor));
      const mean = Math.exp(logs / arrays.length);
      row[c] = mean;
      total += mean;
    }
    const divisor = renormalise ? total : 1;
    for (let c = 0; c < classes; c++) result[start + c] = (row[c] as number) / divisor;
  }
  return result;
}
