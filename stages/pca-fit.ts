import {defineStage, StageError} from 'mixdown/stage';
import {readFolds} from './lib/experiment/dataset.ts';
import {vectorReader} from './lib/learning/embeddings.ts';
import {fitPca, writePca} from './lib/learning/pca.ts';
import {isTraining} from './lib/experiment/piece-rows.ts';

export default defineStage({
  name: 'pca-fit',
  summary: 'Principal components of the training embeddings, in the layout of the released VGGish parameters.',
  params: {
    fold: {type: 'integer', minimum: 0, heldOut: 'learns', about: 'fit without this fold; 0 fits on all train clips'},
    whiten: {type: 'boolean', default: true, about: 'scale every component to variance 1'},
    components: {type: 'integer', minimum: 1, default: 128, about: 'components kept; the others become zero'},
  },
  inputs: {
    embeddings: {kind: 'tree', about: 'one .npy a clip, float32, shape (n, 128)'},
    folds: {kind: 'file', about: 'the folds table; of copies in it nothing is used'},
  },
  outputs: {
    pca: {
      kind: 'file',
      name: 'pca.npz',
      // Embeddings of other engines move its entries by 2e-6, another fold by more than 1e-2.
      compare: {as: 'npz', absolute: 2e-5},
      about: 'float64 pca_eigen_vectors (128, 128), pca_means (128); pca_fold, and the keys of the clips in pca_clips',
    },
  },
  run({params, inputs, outputs, metric}) {
    const read = vectorReader([inputs.embeddings], 'the embeddings');
    const keys = readFolds(inputs.folds)
      .clips.filter((clip) => clip.parent === '' && isTraining(clip, params.fold))
      .map(({key}) => key);
    let size = 0;
    let count = 0;
    for (const key of keys) {
      const {shape, data} = read(key);
      if (!(data instanceof Float32Array)) throw new StageError(`the embeddings of clip ${key} are not float32`);
      size = shape[1] ?? 0;
      count += shape[0] ?? 0;
    }
    if (count === 0) throw new StageError(`no train clip outside fold ${params.fold} has an embedding`);
    // Read anew at each of the passes, so that only one clip is in memory.
    const blocks = {
      *[Symbol.iterator](): Generator<Float32Array> {
        for (const key of keys) yield read(key).data as Float32Array;
      },
    };
    const pca = fitPca(blocks, size, params);
    writePca(outputs.pca, pca, {fold: params.fold, clips: keys});
    metric('vectors', count);
    metric('components', componentsOf(pca.rows, size));
  },
});

/** Rows that are not zero. */
function componentsOf(rows: Float64Array, size: number): number {
  let count = 0;
  while (count < size && rows.subarray(count * size, (count + 1) * size).some((value) => value !== 0)) count++;
  return count;
}
