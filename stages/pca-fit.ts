import {defineStage, StageError} from 'mixdown/stage';
import {readFolds} from './lib/dataset.ts';
import {vectorReader} from './lib/embeddings.ts';
import {fitPca, writePca} from './lib/pca.ts';
import {isTraining} from './lib/piece-rows.ts';

export default defineStage({
  name: 'pca-fit',
  summary: 'Principal components of the training embeddings, in the layout of the released VGGish parameters.',
  params: {
    fold: {type: 'integer', minimum: 0, about: 'fit without this fold; 0 fits on all train clips'},
    whiten: {type: 'boolean', default: true, about: 'scale every component to variance 1'},
    components: {type: 'integer', minimum: 1, default: 128, about: 'components kept; the others become zero'},
  },
  inputs: {
    embeddings: {kind: 'tree', about: 'one .npy a clip, shape (n, 128)'},
    folds: {kind: 'file', about: 'the folds table'},
  },
  outputs: {pca: {kind: 'file', name: 'pca.npz', about: 'pca_eigen_vectors (128, 128) and pca_means (128), float64'}},
  run({params, inputs, outputs, metric}) {
    const read = vectorReader(inputs.embeddings, 'the embeddings');
    const clips = readFolds(inputs.folds).clips.filter((clip) => isTraining(clip, params.fold));
    const arrays = clips.map(({key}) => read(key));
    const size = arrays[0]?.shape[1] ?? 0;
    const count = arrays.reduce((sum, {shape}) => sum + (shape[0] ?? 0), 0);
    if (count === 0) throw new StageError(`no train clip outside fold ${params.fold} has an embedding`);
    const x = new Float64Array(count * size);
    let filled = 0;
    for (const {data} of arrays) {
      x.set(data, filled);
      filled += data.length;
    }
    if (!x.every(Number.isFinite)) throw new StageError('an embedding is not a finite number');
    const pca = fitPca(x, size, params);
    writePca(outputs.pca, pca);
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
