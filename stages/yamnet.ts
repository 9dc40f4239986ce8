import {defineStage} from 'mixdown/stage';
import {extract, openPatches} from './lib/extractors/extract.ts';
import {readClassMap, scoreMeans, topClasses} from './lib/extractors/top-classes.ts';
import {warmExtractor} from './lib/extractors/warm.ts';
import {YAMNET_CLASSES, YAMNET_EMBEDDINGS, YAMNET_SCORES, yamnetGraph} from './lib/models/yamnet.ts';

export default defineStage({
  name: 'yamnet',
  summary: 'YAMNet embeddings and AudioSet scores of log-mel patches, float32 (patches, 1024) and (patches, 521).',
  params: {
    batch: {type: 'integer', minimum: 1, maximum: 4096, default: 32, about: 'patches computed at a time'},
  },
  inputs: {
    patches: {
      kind: 'file',
      about:
        'float32 .npy, shape (patches, 96, 64), from log-mel with logOffset 0.001; in the release, with patchHop 48',
    },
    weights: {kind: 'file', about: '.safetensors from import-weights, model yamnet'},
    classes: {
      kind: 'file',
      optional: true,
      about: 'yamnet_class_map.csv of the release: the log then names the five highest classes',
    },
  },
  outputs: {
    // As those of vggish.
    embeddings: {
      kind: 'file',
      name: 'embeddings.npy',
      compare: {as: 'npy', relative: 1e-5},
      about: 'float32, shape (patches, 1024)',
    },
    scores: {
      kind: 'file',
      name: 'scores.npy',
      compare: {as: 'npy', absolute: 1e-5},
      about: 'float32, shape (patches, 521): probability of each class, on its own, in the order of the class map',
    },
  },
  numericBackend: true,
  async run({params, inputs, outputs, engine, threads, signal, progress, log}) {
    const {batch} = params;
    const names = inputs.classes === undefined ? undefined : readClassMap(inputs.classes, YAMNET_CLASSES);
    const patches = openPatches(inputs.patches);
    try {
      const extractor = await warmExtractor(inputs.weights, '', {engine, threads}, yamnetGraph);
      const means = scoreMeans(YAMNET_CLASSES);
      await extract(
        extractor,
        patches,
        [
          {name: YAMNET_EMBEDDINGS, path: outputs.embeddings, value: 'a value of an embedding'},
          {name: YAMNET_SCORES, path: outputs.scores, value: 'a score', look: means.add},
        ],
        {batch, signal, progress},
      );
      if (names !== undefined && means.rows > 0) log(topClasses(names, means.values(), 5));
    } finally {
      patches.close();
    }
  },
});
