/**
 * An ES module with the layers that Keras lacks, in plain JavaScript, for whoever loads a model in the TensorFlow.js layers
 * format: a package whose model needs them has it as `layers.mjs`.
 *
 * ```js
 * import * as tf from '@tensorflow/tfjs';
 * import {registerLayers} from './layers.mjs';
 * registerLayers(tf);
 * const model = await tf.loadLayersModel('model.json');
 * ```
 */
export const LAYERS_SCRIPT = `/**
 * Layers of mixdown's models that Keras lacks. Before a model with them is loaded, once:
 *
 *   import * as tf from '@tensorflow/tfjs';
 *   import {registerLayers} from './layers.mjs';
 *   registerLayers(tf);
 *   const model = await tf.loadLayersModel('model.json');
 */
export function registerLayers(tf) {
  /**
   * Two inputs, logits (N, T, C) of scores and of attention, to (N, C): the sum over time of sigmoid(scores), weighted by
   * the attention, of sum 1 over time. \`norm\` says how attention logits become weights:
   *
   * - class-softmax+time-sum: softmax over the classes, kept in 1e-7 ... 1 - 1e-7, divided by the sum over time
   * - sigmoid+time-sum: sigmoid, kept in 1e-7 ... 1 - 1e-7, divided by the sum over time
   * - time-softmax: softmax over time
   *
   * Of a third input, a mask (N, T), times with 0 have no weight; where there is no other, the result is 0.
   */
  class MixdownAttentionPool extends tf.layers.Layer {
    constructor(config) {
      super(config);
      this.norm = config.norm;
    }
    computeOutputShape([[count, , classes]]) {
      return [count, classes];
    }
    call([scores, attention, mask]) {
      return tf.tidy(() => {
        const real = mask ? tf.expandDims(mask, 2) : tf.ones([scores.shape[0], scores.shape[1], 1]);
        return tf.sum(tf.mul(this.weigh(attention, real), tf.sigmoid(scores)), 1);
      });
    }
    weigh(attention, real) {
      if (this.norm === 'time-softmax') {
        const hidden = tf.add(tf.mul(attention, real), tf.mul(tf.sub(real, 1), 1e9));
        const raw = tf.exp(tf.sub(hidden, tf.max(hidden, 1, true)));
        return tf.mul(tf.div(raw, tf.sum(raw, 1, true)), real);
      }
      const raw = this.norm === 'sigmoid+time-sum' ? tf.sigmoid(attention) : tf.softmax(attention);
      const kept = tf.mul(tf.clipByValue(raw, 1e-7, 1 - 1e-7), real);
      return tf.div(kept, tf.maximum(tf.sum(kept, 1, true), 1e-7));
    }
    getConfig() {
      return {...super.getConfig(), norm: this.norm};
    }
    static get className() {
      return 'MixdownAttentionPool';
    }
  }

  /** (N, T, C) to (N, T): 0 for a vector of zeros, else 1. */
  class MixdownMask extends tf.layers.Layer {
    computeOutputShape([count, length]) {
      return [count, length];
    }
    call(inputs) {
      return tf.tidy(() => tf.step(tf.max(tf.abs(Array.isArray(inputs) ? inputs[0] : inputs), 2)));
    }
    static get className() {
      return 'MixdownMask';
    }
  }

  /** A series (N, T, C) and a mask (N, T) to (N, C): the mean over the times that are not masked, 0 where all are. */
  class MixdownMaskedMean extends tf.layers.Layer {
    computeOutputShape([[count, , width]]) {
      return [count, width];
    }
    call([x, mask]) {
      return tf.tidy(() => {
        const real = tf.expandDims(mask, 2);
        return tf.div(tf.sum(tf.mul(x, real), 1), tf.maximum(tf.sum(real, 1), 1));
      });
    }
    static get className() {
      return 'MixdownMaskedMean';
    }
  }

  /** (N, C), not negative: each row divided by its total. */
  class MixdownNormalise extends tf.layers.Layer {
    call(inputs) {
      return tf.tidy(() => {
        const x = Array.isArray(inputs) ? inputs[0] : inputs;
        return tf.div(x, tf.sum(x, -1, true));
      });
    }
    static get className() {
      return 'MixdownNormalise';
    }
  }

  tf.serialization.registerClass(MixdownAttentionPool);
  tf.serialization.registerClass(MixdownMask);
  tf.serialization.registerClass(MixdownMaskedMean);
  tf.serialization.registerClass(MixdownNormalise);
}
`;
