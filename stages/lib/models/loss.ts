import type {Scalar, Tensor2D} from '@tensorflow/tfjs-core';
import {StageError} from 'mixdown/stage';
import type {Engine} from '../tensors/engine.ts';
import {withGradient} from '../tensors/gradient.ts';
import {
  shareCrossEntropy,
  sigmoidCrossEntropy,
  softmaxCrossEntropy,
  weighRows,
  type RowWeights,
} from '../tensors/losses.ts';
import type {ModelGraph} from './graph.ts';
import {layerShapes} from './shapes.ts';

/** What training makes smaller. */
export interface Loss {
  /** The value (N, C) that it is computed from: what goes into the last layer, which would only lose digits. */
  readonly of: string;
  /** C. */
  readonly classes: number;
  /** From that value and the targets (N, C), the mean over rows, and over classes where each is on its own. */
  readonly compute: (engine: Engine, value: Tensor2D, targets: Tensor2D, weights: RowWeights) => Scalar;
}

/**
 * The loss that goes with a model's first output: after a softmax the categorical cross-entropy (targets are rows of sum 1),
 * after a sigmoid the binary one (targets are 0 ... 1), after `normalise` the categorical one of the shares; for a mean of
 * probabilities, over time or over levels, the binary one. Throws StageError for other outputs, and for outputs that are not
 * (N, C).
 */
export function lossOf(graph: ModelGraph): Loss {
  const [name = ''] = graph.outputs;
  const layer = graph.layers.find((candidate) => candidate.name === name);
  const [input = ''] = layer?.inputs ?? [];
  const [classes, ...more] = layerShapes(graph).get(name) ?? [];
  if (typeof classes !== 'number' || more.length > 0) {
    throw new StageError(`the model's output \`${name}\` cannot be trained: it is not one row of classes an example`);
  }
  switch (layer?.op) {
    case 'softmax':
      return {of: input, classes, compute: softmaxCrossEntropy};
    case 'sigmoid':
      return {of: input, classes, compute: sigmoidCrossEntropy};
    case 'normalise':
      return {of: input, classes, compute: shareCrossEntropy};
    case 'time-mean':
    case 'attention-pool':
    case 'mean':
      return {of: name, classes, compute: probabilityCrossEntropy};
    default:
      throw new StageError(
        `the model's output \`${name}\` cannot be trained: no loss goes with its layer`,
        'a model to be trained ends in probabilities: softmax, sigmoid, normalise, time-mean, attention-pool or mean',
      );
  }
}

/** Probabilities are kept this far from 0 and 1, as Keras does. */
const CLIP = 1e-7;

/** Mean over rows and classes of the binary cross-entropy between targets (N, C), 0 ... 1, and probabilities (N, C). */
function probabilityCrossEntropy(
  engine: Engine,
  probabilities: Tensor2D,
  targets: Tensor2D,
  weights: RowWeights,
): Scalar {
  const {tf} = engine;
  return withGradient(engine, [probabilities], (save) => {
    const p = tf.clipByValue<Tensor2D>(probabilities, CLIP, 1 - CLIP);
    const q = tf.sub(1, p);
    save([weighRows(engine, tf.div(tf.sub(p, targets), tf.mul(p, q)), weights)]);
    const gains = tf.add<Tensor2D>(tf.mul(targets, tf.log(p)), tf.mul(tf.sub(1, targets), tf.log(q)));
    return {
      value: tf.neg(tf.mean<Scalar>(weighRows(engine, gains, weights))),
      gradient: (dy, [slope]: [Tensor2D]) => [() => tf.mul(slope, tf.div(dy, probabilities.size))],
    };
  });
}
