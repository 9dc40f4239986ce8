/** Eigenvalues from the largest down, and the unit eigenvectors in the same order, one per row. */
export interface Eigen {
  readonly values: Float64Array;
  /** (n, n), row i belongs to value i; its component of largest magnitude is positive. */
  readonly vectors: Float64Array;
}

const MAX_SWEEPS = 60;

/**
 * Eigen-decomposition of a symmetric matrix (n, n) by cyclic Jacobi rotations, float64. Errors are near machine precision
 * times the largest value. Equal input gives equal output, the signs of the vectors included.
 * Source: Golub and Van Loan, Matrix Computations, section 8.5.
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  if (matrix.length !== n * n) throw new RangeError(`a matrix of ${n} rows and columns needs ${n * n} values`);
  const a = matrix.slice();
  const rows = identity(n);
  for (let sweep = 0; sweep < MAX_SWEEPS && !isDiagonal(a, n); sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(a, rows, n, p, q);
    }
  }
  const order = Array.from({length: n}, (_, i) => i).sort((i, j) => at(a, j * n + j) - at(a, i * n + i));
  const values = new Float64Array(n);
  const vectors = new Float64Array(n * n);
  for (const [target, source] of order.entries()) {
    values[target] = at(a, source * n + source);
    const vector = rows.subarray(source * n, (source + 1) * n);
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

/** Makes a[p, q] zero, and turns the rows of `rows` likewise. */
function rotate(a: Float64Array, rows: Float64Array, n: number, p: number, q: number): void {
  const apq = at(a, p * n + q);
  if (apq === 0) return;
  const theta = (at(a, q * n + q) - at(a, p * n + p)) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q, c, s);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k, c, s);
  for (let k = 0; k < n; k++) turn(rows, p * n + k, q * n + k, c, s);
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}

function turn(values: Float64Array, i: number, j: number, c: number, s: number): void {
  const x = at(values, i);
  const y = at(values, j);
  values[i] = c * x - s * y;
  values[j] = s * x + c * y;
}

/** The rest beside the diagonal is below what float64 can hold of the whole. */
function isDiagonal(a: Float64Array, n: number): boolean {
  let beside = 0;
  let all = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const square = at(a, i * n + j) ** 2;
      all += square;
      if (i !== j) beside += square;
    }
  }
  return beside <= all * Number.EPSILON ** 2;
}

function identity(n: number): Float64Array {
  const result = new Float64Array(n * n);
  for (let i = 0; i < n; i++) result[i * n + i] = 1;
  return result;
}

/** The first of equal magnitudes decides. */
function signOfLargest(vector: Float64Array): 1 | -1 {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? -1 : 1;
}

function at(values: Float64Array, index: number): number {
  return values[index] as number;
}
