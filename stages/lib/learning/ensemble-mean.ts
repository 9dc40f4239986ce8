/**
 * Arithmetic mean of several arrays, each weighted: sum of w x value / sum of w, in float64. At least one array, all of one
 * length; a weight for each, none negative and not all 0. Rows of sum 1 give rows of sum 1.
 */
export function weightedMean(arrays: readonly Float32Array[], weights: readonly number[]): Float32Array {
  const [first] = arrays;
  if (first === undefined) throw new RangeError('the mean of no arrays');
  if (arrays.some((array) => array.length !== first.length)) throw new RangeError('the arrays differ in length');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (weights.length !== arrays.length || weights.some((weight) => weight < 0) || !(total > 0)) {
    throw new RangeError(`the weights ${weights.join(', ')} do not weigh ${arrays.length} arrays`);
  }
  const result = new Float32Array(first.length);
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let m = 0; m < arrays.length; m++) sum += (weights[m] as number) * ((arrays[m] as Float32Array)[i] as number);
    result[i] = sum / total;
  }
  return result;
}
