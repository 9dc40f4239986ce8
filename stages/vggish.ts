import {defineStage} from 'mixdown/stage';
import {extract, openPatches} from './lib/extractors/extract.ts';
import {warmExtractor} from './lib/extractors/warm.ts';
import {EMBEDDING_LAYER, vggishGraph} from './lib/models/vggish.ts';

export default defineStage({
  name: 'vggish',
  summary: 'VGGish embeddings of log-mel patches, float32 (patches, 128).',
  params: {
    embeddingActivation: {
      type: 'string',
      enum: ['none', 'relu'],
      default: 'none',
      about: 'none: as the PCA parameters expect; relu: as the code published until August 2020 did',
    },
    batch: {type: 'integer', minimum: 1, maximum: 4096, default: 32, about: 'patches computed at a time'},
  },
  inputs: {
    patches: {kind: 'file', about: 'float32 .npy, shape (patches, 96, 64), from log-mel'},
    weights: {kind: 'file', about: '.safetensors with the names of the released checkpoint, of any width'},
  },
  outputs: {
    embeddings: {
      kind: 'file',
      name: 'embeddings.npy',
      // Engines differ by 5e-7 of the embeddings' size; other weights by all of it.
      compare: {as: 'npy', relative: 1e-5},
      about: 'float32, shape (patches, 128)',
    },
  },
  numericBackend: true,
  async run({params, inputs, outputs, engine, threads, signal, progress}) {
    const {batch, embeddingActivation} = params;
    const patches = openPatches(inputs.patches);
    try {
      const place = {engine, threads};
      const extractor = await warmExtractor(inputs.weights, embeddingActivation, place, (weights) =>
        vggishGraph({weights}, {embeddingActivation}),
      );
      const name = embeddingActivation === 'relu' ? `${EMBEDDING_LAYER}/relu` : EMBEDDING_LAYER;
      const embeddings = {name, path: outputs.embeddings, value: 'an embedding'};
      await extract(extractor, patches, [embeddings], {batch, signal, progress});
    } finally {
      patches.close();
    }
  },
});
