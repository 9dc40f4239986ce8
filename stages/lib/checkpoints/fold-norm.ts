import type {FoundNorm} from './found-layers.ts';

/** A layer with the batch normalisation after it made part of it. */
export interface FoldedNorm {
  readonly biases: Float32Array;
  /** The layer's weights times the scale of each output, in place. Outputs are the last axis, or the only one above 1. */
  scale(this: void, weights: Float32Array): Float32Array;
}

/** Added to variances: YAMNet's params.py. */
const EPSILON = 1e-4;

/**
 * gamma * (w x + b - mean) / sqrt(variance + epsilon) + beta as one layer: w' = w s, b' = (b - mean) s + beta with
 * s = gamma / sqrt(variance + epsilon). Without gamma it is 1, without b 0.
 */
export function foldNorm(norm: FoundNorm, channels: number, layerBiases: Float32Array | undefined): FoldedNorm {
  const [beta, mean, variance] = [norm.beta.tensor.read(), norm.mean.tensor.read(), norm.variance.tensor.read()];
  const gamma = norm.gamma?.tensor.read();
  const scales = Float64Array.from(variance, (value, i) => (gamma?.[i] ?? 1) / Math.sqrt(value + EPSILON));
  return {
    biases: beta.map((value, i) => ((layerBiases?.[i] ?? 0) - (mean[i] ?? 0)) * (scales[i] ?? 1) + value),
    scale(weights) {
      // A depthwise kernel ends in (channels, 1): there too the channel is the place modulo their number.
      for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) * (scales[i % channels] as number);
      return weights;
    },
  };
}
