/**
 * A neural network as data. From this one description come training, inference on any tensor engine, the ONNX file and the
 * TensorFlow.js layers file. Layers are in an order in which each reads only inputs and layers before it.
 */
export interface ModelGraph {
  readonly inputs: readonly ModelInput[];
  readonly layers: readonly Layer[];
  /** Names of the layers whose values the model gives; the first one is what training is about. */
  readonly outputs: readonly string[];
}

export interface ModelInput {
  readonly name: string;
  /** Of one example; null where examples of a batch share a length that the model does not fix. */
  readonly shape: readonly (number | null)[];
}

/**
 * One layer. Parameters are called `<layer>/<part>`: `weights` and `biases` of convolutions (height, width, inputs,
 * outputs; depthwise: height, width, channels, 1) and dense layers (inputs, outputs); `gamma`, `beta`, `mean` and `variance`
 * of batch normalisations; `weights` (inputs, 4 units), `recurrent` (units, 4 units) and `biases` (4 units) of an LSTM, gates
 * in the order input, forget, cell, output.
 *
 * Those that look along time (time-mean, attention-pool, lstm) and batch normalisations of series may have a mask (N, T) as
 * one more input: vectors with 0 there are as if they were not. An LSTM keeps its state over them, a pool of nothing is 0,
 * and a batch normalisation takes its moments in training without them.
 */
export type Layer = {readonly name: string; readonly inputs: readonly string[]} & LayerKind;

export type LayerKind =
  /** Adds a last axis of size 1. */
  | {readonly op: 'expand'}
  /** NHWC, SAME padding. */
  | {
      readonly op: 'convolution';
      readonly filters: number;
      readonly kernel: readonly [number, number];
      readonly stride: number;
    }
  | {readonly op: 'depthwise-convolution'; readonly kernel: readonly [number, number]; readonly stride: number}
  /** 2 x 2, stride 2, SAME. */
  | {readonly op: 'max-pool'}
  /** (N, H, W, C) to (N, C): the mean over both axes of the image. */
  | {readonly op: 'image-mean'}
  /** (N, H, W, C) to (N, H * W * C). */
  | {readonly op: 'flatten'}
  /** On the last axis. */
  | {readonly op: 'dense'; readonly units: number}
  /** On the last axis. `momentum`: part of the running moments that a step of training keeps. */
  | {readonly op: 'batch-norm'; readonly epsilon: number; readonly momentum: number}
  /** Training only; each element on its own. */
  | {readonly op: 'dropout'; readonly rate: number}
  | {readonly op: 'relu' | 'relu6' | 'sigmoid' | 'softmax'}
  /** (N, T, C) to (N, T): 0 for a vector of zeros, else 1. What takes it leaves such vectors out. */
  | {readonly op: 'mask'}
  /** (N, C) to (N, 1, C): a series of one vector. */
  | {readonly op: 'series'}
  /** (N, T, C) to (N, C): the mean over time. */
  | {readonly op: 'time-mean'}
  /** Two inputs, logits (N, T, C) of scores and of attention, to (N, C). */
  | {readonly op: 'attention-pool'; readonly norm: AttentionNorm}
  /** (N, T, C) to (N, units): the last output. */
  | {readonly op: 'lstm'; readonly units: number}
  /** Joins along the last axis. */
  | {readonly op: 'concat'}
  | {readonly op: 'sum' | 'mean'}
  /** Divides each row by its total; rows are not negative. */
  | {readonly op: 'normalise'};

/** How attention becomes weights over time. */
export const ATTENTION_NORMS = ['class-softmax+time-sum', 'time-softmax', 'sigmoid+time-sum'] as const;
export type AttentionNorm = (typeof ATTENTION_NORMS)[number];
