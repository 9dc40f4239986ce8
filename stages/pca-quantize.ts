import {defineStage, StageError} from 'mixdown/stage';
import {readFloat32, writeNpy} from './lib/npy.ts';
import {projectPca, quantize, readPca} from './lib/pca.ts';

export default defineStage({
  name: 'pca-quantize',
  summary: 'PCA, clipping to -2 ... 2 and 8-bit quantisation of embeddings, as in the AudioSet release.',
  params: {},
  inputs: {
    embeddings: {kind: 'file', about: 'float32 .npy, shape (n, 128)'},
    pca: {kind: 'file', about: '.npz from pca-fit, or the released vggish_pca_params.npz'},
  },
  outputs: {quantized: {kind: 'file', name: 'quantized.npy', about: 'uint8, shape (n, 128)'}},
  run({inputs, outputs}) {
    const {shape, data} = readFloat32(inputs.embeddings, 2, 'the embeddings');
    const pca = readPca(inputs.pca);
    if (shape[1] !== pca.size) {
      throw new StageError(`the embeddings have ${shape[1]} values each, the PCA parameters are for ${pca.size}`);
    }
    const z = projectPca(pca, data);
    if (!z.every(Number.isFinite)) throw new StageError('a projected embedding is not a finite number');
    writeNpy(outputs.quantized, {shape, data: quantize(z)});
  },
});
