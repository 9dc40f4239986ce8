import {EigenvalueDecomposition, Matrix} from 'ml-matrix';

/** Eigenvalues from the largest down, and the unit eigenvectors in the same order, one per row. */
export interface Eigen {
  readonly values: Float64Array;
  /** (n, n), row i belongs to value i; its component of largest magnitude is positive. */
  readonly vectors: Float64Array;
}

/**
 * Eigen-decomposition of a symmetric matrix (n, n), float64. Errors are near machine precision times the largest value. Equal
 * input gives equal output, the signs of the vectors included. Householder's tridiagonal form and implicit QL steps, by
 * ml-matrix: 1024 rows take 6 s.
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  if (matrix.length !== n * n) throw new RangeError(`a matrix of ${n} rows and columns needs ${n * n} values`);
  const rows = Array.from({length: n}, (_, i) => Array.from(matrix.subarray(i * n, (i + 1) * n)));
  const found = new EigenvalueDecomposition(new Matrix(rows), {assumeSymmetric: true});
  const order = Array.from({length: n}, (_, i) => i).sort(
    (i, j) => at(found.realEigenvalues, j) - at(found.realEigenvalues, i),
  );
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (const [target, source] of order.entries()) {
    values[target] = at(found.realEigenvalues, source);
    const vector = Float64Array.from(found.eigenvectorMatrix.getColumn(source));
    const sign = signOfLargest(vector);
    for (let k = 0; k < n; k++) vectors[target * n + k] = sign * at(vector, k);
  }
  return {values, vectors};
}

/** Some rows of a matrix after another, each block (n, width). Read twice for a covariance: never all held at once. */
export type Blocks = Iterable<Float32Array | Float64Array>;

/** Mean of each column of a matrix (rows, width), float64. At least one row. */
export function columnMeans(blocks: Blocks, width: number): Float64Array {
  const sums = new Float64Array(width);
  let rows = 0;
  for (const x of blocks) {
    for (let i = 0; i < x.length; i++) sums[i % width] = at(sums, i % width) + (x[i] as number);
    rows += x.length / width;
  }
  return sums.map((sum) => sum / rows);
}

/** Covariance (width, width) of the columns of a matrix (rows, width), divided by rows - 1; zero for a single row. */
export function covariance(blocks: Blocks, width: number, means: Float64Array): Float64Array {
  const result = new Float64Array(width * width);
  const centred = new Float64Array(width);
  let rows = 0;
  for (const x of blocks) {
    for (let start = 0; start < x.length; start += width) {
      for (let i = 0; i < width; i++) centred[i] = (x[start + i] as number) - at(means, i);
      for (let i = 0; i < width; i++) {
        const value = at(centred, i);
        for (let j = i; j < width; j++) result[i * width + j] = at(result, i * width + j) + value * at(centred, j);
      }
      rows++;
    }
  }
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      const value = at(result, i * width + j) / Math.max(1, rows - 1);
      result[i * width + j] = value;
      result[j * width + i] = value;
    }
  }
  return result;
}

/** The first of equal magnitudes decides. */
function signOfLargest(vector: Float64Array): 1 | -1 {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? -1 : 1;
}

function at(values: ArrayLike<number>, index: number): number {
  return values[index] as number;
}
