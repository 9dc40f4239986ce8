import {StageError} from 'mixdown/stage';
import {columnMeans, covariance, symmetricEigen} from './linalg.ts';
import {readNpz, writeNpz} from './npz.ts';

/**
 * A linear map z = rows (e - means), float64. With whitening inside, as in the released VGGish parameters, the rows are
 * orthogonal but not of unit length.
 */
export interface Pca {
  readonly size: number;
  /** (size, size). */
  readonly rows: Float64Array;
  readonly means: Float64Array;
}

export interface PcaOptions {
  /** Scale every component to variance 1. */
  readonly whiten: boolean;
  /** Components kept; the rows of the others are zero. */
  readonly components: number;
}

/** Added to every variance before whitening, as a part of the largest one: keeps tiny variances from being blown up. */
const WHITENING_EPSILON = 1e-6;
/** A direction with less than this part of the largest variance holds rounding errors only. */
const RANK_TOLERANCE = 1e-10;

/** Principal components of x (rows, size), by falling variance. Directions without variance get a zero row. */
export function fitPca(x: Float64Array, size: number, {whiten, components}: PcaOptions): Pca {
  const means = columnMeans(x, size);
  const {values, vectors} = symmetricEigen(covariance(x, size, means), size);
  const largest = values[0] ?? 0;
  const rows = new Float64Array(size * size);
  for (let i = 0; i < Math.min(components, size); i++) {
    const variance = values[i] as number;
    if (!(variance > largest * RANK_TOLERANCE)) break;
    const scale = whiten ? 1 / Math.sqrt(variance + largest * WHITENING_EPSILON) : 1;
    for (let k = i * size; k < (i + 1) * size; k++) rows[k] = scale * (vectors[k] as number);
  }
  return {size, rows, means};
}

/** z = rows (e - means) for each row of embeddings (n, size). */
export function projectPca({size, rows, means}: Pca, embeddings: Float32Array): Float64Array {
  const z = new Float64Array(embeddings.length);
  const centred = new Float64Array(size);
  for (let start = 0; start < embeddings.length; start += size) {
    for (let k = 0; k < size; k++) centred[k] = (embeddings[start + k] as number) - (means[k] as number);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += (rows[i * size + k] as number) * (centred[k] as number);
      z[start + i] = sum;
    }
  }
  return z;
}

/** Values are clipped to -2 ... 2, mapped to 0 ... 255 and truncated, not rounded. Source: VGGish, vggish_postprocess.py. */
export function quantize(z: Float64Array): Uint8Array {
  return Uint8Array.from(z, (value) => Math.floor((Math.min(2, Math.max(-2, value)) + 2) * 63.75));
}

const VECTORS = 'pca_eigen_vectors';
const MEANS = 'pca_means';

/** Writes the two arrays under the names of the released parameters. */
export function writePca(path: string, {size, rows, means}: Pca): void {
  writeNpz(path, {
    [VECTORS]: {shape: [size, size], data: rows},
    [MEANS]: {shape: [size], data: means},
  });
}

/** Reads what `writePca` writes, or the released parameters. Throws StageError when an array is missing or misshapen. */
export function readPca(path: string, name = 'the PCA parameters'): Pca {
  const arrays = readNpz(path, name);
  const rows = arrays.get(VECTORS);
  const means = arrays.get(MEANS);
  if (rows === undefined || means === undefined) {
    const found = [...arrays.keys()].join(', ') || 'none';
    throw new StageError(`${name} need the arrays ${VECTORS} and ${MEANS}; found: ${found}`);
  }
  // Some copies keep the means as a column.
  const size = means.data.length;
  if (rows.shape.length !== 2 || rows.shape[0] !== size || rows.shape[1] !== size) {
    throw new StageError(`${name}: ${VECTORS} has shape [${rows.shape.join(', ')}]; [${size}, ${size}] is expected`);
  }
  return {size, rows: Float64Array.from(rows.data), means: Float64Array.from(means.data)};
}
