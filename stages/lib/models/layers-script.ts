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
   */
  class MixdownAttentionPool extends tf.layers.Layer {
    constructor(config) {
      super(config);
      this.norm = config.norm;
    }
    computeOutputShape([[count, , classes]]) {
      return [count, classes];
    }
    call([scores, attention]) {
      return tf.tidy(() => tf.sum(tf.mul(this.weigh(attention), tf.sigmoid(scores)), 1));
    }
    weigh(attention) {
      if (this.norm === 'time-softmax') {
        const raw = tf.exp(tf.sub(attention, tf.max(attention, 1, true)));
        return tf.div(raw, tf.sum(raw, 1, true));
      }
      const raw = this.norm === 'sigmoid+time-sum' ? tf.sigmoid(attention) : tf.softmax(attention);
      const kept = tf.clipByValue(raw, 1e-7, 1 - 1e-7);
      return tf.div(kept, tf.sum(kept, 1, true));
    }
    getConfig() {
      return {...super.getConfig(), norm: this.norm};
    }
    static get className() {
      return 'MixdownAttentionPool';
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
  tf.serialization.registerClass(MixdownNormalise);
}
`;
