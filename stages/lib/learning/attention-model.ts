import type {Tensor1D, Tensor2D, Tensor3D} from '@tensorflow/tfjs-core';
import type {AttentionNorm} from '../models/graph.ts';
import {attentionPool} from '../tensors/attention-pool.ts';
import {counterStream, glorotUniform} from '../tensors/counter-random.ts';
import type {Engine} from '../tensors/engine.ts';
import {batchNorm, concatColumns, dense, dropout, relu, reshape, sumOf} from '../tensors/layers.ts';
import {shareCrossEntropy, softmaxCrossEntropy} from '../tensors/losses.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {createParameters, type Parameters} from '../tensors/parameters.ts';
import {createRunningMoments, type RunningMoments} from '../tensors/running-moments.ts';

/** Multi-level attention. Source: Yu et al. 2018, "Multi-level attention model for weakly supervised audio classification". */
export interface AttentionConfig {
  /** Values per frame. */
  readonly features: number;
  readonly classes: number;
  /** Hidden blocks that get a head, ascending from 1; the highest is the number of blocks. */
  readonly levels: readonly number[];
  /** Units of a hidden block. */
  readonly units: number;
  readonly dropout: number;
  /** Batch normalisation before every sigmoid and softmax of the heads and of the output. */
  readonly headBatchNorm: boolean;
  /** Logit at which the scores start. */
  readonly scoreBias: number;
  /** A dense layer with softmax over the concatenated levels; without it, the levels' sum divided by its total. */
  readonly finalDense: boolean;
  readonly attentionNorm: AttentionNorm;
  /** Part of the running moments that a step keeps. */
  readonly momentum: number;
  readonly learningRate: number;
}

export interface AttentionModel {
  /** One step of training on a batch x (B, T, F) with targets (B, C), rows of sum 1. Returns the mean loss before it. */
  train(x: Float32Array, targets: Float32Array, pieces: number): number;
  /** Class probabilities (B, C) of x (B, T, F); `pieces` is T. */
  predict(x: Float32Array, pieces: number): Float32Array;
  /** All weights, the running moments included, as a copy. */
  save(): Promise<Weights>;
  load(weights: Weights): void;
  /** Frees the tensors. */
  dispose(): void;
}

const BATCH_NORM_EPSILON = 1e-3;

/** A model with fresh weights from `seed`. Equal seeds and batches give equal results, bit for bit. */
export function createAttentionModel(engine: Engine, config: AttentionConfig, seed: number): AttentionModel {
  const {tf} = engine;
  const parameters = createParameters(engine, initialWeights(config, seed), {learningRate: config.learningRate});
  const running = new Map(normalisedWidths(config).map(([name, width]) => [name, createRunningMoments(engine, width)]));
  let steps = 0;

  return {
    train(x, targets, pieces) {
      steps++;
      const batch = targets.length / config.classes;
      const {value, grads} = tf.tidy(() => {
        const frames = tf.tensor2d(x, [batch * pieces, config.features]);
        const wanted = tf.tensor2d(targets, [batch, config.classes]);
        const pass = trainingPass(engine, config, parameters, running, seed, steps);
        return tf.valueAndGrads(() => {
          const output = forward(engine, config, pass, frames, pieces);
          return config.finalDense
            ? softmaxCrossEntropy(engine, output, wanted)
            : shareCrossEntropy(engine, output, wanted);
        })([...parameters.tensors]);
      });
      parameters.step(grads);
      const [loss] = value.dataSync<'float32'>();
      tf.dispose([value, ...grads]);
      return loss as number;
    },
    predict: (x, pieces) =>
      tf.tidy(() => {
        const frames = tf.tensor2d(x, [x.length / config.features, config.features]);
        const output = forward(engine, config, inferencePass(engine, parameters, running), frames, pieces);
        const probabilities = config.finalDense ? tf.softmax(output) : tf.div(output, tf.sum(output, 1, true));
        return probabilities.dataSync<'float32'>();
      }),
    async save() {
      const weights = new Map(await parameters.save());
      for (const [name, moments] of running) {
        for (const [part, array] of await moments.save(name)) weights.set(part, array);
      }
      return weights;
    },
    load(weights) {
      parameters.load(weights);
      for (const [name, moments] of running) moments.load(name, weights);
    },
    dispose() {
      parameters.dispose();
      for (const moments of running.values()) moments.dispose();
    },
  };
}

/** What differs between training and inference. */
interface Pass {
  readonly parameters: Parameters;
  normalise(name: string, x: Tensor2D): Tensor2D;
  activate(name: string, x: Tensor2D): Tensor2D;
}

type Running = ReadonlyMap<string, RunningMoments>;

function trainingPass(
  engine: Engine,
  {dropout: rate, momentum}: AttentionConfig,
  parameters: Parameters,
  running: Running,
  seed: number,
  step: number,
): Pass {
  return {
    parameters,
    normalise(name, x) {
      const [gamma, beta] = [parameters.get<Tensor1D>(`${name}/gamma`), parameters.get<Tensor1D>(`${name}/beta`)];
      const {y, ...moments} = batchNorm(engine, x, gamma, beta, BATCH_NORM_EPSILON);
      running.get(name)?.update(moments, momentum);
      return y;
    },
    activate: (name, x) => dropout(engine, relu(engine, x), rate, counterStream(seed, `${name}/dropout/${step}`)),
  };
}

function inferencePass({tf}: Engine, parameters: Parameters, running: Running): Pass {
  return {
    parameters,
    normalise(name, x) {
      const {mean, variance} = running.get(name) as RunningMoments;
      const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
      const factor = tf.mul(parameters.get<Tensor1D>(`${name}/gamma`), inverse);
      const shift = tf.sub(parameters.get<Tensor1D>(`${name}/beta`), tf.mul(factor, mean));
      return tf.add(tf.mul(x, factor), shift);
    },
    activate: (_name, x) => tf.relu(x),
  };
}

/** Logits (B, C) with a final dense layer, else the sum over the levels of their pooled scores (B, C), not negative. */
function forward(engine: Engine, config: AttentionConfig, pass: Pass, frames: Tensor2D, pieces: number): Tensor2D {
  const layer = (name: string, x: Tensor2D): Tensor2D =>
    dense(engine, x, pass.parameters.get<Tensor2D>(`${name}/weights`), pass.parameters.get<Tensor1D>(`${name}/biases`));
  const head = (name: string, x: Tensor2D): Tensor2D =>
    config.headBatchNorm ? pass.normalise(name, layer(name, x)) : layer(name, x);

  let hidden = pass.normalise('input', frames);
  const outputs: Tensor2D[] = [];
  for (let level = 1; level <= Math.max(...config.levels); level++) {
    const name = `h${level}`;
    hidden = pass.activate(name, pass.normalise(name, layer(name, hidden)));
    if (!config.levels.includes(level)) continue;
    const scores = head(`${name}/scores`, hidden);
    const attention = head(`${name}/attention`, hidden);
    const cube = (x: Tensor2D): Tensor3D => reshape(engine, x, [x.shape[0] / pieces, pieces, x.shape[1]]);
    outputs.push(attentionPool(engine, cube(scores), cube(attention), config.attentionNorm));
  }
  return config.finalDense ? head('output', concatColumns(engine, outputs)) : sumOf(engine, outputs);
}

/** The dense layers with their sizes. */
function denseLayers({features, classes, levels, units, finalDense}: AttentionConfig): readonly DenseLayer[] {
  const layers: DenseLayer[] = [];
  for (let level = 1; level <= Math.max(...levels); level++) {
    layers.push({name: `h${level}`, from: level === 1 ? features : units, to: units, isHead: false});
    if (!levels.includes(level)) continue;
    layers.push({name: `h${level}/scores`, from: units, to: classes, isHead: true});
    layers.push({name: `h${level}/attention`, from: units, to: classes, isHead: true});
  }
  if (finalDense) layers.push({name: 'output', from: classes * levels.length, to: classes, isHead: true});
  return layers;
}

interface DenseLayer {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly isHead: boolean;
}

/** Names and widths of the batch normalisations. */
function normalisedWidths(config: AttentionConfig): readonly (readonly [string, number])[] {
  const layers = denseLayers(config).filter(({isHead}) => config.headBatchNorm || !isHead);
  return [['input', config.features], ...layers.map(({name, to}) => [name, to] as const)];
}

/** Glorot-uniform weights, zero biases, gamma 1 and beta 0, as in Keras; the scores start at `scoreBias`. */
function initialWeights(config: AttentionConfig, seed: number): Weights {
  const weights = new Map<string, NamedArray>();
  const constant = (width: number, value: number): NamedArray => ({
    shape: [width],
    data: new Float32Array(width).fill(value),
  });
  const startOf = (name: string): number => (name.endsWith('/scores') ? config.scoreBias : 0);
  for (const {name, from, to, isHead} of denseLayers(config)) {
    const stream = counterStream(seed, `${name}/weights`);
    weights.set(`${name}/weights`, {shape: [from, to], data: glorotUniform(from * to, from, to, stream)});
    weights.set(`${name}/biases`, constant(to, isHead && config.headBatchNorm ? 0 : startOf(name)));
  }
  for (const [name, width] of normalisedWidths(config)) {
    weights.set(`${name}/gamma`, constant(width, 1));
    weights.set(`${name}/beta`, constant(width, startOf(name)));
  }
  return weights;
}
