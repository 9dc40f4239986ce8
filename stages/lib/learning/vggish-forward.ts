import type {Tensor1D, Tensor2D, Tensor4D} from '@tensorflow/tfjs-core';
import type {Tf} from '../tensors/tf.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {EMBEDDING_SIZE, PATCH_BANDS, PATCH_FRAMES, vggishLayersOf, type VggishLayer} from './vggish-layers.ts';

export type EmbeddingActivation = 'none' | 'relu';

/** A VGGish with its weights on the engine. */
export interface Vggish {
  /** Embeddings (n, 128) of patches (n, 96, 64). */
  embed(patches: Float32Array): Float32Array;
  dispose(): void;
}

/**
 * Every convolution is 3x3, stride 1, SAME, every pool 2x2, stride 2, SAME; each layer but the last ends in a ReLU. The
 * convolutions' output is flattened in the order row, column, channel. The activation of the embedding is a choice: the
 * released code had a ReLU there until August 2020. Throws StageError when the weights do not fit.
 */
export function createVggish(tf: Tf, weights: Weights, activation: EmbeddingActivation): Vggish {
  const layers = vggishLayersOf(weights).map((layer, i, all) => ({
    ...layer,
    activation: i < all.length - 1 || activation === 'relu' ? ('relu' as const) : ('linear' as const),
    weights: keep(tf, weights.get(`${layer.name}/weights`) as NamedArray),
    biases: keep(tf, weights.get(`${layer.name}/biases`) as NamedArray) as Tensor1D,
  }));

  return {
    embed: (patches) =>
      tf.tidy(() => {
        const count = patches.length / (PATCH_FRAMES * PATCH_BANDS);
        let image = tf.tensor4d(patches, [count, PATCH_FRAMES, PATCH_BANDS, 1]);
        for (const layer of layers.filter(({kind}) => kind === 'convolution')) image = convolve(tf, layer, image);
        let units: Tensor2D = tf.reshape(image, [count, image.size / count]);
        for (const {weights, biases, activation} of layers.filter(({kind}) => kind === 'dense')) {
          units = tf.fused.matMul({a: units, b: weights, bias: biases, activation}) as Tensor2D;
        }
        return tf.reshape(units, [count * EMBEDDING_SIZE]).dataSync<'float32'>();
      }),
    dispose: () => tf.dispose(layers.flatMap(({weights, biases}) => [weights, biases])),
  };
}

interface LoadedLayer extends VggishLayer {
  readonly activation: 'relu' | 'linear';
  readonly weights: ReturnType<typeof keep>;
  readonly biases: Tensor1D;
}

function convolve(tf: Tf, {weights, biases, activation, pool}: LoadedLayer, image: Tensor4D): Tensor4D {
  const filter = weights as Tensor4D;
  const output = tf.fused.conv2d({x: image, filter, bias: biases, activation, strides: 1, pad: 'same'});
  return pool ? tf.maxPool(output, 2, 2, 'same') : output;
}

function keep(tf: Tf, {shape, data}: NamedArray) {
  return tf.keep(tf.tensor(data, [...shape], 'float32'));
}
