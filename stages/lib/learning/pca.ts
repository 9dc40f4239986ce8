import {StageError} from 'mixdown/stage';
import {columnMeans, covariance, symmetricEigen, type Blocks} from './linalg.ts';
import {readNpz, writeNpz} from '../formats/npz.ts';

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

/** With the training clips and the fold it was fitted on; parameters from elsewhere do not say. */
export interface FittedPca extends Pca {
  readonly origin: PcaOrigin | undefined;
}

/** Added to every variance before whitening, as a part of the largest one: keeps tiny variances from being blown up. */
const WHITENING_EPSILON = 1e-6;
/** A direction with less than this part of the largest variance holds rounding errors only. */
const RANK_TOLERANCE = 1e-10;

/**
 * Principal components of vectors of `size` values, by falling variance. Directions without variance get a zero row.
 * Goes through the blocks twice.
 */
export function fitPca(blocks: Blocks, size: number, {whiten, components}: PcaOptions): Pca {
  const means = columnMeans(blocks, size);
  const {values, vectors} = symmetricEigen(covariance(blocks, size, means), size);
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

/** z = rows (e - means) for each row of embeddings (n, size): the first `components` values, (n, components). */
export function projectPca({size, rows, means}: Pca, embeddings: Float32Array, components = size): Float64Array {
  const count = embeddings.length / size;
  const z = new Float64Array(count * components);
  const centred = new Float64Array(size);
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < size; k++) centred[k] = (embeddings[n * size + k] as number) - (means[k] as number);
    for (let i = 0; i < components; i++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += (rows[i * size + k] as number) * (centred[k] as number);
      z[n * components + i] = sum;
    }
  }
  return z;
}

/** What parameters were fitted on. */
export interface PcaOrigin {
  /** Fold that they must not have seen; 0: fitted on the train clips of all folds. */
  readonly fold: number;
  /** Keys of the clips they were fitted on. */
  readonly clips: readonly string[];
}

const VECTORS = 'pca_eigen_vectors';
const MEANS = 'pca_means';
const FOLD = 'pca_fold';
const CLIPS = 'pca_clips';

/**
 * Writes the two arrays under the names of the released parameters; beside them the fold (int32, no axes) and the keys of the
 * clips (UTF-8 bytes, a line each).
 */
export function writePca(path: string, {size, rows, means}: Pca, {fold, clips}: PcaOrigin): void {
  const keys = Uint8Array.from(Buffer.from(clips.map((key) => `${key}\n`).join('')));
  writeNpz(path, {
    [VECTORS]: {shape: [size, size], data: rows},
    [MEANS]: {shape: [size], data: means},
    [FOLD]: {shape: [], data: Int32Array.of(fold)},
    [CLIPS]: {shape: [keys.length], data: keys},
  });
}

/**
 * Reads what `writePca` writes, or the released parameters, which have no origin. Throws StageError when an array is missing,
 * misshapen or holds what is not a finite number.
 */
export function readPca(path: string, name = 'the PCA parameters'): FittedPca {
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
  if (!rows.data.every(Number.isFinite) || !means.data.every(Number.isFinite)) {
    throw new StageError(`${name} hold a value that is not a finite number`);
  }
  const fold = arrays.get(FOLD)?.data[0];
  const keys = Buffer.from(arrays.get(CLIPS)?.data ?? []).toString('utf8');
  return {
    size,
    rows: Float64Array.from(rows.data),
    means: Float64Array.from(means.data),
    origin: fold === undefined ? undefined : {fold, clips: keys.split('\n').slice(0, -1)},
  };
}
