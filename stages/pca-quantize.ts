import {defineStage, StageError} from 'mixdown/stage';
import {readFloat32, writeNpy} from './lib/formats/npy.ts';
import {keepLast} from './lib/keep-last.ts';
import {projectPca, readPca, type FittedPca} from './lib/learning/pca.ts';
import {quantize} from './lib/learning/quantize.ts';

export default defineStage({
  name: 'pca-quantize',
  summary: 'PCA, clipping to -2 ... 2 and 8-bit quantisation of embeddings, as in the AudioSet release.',
  params: {
    fold: {
      type: 'integer',
      minimum: 0,
      default: 0,
      heldOut: 'applies',
      about: 'the fold that the result is for: parameters from pca-fit must have it too; released ones serve any',
    },
    components: {type: 'integer', minimum: 0, default: 0, about: 'only the first components; 0: all'},
  },
  inputs: {
    embeddings: {kind: 'file', about: 'float32 .npy, shape (n, 128)'},
    pca: {kind: 'file', about: '.npz from pca-fit, or the released vggish_pca_params.npz'},
  },
  outputs: {
    quantized: {
      kind: 'file',
      name: 'quantized.npy',
      // One byte in a thousand is rounded the other way (root mean square 0.03); this allows one in a hundred.
      compare: {as: 'npy', absolute: 0.1},
      about: 'uint8, shape (n, components): q from -2 + 4 q / 255 on; the classifiers take it as (q - 128) / 128',
    },
  },
  async run({params, inputs, outputs}) {
    const {shape, data} = readFloat32(inputs.embeddings, 2, 'the embeddings');
    const pca = await keep(inputs.pca, '', () => readPca(inputs.pca));
    if (pca.origin !== undefined && pca.origin.fold !== params.fold) {
      throw new StageError(
        `the PCA parameters were fitted for fold ${pca.origin.fold}, these embeddings are for fold ${params.fold}: clips ` +
          'that score would have shaped the features',
        'give pca-fit and pca-quantize the same `fold`',
      );
    }
    if (shape[1] !== pca.size) {
      throw new StageError(`the embeddings have ${shape[1]} values each, the PCA parameters are for ${pca.size}`);
    }
    if (params.components > pca.size) {
      throw new StageError(`${params.components} components are wanted, the PCA parameters have ${pca.size}`);
    }
    const components = params.components || pca.size;
    const z = projectPca(pca, data, components);
    if (!z.every(Number.isFinite)) throw new StageError('a projected embedding is not a finite number');
    writeNpy(outputs.quantized, {shape: [shape[0] ?? 0, components], data: quantize(z)});
  },
});

const keep = keepLast<FittedPca>();
