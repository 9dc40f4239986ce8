import {statSync} from 'node:fs';
import {setImmediate} from 'node:timers/promises';
import {defineStage, StageError} from 'mixdown/stage';
import {readFloat32, writeNpy} from './lib/formats/npy.ts';
import {readSafeTensors} from './lib/formats/safetensors.ts';
import {loadEngine} from './lib/tensors/engine.ts';
import {createVggish, type EmbeddingActivation, type Vggish} from './lib/learning/vggish-forward.ts';
import {EMBEDDING_SIZE, PATCH_BANDS, PATCH_FRAMES} from './lib/learning/vggish-layers.ts';

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
  outputs: {embeddings: {kind: 'file', name: 'embeddings.npy', about: 'float32, shape (patches, 128)'}},
  numericBackend: true,
  async run({params, inputs, outputs, signal}) {
    const {shape, data} = readFloat32(inputs.patches, 3, 'the patches');
    const [count = 0, frames, bands] = shape;
    if (frames !== PATCH_FRAMES || bands !== PATCH_BANDS) {
      throw new StageError(
        `the patches have shape [${shape.join(', ')}]; [n, ${PATCH_FRAMES}, ${PATCH_BANDS}] is expected`,
        'let stage log-mel make them, with 64 bands and patches of 96 frames',
      );
    }
    // The network would hide it: a ReLU turns NaN into 0.
    if (!data.every(Number.isFinite)) throw new StageError('the patches hold a value that is not a finite number');
    const model = await loadModel(inputs.weights, params.embeddingActivation);
    const embeddings = new Float32Array(count * EMBEDDING_SIZE);
    const patchSize = PATCH_FRAMES * PATCH_BANDS;
    for (let start = 0; start < count; start += params.batch) {
      await setImmediate();
      signal.throwIfAborted();
      const end = Math.min(start + params.batch, count);
      embeddings.set(model.embed(data.subarray(start * patchSize, end * patchSize)), start * EMBEDDING_SIZE);
    }
    if (!embeddings.every(Number.isFinite)) {
      throw new StageError('an embedding is not a finite number', 'the weights may be too large');
    }
    writeNpy(outputs.embeddings, {shape: [count, EMBEDDING_SIZE], data: embeddings});
  },
});

interface LoadedModel {
  readonly key: string;
  readonly model: Vggish;
}

/**
 * The last model. An exception to "no state in modules": this stage runs once per clip in a worker that stays alive, and
 * reading 288 MB of weights takes longer than most clips. It holds one model, and changes no result.
 */
const cache: {last?: LoadedModel} = {};

async function loadModel(path: string, activation: EmbeddingActivation): Promise<Vggish> {
  const {dev, ino, size, mtimeNs, ctimeNs} = statSync(path, {bigint: true});
  const key = [path, dev, ino, size, mtimeNs, ctimeNs, activation].join('\n');
  if (cache.last?.key === key) return cache.last.model;
  const {tf} = await loadEngine();
  cache.last?.model.dispose();
  delete cache.last;
  const model = createVggish(tf, readSafeTensors(path, 'the weights').tensors, activation);
  cache.last = {key, model};
  return model;
}
