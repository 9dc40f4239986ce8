import type {Scalar, Tensor} from '@tensorflow/tfjs-core';
import type {AdamSettings} from '../tensors/adam.ts';
import type {Engine} from '../tensors/engine.ts';
import type {NamedArray, Weights} from '../tensors/named-array.ts';
import {runGraph, type Pass} from './forward.ts';
import {planGraph} from './graph-plan.ts';
import type {ModelGraph} from './graph.ts';
import {lossOf} from './loss.ts';
import {infer} from './predictor.ts';
import {checkWeights, parameterShapes} from './shapes.ts';
import {parameterRoles} from './trainable.ts';
import {counterOf, createTrainedWeights} from './trained-weights.ts';
import {asMatrix, inputValues, rowsOf, type Arrays, type Value} from './value.ts';

/** A model in training. */
export interface Trainer {
  /**
   * One step on the rows of all batches together: their gradients are added up, each batch counting by its rows, so that
   * only one batch at a time needs memory. Batch normalisations see one batch at a time, and dropout masks are addressed by
   * the step, the layer and the number of the batch. Gives the mean loss over all rows before the step.
   */
  step(batches: readonly Batch[]): Promise<number>;
  /** The first output for inputs by name, as in inference. */
  predict(inputs: Arrays): Promise<Float32Array>;
  /** A copy of all weights, running moments and frozen layers included. */
  save(): Promise<Weights>;
  /** Replaces the weights of the layers that learn, not what the optimiser remembers. */
  load(weights: Weights): void;
  /** All that it takes to go on, bit for bit as if training had not stopped. Frozen layers are not part of it. */
  saveState(): Promise<TrainerState>;
  /** Throws StageError, and changes nothing, when the state is of another training. */
  loadState(state: TrainerState): void;
  /** Frees the tensors. */
  dispose(): void;
}

/** Examples, with what the first output should be for them, (N, classes). */
export interface Batch {
  readonly inputs: Arrays;
  readonly targets: NamedArray;
  /** What each row's loss is multiplied by, from 0; 1 unless given. The mean stays one over all rows. */
  readonly weights?: Float32Array;
}

export interface TrainerState {
  readonly arrays: Weights;
  readonly counters: Readonly<Record<string, number>>;
}

export interface TrainerSettings extends AdamSettings {
  /** Which layers learn, by name; all unless given. The others cost no gradient, their running moments stay. */
  readonly trainable?: (layer: string) => boolean;
}

/**
 * Starts a training with Adam from the weights given, with the loss that goes with the graph's first output. Equal weights,
 * seeds and batches give equal results, bit for bit. Throws StageError when the weights do not fit, when nothing is to be
 * trained, or when something before a layer without a gradient is. The arrays must not change while the trainer lives.
 */
export function createTrainer(
  engine: Engine,
  graph: ModelGraph,
  settings: TrainerSettings,
  initial: Weights,
  seed: number,
): Trainer {
  const {tf} = engine;
  checkWeights(graph, initial);
  const loss = lossOf(graph);
  const plan = planGraph(graph, [loss.of]);
  const output = planGraph(graph, graph.outputs.slice(0, 1));
  const isTrainable = settings.trainable ?? (() => true);
  const roles = parameterRoles(graph, plan, isTrainable);
  const own = new Map([...parameterShapes(graph).keys()].map((name) => [name, initial.get(name) as NamedArray]));
  const weights = createTrainedWeights(engine, own, roles, settings);
  const momenta = new Map(
    graph.layers.flatMap((layer) => (layer.op === 'batch-norm' ? [[layer.name, layer.momentum] as const] : [])),
  );
  let steps = 0;

  /** The loss of a batch, and its gradients times `share`. */
  function differentiate(
    {inputs, targets, weights: counts}: Batch,
    part: number,
    share: number,
  ): {value: Scalar; grads: Tensor[]} {
    const pass: Pass = {
      get: (parameter) => weights.get(parameter),
      training: {
        seed,
        step: steps,
        part,
        isFrozen: (layer) => !isTrainable(layer),
        // A part of a batch moves the average by its share: all of them together keep `momentum` of it.
        onMoments: (layer, moments) =>
          weights.running.get(layer)?.update(moments, (momenta.get(layer) as number) ** share),
      },
    };
    return tf.tidy(() => {
      const values = inputValues(graph, engine, inputs);
      const wanted = tf.tensor2d(targets.data, targets.shape as [number, number]);
      const weightOfRows = counts === undefined ? undefined : tf.tensor2d(counts, [counts.length, 1]);
      const computeLoss = (): Scalar => {
        const [value] = runGraph(engine, plan, values, pass);
        return loss.compute(engine, asMatrix(engine, value as Value), wanted, weightOfRows);
      };
      return tf.valueAndGrads(computeLoss)([...weights.learning], share === 1 ? undefined : tf.scalar(share));
    });
  }

  return {
    async step(batches) {
      if (batches.length === 0) throw new RangeError('a step needs a batch');
      const rows = batches.map((batch) => checkedRows(graph, batch, loss.classes));
      const total = rows.reduce((sum, count) => sum + count, 0);
      const shares = rows.map((count) => count / total);
      steps++;
      const losses: Scalar[] = [];
      let sums: readonly Tensor[] = [];
      try {
        for (const [part, batch] of batches.entries()) {
          const {value, grads} = differentiate(batch, part, shares[part] as number);
          losses.push(value);
          sums = part === 0 ? grads : addAll(engine, sums, grads);
        }
        weights.step(sums);
        let mean = 0;
        for (const [part, value] of losses.entries()) {
          mean += (shares[part] as number) * ((await value.data<'float32'>())[0] as number);
        }
        return mean;
      } finally {
        tf.dispose([...losses, ...sums]);
      }
    },
    async predict(inputs) {
      const outputs = await infer(engine, graph, output, {get: (parameter) => weights.get(parameter)}, inputs);
      return (outputs[output.wanted[0] as string] as NamedArray).data;
    },
    save: () => weights.save(),
    load: (loaded) => weights.load(loaded),
    async saveState() {
      const {arrays, counters} = await weights.saveState();
      return {arrays, counters: {...counters, steps}};
    },
    loadState(state) {
      const done = counterOf(state.counters, 'steps');
      weights.loadState(state);
      steps = done;
    },
    dispose: () => weights.dispose(),
  };
}

/** Rows of the batch. Throws RangeError when there are none, or when the targets or weights are for others. */
function checkedRows(graph: ModelGraph, {inputs, targets: {shape, data}, weights}: Batch, classes: number): number {
  const rows = rowsOf(graph, inputs);
  if (rows === 0) throw new RangeError('a batch needs rows');
  if (shape.length !== 2 || shape[0] !== rows || shape[1] !== classes || data.length !== rows * classes) {
    throw new RangeError(`the targets have shape [${shape.join(', ')}]; [${rows}, ${classes}] is expected`);
  }
  if (weights !== undefined && weights.length !== rows) {
    throw new RangeError(`there are ${weights.length} weights for ${rows} rows`);
  }
  return rows;
}

/** Sums of the tensors, pair by pair; frees what they are made of, so that no more than one pair is there twice. */
function addAll({tf}: Engine, sums: readonly Tensor[], more: readonly Tensor[]): readonly Tensor[] {
  return sums.map((sum, i) => {
    const other = more[i] as Tensor;
    const result = tf.add(sum, other);
    tf.dispose([sum, other]);
    return result;
  });
}
